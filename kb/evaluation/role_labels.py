"""Evaluates the classification of roles (``benchmarks/roles/roles.jsonl``), by headings and words, and by words alone.

A labelled sentence of the corpus is stored with its text; one of a document that is not in the repository only as the
file and the sha256 of the sentence, so that no text of it is copied.
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
class LabelledSentence:
    """A sentence with its right role; ``place`` is a document's id or a file, ``key`` the sentence's sha256."""

    place: str
    key: str
    role: Role
    shared: bool


@dataclass(frozen=True, slots=True)
class HeadedSentence:
    """A sentence as the product segments it, with the role its headings give."""

    place: str
    text: str
    heading_role: Role


@dataclass(frozen=True, slots=True)
class Prediction:
    """The predicted role of a labelled sentence: with its headings, and by its words alone."""

    labelled: LabelledSentence
    role: Role
    by_words: Role


def load(folder: Path) -> list[LabelledSentence]:
    """The labelled sentences; raises :class:`InputError` naming the line that is wrong."""
    labels = []
    for number, line in enumerate((folder / FILE).read_text(encoding="utf-8").splitlines(), 1):
        try:
            row = json.loads(line)
            shared = "file" in row
            key = row["sha256"] if shared else sentence_key(row["text"])
            labels.append(LabelledSentence(row["file"] if shared else row["document"], key, Role(row["role"]), shared))
        except (ValueError, KeyError) as error:
            raise InputError(f"{folder / FILE}, linje {number}: {error}") from error
    return labels


def sentence_key(text: str) -> str:
    """The sha256 of a sentence on one line."""
    return hashlib.sha256(text.encode()).hexdigest()


def of_corpus(snapshot: Snapshot, ids: Iterable[str]) -> Iterator[HeadedSentence]:
    """Every sentence of some documents of the index."""
    for id_ in ids:
        yield from _headed(id_, snapshot.passages_of(id_))


def of_files(root: Path, files: Iterable[str], options: ReadOptions) -> Iterator[HeadedSentence]:
    """Every sentence of some files below a folder."""
    for file in files:
        yield from _headed(file, chunk(read_file(root / file, root, options), lambda text: len(text) // 4))


def _headed(place: str, passages: Iterable[Passage]) -> Iterator[HeadedSentence]:
    for passage in passages:
        for sentence in sentences_of(passage):
            yield HeadedSentence(place, sentence.text, passage.role)


def predict(labelled: Sequence[LabelledSentence], sentences: Iterable[HeadedSentence]) -> list[Prediction]:
    """Predict the roles of the labelled sentences; a label without a matching sentence is left out."""
    by_place = {(one.place, one.key): one for one in labelled}
    predictions: dict[tuple[str, str], Prediction] = {}
    for sentence in sentences:
        key = (sentence.place, sentence_key(sentence.text))
        if key in by_place:
            by_words = role_of_sentence(sentence.text, Role.OTHER)
            predictions[key] = Prediction(
                by_place[key], role_of_sentence(sentence.text, sentence.heading_role), by_words
            )
    return list(predictions.values())


def figures(labelled: Sequence[LabelledSentence], predictions: Sequence[Prediction]) -> dict[str, Any]:
    """Accuracy over the matched labels, with headings and by words alone, for the corpus and for other documents."""
    groups: Mapping[str, list[Prediction]] = {
        "all": list(predictions),
        "corpus": [one for one in predictions if not one.labelled.shared],
        "documents": [one for one in predictions if one.labelled.shared],
    }
    result: dict[str, Any] = {"labelled": len(labelled), "found": len(predictions)}
    for name, group in groups.items():
        result[f"accuracy_{name}"] = round(metrics.mean([float(o.role is o.labelled.role) for o in group]), 4)
        result[f"by_words_{name}"] = round(metrics.mean([float(o.by_words is o.labelled.role) for o in group]), 4)
    return result
