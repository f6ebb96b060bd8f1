"""Which files there are to index, and what the build in use was made of."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from kb.core.errors import IndexUnusableError
from kb.extract import content_key, find_files
from kb.extract.corpus_files import UNOPENED, shown_path
from kb.index import builds
from kb.index.store import Failure, Store


@dataclass(frozen=True, slots=True)
class Place:
    """A file found: its corpus folder, its path below it and its content."""

    root: str
    path: str
    content_key: str

    @property
    def file(self) -> Path:
        """Where the file lies."""
        return Path(self.root) / self.path

    def key_now(self) -> str:
        """The file's content key as it is now; empty when it is gone."""
        try:
            return content_key(self.file)
        except OSError:
            return ""


def find_places(roots: Sequence[Path]) -> tuple[list[Place], list[Failure]]:
    """Every file below the roots with its content key, by place; and those that are skipped or cannot be opened."""
    places: set[Place] = set()
    failures: dict[tuple[str, str], Failure] = {}
    for root in roots:
        home = root.parent if root.is_file() else root
        found = find_files([root])
        told = [(one.path, one.code, one.reason) for one in found.skipped]
        for file in found.files:
            try:
                places.add(Place(str(home.resolve()), file.relative_to(home).as_posix(), content_key(file)))
            except OSError as error:
                told.append((file, UNOPENED, f"Filen kan ikke åbnes: {error.strerror}."))
        for file, code, reason in told:
            place = (str(home.resolve()), shown_path(file.relative_to(home).as_posix()))
            failures[place] = Failure(*place, "", code, reason)
    return sorted(places, key=lambda place: (place.root, place.path)), list(failures.values())


@dataclass(frozen=True, slots=True)
class Plan:
    """The files to index: ``places`` holds each content once, ``aliases`` the other paths of the same content."""

    places: tuple[Place, ...]
    aliases: Mapping[Place, tuple[str, ...]]
    unopened: tuple[Failure, ...]
    roots: tuple[str, ...]

    @classmethod
    def make(cls, roots: Sequence[Path]) -> Plan:
        """The plan of the files below the roots as they are now."""
        found, unopened = find_places(roots)
        by_content: dict[str, list[Place]] = {}
        for place in found:
            by_content.setdefault(place.content_key, []).append(place)
        aliases = {group[0]: tuple(place.path for place in group[1:]) for group in by_content.values()}
        return cls(tuple(aliases), aliases, tuple(unopened), tuple(str(root.resolve()) for root in roots))

    @property
    def has_files(self) -> bool:
        """Whether there is any file, be it one that cannot be opened."""
        return bool(self.places or self.unopened)

    def digest(self) -> str:
        """A digest of every file's place and content: equal for plans that give equal builds."""
        files = [(place.root, place.path, place.content_key, self.aliases[place]) for place in self.places]
        unopened = [(failure.root, failure.path, failure.reason) for failure in self.unopened]
        return hashlib.sha256(json.dumps([sorted(files), sorted(unopened), self.roots]).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Before:
    """What the build in use was made of; empty when there is none that can be read."""

    manifest: builds.Manifest | None = None
    documents: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def load(cls, index_dir: Path) -> Before:
        """Look at the build in use."""
        try:
            folder = builds.builds_dir(index_dir) / builds.current_id(index_dir)
            manifest = builds.read_manifest(folder)
            with closing(Store(folder / builds.DATABASE_FILE)) as store:
                return cls(manifest, keys_by_path(store))
        except (IndexUnusableError, sqlite3.DatabaseError):
            return cls()


def keys_by_path(store: Store) -> dict[str, str]:
    """The content key of every indexed file, by path."""
    keys = {}
    for stored in store.records():
        for path in (stored.record.path, *stored.aliases):
            keys[path] = stored.content_key
    return keys
