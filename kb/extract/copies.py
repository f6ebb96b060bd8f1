"""Documents that are the same report: byte for byte, or as two versions (a DOCX and the PDF made of it).

Each text is reduced to its runs of five words, hashed; two documents are versions of one another when most runs of
the smaller are found in the larger and neither is much the longer. A fixed quarter of the hashes is enough in long
texts, because the same quarter is taken of every text. Pairs are found through an index of hashes, so that unlike
documents are never compared.
"""

from __future__ import annotations

import re
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields

from kb.models import Document

# Measured by `python -m benchmarks.twins`: versions share .80 and more, the nearest unlike documents .18.
SHARED = 0.6
_LENGTH_RATIO = 0.5
_RUN = 5
_SAMPLE = 4
_LONG = 2000
_FEWEST = 20
# A run found in more documents than this is a form of words, and tells nothing.
_COMMON = 50
_WORD = re.compile(r"[^\W_]+")
_PAGED = "application/pdf"


def word_runs(text: str) -> frozenset[int]:
    """The hashes of a text's runs of five words, masked items and punctuation not counted."""
    words = _WORD.findall(text.lower())
    runs = {zlib.crc32(" ".join(words[i : i + _RUN]).encode()) for i in range(len(words) - _RUN + 1)}
    return frozenset(run for run in runs if run % _SAMPLE == 0) if len(words) > _LONG else frozenset(runs)


@dataclass(frozen=True, slots=True)
class Imprint:
    """What of a document is needed to find its versions; ``order`` sorts the one to show first."""

    id: str
    sha256: str
    project: str
    runs: frozenset[int]
    order: tuple[int, int, str]


def imprint(document: Document) -> Imprint:
    """A document's imprint; shown first is the version with most metadata by an editor, then one with pages."""
    written = len(fields(document.metadata)) - len(document.metadata.inferred)
    order = (-written, int(document.media_type != _PAGED), document.path)
    return Imprint(document.id, document.sha256, document.metadata.projekt, word_runs(document.text), order)


def find_versions(imprints: Iterable[Imprint]) -> dict[str, str]:
    """For each document that is a copy or another version, the id of the one to show instead."""
    by_id = {found.id: found for found in imprints}
    groups = group_versions(
        {id_: found.runs for id_, found in by_id.items()},
        {id_: found.sha256 for id_, found in by_id.items()},
        {id_: found.project for id_, found in by_id.items()},
    )
    versions: dict[str, str] = {}
    for group in groups:
        shown = min(group, key=lambda id_: by_id[id_].order)
        versions.update({id_: shown for id_ in group if id_ != shown})
    return versions


def group_versions(
    runs: Mapping[str, frozenset[int]],
    digests: Mapping[str, str] | None = None,
    projects: Mapping[str, str] | None = None,
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

    for one, other in [*_same(digests or {}), *_alike(runs)]:
        if known.get(one, "") == known.get(other, "") or not (known.get(one) and known.get(other)):
            parents[root(one)] = root(other)
    groups: dict[str, list[str]] = defaultdict(list)
    for name in sorted(runs):
        groups[root(name)].append(name)
    return sorted(tuple(group) for group in groups.values() if len(group) > 1)


def shared_share(one: frozenset[int], other: frozenset[int]) -> float:
    """The share of the smaller text's runs that are in the larger; 0 when one is much the longer or hardly a text."""
    small, large = sorted((len(one), len(other)))
    if small < _FEWEST or small < _LENGTH_RATIO * large:
        return 0.0
    return len(one & other) / small


def _same(digests: Mapping[str, str]) -> list[tuple[str, str]]:
    first: dict[str, str] = {}
    return [(name, first[digest]) for name, digest in digests.items() if first.setdefault(digest, name) != name]


def _alike(runs: Mapping[str, frozenset[int]]) -> list[tuple[str, str]]:
    holders: dict[int, list[str]] = defaultdict(list)
    for name, found in runs.items():
        for run in found:
            holders[run].append(name)
    shared: Counter[tuple[str, str]] = Counter()
    for names in holders.values():
        if 1 < len(names) <= _COMMON:
            shared.update((a, b) for i, a in enumerate(names) for b in names[i + 1 :])
    return [
        (a, b)
        for (a, b), count in shared.items()
        if count >= SHARED * min(len(runs[a]), len(runs[b])) * 0.5 and shared_share(runs[a], runs[b]) >= SHARED
    ]
