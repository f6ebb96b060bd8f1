from __future__ import annotations

from dataclasses import replace

import pytest

from kb.core.errors import FilterError
from kb.core.models import DocumentRecord, Metadata
from kb.index.store import StoredRecord
from kb.retrieval.filters import NO_FILTERS, Filters

METADATA = replace(Metadata.from_dict({"id": "a", "titel": "A"}), projekt="ASTA", år=2021, temaer=("jura", "data"))
RECORD = StoredRecord(
    DocumentRecord("a", "a.md", "0" * 64, "text/markdown", "markdown", METADATA, 0, 1, 10, (), {}), "/korpus", "k"
)


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


def test_an_unknown_field_is_told_with_the_known() -> None:
    with pytest.raises(FilterError, match="farve") as caught:
        Filters.of({"farve": ["blå"]})
    assert "projekt" in caught.value.advice
