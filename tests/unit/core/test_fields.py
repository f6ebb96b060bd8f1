"""The table of metadata fields, and what is made of it."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from kb.core import fields
from kb.core.fields import BY_NAME, EDITABLE, FIELDS, FieldKind
from kb.core.models import Metadata, Source

WRITTEN = Metadata(
    id="å",
    titel="Titel",
    år=2021,
    temaer=("jura",),
    kilder=(Source("https://x", "X"),),
    inferred=frozenset({"titel"}),
    more=(),
)


def test_names_are_used_once_and_so_are_places_among_the_facets() -> None:
    names = [field.name for field in (*FIELDS, fields.PHASE, fields.READER, fields.ROLE)]
    assert len(set(names)) == len(names)
    for places in ([one.on_answers for one in fields.ANSWER_FACETS], [one.on_list for one in fields.LIST_FACETS]):
        assert places == list(range(1, len(places) + 1))


def test_what_is_offered_as_a_facet_can_be_filtered_by() -> None:
    assert not [field.name for field in BY_NAME.values() if field.facet and not field.filterable]


def test_a_field_of_known_words_has_some_and_a_name_for_its_warning() -> None:
    closed = [field for field in FIELDS if field.kind in {FieldKind.CHOICE, FieldKind.WORDS}]
    assert all(field.words and field.unknown for field in closed)


def test_every_attribute_of_the_metadata_is_a_field() -> None:
    attributes = {one.name for one in dataclasses.fields(Metadata)} - {"inferred", "more"}
    assert attributes <= {field.name for field in FIELDS}


@pytest.mark.parametrize(
    ("field", "value", "shown"),
    [
        ("temaer", "it-infrastruktur", "It-infrastruktur"),
        ("temaer", "ukendt", "ukendt"),
        ("type", "statslig", "Statslig"),
        ("område", "sundhed", "Sundhed"),
        ("myndighed", "ukendt kommune", "ukendt kommune"),
        ("sprog", "da", "Dansk"),
        ("sprog", "da-DK", ""),
    ],
)
def test_values_are_shown_in_words(field: str, value: str, shown: str) -> None:
    assert BY_NAME[field].label_of(value) == shown


def test_metadata_as_json_has_every_field_and_comes_back_the_same() -> None:
    assert list(WRITTEN.as_dict()) == [*(field.name for field in FIELDS), "udledt"]
    assert Metadata.from_dict(WRITTEN.as_dict()) == WRITTEN


def test_a_field_without_an_attribute_is_kept_too(monkeypatch: pytest.MonkeyPatch) -> None:
    added = dataclasses.replace(BY_NAME["emne"], name="sektor")
    words = dataclasses.replace(BY_NAME["temaer"], name="metoder")
    for module in ("kb.core.fields", "kb.core.models"):
        monkeypatch.setattr(f"{module}.FIELDS", (*FIELDS, added, words))
        monkeypatch.setattr(f"{module}.BY_NAME", {**BY_NAME, "sektor": added, "metoder": words})
    given: dict[str, Any] = {"id": "å", "titel": "Titel", "sektor": "Energi", "metoder": ("sprogmodel",)}
    metadata = Metadata.of(given)
    assert Metadata.of(dict(reversed(given.items()))) == metadata
    assert (metadata.value("sektor"), metadata.value("titel")) == ("Energi", "Titel")
    assert Metadata.from_dict(metadata.as_dict()) == metadata
    assert (WRITTEN.value("sektor"), WRITTEN.value("metoder"), WRITTEN.value("periode")) == ("", (), "")
    # A report that says nothing of the field is not another report for that, or it would be chunked anew in every run.
    assert Metadata.from_dict(WRITTEN.as_dict()) == WRITTEN


def test_a_changed_table_changes_how_files_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    before = fields.reading_key()
    monkeypatch.setattr(fields, "FIELDS", (*FIELDS, dataclasses.replace(BY_NAME["emne"], name="sektor")))
    assert fields.reading_key() != before


@pytest.mark.parametrize(
    ("asked", "years"),
    [
        ("2020", [2020]), ("2020-2022", [2020, 2021, 2022]), ("2022-2020", None), ("20", None), ("²⁰²⁰", None),
        ("2020-", None), ("-2020", None), ("9999", None), ("", None),
    ],
)  # fmt: skip
def test_a_year_and_a_span_of_years_are_read(asked: str, years: list[int] | None) -> None:
    found = fields.years_of(asked)
    assert (None if found is None else list(found)) == years


def test_an_editor_can_set_no_field_that_is_found_by_the_reader_alone() -> None:
    assert not {"id", "sprog", "kilder"} & {field.name for field in EDITABLE}
