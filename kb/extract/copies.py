"""Documents that are the same report: byte for byte, or as two versions (a DOCX and the PDF made of it).

Each text is reduced to its runs of five words, hashed; two documents are versions of one another when most runs of
the smaller are found in the larger and neither is much the longer. Where the names of two files differ in nothing but
their versions, fewer runs are enough. An editor's word comes before all of this. A fixed quarter of the hashes is
enough in long texts, because the same quarter is taken of every text. Pairs are found by sorting all hashes, so that
unlike documents are never compared; a hash takes four bytes and its place in the order some twelve, whatever the size
of the base.

One version is shown for all. Of two that nothing tells apart by age, passages of the other count as well where they
have words that the one shown lacks.
"""

from __future__ import annotations

import re
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from kb.core.models import Document
from kb.proposals.versions import Version, stem_of, version_of

# Measured by `python -m benchmarks.twins`: versions share .80 and more, the nearest unlike documents .18.
SHARED = 0.6
# Enough for two files whose names differ in their version alone: v0.5 may have been half rewritten since v0.4.
SHARED_BY_NAME = 0.3
_LENGTH_RATIO = 0.5
_RUN = 5
_SAMPLE = 4
_LONG = 2000
_FEWEST = 20
# A run found in more documents than this is a form of words, and tells nothing.
_COMMON = 50
# Runs of one frequency that are paired at a time: bounds the memory it takes.
_BATCH = 4096
_WORD = re.compile(r"[^\W_]+")
_PAGED = "application/pdf"
# So many words of a passage must be missing in the version shown instead, for the passage to tell something of its own.
# Measured as SHARED: of 46 passages of Word files with a PDF one has as many, and tells of a setting that the PDF
# lacks; of a guide with a municipality's name and settings and the one without, 12 of 18.
_NEW_WORDS = 2
# What an editor may say of a document in the field "udgave".
IN_FORCE, ALONE = "gældende", "selvstændig"

Runs = NDArray[np.uint32]


def word_runs(text: str) -> Runs:
    """The hashes of a text's runs of five words, masked items and punctuation not counted; sorted, each once."""
    words = _WORD.findall(text.lower())
    hashes = (zlib.crc32(" ".join(words[i : i + _RUN]).encode()) for i in range(len(words) - _RUN + 1))
    runs = np.unique(np.fromiter(hashes, dtype=np.uint32))
    return runs[runs % _SAMPLE == 0] if len(words) > _LONG else runs


@dataclass(frozen=True, slots=True)
class Imprint:
    """What of a document is needed to find its versions; ``order`` sorts the one to show first.

    ``access`` are the groups that may see it: for other readers it is no version of this report.
    """

    id: str
    sha256: str
    project: str
    runs: Runs
    order: tuple[int, tuple[int, ...], int, int, str]
    stem: str = ""
    alone: bool = False
    access: tuple[str, ...] = ()


def imprint(document: Document) -> Imprint:
    """A document's imprint.

    Shown first is the one an editor says is in force, then the newest version, the one with most metadata by an editor,
    and one with pages.
    """
    metadata = document.metadata
    said = metadata.value("udgave")
    written = len(fields(metadata)) - len(metadata.inferred)
    newest = tuple(-number for number in _version(document))
    order = (int(said != IN_FORCE), newest, -written, int(document.media_type != _PAGED), document.path)
    runs = word_runs(document.text)
    return Imprint(
        document.id, document.sha256, metadata.projekt, runs, order, stem_of(document.path), alone=said == ALONE,
        access=metadata.adgang,
    )  # fmt: skip


def find_versions(imprints: Iterable[Imprint]) -> dict[str, str]:
    """For each document that is a copy or another version, the id of the one to show instead."""
    by_access: dict[tuple[str, ...], dict[str, Imprint]] = defaultdict(dict)
    for one in imprints:
        if not one.alone:
            by_access[one.access][one.id] = one
    return {id_: shown for by_id in by_access.values() for id_, shown in _versions_among(by_id).items()}


def _versions_among(by_id: Mapping[str, Imprint]) -> dict[str, str]:
    groups = group_versions(
        {id_: one.runs for id_, one in by_id.items()},
        {id_: one.sha256 for id_, one in by_id.items()},
        {id_: one.project for id_, one in by_id.items()},
        {id_: one.stem for id_, one in by_id.items()},
    )
    versions: dict[str, str] = {}
    for group in groups:
        shown = min(group, key=lambda id_: by_id[id_].order)
        versions.update({id_: shown for id_ in group if id_ != shown})
    return versions


