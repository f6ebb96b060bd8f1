"""What a report is known by: titles told apart, and a project of its own for each that has none (pure).

Two reports whose titles were inferred and are the same get their years or their files' names behind them. A report
without a project is a project of its own, under its title, until an editor says otherwise; one about many projects
belongs to none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from kb.core.models import Document
from kb.proposals.proposal import Proposal
from kb.proposals.scope import crosses
from kb.proposals.titles import name_of


@dataclass(frozen=True, slots=True)
class Name:
    """A report's title, and the project that it is of unless it is about many."""

    title: str
    project: str


@dataclass(frozen=True, slots=True)
class _Seen:
    path: str
    title: str
    project: str
    inferred: bool


@dataclass
class Naming:
    """Sees every document once, then names them all."""

    _seen: dict[str, _Seen] = field(default_factory=dict)

    def seen(self, document: Document) -> Document:
        """Take a document in; it is given back as it is."""
        metadata = document.metadata
        inferred = "titel" in metadata.inferred
        self._seen[document.id] = _Seen(document.path, metadata.titel, metadata.projekt, inferred)
        return document

    def names(self, versions: Mapping[str, str]) -> dict[str, Name]:
        """Every document's name by id; ``versions`` are the ids of those shown in place of others, by the others' ids.

        Versions of one report share their project, and their titles are not told apart.
        """
        shown = [id_ for id_ in self._seen if id_ not in versions]
        titles = {id_: seen.title for id_, seen in self._seen.items()} | self._told_apart(shown)
        return {
            id_: Name(titles[id_], seen.project or self._project_of(versions.get(id_, id_), titles))
            for id_, seen in self._seen.items()
        }

    def _project_of(self, id_: str, titles: Mapping[str, str]) -> str:
        return self._seen[id_].project or titles[id_]

    def _told_apart(self, ids: Sequence[str]) -> dict[str, str]:
        """The titles of those that share one with another, with what tells them apart."""
        same: dict[str, list[str]] = defaultdict(list)
        for id_ in ids:
            same[self._seen[id_].title.casefold()].append(id_)
        return {
            id_: f"{seen.title} ({name_of(seen.path)})"
            for group in same.values()
            if len(group) > 1
            for id_ in group
            for seen in (self._seen[id_],)
            if seen.inferred and seen.title.casefold() != name_of(seen.path).casefold()
        }


def named(document: Document, name: Name, proposals: Sequence[Proposal]) -> Document:
    """The document under its name; its own project is marked as inferred."""
    metadata = replace(document.metadata, titel=name.title)
    if not metadata.projekt and not crosses(metadata, proposals):
        metadata = replace(metadata, projekt=name.project, inferred=metadata.inferred | {"projekt"})
    return replace(document, metadata=metadata)
