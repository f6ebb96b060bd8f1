"""Scores what sentences tell (``benchmarks/roles/roles.jsonl``), by headings and words together, and by words alone.

A labelled sentence of the corpus is stored with its text; one of the documents beside the repository only as the file
and the sha256 of the sentence, so that nothing of them is copied.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kb.core.errors import InputError
from kb.core.models import Passage, Role
from kb.evaluation import metrics
from kb.extract import ReadOptions, read_file
from kb.indexing.chunking import chunk
from kb.language.roles import role_of_sentence
from kb.language.sentences import sentences_of
from kb.retrieval.snapshot import Snapshot

FILE = "roles.jsonl"


@dataclass(frozen=True, slots=True)
class Labelled:
    """A sentence with its right role; ``place`` is a document's id or a file, ``key`` the sentence's sha256."""

    place: str
    key: str
    role: Role
    shared: bool


@dataclass(frozen=True, slots=True)
class Found:
    """A sentence as the product sees it, with the role its headings give."""

    place: str
    text: str
    heading_role: Role


@dataclass(frozen=True, slots=True)
class Told:
    """What the product says of a labelled sentence: with its headings, and with the headings hidden."""

    labelled: Labelled
    role: Role
    by_words: Role


def load(folder: Path) -> list[Labelled]:
    """The labelled sentences; raises :class:`InputError` naming the line that is wrong."""
    found = []
    for number, line in enumerate((folder / FILE).read_text(encoding="utf-8").splitlines(), 1):
        try:
            row = json.loads(line)
            shared = "file" in row
            key = row["sha256"] if shared else sentence_key(row["text"])
            found.append(Labelled(row["file"] if shared else row["document"], key, Role(row["role"]), shared))
        except (ValueError, KeyError) as error:
            raise InputError(f"{folder / FILE}, linje {number}: {error}") from error
    return found


def sentence_key(text: str) -> str:
    """The sha256 of a sentence on one line."""
    return hashlib.sha256(text.encode()).hexdigest()


def of_corpus(snapshot: Snapshot, ids: Iterable[str]) -> Iterator[Found]:
    """Every sentence of some documents of the base."""
    for id_ in ids:
        yield from _found(id_, snapshot.passages_of(id_))


def of_files(root: Path, files: Iterable[str], options: ReadOptions) -> Iterator[Found]:
    """The same of files below a folder."""
    for file in files:
        yield from _found(file, chunk(read_file(root / file, root, options), lambda text: len(text) // 4))


def _found(place: str, passages: Iterable[Passage]) -> Iterator[Found]:
    for passage in passages:
        for sentence in sentences_of(passage):
            yield Found(place, sentence.text, passage.role)


def tell(labelled: Sequence[Labelled], found: Iterable[Found]) -> list[Told]:
    """Match the labels to the sentences found; a label whose sentence is not found is left out."""
    by_place = {(one.place, one.key): one for one in labelled}
    told: dict[tuple[str, str], Told] = {}
    for sentence in found:
        key = (sentence.place, sentence_key(sentence.text))
        if key in by_place:
            by_words = role_of_sentence(sentence.text, Role.OTHER)
            told[key] = Told(by_place[key], role_of_sentence(sentence.text, sentence.heading_role), by_words)
    return list(told.values())


def figures(labelled: Sequence[Labelled], told: Sequence[Told]) -> dict[str, Any]:
    """Accuracy over the labels found, with headings and by words alone, for the corpus and for other documents."""
    groups: Mapping[str, list[Told]] = {
        "all": list(told),
        "corpus": [one for one in told if not one.labelled.shared],
        "documents": [one for one in told if one.labelled.shared],
    }
    result: dict[str, Any] = {"labelled": len(labelled), "found": len(told)}
    for name, group in groups.items():
        result[f"accuracy_{name}"] = round(metrics.mean([float(o.role is o.labelled.role) for o in group]), 4)
        result[f"by_words_{name}"] = round(metrics.mean([float(o.by_words is o.labelled.role) for o in group]), 4)
    return result