def own_passages(document: Document, shown: Document, passages: Sequence[str]) -> tuple[int, ...]:
    """Which of a version's passages, by their ordinals, tell something that the document shown in its place does not.

    None of an older version, or where an editor says which one is in force: what is left out there holds no longer.
    """
    if shown.metadata.value("udgave") == IN_FORCE or _version(document) != _version(shown):
        return ()
    known = _words(shown.text)
    return tuple(n for n, passage in enumerate(passages) if len(_words(passage) - known) >= _NEW_WORDS)


def _version(document: Document) -> Version:
    return version_of(document.path, document.text)


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text.lower()))


def group_versions(
    runs: Mapping[str, Runs],
    digests: Mapping[str, str] | None = None,
    projects: Mapping[str, str] | None = None,
    stems: Mapping[str, str] | None = None,
) -> list[tuple[str, ...]]:
    """The groups of two or more names whose texts are versions of one another, or whose digests are equal.

    Two that an editor has given different projects are never put together, however alike.
    """
    known = projects or {}
    parents = {name: name for name in runs}

    def root(name: str) -> str:
        while parents[name] != name:
            parents[name] = parents[parents[name]]
            name = parents[name]
        return name

    for one, other in [*_same(digests or {}), *_alike(runs, stems or {})]:
        if known.get(one, "") == known.get(other, "") or not (known.get(one) and known.get(other)):
            parents[root(one)] = root(other)
    groups: dict[str, list[str]] = defaultdict(list)
    for name in sorted(runs):
        groups[root(name)].append(name)
    return sorted(tuple(group) for group in groups.values() if len(group) > 1)


def shared_share(one: Runs, other: Runs) -> float:
    """The share of the smaller text's runs that are in the larger; 0 when one is much the longer or hardly a text."""
    small, large = sorted((len(one), len(other)))
    if small < _FEWEST or small < _LENGTH_RATIO * large:
        return 0.0
    return len(np.intersect1d(one, other, assume_unique=True)) / small


def _same(digests: Mapping[str, str]) -> list[tuple[str, str]]:
    first: dict[str, str] = {}
    return [(name, first[digest]) for name, digest in digests.items() if first.setdefault(digest, name) != name]


def _alike(runs: Mapping[str, Runs], stems: Mapping[str, str]) -> list[tuple[str, str]]:
    names = list(runs)
    shared = _shared_runs(list(runs.values()))
    pairs = ((names[a], names[b], count) for (a, b), count in shared.items())
    return [(one, other) for one, other, count in pairs if _are_versions(one, other, count, runs, stems)]


def _are_versions(one: str, other: str, count: int, runs: Mapping[str, Runs], stems: Mapping[str, str]) -> bool:
    """Whether two texts that have so many uncommon runs in common are versions of one another."""
    named_alike = bool(stems.get(one)) and stems.get(one) == stems.get(other)
    needed = SHARED_BY_NAME if named_alike else SHARED
    if count < needed * min(len(runs[one]), len(runs[other])) * 0.5:
        return False
    return shared_share(runs[one], runs[other]) >= needed


def _shared_runs(runs: Sequence[Runs]) -> Counter[tuple[int, int]]:
    """How many runs each two texts share, by their numbers, the lower first; common runs not counted."""
    shared: Counter[tuple[int, int]] = Counter()
    if not runs:
        return shared
    values = np.concatenate(runs)
    owners = np.repeat(np.arange(len(runs), dtype=np.int32), [len(one) for one in runs])
    order = np.argsort(values, kind="stable")
    starts = np.flatnonzero(np.diff(values[order], prepend=-1))
    sizes = np.diff(starts, append=len(values))
    for size in range(2, min(_COMMON, len(runs)) + 1):
        first, second = np.triu_indices(size, 1)
        places = starts[sizes == size]
        for batch in range(0, len(places), _BATCH):
            holders = owners[order[places[batch : batch + _BATCH, None] + np.arange(size)]]
            pairs = np.stack([holders[:, first].ravel(), holders[:, second].ravel()], axis=1)
            distinct, counts = np.unique(pairs, axis=0, return_counts=True)
            shared.update(dict(zip(map(tuple, distinct.tolist()), counts.tolist(), strict=True)))
    return shared
