"""Where a source's files lie: every name in the folder, shown and stored, and no two the same."""

from __future__ import annotations

import unicodedata
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from kb.extract.corpus_files import is_document_name, wrong_name
from kb.sources.naming import LONGEST_PART, local_names, safe_path

PART = st.sampled_from(
    ["..", ".", "", ".skjult", "a", "A", "æ", "æ\u0301", "x" * 300 + ".pdf", "to\nlinjer", "a › b", "\\"]
)
PATHS = st.lists(st.lists(PART, min_size=1, max_size=3).map("/".join), unique=True, max_size=6)


@settings(max_examples=30, deadline=None)
@given(PATHS)
def test_every_path_gets_a_place_of_its_own_in_the_folder(paths: list[str]) -> None:
    names = local_names(paths, taken=["a", "æ/b"])
    assert sorted(names) == sorted(paths)
    keys = [unicodedata.normalize("NFC", name).casefold() for name in (*names.values(), "a", "æ/b")]
    assert len(set(keys)) == len(keys)
    for key in keys:  # no file is a folder of another
        assert not any(other.startswith(f"{key}/") for other in keys)
    for name in names.values():
        parts = name.split("/")
        assert all(part and not part.startswith(".") and len(part.encode()) <= LONGEST_PART for part in parts)
        assert "›" not in name
        assert not name.startswith("/")


def test_an_ordinary_name_is_kept() -> None:
    assert safe_path("2024/Årsrapport (endelig).pdf") == "2024/Årsrapport (endelig).pdf"


def test_a_name_that_is_cut_keeps_its_ending_and_room_for_metadata() -> None:
    name = safe_path("å" * 200 + ".docx")
    assert name.endswith(".docx")
    assert len(name.encode()) <= LONGEST_PART


def test_a_name_that_is_avoided_is_not_given() -> None:
    assert local_names(["a.pdf"], [], lambda name: name == "a.pdf")["a.pdf"] != "a.pdf"


def test_what_is_made_can_be_read() -> None:
    for name in local_names(["\x85.pdf", "\ud800.pdf", "~$a.pdf"], []).values():
        assert not wrong_name(Path(name))
    assert is_document_name(safe_path(".a.pdf"))
