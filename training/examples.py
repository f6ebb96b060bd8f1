"""Makes training examples of written items and of public data: windows of a question, right and wrong ones.

An example is a question with one or more windows. Of a written passage, a window is the whole passage or a run of its
sentences; it is right when it holds an answering sentence. Beside a right window stands a wrong one: the same passage
without its answering sentences, or the passage of another report that shares most words with the question.
"""

from __future__ import annotations

import json
import math
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from training.items import ABOUT, Passage, Question

UNKNOWN_ABOUT = -1
# A cut window has this many sentences: about as many as the windows of a report that are read for an answer.
CUT_LEAST, CUT_MOST = 2, 4
# How often a passage is cut into a window instead of read whole.
CUT_SHARE = 0.9
# How often a question that its passage does not answer gets a passage of another report as well.
OTHER_SHARE = 0.25
# Questions that other reports may well answer: their passages are not taken as wrong.
OPEN_KINDS = frozenset({"across", "vague", "keyword"})
_WORD = re.compile(r"\w{3,}")


@dataclass(frozen=True, slots=True)
class Window:
    """Sentences with what training knows of them: 1 answers, 0 not; ``about`` is a place in :data:`ABOUT` or -1."""

    context: str
    sentences: tuple[str, ...]
    labels: tuple[int, ...]
    about: tuple[int, ...]

    @property
    def label(self) -> int:
        """1 when a sentence answers."""
        return int(any(self.labels))


@dataclass(frozen=True, slots=True)
class Example:
    """A question with its windows."""

    question: str
    kind: str
    source: str
    windows: tuple[Window, ...]


class Similar:
    """Finds the passages of other reports that share most words with a question (BM25)."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        self.passages = passages
        self._places: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for place, passage in enumerate(passages):
            counts = Counter(_words(f"{passage.heading} {' '.join(passage.sentences)}"))
            for word, count in counts.items():
                self._places[word].append((place, count))

    def best(self, text: str, *, besides: str, top: int = 3) -> list[Passage]:
        """The ``top`` passages for a text; ``besides`` is the report that is left out."""
        scores: Counter[int] = Counter()
        for word in set(_words(text)):
            found = self._places.get(word, [])
            rarity = math.log(1 + len(self.passages) / (1 + len(found)))
            for place, count in found:
                scores[place] += rarity * count / (count + 1.2)  # type: ignore[assignment]
        ranked = (self.passages[place] for place, _ in scores.most_common(top + 8))
        return [passage for passage in ranked if _report(passage) != besides][:top]


def _words(text: str) -> list[str]:
    return [word[:7] for word in _WORD.findall(text.lower())]


def _report(passage: Passage) -> str:
    return passage.heading.partition(" › ")[0]


def window_of(passage: Passage, places: Sequence[int], answers: Iterable[int]) -> Window:
    """Some sentences of a passage as a window."""
    right = set(answers)
    about = tuple(ABOUT.index(passage.about[place]) if passage.about else UNKNOWN_ABOUT for place in places)
    return Window(
        passage.heading,
        tuple(passage.sentences[place] for place in places),
        tuple(int(place in right) for place in places),
        about,
    )


def of_items(passages: Sequence[Passage], rng: random.Random) -> Iterator[Example]:
    """An example for each question of the written passages."""
    similar = Similar(passages)
    for passage in passages:
        for question in passage.questions:
            windows = [window_of(passage, _cut(passage, question, rng), question.answers)]
            if question.answers:
                wrong = _wrong(passage, question, similar, rng)
                windows += [wrong] if wrong else []
            elif question.kind not in OPEN_KINDS and rng.random() < OTHER_SHARE:
                found = similar.best(question.text, besides=_report(passage), top=1)
                windows += [_near(one, question, rng) for one in found]
            yield Example(question.text, question.kind, passage.source, tuple(windows))


def _cut(passage: Passage, question: Question, rng: random.Random) -> range:
    """All sentences, or a run of some; of an answered question a run with one that answers."""
    length = rng.randint(CUT_LEAST, CUT_MOST)
    if rng.random() > CUT_SHARE or length >= len(passage.sentences):
        return range(len(passage.sentences))
    if not question.answers:
        return _nearest(passage.sentences, question.text, length, rng)
    answer = rng.choice(question.answers)
    first = rng.randint(max(0, answer - length + 1), min(answer, len(passage.sentences) - length))
    return range(first, first + length)


def _nearest(sentences: Sequence[str], question: str, length: int, rng: random.Random) -> range:
    """The run of sentences that shares most words with the question; of equals, one by chance."""
    asked = set(_words(question))
    shared = [len(asked.intersection(_words(sentence))) for sentence in sentences]
    runs = range(max(1, len(sentences) - length + 1))
    first = max(runs, key=lambda start: (sum(shared[start : start + length]), rng.random()))
    return range(first, min(len(sentences), first + length))


def _wrong(passage: Passage, question: Question, similar: Similar, rng: random.Random) -> Window | None:
    """A window that does not answer though the question is answered elsewhere."""
    left = [place for place in range(len(passage.sentences)) if place not in question.answers]
    if question.kind not in OPEN_KINDS and (rng.random() < 0.5 or len(left) < 2):
        found = similar.best(question.text, besides=_report(passage))
        return _near(rng.choice(found), question, rng) if found else None
    if len(left) < 2:
        return None
    run = _nearest([passage.sentences[place] for place in left], question.text, CUT_MOST, rng)
    return window_of(passage, [left[place] for place in run], ())


def _near(passage: Passage, question: Question, rng: random.Random) -> Window:
    """A window of another report's passage, as near to the question as it comes; it does not answer."""
    run = _nearest(passage.sentences, question.text, rng.randint(CUT_LEAST, CUT_MOST), rng)
    return window_of(passage, run, ())


