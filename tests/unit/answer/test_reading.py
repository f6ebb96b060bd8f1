"""Which windows are read for a question, and what the reader's words on them come to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb import indexing
from kb.answer.features import Candidate, gather
from kb.answer.reading import (
    OF_ONE_ACROSS,
    REPORTS_WORDS,
    WINDOW_CHARACTERS,
    WINDOW_SENTENCES,
    WINDOWS_ACROSS,
    WINDOWS_READ,
    Key,
    choose_windows,
    key_of,
    read_sentences,
)
from kb.answer.selection import Judged
from kb.embedding.reader.model import Reading, Window
from kb.retrieval.searcher import open_searcher
from tests.support import HashEmbedder, make_settings, write_corpus

REPORTS = {
    f"r{number}.md": f"""---
id: r{number}
titel: Rapport {number}
projekt: Projekt {number}
---
# Rapport {number}

## Drift

Løsningen i by {number} blev sat i drift i marts. Den kører hver nat på kommunens egne servere.

Driften koster {number} kroner om måneden. Leverandøren hedder Firma {number} og har kontor i byen.

## Vores læsning

Vi læser rapport {number} sådan, at driften af løsningen er dyr.
"""
    for number in range(1, 8)
}


@pytest.fixture(scope="module")
def candidates(tmp_path_factory: pytest.TempPathFactory) -> tuple[Candidate, ...]:
    own = make_settings(tmp_path_factory.mktemp("reading"))
    write_corpus(own.corpus, REPORTS)
    embedder = HashEmbedder()
    indexing.run(own, embedder)
    return gather(open_searcher(own, embedder), "Hvad koster driften?", {}).candidates


def judged_by(candidates: tuple[Candidate, ...], order: tuple[int, ...]) -> list[Judged]:
    """The sentences with logit that put them in the order given, which is by their places."""
    return [Judged(candidates[place], -float(rank), 0.5) for rank, place in enumerate(order)]


def orders(candidates: tuple[Candidate, ...]) -> st.SearchStrategy[tuple[int, ...]]:
    return st.permutations(range(len(candidates))).map(tuple)


class OneWordReader:
    """Reads a window by one word: what holds it answers."""

    def __init__(self, word: str) -> None:
        self.word = word
        self.asked: list[Sequence[Window]] = []

    def read(self, question: str, windows: Sequence[Window]) -> list[Reading]:
        self.asked.append(windows)
        return [self._reading(window) for window in windows]

    def _reading(self, window: Window) -> Reading:
        sentences = tuple(4.0 if self.word in text else -4.0 for text in window.sentences)
        return Reading(max(sentences), sentences, tuple((1.0, 0.0, 0.0, 0.0) for _ in sentences))


@given(data=st.data(), across=st.booleans())
def test_windows_are_runs_of_a_passage_within_their_bounds(
    data: st.DataObject, across: bool, candidates: tuple[Candidate, ...]
) -> None:
    judged = judged_by(candidates, data.draw(orders(candidates)))
    chosen = choose_windows(judged, across=across)
    assert 0 < len(chosen) <= (WINDOWS_ACROSS if across else max(count for _, count in WINDOWS_READ))
    for window in chosen:
        starts = [one.sentence.start for one in window.candidates]
        assert starts == sorted(starts)
        assert {one.sentence.passage.id for one in window.candidates} == {window.passage.id}
        assert len(window.candidates) <= WINDOW_SENTENCES
        length = sum(len(one.sentence.text) for one in window.candidates)
        assert len(window.candidates) == 1 or length <= WINDOW_CHARACTERS


@given(data=st.data())
def test_the_best_sentence_is_always_read_and_the_collectors_own_reading_never(
    data: st.DataObject, candidates: tuple[Candidate, ...]
) -> None:
    judged = judged_by(candidates, data.draw(orders(candidates)))
    read = {key_of(one) for window in choose_windows(judged, across=False) for one in window.candidates}
    judged = [replace(one, candidate=replace(one.candidate, words_in_context=1.0)) for one in judged]
    best = next(one for one in judged if not one.candidate.sentence.passage.inferred)
    assert key_of(best.candidate) in read
    inferred = {key_of(one) for one in candidates if one.sentence.passage.inferred}
    assert inferred
    assert read.isdisjoint(inferred)


@given(data=st.data())
def test_across_projects_every_document_is_read_in_its_own_best_windows(
    data: st.DataObject, candidates: tuple[Candidate, ...]
) -> None:
    judged = judged_by(candidates, data.draw(orders(candidates)))
    chosen = choose_windows(judged, across=True)
    by_document = [window.document.id for window in chosen]
    assert set(by_document) == {one.hit.document.id for one in candidates if not one.sentence.passage.inferred}
    assert max(by_document.count(id_) for id_ in by_document) <= OF_ONE_ACROSS


def met_by(candidates: tuple[Candidate, ...], share: float) -> list[Judged]:
    """The sentences in their order, each with that share of the question's words, and nearest in meaning the last."""
    return [
        Judged(replace(one, words_in_context=share, meaning=float(place)), -float(place), 0.5)
        for place, one in enumerate(candidates)
    ]


