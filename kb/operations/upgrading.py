"""``kb upgrade``: what the installed version does to this installation's state and index, tried first and then done.

    trial = upgrading.check(settings)
    upgrading.carry_out(settings, Path("foer.tar.gz"))

The state is migrated in a copy beside it (in PostgreSQL in a schema of its own, of which nothing stays), and the copy
compared with what it was made of: it must be sound, and no table the poorer, unless a migration took it over into
another. The index needs no copy: a build is never changed, and one of an older form is not read but made again by ``kb
index``. What is carried out begins with a backup in the old form, which is the way back: the version before restores
it.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from kb.core.errors import IndexMissingError, IndexUnusableError, IndexVersionError, KbError, UpgradeError
from kb.core.settings import Settings
from kb.core.version import VERSION
from kb.index import builds
from kb.index.places import place_of
from kb.index.verification import Finding, verify_build
from kb.operations.backup import BackupReport, backup
from kb.state import migrations
from kb.state.postgresql_repository import PostgresqlRepository
from kb.state.repository import repository_of
from kb.state.sqlite_repository import STATE_FILE, SqliteRepository, copy_of

REINDEX = "Kør efter opgraderingen: kb index"
# Room for the copy, and for the backup beside it.
COPIES = 3
STAY = "Bliv på den version, I har, og meld det med tabellens navn."


@dataclass(frozen=True, slots=True)
class Trial:
    """What an upgrade would do: from which schema of the state (None: there is none) to which, whether the index must
    be made again, and what stands in its way."""

    version: str
    state_from: int | None
    state_to: int
    reindex: bool
    problems: tuple[Finding, ...]

    @property
    def is_needed(self) -> bool:
        """Whether there is a state of another form."""
        return self.state_from not in {None, self.state_to}


@dataclass(frozen=True, slots=True)
class Upgrade:
    """What was done, and the backup that leads back; None where nothing had to be."""

    trial: Trial
    way_back: BackupReport | None


def check(settings: Settings) -> Trial:
    """Try the upgrade on a copy; nothing of the installation is changed.

    Raises :class:`kb.core.errors.StateVersionError` for a state of a newer version, and
    :class:`kb.core.errors.StorageError`.
    """
    state = repository_of(settings.state)
    state.refuse_newer()
    reindex, index_problems = _index(settings)
    version = state.schema_version() if state.exists else 0
    if not state.exists or (state.is_shared and not version):
        return Trial(VERSION, None, migrations.SCHEMA_VERSION, reindex, tuple(index_problems))
    if isinstance(state, PostgresqlRepository):
        problems = _migrated_tables(state) if version < migrations.SCHEMA_VERSION else iter(())
    else:
        problems = _migrated(settings.state_dir)
    return Trial(VERSION, version, migrations.SCHEMA_VERSION, reindex, (*problems, *index_problems))


def carry_out(settings: Settings, target: Path) -> Upgrade:
    """Try it, back up everything in the old form to ``target``, and bring the state to this version's form.

    Nothing is written where the state has that form. Raises :class:`UpgradeError` when the trial finds a problem of
    the state, and what :func:`check` and :func:`kb.operations.backup.backup` raise; nothing has been changed then.
    """
    trial = check(settings)
    if not trial.is_needed:
        return Upgrade(trial, None)
    if of_state := next((one for one in trial.problems if one.part == STATE_FILE), None):
        raise UpgradeError(f"Der er ikke opgraderet: {of_state.problem}", advice=of_state.advice)
    way_back = backup(settings, target)
    repository_of(settings.state).bring_up_to_date()
    return Upgrade(trial, way_back)


def _migrated(folder: Path) -> Iterator[Finding]:
    """What is wrong with the state after it has been migrated in a copy."""
    size = sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
    if shutil.disk_usage(folder).free < COPIES * size:
        yield Finding(STATE_FILE, f"Der er ikke plads til en kopi ved {folder}.", "Gør plads, og prøv igen.")
        return
    with builds.storage_errors("kopien af tilstanden"), tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        copy = copy_of(folder, Path(scratch) / "state")
        before = _rows(copy)
        try:
            SqliteRepository(copy).bring_up_to_date()
        except KbError as error:
            yield Finding(STATE_FILE, f"Tilstanden kan ikke bringes i den nye form: {error}", error.advice)
            return
        lost = list(poorer(before, _rows(copy)))
        with closing(sqlite3.connect(copy / STATE_FILE)) as database:
            sound = database.execute("PRAGMA integrity_check(1)").fetchone()[0] == "ok"
    if lost or not sound:
        problem = _told_of(lost) if lost else "Den nye form er ikke hel."
        yield Finding(STATE_FILE, problem, STAY)


def _migrated_tables(state: PostgresqlRepository) -> Iterator[Finding]:
    """What is wrong with a state in PostgreSQL after its tables have been migrated in a copy."""
    try:
        before, after = state.migrated_in_a_copy()
    except KbError as error:
        yield Finding(STATE_FILE, f"Tilstanden kan ikke bringes i den nye form: {error}", error.advice)
        return
    if lost := list(poorer(before, after)):
        yield Finding(STATE_FILE, _told_of(lost), STAY)


def _told_of(lost: Sequence[str]) -> str:
    return f"Den nye form mangler noget af: {', '.join(lost)}."


def _rows(folder: Path) -> dict[str, int]:
    """How many rows each table has."""
    with closing(sqlite3.connect(folder / STATE_FILE)) as database:
        tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        return {name: database.execute(f"SELECT COUNT(*) FROM {name}").fetchone()[0] for (name,) in tables.fetchall()}


def poorer(before: Mapping[str, int], after: Mapping[str, int]) -> Iterator[str]:
    """The tables that have fewer rows than they had (pure); one that is gone was taken over by another."""
    yield from (name for name, count in before.items() if after.get(name, count) < count)


def _index(settings: Settings) -> tuple[bool, list[Finding]]:
    """Whether the index must be made again, and what is wrong with it."""
    try:
        place = place_of(settings)
        build_id = place.current_id()
        builds.read_manifest(place.builds_dir / build_id)
        problems = verify_build(place, build_id)
    except (IndexMissingError, IndexVersionError):
        return True, []
    except IndexUnusableError as error:
        return True, [Finding("indeks", str(error), error.advice)]
    return bool(problems), [Finding("indeks", problem, REINDEX) for problem in problems]
