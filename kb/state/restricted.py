"""Which groups may see a report, as the state remembers it: what was written of a report outlives the report.

    restricted = RestrictedReports(settings.state)
    restricted.remember({"loensag": ("HR",)})      # when an index is made
    restricted.forget(["asta"])                     # a report that is for everyone now

A lesson that rests on a report for some groups is for them alone, also when the report is gone from the index.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kb.core.access import Access, groups_of_text, groups_text
from kb.core.state_place import StatePlace
from kb.state.database import Database, upsert
from kb.state.repository import repository_of


class RestrictedReports:
    """The table of reports for some groups; a connection a call, safe from several threads and processes."""

    def __init__(self, place: StatePlace) -> None:
        self._repository = repository_of(place)

    def remember(self, groups: Mapping[str, tuple[str, ...]]) -> None:
        """Store the groups of reports that have any."""
        if not groups:
            return
        with self._repository.transaction() as database:
            rows = [(id_, groups_text(named)) for id_, named in groups.items()]
            database.executemany(upsert("restricted_reports", ("document_id", "access"), key=("document_id",)), rows)

    def forget(self, document_ids: Iterable[str]) -> None:
        """Remove reports that are for everyone now; a report that is gone keeps its groups."""
        if known := self.known().keys() & set(document_ids):
            with self._repository.transaction() as database:
                sql = "DELETE FROM restricted_reports WHERE document_id = ?"
                database.executemany(sql, [(id_,) for id_ in sorted(known)])

    def known(self) -> dict[str, tuple[str, ...]]:
        """The groups by the reports' ids."""
        rows = self._repository.rows("restricted_reports", "document_id, access")
        return {id_: groups_of_text(named) for id_, named in rows}


def is_withheld(database: Database, document_id: str, access: Access) -> bool:
    """Whether a report is for groups that one is not in."""
    row = database.execute("SELECT access FROM restricted_reports WHERE document_id = ?", (document_id,)).fetchone()
    return row is not None and not access.permits(groups_of_text(row[0]))


def withheld_lessons(database: Database, access: Access) -> frozenset[str]:
    """The lessons that rest on a report for groups that one is not in, and were written by someone who saw it."""
    if access.everything:
        return frozenset()
    sql = "SELECT lesson_id, access FROM lesson_evidence JOIN restricted_reports USING (document_id) WHERE seen = 1"
    rows = database.execute(sql)
    return frozenset(id_ for id_, named in rows if not access.permits(groups_of_text(named)))