@pytest.mark.parametrize(("share", "most"), WINDOWS_READ)
def test_the_fewer_of_its_words_are_met_the_more_is_read(
    share: float, most: int, candidates: tuple[Candidate, ...]
) -> None:
    chosen = choose_windows(met_by(candidates, share), across=False)
    everything = choose_windows(met_by(candidates, 0.0), across=False)
    assert len(chosen) == min(most, len(everything))


def test_of_a_question_in_other_words_meaning_and_related_words_decide_together(
    candidates: tuple[Candidate, ...],
) -> None:
    own = [one for one in candidates if not one.sentence.passage.inferred]
    nearest = [replace(one.candidate, meaning=-float(rank)) for rank, one in enumerate(met_by(tuple(own), 0.0))]
    # The third in meaning is the best by related words, where all others are equal.
    nearest[2] = replace(nearest[2], related=1.0)
    judged = [Judged(one, -float(place), 0.5) for place, one in enumerate(nearest)]
    first = choose_windows(judged, across=False)[0]
    assert key_of(own[2]) in map(key_of, first.candidates)
    assert [one.sentence.start for one in first.candidates] == sorted(one.sentence.start for one in first.candidates)


def test_a_question_that_is_not_in_the_reports_words_is_read_for_by_meaning_too(
    candidates: tuple[Candidate, ...],
) -> None:
    own = tuple(one for one in candidates if not one.sentence.passage.inferred)

    def read_first(share: float) -> list[Key]:
        # The second by the cheap signals is the nearest in meaning, and the first the farthest.
        met = met_by(own, share)
        met[1] = replace(met[1], candidate=replace(met[1].candidate, meaning=float(len(own))))
        return [key_of(one) for one in choose_windows(met, across=False)[0].candidates]

    first, second = key_of(own[0]), key_of(own[1])
    assert first in read_first(REPORTS_WORDS)
    assert second in read_first(REPORTS_WORDS - 0.01)
    assert second in read_first(0.0)


def test_a_sentence_has_what_the_reader_says_of_it_and_what_was_not_read_is_left_out(
    candidates: tuple[Candidate, ...],
) -> None:
    judged = judged_by(candidates, tuple(range(len(candidates))))
    reader = OneWordReader("koster")
    read = read_sentences(reader, "Hvad koster driften?", judged, across=False)
    assert read
    assert {one.reads > 0 for one in read} == {True, False}
    for one in read:
        assert (one.reads > 0) == ("koster" in one.candidate.sentence.text)
        assert one.logit == next(own.logit for own in judged if own.candidate is one.candidate)


def test_the_context_names_title_and_headings_once(candidates: tuple[Candidate, ...]) -> None:
    judged = judged_by(candidates, tuple(range(len(candidates))))
    reader = OneWordReader("koster")
    read_sentences(reader, "Hvad koster driften?", judged, across=False)
    assert {window.context for window in reader.asked[0]} <= {f"Rapport {n} › Drift" for n in range(1, 8)}


def test_nothing_is_read_where_nothing_was_found() -> None:
    reader = OneWordReader("koster")
    assert read_sentences(reader, "Hvad koster driften?", [], across=False) == []


@pytest.mark.parametrize(("about", "many"), [((9.0, 0, 0, 0), 0), ((0, 9.0, 0, 0), 0), ((0, 0, 9.0, 0), 1), ((), 0)])
def test_about_many_is_the_probability_that_it_speaks_of_many_projects(
    about: tuple[float, ...], many: float, candidates: tuple[Candidate, ...]
) -> None:
    one = replace(Judged(candidates[0], 0.0, 0.5), about=about)
    assert one.about_many == pytest.approx(many, abs=0.01)
