"""The plan of a run (which files there are, by content) and the state of the build in use that it is compared with."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from kb.core.errors import IndexUnusableError, MetadataError
from kb.core.paths import holders
from kb.extract import content_key, find_files
from kb.extract.corpus_files import UNOPENED, shown_path
from kb.index import builds
from kb.index.places import Place
from kb.index.store import Failure, Store
from kb.indexing.folder_access import RULE_FILE, FolderRules

# The code of what a folder's rule keeps out, as it cannot be read.
WRONG_RULE = "adgang-ulæselig"


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file of the corpus: its root folder, its path below it and the checksum of its content and metadata file.

    ``access`` are the groups that may see it: by the folder's rule, and when it has been read, by its own metadata.
    """

    root: str
    path: str
    content_key: str
    access: tuple[str, ...] = field(default=(), compare=False)

    @property
    def file(self) -> Path:
        """The path of the file."""
        return Path(self.root) / self.path

    def key_now(self) -> str:
        """The file's content key at this moment; empty when the file is gone."""
        try:
            return content_key(self.file)
        except OSError:
            return ""


def find_source_files(roots: Sequence[Path]) -> tuple[list[SourceFile], list[Failure]]:
    """Every file below the roots, sorted, with its content key; and the files that are skipped or cannot be opened."""
    sources: set[SourceFile] = set()
    failures: dict[tuple[str, str], Failure] = {}
    for root in roots:
        home = root.parent if root.is_file() else root
        rules = FolderRules(home)
        files = find_files([root])
        skipped = [(one.path, one.code, one.reason) for one in files.skipped]
        for file in files.files:
            path = file.relative_to(home).as_posix()
            try:
                sources.add(SourceFile(str(home.resolve()), path, content_key(file), rules.groups_of(path)))
            except MetadataError as error:
                skipped.append((file, WRONG_RULE, f"Mappens {RULE_FILE} kan ikke bruges. {error}"))
            except OSError as error:
                skipped.append((file, UNOPENED, f"Filen kan ikke åbnes: {error.strerror}."))
        for file, code, reason in skipped:
            key = (str(home.resolve()), shown_path(file.relative_to(home).as_posix()))
            failures[key] = Failure(*key, "", code, reason)
    return sorted(sources, key=lambda source: (source.root, source.path)), list(failures.values())


@dataclass(frozen=True, slots=True)
class Plan:
    """The files to index: ``sources`` has each content once, ``aliases`` the other paths of the same content."""

    sources: tuple[SourceFile, ...]
    aliases: Mapping[SourceFile, tuple[str, ...]]
    unopened: tuple[Failure, ...]
    roots: tuple[str, ...]

    @classmethod
    def make(cls, roots: Sequence[Path]) -> Plan:
        """The plan of the files below the roots as they are now."""
        all_sources, unopened = find_source_files(roots)
        # The same bytes for other readers are another report: neither tells that the other is there.
        by_content: dict[tuple[str, tuple[str, ...]], list[SourceFile]] = {}
        for source in all_sources:
            by_content.setdefault((source.content_key, source.access), []).append(source)
        aliases = {group[0]: tuple(source.path for source in group[1:]) for group in by_content.values()}
        return cls(tuple(aliases), aliases, tuple(unopened), tuple(str(root.resolve()) for root in roots))

    @property
    def has_files(self) -> bool:
        """Whether there are any files, those that cannot be opened included."""
        return bool(self.sources or self.unopened)

    def aliases_of(self, source: SourceFile) -> tuple[str, ...]:
        """The other paths of a file's content; of what is inside a file, its paths in the others of that content."""
        if source in self.aliases:
            return tuple(self.aliases[source])
        for holder in holders(source.path):
            if others := self.aliases.get(replace(source, path=holder)):
                return tuple(other + source.path.removeprefix(holder) for other in others)
        return ()

    def digest(self) -> str:
        """A digest of every file's path and content: equal for plans that give equal builds."""
        files = [(one.root, one.path, one.content_key, self.aliases[one], one.access) for one in self.sources]
        unopened = [(failure.root, failure.path, failure.reason) for failure in self.unopened]
        return hashlib.sha256(json.dumps([sorted(files), sorted(unopened), self.roots]).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class PreviousBuild:
    """The manifest and files of the build in use; empty when there is none that can be read."""

    manifest: builds.Manifest | None = None
    documents: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def load(cls, place: Place) -> PreviousBuild:
        """Read them from the build in use."""
        try:
            folder = place.builds_dir / place.current_id()
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
