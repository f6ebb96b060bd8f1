"""Chooses the windows worth reading by the cheap signals, and has the reader model read them (pure but for that).

A window is a sentence that may answer with its neighbours of the same passage. A question for one thing gets the best
windows of all; a question across projects the best ones of each document, so that every project is judged by its own.
A question in other words than the reports' is met by meaning and by the names that reports use for its everyday words,
which are less sure of their best ones: more windows are read for it. What was not read takes no part in an answer.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from kb.answer.classifiers import Models
from kb.answer.features import OTHER_WORDS, Candidate, Gathered
from kb.answer.intent import ACROSS
from kb.answer.selection import Judged, judge_sentences
from kb.core.models import DocumentRecord, Passage
from kb.embedding.reader.choice import WindowReader
from kb.embedding.reader.model import Reading, Window
from kb.language.embedding_text import heading_line
from kb.retrieval.searcher import Searcher

# The share of a question's words from which on it is in the reports' words.
REPORTS_WORDS = 0.6
# Windows that are read for a question, by the share of its words that the likeliest sentences have, of whichever
# documents they are: with no more than four of one document an answering sentence is among those read for .65 and not
# .75 of 122 questions to genuine documents, and for .81 and not .88 of 68 to the corpus. Of 329 development questions
# in the reports' words an answering sentence is among those read for .99 from two windows on; of those in everyday
# words see RANK_WEIGHT. Of 236 questions in the words of genuine documents .84 with five windows, .89 with eight.
WINDOWS_READ = ((REPORTS_WORDS, 8), (OTHER_WORDS, 12), (0.0, 32))
# Of a question that is not in the reports' words a sentence counts by 1 / (RANK_WEIGHT + its rank), by the cheap
# signals, by meaning and, in other words, by related words (Cormack et al., SIGIR 2009). Of 319 questions in other
# words to the corpus an answering sentence is then among 32 windows for .86, without the cheap signals .84, by meaning
# alone .82; of 207 to genuine documents for .71, .67 and .68. A weight of 60 gives .85 and .73.
RANK_WEIGHT = 20
LIKELIEST = 8
# Across projects: F1 of the projects named is .36 with two windows of a document, .29 with one (docs/decisions).
WINDOWS_ACROSS = 64
OF_ONE_ACROSS = 2
# A window's sentences: no more than this many, and no further one from this many characters on (about 100 tokens).
WINDOW_SENTENCES = 4
WINDOW_CHARACTERS = 380

Key = tuple[str, int]


@dataclass(frozen=True, slots=True)
class ChosenWindow:
    """A run of a passage's sentences that is to be read."""

    document: DocumentRecord
    passage: Passage
    candidates: tuple[Candidate, ...]

    @property
    def as_read(self) -> Window:
        """The window as the reader takes it."""
        context = heading_line(self.document.metadata.titel, self.passage.heading_path)
        return Window(context, tuple(one.sentence.text for one in self.candidates))


def choose_windows(judged: Sequence[Judged], *, across: bool) -> list[ChosenWindow]:
    """The windows to read, best first; ``judged`` are all sentences by the cheap signals, best first."""
    met = words_met(judged)
    most = next(windows for share, windows in WINDOWS_READ if met >= share)
    most, of_one = (WINDOWS_ACROSS, OF_ONE_ACROSS) if across else (most, most)
    if met < REPORTS_WORDS:
        judged = _by_ranks(judged)
    passages = _by_passage(judged)
    covered: set[Key] = set()
    taken: Counter[str] = Counter()
    chosen: list[ChosenWindow] = []
    for one in judged:
        sentence, document = one.candidate.sentence, one.candidate.hit.document
        if len(chosen) == most:
            break
        if key_of(one.candidate) in covered or sentence.passage.inferred or taken[document.id] == of_one:
            continue
        window = _around(one.candidate, passages[sentence.passage.id])
        covered.update(key_of(candidate) for candidate in window)
        taken[document.id] += 1
        chosen.append(ChosenWindow(document, sentence.passage, window))
    return chosen


