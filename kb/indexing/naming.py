"""What a report is known by: titles told apart, and a project of its own for each that has none (pure).

Reports whose titles were inferred and are the same get their files' names behind them, and where those are the same
too, their folders. A report without a project is a project of its own, under its title, until an editor says otherwise;
what is attached to a mail is of the mail's project, and one about many projects belongs to none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from kb.core.models import Document
from kb.core.paths import MARK, holders, own_name
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
    access: tuple[str, ...]


@dataclass
class Naming:
    """Sees every document once, then names them all."""

    _seen: dict[str, _Seen] = field(default_factory=dict)

    def seen(self, document: Document) -> Document:
        """Take a document in; it is given back as it is."""
        metadata = document.metadata
        inferred = "titel" in metadata.inferred
        seen = _Seen(document.path, metadata.titel, metadata.projekt, inferred, metadata.adgang)
        self._seen[document.id] = seen
        return document

    def names(self, versions: Mapping[str, str]) -> dict[str, Name]:
        """Every document's name by id; ``versions`` are the ids of those shown in place of others, by the others' ids.

        Versions of one report share their project, and their titles are not told apart.
        """
        shown = [id_ for id_ in self._seen if id_ not in versions]
        titles = {id_: seen.title for id_, seen in self._seen.items()} | self._told_apart(shown)
        by_path = {seen.path: id_ for id_, seen in self._seen.items()}
        held = {
            id_: next((by_path[path] for path in holders(seen.path) if path in by_path), "")
            for id_, seen in self._seen.items()
        }
        above = {**held, **versions}
        return {id_: Name(titles[id_], self._project_of(id_, above, titles)) for id_ in self._seen}

    def _project_of(self, id_: str, above: Mapping[str, str], titles: Mapping[str, str]) -> str:
        """Its own project, else that of the one shown in its place or holding it, ``above`` it, and so on."""
        found = ""
        passed: set[str] = set()
        while id_ and id_ not in passed:
            passed.add(id_)
            found = self._seen[id_].project or titles[id_]
            if self._seen[id_].project:
                break
            id_ = above.get(id_, "")
        return found

    def _told_apart(self, ids: Sequence[str]) -> dict[str, str]:
        """The titles of those that share one with another for the same readers, with what tells them apart."""
        same: dict[tuple[str, tuple[str, ...]], list[_Seen]] = defaultdict(list)
        by_id = {id_: self._seen[id_] for id_ in ids}
        for seen in by_id.values():
            same[seen.title.casefold(), seen.access].append(seen)
        return {
            id_: f"{seen.title} ({mark})" if mark else seen.title
            for id_, seen in by_id.items()
            if seen.inferred and len(group := same[seen.title.casefold(), seen.access]) > 1
            for mark in (_mark(seen, group),)
        }


def _mark(seen: _Seen, group: Sequence[_Seen]) -> str:
    """What tells a report from others of its title: its file's name, else its folder too."""
    names = [name_of(one.path).casefold() for one in group]
    name = name_of(seen.path)
    parts = [name] if name.casefold() != seen.title.casefold() else []
    if names.count(name.casefold()) > 1:
        folder = seen.path.removesuffix(own_name(seen.path)).strip(f"/{MARK}")
        parts.append(folder or own_name(seen.path))
    return ", ".join(parts)


def named(document: Document, name: Name, proposals: Sequence[Proposal]) -> Document:
    """The document under its name; its own project is marked as inferred."""
    metadata = replace(document.metadata, titel=name.title)
    if not metadata.projekt and not crosses(metadata, proposals):
        metadata = replace(metadata, projekt=name.project, inferred=metadata.inferred | {"projekt"})
    return replace(document, metadata=metadata)
