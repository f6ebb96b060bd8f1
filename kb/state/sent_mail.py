"""Which mails have been handed over, in the state database, so that each is sent once, whatever crashes.

    if not sent.is_settled(key):
        sent.begin(key, "digital@kommune.dk")   # right before the last bytes go to the mail server
        sent.finish(key)                        # when it has said that it has them

A mail has a key that names its occasion. A row is there from the last moment at which a crash surely leaves the mail
unsent: a process that dies before leaves nothing, and the mail is sent the next time. One that dies between the two
leaves a mail of which the server alone knows whether it took it: it is not sent again, and :meth:`SentMail.unsure`
tells of it. Who sends holds a lock (:mod:`kb.operations.mail`), so that no two processes have the same mail in hand.
"""

from __future__ import annotations

from kb.core.state_place import StatePlace
from kb.state.repository import repository_of, timestamp

BEGUN, SENT = "begyndt", "sendt"


class SentMail:
    """The table of mails; a connection a call, safe from several threads and processes."""

    def __init__(self, place: StatePlace) -> None:
        self._repository = repository_of(place)

    def is_settled(self, key: str) -> bool:
        """Whether the mail is sent, or may be."""
        with self._repository.transaction() as database:
            return bool(database.execute("SELECT 1 FROM sent_mail WHERE key = ?", (key,)).fetchone())

    def begin(self, key: str, recipient: str) -> None:
        """Note that a mail is being handed over; raises an error of the database for one that was before."""
        self._execute("INSERT INTO sent_mail VALUES (?,?,?,?)", key, recipient, BEGUN, timestamp())

    def finish(self, key: str) -> None:
        """Note that the mail server has taken a mail."""
        self._execute("UPDATE sent_mail SET state = ?, at = ? WHERE key = ?", SENT, timestamp(), key)

    def give_up(self, key: str) -> None:
        """Forget a mail that the mail server has said it does not take."""
        self._execute("DELETE FROM sent_mail WHERE key = ?", key)

    def unsure(self) -> list[tuple[str, str, str]]:
        """Key, recipient and time of the mails that were begun and not marked as sent."""
        rows = self._repository.rows("sent_mail", "key, recipient, at, state")
        return [(key, recipient, at) for key, recipient, at, state in rows if state == BEGUN]

    def _execute(self, sql: str, *values: str) -> None:
        with self._repository.transaction() as database:
            database.execute(sql, values)