# -- public data -----------------------------------------------------------------------------------------------------


@lru_cache(maxsize=20_000)
def sentences_of(text: str) -> tuple[str, ...]:
    """The sentences of a text, by the splitter the product uses."""
    import sentencex

    lines = text.splitlines()
    return tuple(" ".join(one.split()) for line in lines for one in sentencex.segment("da", line) if one.strip())


def of_questions(rows: Sequence[dict[str, Any]], source: str, rng: random.Random) -> Iterator[Example]:
    """Examples of question-answer rows: ``question``, ``passage``, ``label``, ``answer``, ``title``."""
    by_title: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        by_title[row.get("title", "")].append(row["passage"])
    for row in rows:
        sentences = sentences_of(row["passage"])
        answer = row.get("answer") or ""
        right = [place for place, one in enumerate(sentences) if answer and answer in one] if row["label"] else []
        if len(sentences) < 2 or (row["label"] and not right):
            continue
        first = max(0, right[0] - rng.randrange(CUT_LEAST)) if right else rng.randrange(max(1, len(sentences) - 3))
        places = range(first, min(len(sentences), first + rng.randint(CUT_LEAST, CUT_MOST + 1)))
        title = row.get("title", "").replace("_", " ")
        windows = [_public(title, sentences, places, right[:1])]
        if right:
            left = [place for place in places if place != right[0]]
            others = [one for one in by_title[row.get("title", "")] if one != row["passage"]]
            if others and rng.random() < 0.6:
                other = sentences_of(rng.choice(others))[:CUT_MOST]
                windows.append(_public(title, other, range(len(other)), ()))
            elif len(left) > 1:
                windows.append(_public(title, sentences, left, ()))
        yield Example(row["question"], "public", source, tuple(windows))


def _public(title: str, sentences: Sequence[str], places: Sequence[int], right: Iterable[int]) -> Window:
    answers = set(right)
    return Window(
        title,
        tuple(sentences[place] for place in places),
        tuple(int(place in answers) for place in places),
        (UNKNOWN_ABOUT,) * len(places),
    )


def of_faq(rows: Sequence[dict[str, Any]], source: str, rng: random.Random) -> Iterator[Example]:
    """Examples of questions with a right answer text among wrong ones: ``question``, ``passages``."""
    for row in rows:
        right = [one["text"] for one in row["passages"] if one.get("label")]
        wrong = [one["text"] for one in row["passages"] if not one.get("label")]
        if not right or not wrong:
            continue
        first, other = sentences_of(right[0])[:CUT_MOST], sentences_of(rng.choice(wrong))[:CUT_MOST]
        # Which sentence of the answer's text is the one is not known: the first says most.
        yield Example(
            row["question"], "public", source,
            (_public("", first, range(len(first)), (0,)), _public("", other, range(len(other)), ())),
        )  # fmt: skip


def public(folder: Path, rng: random.Random) -> dict[str, list[Example]]:
    """The public question-answer data of a folder by source, as far as it is there.

    Of ``qa_squad2_da`` only the articles that half of a hash of their title chooses: the rest stays clean for judging.
    """
    made: dict[str, list[Example]] = {}
    for name, file in (
        ("qa_squad2_da", "da_dev_v2.jsonl"), ("qa_norquad_train", "nb.jsonl"), ("qa_squad2_sv", "sv_dev_v2.jsonl"),
        ("qa_swequad_mc", "sv.jsonl"),
    ):  # fmt: skip
        path = folder / name / file
        if path.is_file():
            rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
            rows = [row for row in rows if not name.startswith("qa_squad2") or _trained_on(row["title"])]
            made[name] = list(of_questions(rows, name, rng))
    path = folder / "qa_swefaq" / "swefaq.jsonl"
    if path.is_file():
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        made["qa_swefaq"] = list(of_faq(rows, "qa_swefaq", rng))
    return made


def _trained_on(title: str) -> bool:
    import hashlib

    return hashlib.sha256(title.encode()).digest()[0] % 2 == 0
