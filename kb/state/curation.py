"""The versions of what editors decided of words and pinned passages, in the state database.

    store = CurationStore(settings.state)
    held = store.current()
    store.put(held.curation.with_group(group), "ord tilføjet", based_on=held.version)
    store.undo(based_on=2)

Each change stores the whole as a new version, so that every one of them can be put back. Who changed it is in the audit
trail alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from kb.core.access import EVERYTHING, Access
from kb.core.errors import InputError, NotFoundError
from kb.core.state_place import StatePlace
from kb.curation.words import Curation, checked
from kb.state.database import Database
from kb.state.repository import repository_of, timestamp

MOST_VERSIONS = 200


@dataclass(frozen=True, slots=True)
class CurationVersion:
    """A version, counted from 1, when it was made and what was done; version 0 holds nothing."""

    version: int = 0
    at: str = ""
    what: str = ""
    curation: Curation = field(default_factory=Curation)


class CurationStore:
    """The table of versions; a connection a call, safe from several threads and processes.

    Pins that ``access`` does not permit are not there, and stay whatever is put in their place.
    Raises what :class:`kb.state.repository.Repository` raises.
    """

    def __init__(self, place: StatePlace, access: Access = EVERYTHING) -> None:
        self._repository = repository_of(place)
        self._access = access

    def number(self) -> int:
        """The version in force, 0 where nothing was ever decided; cheap, and no file is created."""
        return max((row[0] for row in self._repository.rows("curations", "MAX(version)") if row[0]), default=0)

    def current(self) -> CurationVersion:
        """The version in force."""
        return next(iter(self.history(1)), CurationVersion())

    def history(self, most: int = MOST_VERSIONS) -> list[CurationVersion]:
        """The versions, newest first."""
        if not self._repository.exists:
            return []
        with self._repository.transaction() as database:
            found = _newest(database, most)
        return [replace(one, curation=one.curation.seen_by(self._access)) for one in found]

    def put(self, curation: Curation, what: str, *, based_on: int) -> CurationVersion:
        """Put a checked whole in force as the version after ``based_on``.

        Raises :class:`InputError` where someone else has made one meanwhile.
        """
        with self._repository.transaction(immediate=True) as database:
            return self._put(database, checked(curation), what, based_on)

    def undo(self, *, based_on: int) -> CurationVersion:
        """Put the version before ``based_on`` back in force, as a new one; raises as :meth:`put` does."""
        return self.restore(based_on - 1, based_on=based_on)

    def restore(self, version: int, *, based_on: int) -> CurationVersion:
        """Put an earlier version back in force, as a new one; raises :class:`NotFoundError` for one not kept."""
        with self._repository.transaction(immediate=True) as database:
            kept = {one.version: one for one in _newest(database, MOST_VERSIONS)}
            if version == 0 and based_on == 1:
                kept[0] = CurationVersion()
            if version not in kept:
                raise NotFoundError("Den ændring kan ikke fortrydes mere.", advice="Se listen over ord igen.")
            undone = kept.get(version + 1, CurationVersion()).what if version == based_on - 1 else ""
            what = f"fortrudt: {undone.removeprefix('fortrudt: ')}" if undone else f"tilbage til version {version}"
            return self._put(database, kept[version].curation.seen_by(self._access), what, based_on)

    def _put(self, database: Database, curation: Curation, what: str, based_on: int) -> CurationVersion:
        held = next(iter(_newest(database, 1)), CurationVersion())
        if held.version != based_on:
            raise InputError(
                "Ordene er ændret af en anden, siden du åbnede siden.", advice="Åbn siden igen, og gør det derfra."
            )
        whole = curation.over(held.curation, self._access)
        made = CurationVersion(held.version + 1, timestamp(), what, curation)
        database.execute("INSERT INTO curations VALUES (?,?,?,?)", (made.version, made.at, what, whole.to_json()))
        database.execute("DELETE FROM curations WHERE version <= ?", (made.version - MOST_VERSIONS,))
        return made


def _newest(database: Database, most: int) -> list[CurationVersion]:
    sql = "SELECT version, at, what, content FROM curations ORDER BY version DESC LIMIT ?"
    rows = database.execute(sql, (most,)).fetchall()
    return [CurationVersion(version, at, what, Curation.from_json(content)) for version, at, what, content in rows]
