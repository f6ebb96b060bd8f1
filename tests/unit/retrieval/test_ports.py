"""Retrieval over other parts than the local ones, and with a reranker: it knows them by their protocols alone."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest

from kb import indexing
from kb.core.models import Page, Passage, SearchResult
from kb.core.settings import Settings
from kb.facts import Fact, FactKind
from kb.index.places import place_of
from kb.index.store import Failure, StoredDocument, StoredPassage, StoredSentence
from kb.language.analysis import Question
from kb.retrieval.opening import open_snapshot
from kb.retrieval.ports import DenseIndex, Floats, Keys, PassageStore, Ranking, SparseIndex, Vectors
from kb.retrieval.searcher import Engine, Searcher, open_searcher
from kb.retrieval.snapshot import Parts, Snapshot
from tests.support import HashEmbedder, make_settings, report_text, write_corpus

SUBJECTS = ("faldrisiko", "mailfordeling", "vandløb", "journalnotater")
QUESTIONS = ("Hvad var erfaringen med vandløb?", "tid og planlægning", 'tid "erfaringen med faldrisiko"', "faldresiko")
FILTERS: tuple[dict[str, list[str]], ...] = (
    {},
    {"år": ["2021"]},
    {"rolle": ["læring"]},
    {"rolle": ["råd"], "år": ["2020"]},
)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    settings = make_settings(tmp_path_factory.mktemp("dele"))
    for number, subject in enumerate(SUBJECTS):
        text = report_text(subject, project=f"Projekt {number}", year=2020 + number % 2, paragraphs=3)
        write_corpus(settings.corpus, {f"{subject}.md": text})
    indexing.run(settings, HashEmbedder())
    return settings


@pytest.fixture(scope="module")
def local(settings: Settings) -> Searcher:
    return open_searcher(settings, HashEmbedder())


def keys_elsewhere(rows: Keys) -> Keys:
    """Keys as another index might give them: far apart, and none of them a row."""
    return rows * 1000 + 100_007


def rows_here(keys: Keys) -> Keys:
    assert (keys % 1000 == 7).all()
    return (keys - 100_007) // 1000


def _elsewhere(ranking: Ranking) -> Ranking:
    return [(int(keys_elsewhere(np.array(row))), score) for row, score in ranking]


class DenseElsewhere:
    """A dense index by other keys."""

    def __init__(self, inner: DenseIndex) -> None:
        self._inner = inner

    def __len__(self) -> int:
        return len(self._inner)

    def search(self, query: Vectors, top: int, allowed: Keys | None = None) -> Ranking:
        return _elsewhere(self._inner.search(query, top, None if allowed is None else rows_here(allowed)))

    def scores(self, query: Vectors, keys: Keys) -> Floats:
        return self._inner.scores(query, rows_here(keys))

    def vectors(self, keys: Keys) -> Vectors:
        return self._inner.vectors(rows_here(keys))

    def sample(self, count: int) -> Vectors:
        return self._inner.sample(count)


class SparseElsewhere:
    """A sparse index by other keys."""

    def __init__(self, inner: SparseIndex) -> None:
        self._inner = inner

    def search(self, question: Question, top: int, allowed: Keys | None = None) -> Ranking:
        return _elsewhere(self._inner.search(question, top, None if allowed is None else rows_here(allowed)))

    def scores(self, question: Question, keys: Keys) -> Floats:
        return self._inner.scores(question, rows_here(keys))

    def containing(self, phrases: Iterable[Sequence[str]]) -> Keys:
        return keys_elsewhere(self._inner.containing(phrases))


class StoreElsewhere:
    """A passage store by other keys."""

    def __init__(self, inner: PassageStore) -> None:
        self._inner = inner

    def __len__(self) -> int:
        return len(self._inner)

    def stored_document(self, document_id: str) -> StoredDocument:
        return self._inner.stored_document(document_id)

    def passage(self, passage_id: str) -> StoredPassage:
        return self._moved(self._inner.passage(passage_id))

    def passages(self, keys: Sequence[int]) -> Mapping[int, StoredPassage]:
        rows = rows_here(np.array(keys, dtype=np.int64)).tolist()
        return {moved.row: moved for moved in map(self._moved, self._inner.passages(rows).values())}

    def passages_of(self, document_id: str) -> Sequence[StoredPassage]:
        return [self._moved(stored) for stored in self._inner.passages_of(document_id)]

    def all_passages(self) -> Iterator[StoredPassage]:
        return map(self._moved, self._inner.all_passages())

    def keys_of(self, document_ids: Iterable[str], roles: Collection[str] = ()) -> Keys:
        return keys_elsewhere(self._inner.keys_of(document_ids, roles))

    def role_counts(self, keys: Keys | None = None) -> Mapping[str, int]:
        return self._inner.role_counts(None if keys is None else rows_here(keys))

    def sentences_of_passages(self, passage_ids: Sequence[str]) -> Mapping[str, Sequence[StoredSentence]]:
        return {
            id_: [replace(one, row=int(keys_elsewhere(np.array(one.row)))) for one in sentences]
            for id_, sentences in self._inner.sentences_of_passages(passage_ids).items()
        }

    def sentence_keys_of(self, keys: Keys) -> Keys:
        return keys_elsewhere(self._inner.sentence_keys_of(rows_here(keys)))

    def pages_of(self, document_id: str) -> Sequence[Page]:
        return self._inner.pages_of(document_id)

    def facts(self, kinds: Sequence[FactKind]) -> Sequence[tuple[str, Fact]]:
        return self._inner.facts(kinds)

    def failures(self) -> Sequence[Failure]:
        return self._inner.failures()

    @staticmethod
    def _moved(stored: StoredPassage) -> StoredPassage:
        return replace(stored, row=int(keys_elsewhere(np.array(stored.row))))


@pytest.fixture(scope="module")
def elsewhere(local: Searcher, settings: Settings) -> Searcher:
    parts = open_snapshot(place_of(settings)).parts
    assert parts.sentences is not None
    moved = Parts(
        dense=DenseElsewhere(parts.dense),
        sparse=SparseElsewhere(parts.sparse),
        store=StoreElsewhere(parts.store),
        analyser=parts.analyser,
        sentences=DenseElsewhere(parts.sentences),
        records=parts.records,
    )
    return Searcher(Snapshot(local.snapshot.manifest, moved), local.embedder, settings)


@pytest.mark.parametrize("hidden", [frozenset[str](), frozenset({"vandl-b", "vandloeb", "faldrisiko"})])
@pytest.mark.parametrize("filters", FILTERS)
@pytest.mark.parametrize("question", QUESTIONS)
def test_the_keys_of_passages_are_their_parts_own(
    local: Searcher, elsewhere: Searcher, question: str, filters: dict[str, list[str]], hidden: frozenset[str]
) -> None:
    one, other = (searcher.without(hidden).search(question, filters=filters) for searcher in (local, elsewhere))
    assert one == other


def test_sentences_and_neighbours_do_not_depend_on_the_keys(local: Searcher, elsewhere: Searcher) -> None:
    ids = [hit.passage.id for hit in local.search("Hvad lærte de om vandløb?").hits]
    one, other = local.snapshot, elsewhere.snapshot
    assert one.neighbours(ids[0], 5) == other.neighbours(ids[0], 5)
    sentences = other.sentences_of(ids)
    for id_, expected in one.sentences_of(ids).items():
        assert sentences[id_].ranges == expected.ranges
        np.testing.assert_array_equal(sentences[id_].vectors, expected.vectors)


WORDS = ("banan", "cykel", "drage", "fyrtårn", "gulerod", "havfrue", "indgang", "jordbær", "kamera", "lygte")


@pytest.fixture(scope="module")
def unlike(tmp_path_factory: pytest.TempPathFactory) -> Searcher:
    """Passages of different lengths that share but one word, so that none is folded into another."""
    settings = make_settings(tmp_path_factory.mktemp("ulige"))
    texts = {
        f"{word}.md": f"Tiden {word} {' '.join(word[::-1] * (number * 7 % 10))}.\n" for number, word in enumerate(WORDS)
    }
    write_corpus(settings.corpus, texts)
    indexing.run(settings, HashEmbedder())
    return open_searcher(settings, HashEmbedder())


class LongestFirst:
    """A reranker by which the longer passage is the better."""

    depth = 6

    def __init__(self) -> None:
        self.judged: list[int] = []

    def scores(self, question: Question, passages: Sequence[Passage]) -> Sequence[float]:
        self.judged.append(len(passages))
        return [len(passage.text) for passage in passages]


@pytest.fixture
def reranker() -> LongestFirst:
    return LongestFirst()


@pytest.fixture
def reranked(unlike: Searcher, reranker: LongestFirst) -> Searcher:
    return Searcher(unlike.snapshot, unlike.embedder, unlike.settings, reranker=reranker)


def _texts(result: SearchResult) -> list[str]:
    return [hit.passage.text for hit in result.hits]


def test_a_reranker_orders_the_best_anew_and_leaves_the_others(
    unlike: Searcher, reranked: Searcher, reranker: LongestFirst
) -> None:
    plain, result = _texts(unlike.search("tiden", top=9)), reranked.search("tiden", top=9)
    assert reranker.judged == [reranker.depth]
    best, others = plain[: reranker.depth], plain[reranker.depth :]
    assert _texts(result) == [*sorted(best, key=len, reverse=True), *others]
    assert _texts(result) != plain
    assert [hit.rank for hit in result.hits] == list(range(1, 10))


def test_a_reranker_judges_as_many_where_fewer_are_asked_for(reranked: Searcher, reranker: LongestFirst) -> None:
    whole = _texts(reranked.search("tiden", top=6))
    assert _texts(reranked.search("tiden", top=2)) == whole[:2]
    assert _texts(reranked.search("tiden", top=2, offset=2)) == whole[2:4]
    assert reranker.judged == [reranker.depth] * 3


def test_an_engine_that_is_measured_alone_is_not_reranked(reranked: Searcher, reranker: LongestFirst) -> None:
    reranked.search("tiden", engine=Engine.DENSE)
    assert reranker.judged == []


def test_hiding_a_document_keeps_the_reranker(reranked: Searcher, reranker: LongestFirst) -> None:
    (hidden,) = {hit.passage.document_id for hit in reranked.search("tiden", top=1).hits}
    left = reranked.without(frozenset({hidden})).search("tiden", top=9)
    assert hidden not in {hit.passage.document_id for hit in left.hits}
    assert reranker.judged == [reranker.depth] * 2
