from __future__ import annotations

from dataclasses import replace

import pytest

from kb.core.errors import FilterError
from kb.core.models import DocumentRecord, Metadata
from kb.core.stages import Phase, Status
from kb.facts.standing import UNTOLD, Standing
from kb.index.store import StoredRecord
from kb.retrieval.filters import NO_FILTERS, Filters

METADATA = replace(Metadata.from_dict({"id": "a", "titel": "A"}), projekt="ASTA", år=2021, temaer=("jura", "data"))
RECORD = StoredRecord(
    DocumentRecord("a", "a.md", "0" * 64, "text/markdown", "markdown", METADATA, 0, 1, 10, (), {}), "/korpus", "k",
    standing=Standing(Status.OPERATION, "2023", Phase.OPERATION, (2020, 2021)),
)  # fmt: skip


@pytest.mark.parametrize(
    ("given", "passes"),
    [
        ({}, True),
        ({"projekt": ["ASTA"]}, True),
        ({"projekt": ["asta"]}, False),
        ({"år": ["2021"]}, True),
        ({"temaer": ["etik", "jura"]}, True),
        ({"temaer": ["etik"]}, False),
        ({"projekt": ["ASTA"], "temaer": ["etik"]}, False),
        ({"læser": ["markdown"]}, True),
        ({"læser": ["pdf"]}, False),
        ({"område": ["noget"]}, False),
        ({"rolle": ["læring"]}, True),
        ({"status": ["i drift"]}, True),
        ({"status": ["stoppet"]}, False),
        ({"fase": ["idé", "drift"]}, True),
        ({"fase": ["idé"]}, False),
        ({"periode": ["2021"]}, True),
        ({"periode": ["2021-2024"]}, True),
        ({"periode": ["2022-2024", "2019"]}, False),
    ],
)
def test_a_document_passes_with_one_value_of_every_field(given: dict[str, list[str]], passes: bool) -> None:
    assert Filters.of(given).passes(RECORD) is passes


def test_filters_are_a_key_and_keep_the_order_they_were_given_in() -> None:
    filters = Filters.of({"temaer": ["jura", "data"], "år": [], "projekt": ("ASTA",)})
    assert filters == Filters.of({"temaer": ("jura", "data"), "projekt": ["ASTA"]})
    assert len({filters, Filters.of(filters), NO_FILTERS, Filters.of(None), Filters.of({"år": []})}) == 2
    assert list(filters.as_dict().items()) == [("temaer", ("jura", "data")), ("projekt", ("ASTA",))]
    assert filters.without("temaer") == Filters.of({"projekt": ["ASTA"]})


def test_the_role_is_asked_of_passages() -> None:
    assert Filters.of({"rolle": ["læring", "råd"], "år": ["2021"]}).roles == {"læring", "råd"}
    assert NO_FILTERS.roles == frozenset()


@pytest.mark.parametrize(
    ("field", "value", "known"),
    [("status", "I DRIFT", "i drift"), ("fase", "", "idé"), ("periode", "2022-2020", "2020-2022")],
)
def test_a_value_that_no_document_can_have_is_told_with_what_can_be_asked(field: str, value: str, known: str) -> None:
    with pytest.raises(FilterError, match=field) as caught:
        Filters.of({field: [value]})
    assert known in caught.value.advice


def test_a_report_without_a_standing_passes_no_filter_of_it() -> None:
    untold = replace(RECORD, standing=UNTOLD)
    asked: list[dict[str, list[str]]] = [{"status": [*Status]}, {"fase": [*Phase]}, {"periode": ["1900-2100"]}]
    assert not [given for given in asked if Filters.of(given).passes(untold)]


def test_an_unknown_field_is_told_with_the_known() -> None:
    with pytest.raises(FilterError, match="farve") as caught:
        Filters.of({"farve": ["blå"]})
    assert "projekt" in caught.value.advice
