"""Questions that were refused or found not useful, in the state database, until they are too old.

    store = GapStore(settings.state, keep_days=settings.gap_days)
    store.note_refused("Hvordan ...?", build_id, reason)
    store.close(["Hvordan ...?"], "en rapport er lagt ind")

Who asked is not recorded, and CPR numbers, e-mail addresses and telephone numbers are masked before anything is
written. What was last asked before ``keep_days`` is deleted whenever the table is read or written.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta

from kb.core.access import EVERYTHING, Access, groups_of_text, groups_text
from kb.core.privacy import mask
from kb.core.state_place import StatePlace
from kb.curation.gaps import Gap
from kb.state.database import Database
from kb.state.repository import repository_of, timestamp

_COLUMNS = "question, first, last, refused, not_useful, build, reason, closed, closed_because"
# An open gap stays as it is, a closed one that comes up again is open again.
_AGAIN = (
    " ON CONFLICT (question) DO UPDATE SET last = excluded.last, build = excluded.build,"
    " refused = gaps.refused + excluded.refused, not_useful = gaps.not_useful + excluded.not_useful,"
    " closed = '', closed_because = '',"
    " reason = CASE excluded.reason WHEN '' THEN gaps.reason ELSE excluded.reason END,"
    # Whoever asks it without a group knows it without.
    " access = CASE excluded.access WHEN '[]' THEN '[]' ELSE gaps.access END"
)


class GapStore:
    """The table of gaps; a connection a call, safe from several threads and processes.

    A question is noted with the groups whose reports whoever asked might see, and is there for those alone who are in
    all of them: it may name what they read. Raises what :class:`kb.state.repository.Repository` raises.
    """

    def __init__(self, place: StatePlace, *, keep_days: int, access: Access = EVERYTHING) -> None:
        self._repository = repository_of(place)
        self._access = access
        self._keep = timedelta(days=keep_days)

    def note_refused(self, question: str, build_id: str, reason: str, *, groups: Collection[str] = ()) -> None:
        """Count a refused question."""
        self._note(question, build_id, reason, groups, refused=1)

    def note_not_useful(self, question: str, build_id: str, *, groups: Collection[str] = ()) -> None:
        """Count a question whose answer a reader found not useful."""
        self._note(question, build_id, "", groups, not_useful=1)

    def all(self) -> list[Gap]:
        """All gaps, the open ones first, then by how often and how lately they were asked."""
        if not self._repository.exists:
            return []
        with self._repository.transaction() as database:
            self._forget_old(database)
            order = "ORDER BY closed != '', refused + not_useful DESC, last DESC, question"
            rows = database.execute(f"SELECT access, {_COLUMNS} FROM gaps {order}")
            return [Gap(*row) for access, *row in rows if self._access.includes(groups_of_text(access))]

    def open(self) -> list[Gap]:
        """Those that no editor has closed."""
        return [one for one in self.all() if not one.closed]

    def close(self, questions: Sequence[str], because: str) -> int:
        """Close gaps, with the reason masked; gives back how many were open."""
        seen = self._seen(questions)
        with self._repository.transaction() as database:
            sql = "UPDATE gaps SET closed = ?, closed_because = ? WHERE question = ? AND closed = ''"
            said = (timestamp(), mask(because).text)
            return sum(database.execute(sql, (*said, question)).rowcount for question in seen)

    def reopen(self, questions: Sequence[str]) -> None:
        """Put closed gaps back on the list."""
        seen = self._seen(questions)
        with self._repository.transaction() as database:
            sql = "UPDATE gaps SET closed = '', closed_because = '' WHERE question = ?"
            database.executemany(sql, [(question,) for question in seen])

    def _seen(self, questions: Sequence[str]) -> Sequence[str]:
        """Those of some questions that are there for whoever asks."""
        there = {one.question for one in self.all()}
        return [question for question in questions if question in there]

    def _note(
        self,
        question: str,
        build_id: str,
        reason: str,
        groups: Collection[str],
        *,
        refused: int = 0,
        not_useful: int = 0,
    ) -> None:
        now = timestamp()
        with self._repository.transaction() as database:
            values = (mask(question).text, now, now, refused, not_useful, build_id, reason, groups_text(groups))
            database.execute(f"INSERT INTO gaps ({_COLUMNS}, access) VALUES (?,?,?,?,?,?,?,'','',?){_AGAIN}", values)
            self._forget_old(database)

    def _forget_old(self, database: Database) -> None:
        oldest = (datetime.now(UTC) - self._keep).isoformat(timespec="seconds")
        database.execute("DELETE FROM gaps WHERE last < ?", (oldest,))