def _by_ranks(judged: Sequence[Judged]) -> list[Judged]:
    """The sentences by their ranks in the cheap signals, in meaning and in related words together, best first."""
    ranks = [_ranks([one.logit for one in judged]), _ranks([one.candidate.meaning for one in judged])]
    if any(one.candidate.related for one in judged):
        ranks.append(_ranks([one.candidate.related for one in judged]))
    points = [sum(1 / (RANK_WEIGHT + rank) for rank in several) for several in zip(*ranks, strict=True)]
    return [judged[place] for place in sorted(range(len(judged)), key=lambda place: -points[place])]


def _ranks(values: Sequence[float]) -> list[int]:
    """Each value's rank, from 0 for the greatest; of equal ones the earlier is first."""
    ranks = [0] * len(values)
    for rank, place in enumerate(sorted(range(len(values)), key=lambda place: -values[place])):
        ranks[place] = rank
    return ranks


def words_met(judged: Sequence[Judged]) -> float:
    """The share of a question's words that the one of the likeliest sentences has that has most of them."""
    return max((one.candidate.words_in_context for one in judged[:LIKELIEST]), default=0.0)


def key_of(candidate: Candidate) -> Key:
    """A sentence's place in the base."""
    return candidate.sentence.passage.document_id, candidate.sentence.start


def _by_passage(judged: Sequence[Judged]) -> Mapping[str, list[Candidate]]:
    found: dict[str, list[Candidate]] = {}
    for one in judged:
        found.setdefault(one.candidate.sentence.passage.id, []).append(one.candidate)
    for sentences in found.values():
        sentences.sort(key=lambda candidate: candidate.sentence.start)
    return found


def _around(centre: Candidate, sentences: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """A sentence with its neighbours by turns: the one before first, which it may point back at."""
    place = next(i for i, one in enumerate(sentences) if one.sentence.start == centre.sentence.start)
    first, last = place, place + 1
    length = len(centre.sentence.text)
    for is_before in (True, False) * WINDOW_SENTENCES:
        beside = first - 1 if is_before else last
        if not 0 <= beside < len(sentences):
            continue
        length += len(sentences[beside].sentence.text)
        if last - first == WINDOW_SENTENCES or length > WINDOW_CHARACTERS:
            break
        first, last = min(first, beside), max(last, beside + 1)
    return tuple(sentences[first:last])


def read_sentences(reader: WindowReader, question: str, judged: Sequence[Judged], *, across: bool) -> list[Judged]:
    """The sentences that were read, with what the reader says of each; a sentence of two windows has the better one."""
    chosen = choose_windows(judged, across=across)
    readings = reader.read(question, [window.as_read for window in chosen])
    known = {key_of(one.candidate): one for one in judged}
    found: dict[Key, Judged] = {}
    for key, reading, place in _readings(chosen, readings):
        before = found.get(key)
        if before is None or before.reads < reading.sentences[place]:
            found[key] = replace(
                known[key], window=reading.window, reads=reading.sentences[place], about=reading.about[place]
            )
    return list(found.values())


def read_for(searcher: Searcher, gathered: Gathered, models: Models) -> list[Judged]:
    """The sentences of a question that are worth reading, read; with the logit of the cheap signals."""
    return read_by(searcher.reader, gathered, models)


def read_by(reader: WindowReader, gathered: Gathered, models: Models) -> list[Judged]:
    """The same by a certain reader."""
    cheap = judge_sentences(gathered, models)
    return read_sentences(reader, corrected(gathered), cheap, across=gathered.want.kind in ACROSS)


def corrected(gathered: Gathered) -> str:
    """The question in the words and spelling searched with: the reader was trained on words as they are spelt."""
    text = gathered.read_as
    for form, meant in gathered.corrections.items():
        text = re.sub(rf"\b{re.escape(form)}\b", meant[0], text, flags=re.IGNORECASE)
    return text


def _readings(chosen: Sequence[ChosenWindow], readings: Sequence[Reading]) -> Iterator[tuple[Key, Reading, int]]:
    for window, reading in zip(chosen, readings, strict=True):
        for place, candidate in enumerate(window.candidates[: len(reading.sentences)]):
            yield key_of(candidate), reading, place
