"""An index on Milvus finds what the local one finds, with the same scores: vectors, words, phrases and filters."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kb import indexing
from kb.answer import answer
from kb.core.models import SearchResult
from kb.core.settings import Settings
from kb.evaluation import judged_questions
from kb.index.milvus import filters, words
from kb.index.places import IndexParts, place_of
from kb.index.verification import verify_build
from kb.language.analysis import QueryPhrase
from kb.retrieval.filters import Filters
from kb.retrieval.searcher import Engine, Searcher, open_searcher
from tests.milvus import needs_milvus, on_milvus
from tests.support import HashEmbedder, make_settings

pytestmark = [needs_milvus, pytest.mark.slow]

ROOT = Path(__file__).parents[4]
REPORTS = 6
QUESTIONS = 60
FILTERS: tuple[dict[str, list[str]], ...] = (
    {},
    {"rolle": ["læring"]},
    {"rolle": ["råd", "problem"]},
    {"år": ["2020", "2021", "2022"]},
    {"år": ["2021"], "rolle": ["resultat"]},
    {"type": ["kommunal"]},
)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Some of the reports, indexed in files and in a milvus-lite folder."""
    settings = make_settings(tmp_path_factory.mktemp("milvus"))
    settings.corpus.mkdir()
    for report in sorted((ROOT / "corpus" / "projekter").glob("*.md"))[-REPORTS:]:
        (settings.corpus / report.name).write_bytes(report.read_bytes())
    indexing.run(settings, HashEmbedder())
    indexing.run(on_milvus(settings, settings.index_dir / "milvus.db"), HashEmbedder())
    return settings


@pytest.fixture(scope="module")
def local(settings: Settings) -> Searcher:
    return open_searcher(settings, HashEmbedder())


@pytest.fixture(scope="module")
def milvus(settings: Settings) -> Searcher:
    return open_searcher(on_milvus(settings, settings.index_dir / "milvus.db"), HashEmbedder())


@pytest.fixture(scope="module")
def both(local: Searcher, milvus: Searcher) -> tuple[IndexParts, IndexParts]:
    """The parts of the same build in files and on the server."""
    return _opened(local), _opened(milvus)


def _opened(searcher: Searcher) -> IndexParts:
    place, build_id = place_of(searcher.settings), searcher.snapshot.build_id
    return place.open(place.builds_dir / build_id, build_id)


QUESTIONS_ASKED = [one.text for one in judged_questions.load(ROOT / "benchmarks" / "questions")][:QUESTIONS]


def _first(result: SearchResult) -> list[str]:
    return [hit.passage.id for hit in result.hits[:10]]


def test_the_first_ten_are_the_same(local: Searcher, milvus: Searcher) -> None:
    same = [_first(local.search(text)) == _first(milvus.search(text)) for text in QUESTIONS_ASKED]
    assert len(same) == QUESTIONS
    assert sum(same) >= 0.99 * len(same)


