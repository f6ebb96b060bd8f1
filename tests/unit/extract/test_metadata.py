from __future__ import annotations

from datetime import date

import pytest

from kb.core.errors import MetadataError
from kb.core.models import Metadata, ReadWarning, Source
from kb.extract.blocks import Block, Kind, Properties
from kb.extract.metadata import build_metadata, language_of, load_yaml, parse_sidecar

DANISH = (
    "Det er en rapport om de erfaringer, som kommunen har gjort sig med at bruge data i sagsbehandlingen, og der er"
)


def build(
    written: dict[str, object],
    path: str = "mappe/Ældre rapport.pdf",
    title: str = "",
    blocks: list[Block] | None = None,
) -> tuple[Metadata, list[str]]:
    metadata, warnings = build_metadata(written, path=path, properties=Properties(title=title), blocks=blocks or [])
    return metadata, [warning.code for warning in warnings]


def test_what_an_editor_wrote_is_taken_as_written() -> None:
    metadata, warnings = build(
        {
            "id": "min-rapport",
            "titel": "Min rapport",
            "projekt": "Projekt X",
            "myndighed": "Svendborg Kommune",
            "type": "kommunal",
            "område": "miljø",
            "år": 2021,
            "temaer": ["jura", "data"],
            "sprog": "da",
            "kilder": [{"url": "https://eksempel.dk/a", "titel": "A", "dato": date(2021, 5, 1)}],
        }
    )
    assert warnings == []
    assert metadata.projekt == "Projekt X"
    assert metadata.temaer == ("jura", "data")
    assert metadata.kilder == (Source("https://eksempel.dk/a", "A", "2021-05-01"),)
    assert metadata.inferred == frozenset()


def test_what_is_missing_is_inferred_and_said_to_be() -> None:
    heading = Block(Kind.HEADING, "Erfaringer med data", 1)
    metadata, warnings = build_metadata(
        {}, path="mappe/Ældre rapport.pdf", properties=Properties(), blocks=[heading, Block(Kind.PARAGRAPH, DANISH)]
    )
    assert not warnings
    assert (metadata.id, metadata.titel, metadata.år, metadata.sprog) == (
        "mappe-aeldre-rapport",
        "Erfaringer med data",
        None,
        "da",
    )
    assert metadata.inferred == {"id", "titel", "sprog"}
    assert metadata.projekt == metadata.myndighed == ""


@pytest.mark.parametrize(
    "title", ["Microsoft Word - rapport.doc", "untitled", "Dokument1", "rapport.indd", "-", "\ufffd\ufffd"]
)
def test_a_programs_leftover_is_no_title(title: str) -> None:
    assert build({}, title=title)[0].titel == "Ældre rapport"


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ({"id": "../../etc/passwd"}, "id"),
        ({"id": "Stor Id"}, "id"),
        ({"id": "-streg"}, "id"),
        ({"id": "a" * 200}, "id"),
        ({"titel": ["liste"]}, "titel"),
        ({"titel": True}, "titel"),
        ({"projekt": {"a": 1}}, "projekt"),
        ({"år": "i fjor"}, "år"),
        ({"år": 20}, "år"),
        ({"temaer": 7}, "temaer"),
        ({"temaer": ["jura", 7]}, "temaer"),
        ({"kilder": "https://eksempel.dk"}, "kilder"),
        ({"kilder": [7]}, "kilder"),
    ],
)
def test_a_value_of_the_wrong_kind_is_an_error_that_names_the_key(written: dict[str, object], key: str) -> None:
    with pytest.raises(MetadataError, match=f"«{key}"):
        build(written)


def test_an_unknown_key_is_a_warning_with_the_nearest_known_one() -> None:
    _, warnings = build_metadata({"tema": ["jura"]}, path="a.md", properties=Properties(), blocks=[])
    assert warnings == (ReadWarning("ukendt-metadata", "Metadata har en ukendt nøgle: «tema». Mente du «temaer»?"),)


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ({"temaer": ["vejret"]}, "ukendt-tema"),
        ({"type": "privat"}, "ukendt-type"),
        ({"titel": "A" * 10_000_000}, "metadata-afkortet"),
        ({"titel": "skjult\x1b[2Jtekst"}, "metadata-renset"),
        ({"kilder": [{"url": "javascript:alert(1)", "titel": "x"}]}, "ugyldig-kilde"),
        ({"kilder": ["file:///etc/passwd"]}, "ugyldig-kilde"),
    ],
)
def test_doubtful_values_are_cleaned_with_a_warning(written: dict[str, object], code: str) -> None:
    metadata, warnings = build(written)
    assert code in warnings
    assert len(metadata.titel) <= 500
    assert "\x1b" not in metadata.titel
    assert all(source.url == "" for source in metadata.kilder)


def test_personal_data_in_metadata_is_masked() -> None:
    assert build({"titel": "Sagen om 010190-0738"})[0].titel == "Sagen om [CPR-nummer skjult]"


def test_a_cpr_number_in_the_files_name_does_not_become_its_id() -> None:
    metadata, warnings = build({}, path="sager/010190-0738.pdf")
    assert "cpr-i-filnavn" in warnings
    assert "0738" not in f"{metadata.id} {metadata.titel}"


def test_numbers_and_dates_are_understood_as_text() -> None:
    metadata, _ = build({"titel": 2024, "periode": date(2020, 1, 1), "år": "2021", "id": 7})
    assert (metadata.titel, metadata.periode, metadata.år, metadata.id) == ("2024", "2020-01-01", 2021, "7")


@pytest.mark.parametrize("yaml", ["- en\n- liste", "bare tekst", "a: " + "x" * 300_000])
def test_yaml_that_is_no_mapping_is_an_error(yaml: str) -> None:
    with pytest.raises(MetadataError):
        load_yaml(yaml)


def test_yaml_that_refers_to_itself_does_not_go_round_for_ever() -> None:
    with pytest.raises(MetadataError, match="«titel"):
        build(load_yaml("titel: &a [*a]"))


@pytest.mark.parametrize("data", [b"titel: [", b"\xff\xfe\x00", b"a: b: c", b"!!python/object/apply:os.system ['ls']"])
def test_a_broken_sidecar_is_an_error(data: bytes) -> None:
    with pytest.raises(MetadataError):
        parse_sidecar(data)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        (DANISH, "da"),
        (
            "This is a report on the lessons that the city has learned from the use of data in its case work and so on",
            "en",
        ),
        (
            "Das ist ein Bericht über die Erfahrungen, die man mit den Daten in der Stadt und auf dem Land gemacht hat",
            "de",
        ),
        ("For kort", ""),
        ("1 2 3 " * 50, ""),
    ],
)
def test_language_by_function_words(text: str, language: str) -> None:
    assert language_of(text) == language
