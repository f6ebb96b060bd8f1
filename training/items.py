"""Reads the written training data: passages with sentences, about whom each speaks, and questions with their answers.

The form of ``items/*.txt`` is in ``README.md``. :func:`read` gives one :class:`Passage` a block and raises
:class:`FormError` with file and line for what is not in that form.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ITEMS = Path(__file__).resolve().parent / "items"
KINDS = ("fact", "why", "how", "yesno", "which", "keyword", "everyday", "across", "vague")
# About whom a sentence speaks: the report's own project, another named one, many or all, nobody in particular.
ABOUT = "pamn"
_SENTENCE = re.compile(rf"(\d+)([{ABOUT}])? (.+)$")
_QUESTION = re.compile(r"\? \[(\w+)\] (.+?) =(?: ([\d ]+))?$")


class FormError(ValueError):
    """A line that is not in the form; the message names file and line."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question of a passage: ``answers`` are the places of the sentences that answer, from 0; empty: none does."""

    kind: str
    text: str
    answers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Passage:
    """A block: ``heading`` is title and headings, ``about`` one letter of :data:`ABOUT` a sentence, or empty."""

    source: str
    heading: str
    sentences: tuple[str, ...]
    about: str
    questions: tuple[Question, ...]


def read(folder: Path = ITEMS) -> list[Passage]:
    """All passages of a folder, in the order of file names and lines."""
    return [passage for path in sorted(folder.glob("*.txt")) for passage in read_file(path)]


def read_file(path: Path) -> Iterator[Passage]:
    """The passages of one file."""
    block: list[tuple[int, str]] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        text = line.strip()
        if text.startswith("# ") and block:
            yield _passage(path.stem, block)
            block = []
        if text:
            block.append((number, text))
    if block:
        yield _passage(path.stem, block)


def _passage(source: str, block: Iterable[tuple[int, str]]) -> Passage:
    (number, heading), *lines = block
    if not heading.startswith("# "):
        raise FormError(f"{source}:{number}: a block begins with its heading")
    sentences: list[str] = []
    about = ""
    questions: list[Question] = []
    for number, text in lines:
        if text.startswith("?"):
            questions.append(_question(source, number, text, len(sentences)))
            continue
        found = _SENTENCE.match(text)
        if found is None or int(found[1]) != len(sentences) + 1:
            raise FormError(f"{source}:{number}: neither the next sentence nor a question: {text[:60]}")
        sentences.append(found[3])
        about += found[2] or ""
    if about and len(about) != len(sentences):
        raise FormError(f"{source}:{number}: some sentences of the block say about whom, others do not")
    return Passage(source, heading[2:], tuple(sentences), about, tuple(questions))


def _question(source: str, number: int, text: str, sentences: int) -> Question:
    found = _QUESTION.match(text)
    if found is None or found[1] not in KINDS:
        raise FormError(f"{source}:{number}: no question in the form: {text[:60]}")
    answers = tuple(int(place) - 1 for place in (found[3] or "").split())
    if any(not 0 <= place < sentences for place in answers):
        raise FormError(f"{source}:{number}: an answer that is no sentence")
    return Question(found[1], found[2], answers)
