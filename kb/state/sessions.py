"""Sessions of people who have signed in: a random token in a cookie, its hash and what it stands for in the database.

    sessions = SessionStore(settings.state_dir)
    token = sessions.begin("Anna And", AccessRole.EDITOR, subject="anna", hours=8)
    sessions.find(token).role

A session ends when it is signed out of, when its time is up, and, where it was begun with a key, with the key.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from kb.core.identity import AccessRole
from kb.state.repository import Repository

_VALID = (
    "hash = ? AND expires > ? AND NOT EXISTS (SELECT 1 FROM keys WHERE keys.id = sessions.key_id"
    " AND (keys.revoked IS NOT NULL OR keys.expires <= ?))"
)


@dataclass(frozen=True, slots=True)
class Session:
    """Someone who has signed in."""

    name: str
    role: AccessRole
    subject: str


class SessionStore:
    """The sessions' table; a connection a call, safe from several threads and processes."""

    def __init__(self, state_dir: Path) -> None:
        self._repository = Repository(state_dir)

    def begin(self, name: str, role: AccessRole, *, subject: str, hours: float, key_id: str = "") -> str:
        """A new session's token; sessions whose time is up are cleared away."""
        token = secrets.token_urlsafe(32)
        now = datetime.now(UTC)
        values = (_hash(token), name, role.value, subject, key_id, _iso(now + timedelta(hours=hours)))
        with self._repository.transaction() as connection:
            connection.execute("DELETE FROM sessions WHERE expires <= ?", (_iso(now),))
            connection.execute("INSERT INTO sessions VALUES (?,?,?,?,?,?)", values)
        return token

    def find(self, token: str) -> Session | None:
        """The session of a token; None when there is none that holds."""
        now = _iso(datetime.now(UTC))
        with self._repository.transaction() as connection:
            sql = f"SELECT name, role, subject FROM sessions WHERE {_VALID}"
            row = connection.execute(sql, (_hash(token), now, now)).fetchone()
        return Session(row[0], AccessRole(row[1]), row[2]) if row else None

    def end(self, token: str) -> None:
        """End a session."""
        with self._repository.transaction() as connection:
            connection.execute("DELETE FROM sessions WHERE hash = ?", (_hash(token),))


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")
