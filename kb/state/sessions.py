"""Sessions of signed-in people: a random token in a cookie; its hash, name and role in the database.

    sessions = SessionStore(settings.state_dir)
    token = sessions.begin("Anna And", AccessRole.EDITOR, subject="anna", hours=8)
    sessions.find(token).role

A session ends on signing out, when it expires and, where it was begun with a key, when the key is no longer valid.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from kb.core.access import groups_of_text, groups_text
from kb.core.identity import AccessRole
from kb.state.repository import Repository

_VALID = (
    "hash = ? AND expires > ? AND NOT EXISTS (SELECT 1 FROM keys WHERE keys.id = sessions.key_id"
    " AND (keys.revoked IS NOT NULL OR keys.expires <= ?))"
)


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in person."""

    name: str
    role: AccessRole
    subject: str
    groups: frozenset[str] = frozenset()


class SessionStore:
    """The table of sessions; a connection a call, safe from several threads and processes."""

    def __init__(self, state_dir: Path) -> None:
        self._repository = Repository(state_dir)

    def begin(
        self,
        name: str,
        role: AccessRole,
        *,
        subject: str,
        hours: float,
        groups: Collection[str] = (),
        key_id: str = "",
    ) -> str:
        """Begin a session and return its token; expired sessions are deleted."""
        token = secrets.token_urlsafe(32)
        now = datetime.now(UTC)
        expires = _iso(now + timedelta(hours=hours))
        values = (_hash(token), name, role.value, subject, key_id, expires, groups_text(groups))
        with self._repository.transaction() as connection:
            connection.execute("DELETE FROM sessions WHERE expires <= ?", (_iso(now),))
            connection.execute("INSERT INTO sessions VALUES (?,?,?,?,?,?,?)", values)
        return token

    def find(self, token: str) -> Session | None:
        """The valid session of a token, or None."""
        if not self._repository.exists:
            return None
        now = _iso(datetime.now(UTC))
        sql = f"SELECT name, role, subject, access FROM sessions WHERE {_VALID}"
        row = self._repository.reading().execute(sql, (_hash(token), now, now)).fetchone()
        return Session(row[0], AccessRole(row[1]), row[2], frozenset(groups_of_text(row[3]))) if row else None

    def end(self, token: str) -> None:
        """End a session."""
        with self._repository.transaction() as connection:
            connection.execute("DELETE FROM sessions WHERE hash = ?", (_hash(token),))

    def of_person(self, name: str) -> list[dict[str, str]]:
        """What is held of the sessions of someone of this name or with this id at the provider."""
        columns = ("name", "role", "subject", "expires", "access")
        sql = f"SELECT {', '.join(columns)} FROM sessions WHERE name = ? OR subject = ? ORDER BY expires"
        with self._repository.transaction() as connection:
            rows = connection.execute(sql, (name, name)).fetchall()
        return [dict(zip(columns, row, strict=True)) for row in rows]

    def end_all(self, name: str) -> int:
        """End every session of someone of this name or with this id at the provider; returns how many."""
        with self._repository.transaction() as connection:
            return connection.execute("DELETE FROM sessions WHERE name = ? OR subject = ?", (name, name)).rowcount


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")
