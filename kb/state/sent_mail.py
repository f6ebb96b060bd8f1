"""Which mails have been sent, in the state database, so that each is sent once, whatever crashes.

    with sent.claimed("eftersyn abc 2027-01-31", "digital@kommune.dk") as ours:
        if ours: ...

A mail has a key that names its occasion. Before it is handed over, its key is claimed, and the claim is stored; it is
marked as sent afterwards, and given up where handing it over failed. A process that dies in between leaves a claim of
which nobody knows whether the mail went out: it is not sent again, and :meth:`SentMail.unsure` tells of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kb.state.repository import Repository, timestamp

CLAIMED, SENT = "begyndt", "sendt"


class SentMail:
    """The table of mails; a connection a call, safe from several threads and processes."""

    def __init__(self, state_dir: Path) -> None:
        self._repository = Repository(state_dir)

    @contextmanager
    def claimed(self, key: str, recipient: str) -> Iterator[bool]:
        """Whether the mail is ours to send; marked as sent at the end, given up when an error is raised."""
        if not self._claim(key, recipient):
            yield False
            return
        try:
            yield True
        except Exception:
            self._execute("DELETE FROM sent_mail WHERE key = ?", key)
            raise
        self._execute("UPDATE sent_mail SET state = ?, at = ? WHERE key = ?", SENT, timestamp(), key)

    def unsure(self) -> list[tuple[str, str, str]]:
        """Key, recipient and time of the mails that were begun and not marked as sent."""
        rows = self._repository.rows("sent_mail", "key, recipient, at, state")
        return [(key, recipient, at) for key, recipient, at, state in rows if state == CLAIMED]

    def _claim(self, key: str, recipient: str) -> bool:
        sql = "INSERT OR IGNORE INTO sent_mail VALUES (?,?,?,?)"
        return bool(self._execute(sql, key, recipient, CLAIMED, timestamp()))

    def _execute(self, sql: str, *values: str) -> int:
        with self._repository.transaction() as database:
            return database.execute(sql, values).rowcount
