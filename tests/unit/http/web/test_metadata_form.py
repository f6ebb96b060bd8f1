"""The editors' form: what stands in it for a report, and what is made of what was sent."""

from __future__ import annotations

import pytest
from werkzeug.datastructures import MultiDict

from kb.core.errors import InputError
from kb.core.fields import EDITABLE
from kb.core.models import Metadata
from kb.http.web import metadata_form

METADATA = Metadata(
    id="a", titel="Titel", type="statslig", år=2021, temaer=("jura", "etik"), inferred=frozenset({"titel"})
)


def test_every_field_an_editor_may_set_stands_there_with_its_value() -> None:
    entries = {entry.name: entry for entry in metadata_form.entries(METADATA)}
    assert list(entries) == [field.name for field in EDITABLE]
    assert (entries["titel"].value, entries["titel"].inferred) == ("Titel", True)
    assert (entries["år"].value, entries["periode"].value) == ("2021", "")
    assert entries["temaer"].values == ("jura", "etik")
    assert entries["type"].words["statslig"] == "Statslig"


def test_what_is_sent_becomes_values_of_the_right_kind() -> None:
    sent = MultiDict(
        [("titel", " En  titel "), ("år", "2023"), ("type", "statslig"), ("temaer", "etik"), ("temaer", "data")]
    )
    values = metadata_form.read(sent)
    assert set(values) == {field.name for field in EDITABLE}
    assert (values["titel"], values["år"], values["type"]) == ("En titel", 2023, "statslig")
    assert values["temaer"] == ["data", "etik"]
    assert values["projekt"] == ""


def test_a_word_that_cannot_be_chosen_is_left_out_and_an_emptied_value_is_empty() -> None:
    values = metadata_form.read(MultiDict([("type", "privat"), ("temaer", "vejret"), ("år", " ")]))
    assert (values["type"], values["temaer"], values["år"]) == ("", [], None)


@pytest.mark.parametrize("year", ["i fjor", "20233", "1799", "²⁰²³"])
def test_a_year_that_is_none_is_refused(year: str) -> None:
    with pytest.raises(InputError, match="År skal være"):
        metadata_form.read(MultiDict([("år", year)]))
