from __future__ import annotations

import errno
import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest

from kb.core.errors import IndexDamagedError
from kb.index import forward_index, lexical
from kb.index.forward_index import ForwardIndex
from kb.index.lexical import NGRAM_WEIGHT, Entry, LexicalIndex

ENTRIES = [
    Entry("Asta", ("Jura", "Databehandleraftaler"), "Kommunen indgik en aftale med leverandøren om drift."),
    Entry("Asta", ("Data",), "Datamigrering tog længere tid end planlagt, og data måtte renses."),
    Entry("Tal", ("Jura",), "Aftalen om medicinsk udstyr blev indgået sent. Aftaler kræver tid."),
    Entry("Tal", ("Drift",), "Driften kører efter planen i alle kommuner."),
    Entry("", (), "Ingenting."),
    Entry("Regler", (), "Forordningen om medicinsk udstyr kræver tid, og det gør en DPIA også."),
    *(Entry("Fyld", (), f"Notat nummer {number} om drift og data.") for number in range(700)),
]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> LexicalIndex:
    folder = tmp_path_factory.mktemp("lexical") / "index"
    lexical.build(folder, ENTRIES)
    return LexicalIndex.open(folder)


def _rows(index: LexicalIndex, text: str, top: int = 5, allowed: list[int] | None = None) -> list[int]:
    rows = None if allowed is None else np.array(allowed, dtype=np.int64)
    return [row for row, _ in index.search(index.analyser.question(text), top, rows)]


def test_compounds_and_inflections_are_found(index: LexicalIndex) -> None:
    assert _rows(index, "databehandleraftale")[0] == 0
    assert _rows(index, "migrering af data")[0] == 1
    assert set(_rows(index, "aftaler")) == {0, 2}


def test_scores_fall_and_equal_ones_go_by_row(index: LexicalIndex) -> None:
    found = index.search(index.analyser.question("drift og data"), 50)
    assert found == sorted(found, key=lambda entry: (-entry[1], entry[0]))
    assert len({row for row, _ in found}) == 50


@pytest.mark.parametrize("allowed", [[3], [1, 3, 700], list(range(0, 705, 2)), list(range(3, 705))])
def test_a_filter_gives_exactly_what_ranking_everything_and_then_filtering_gives(
    index: LexicalIndex, allowed: list[int]
) -> None:
    question = index.analyser.question("drift af data i kommuner")
    everything = index.search(question, len(index))
    expected = [entry for entry in everything if entry[0] in set(allowed)][:20]
    assert index.search(question, 20, np.array(allowed, dtype=np.int64)) == expected


def test_an_empty_filter_finds_nothing(index: LexicalIndex) -> None:
    assert _rows(index, "drift", allowed=[]) == []


@pytest.mark.parametrize("text", ["aftaler om medicinsk udstyr", "drift af data", "konsekvensanalyse", "MDR"])
def test_given_rows_are_scored_by_terms_as_in_the_search_and_by_character_ngrams(
    index: LexicalIndex, tmp_path: Path, text: str
) -> None:
    question = index.analyser.question(text)
    found = dict(index.search(question, len(ENTRIES)))
    forward_index.build(tmp_path / "f", [index.analyser.analysed(entry.full_text) for entry in ENTRIES])
    rows = np.arange(len(ENTRIES))
    ngrams = ForwardIndex(tmp_path / "f").scores({}, question.words, rows)[1]
    expected = [found.get(row, 0.0) + NGRAM_WEIGHT * float(ngrams[row]) for row in rows.tolist()]
    assert index.scores(question, rows).tolist() == pytest.approx(expected, rel=1e-4, abs=1e-5)


def test_phrases_are_found_as_written(index: LexicalIndex) -> None:
    assert index.containing([("medicinsk", "udstyr")]).tolist() == [2, 5]
    assert index.containing([("udstyr", "medicinsk")]).tolist() == []
    assert index.containing([("jura", "databehandleraftaler")]).tolist() == []
    assert index.containing([("drift",), ("aftale",)]).tolist() == [0]


def test_a_question_without_known_terms_finds_nothing(index: LexicalIndex) -> None:
    assert _rows(index, "xylofon") == []
    assert _rows(index, "") == []


def test_two_builds_of_the_same_passages_score_alike(index: LexicalIndex, tmp_path: Path) -> None:
    lexical.build(tmp_path / "again", ENTRIES)
    again = LexicalIndex.open(tmp_path / "again")
    question = again.analyser.question("drift og data i kommuner")
    assert again.search(question, 30) == index.search(question, 30)


def test_an_index_without_passages_can_be_opened_and_asked(tmp_path: Path) -> None:
    lexical.build(tmp_path / "empty", [])
    index = LexicalIndex.open(tmp_path / "empty")
    assert len(index) == 0
    assert index.search(index.analyser.question("drift"), 10) == []
    assert index.containing([("drift",)]).tolist() == []


@pytest.mark.parametrize(
    "file",
    ["vocabulary/vocabulary.json", "vocabulary/words.trie", "forward/passages.counts", "tantivy/meta.json"],
)
def test_a_damaged_index_is_told(tmp_path: Path, file: str) -> None:
    lexical.build(tmp_path / "index", ENTRIES[:3])
    (tmp_path / "index" / file).write_text("{")
    with pytest.raises(IndexDamagedError):
        LexicalIndex.open(tmp_path / "index")


def test_opening_and_asking_writes_nothing_beside_the_index(tmp_path: Path) -> None:
    """A file made and removed again, such as a lock, would change the folder's own time."""
    lexical.build(tmp_path / "index", ENTRIES[:3])
    folders = [tmp_path / "index", *(path for path in (tmp_path / "index").rglob("*") if path.is_dir())]
    before = [folder.stat().st_mtime_ns for folder in folders]
    index = LexicalIndex.open(tmp_path / "index")
    assert _rows(index, "databehandleraftale") == [0]
    assert [folder.stat().st_mtime_ns for folder in folders] == before


def test_an_open_index_answers_when_its_folder_is_gone(tmp_path: Path) -> None:
    lexical.build(tmp_path / "index", ENTRIES[:3])
    index = LexicalIndex.open(tmp_path / "index")
    shutil.rmtree(tmp_path / "index")
    assert _rows(index, "databehandleraftale") == [0]
    question = index.analyser.question("datamigrering")
    assert index.scores(question, np.arange(3))[1] > 0


def test_a_folder_that_cannot_be_tidied_away_is_no_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tantivy's own threads may make a lock file while the folder of links is being removed."""
    lexical.build(tmp_path / "index", ENTRIES[:3])

    def not_empty(path: object, *args: object, **kwargs: object) -> None:
        raise OSError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY), str(path))

    monkeypatch.setattr(os, "rmdir", not_empty)
    assert _rows(LexicalIndex.open(tmp_path / "index"), "databehandleraftale") == [0]


def test_no_folder_stays_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lexical.build(tmp_path / "index", ENTRIES[:3])
    passing = tmp_path / "passing"
    passing.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(passing))
    for _ in range(20):
        LexicalIndex.open(tmp_path / "index")
    assert list(passing.iterdir()) == []