def test_scores_totals_and_facets_are_the_same(local: Searcher, milvus: Searcher) -> None:
    for text in QUESTIONS_ASKED[:10]:
        here, there = local.search(text), milvus.search(text)
        assert there.total == here.total
        assert there.facets == here.facets
        for ours, theirs in zip(here.hits, there.hits, strict=True):
            assert theirs.scores.dense == pytest.approx(ours.scores.dense, abs=1e-5)
            assert theirs.scores.lexical == pytest.approx(ours.scores.lexical, rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("engine", [Engine.DENSE, Engine.LEXICAL])
def test_each_engine_alone_ranks_the_same(local: Searcher, milvus: Searcher, engine: Engine) -> None:
    same = [
        _first(local.search(text, engine=engine)) == _first(milvus.search(text, engine=engine))
        for text in QUESTIONS_ASKED[:15]
    ]
    assert all(same)


@pytest.mark.parametrize("given", FILTERS)
def test_filters_are_exact(local: Searcher, milvus: Searcher, given: dict[str, list[str]]) -> None:
    for text in QUESTIONS_ASKED[:5]:
        here, there = local.search(text, filters=given), milvus.search(text, filters=given)
        assert there.total == here.total
        assert _first(there) == _first(here)
        allowed = milvus.snapshot.allowed(Filters.of(given))
        rows = {milvus.snapshot.store.passage(hit.passage.id).row for hit in there.hits}
        assert allowed is None or rows <= set(allowed.tolist())


def test_any_set_of_rows_may_be_allowed(both: tuple[IndexParts, IndexParts], monkeypatch: pytest.MonkeyPatch) -> None:
    # So low that this small base goes every way that a large one goes.
    monkeypatch.setattr(filters, "MOST_RANGES", 3)
    monkeypatch.setattr(filters, "MOST_LISTED", 40)
    here, there = both
    chance = np.random.default_rng(5)
    question = here.words.analyser.question("Hvad lærte projektet om data og medarbejdere?")
    query = here.passages.vectors(np.array([3]))
    for count in (1, 5, 39, 45, len(here.passages) // 2, len(here.passages) - 2):
        rows = np.sort(chance.choice(len(here.passages), count, replace=False)).astype(np.int64)
        nearest = there.passages.search(query, 12, rows)
        assert [row for row, _ in nearest] == [row for row, _ in here.passages.search(query, 12, rows)]
        ours, theirs = here.words.search(question, 12, rows), there.words.search(question, 12, rows)
        assert [score for _, score in theirs] == pytest.approx([score for _, score in ours], rel=1e-4)
        assert {row for row, _ in theirs} <= set(rows.tolist())


@pytest.mark.parametrize(
    "phrase", ["af de", "kunstig intelligens", "til at", "machine learning", "findes aldrig", "data"]
)
def test_phrases_are_held_by_the_same_passages(both: tuple[IndexParts, IndexParts], phrase: str) -> None:
    here, there = both
    looked_for = [tuple(phrase.split())]
    assert there.words.containing(looked_for).tolist() == here.words.containing(looked_for).tolist()


def test_a_phrase_of_more_passages_than_are_given_at_a_time_is_found_in_all(
    both: tuple[IndexParts, IndexParts], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(words, "MOST_HITS", 5)
    here, there = both
    held = here.words.containing([("og",)]).tolist()
    assert len(held) > 15
    assert there.words.containing([("og",)]).tolist() == held


def test_what_patterns_have_another_meaning_for_is_taken_as_written(both: tuple[IndexParts, IndexParts]) -> None:
    here, there = both
    for word in ("%", "a_", '"', "\\", "__"):
        assert there.words.containing([(word,)]).tolist() == here.words.containing([(word,)]).tolist() == []


def test_names_of_several_words_score_as_they_do_locally(both: tuple[IndexParts, IndexParts]) -> None:
    here, there = both
    text = "Hvordan gik det med medarbejderne?"
    names = [("kunstig", "intelligens"), ("til", "at")]
    phrases = tuple(QueryPhrase(name, 0.5, name[0]) for name in names)
    question = replace(here.words.analyser.question(text), phrases=phrases)
    assert len(here.words.containing([names[1]])) >= 3
    ours, theirs = here.words.search(question, 30), there.words.search(question, 30)
    assert [score for _, score in theirs] == pytest.approx([score for _, score in ours], rel=1e-4)
    rows = np.arange(0, len(here.words), 7, dtype=np.int64)
    assert there.words.scores(question, rows) == pytest.approx(here.words.scores(question, rows), rel=1e-4, abs=1e-4)


def test_answers_and_their_citations_are_the_same(local: Searcher, milvus: Searcher) -> None:
    ours, theirs = (answer(one, "Hvilke udfordringer var der med data?") for one in (local, milvus))
    assert ours.sentences
    assert replace(theirs, build_id=ours.build_id, created=ours.created) == ours


def test_a_question_of_unknown_words_alone_finds_by_vectors(local: Searcher, milvus: Searcher) -> None:
    assert _first(milvus.search("xyzzyq qqqwert")) == _first(local.search("xyzzyq qqqwert"))


def test_sentences_have_their_vectors(both: tuple[IndexParts, IndexParts]) -> None:
    here, there = both
    assert here.sentences is not None
    assert there.sentences is not None
    rows = np.array([5, 0, 5, len(here.sentences) - 1], dtype=np.int64)
    assert np.array_equal(there.sentences.vectors(rows), here.sentences.vectors(rows))
    assert there.sentences.sample(20).shape == here.sentences.sample(20).shape
    with pytest.raises(IndexError):
        there.sentences.vectors(np.array([len(here.sentences)]))


def test_the_build_is_whole(settings: Settings, milvus: Searcher) -> None:
    assert verify_build(place_of(milvus.settings), milvus.snapshot.build_id) == []
