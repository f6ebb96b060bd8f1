"""Sessions of signed-in people: a random token in a cookie; its hash, name and role in the database.

    sessions = SessionStore(settings.state)
    token = sessions.begin(Session("Anna And", AccessRole.EDITOR, "anna"), hours=8)
    sessions.find(token).role
    sessions.end_one(sessions.all()[0].id)

A session ends on signing out, when it expires or is ended by its owner, an admin or the provider and, where it was
begun with a key, when the key is no longer valid.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from kb.core.access import groups_of_text, groups_text
from kb.core.errors import NotFoundError
from kb.core.identity import AccessRole
from kb.core.state_place import StatePlace
from kb.state.database import Database
from kb.state.repository import repository_of

# How exactly it is known when a session was last used: writing it down at every request would cost each a write.
USED_MINUTES = 5
ID_LENGTH = 12
_VALID = (
    "expires > ? AND NOT EXISTS (SELECT 1 FROM keys WHERE keys.id = sessions.key_id"
    " AND (keys.revoked IS NOT NULL OR keys.expires <= ?))"
)
_COLUMNS = "hash, name, role, subject, access, key_id, provider_session, address, begun, used, expires"


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in person: ``subject`` is who it is at the provider, or the key's id where one signed in with that.

    ``provider_session`` is the session's id at the provider, and ``address`` where it was begun from.
    """

    name: str
    role: AccessRole
    subject: str
    groups: frozenset[str] = frozenset()
    key_id: str = ""
    provider_session: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class StoredSession:
    """A session as it is listed. ``id`` names it and lets nobody in; ``used`` is known to :data:`USED_MINUTES`.

    ``begun``, ``used`` and ``address`` are empty for one that an earlier version began.
    """

    id: str
    session: Session
    begun: str
    used: str
    expires: str


class SessionStore:
    """The table of sessions; a connection a call, safe from several threads and processes."""

    def __init__(self, place: StatePlace) -> None:
        self._repository = repository_of(place)

    def begin(self, session: Session, *, hours: float) -> str:
        """Begin a session and return its token; expired sessions are deleted."""
        token = secrets.token_urlsafe(32)
        now = datetime.now(UTC)
        who = (session.name, session.role.value, session.subject, groups_text(session.groups), session.key_id)
        where = (session.provider_session, session.address)
        times = (_iso(now), _iso(now), _iso(now + timedelta(hours=hours)))
        with self._repository.transaction() as connection:
            connection.execute("DELETE FROM sessions WHERE expires <= ?", (_iso(now),))
            sql = f"INSERT INTO sessions ({_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?,?)"
            connection.execute(sql, (_hash(token), *who, *where, *times))
        return token

    def find(self, token: str) -> Session | None:
        """The valid session of a token, or None; that it was used is written down now and then."""
        if not self._repository.exists:
            return None
        now = datetime.now(UTC)
        sql = f"SELECT {_COLUMNS} FROM sessions WHERE hash = ? AND {_VALID}"
        with self._repository.reading() as database:
            row = database.execute(sql, (_hash(token), _iso(now), _iso(now))).fetchone()
        if row is None:
            return None
        stored = _stored(row)
        if stored.used <= _iso(now - timedelta(minutes=USED_MINUTES)):
            with self._repository.transaction(durable=False) as connection:
                connection.execute("UPDATE sessions SET used = ? WHERE hash = ?", (_iso(now), _hash(token)))
        return stored.session

    def all(self) -> list[StoredSession]:
        """The valid sessions, the last begun first."""
        return self._listed(_VALID, ())

    def of_subject(self, subject: str) -> list[StoredSession]:
        """The valid sessions of whoever has this id, the last begun first."""
        return self._listed(f"subject = ? AND {_VALID}", (subject,))

    def _listed(self, condition: str, values: Sequence[str]) -> list[StoredSession]:
        now = _iso(datetime.now(UTC))
        sql = f"SELECT {_COLUMNS} FROM sessions WHERE {condition} ORDER BY begun DESC, expires DESC"
        with self._repository.transaction() as connection:
            return [_stored(row) for row in connection.execute(sql, (*values, now, now))]

    def end(self, token: str) -> None:
        """End the session of a token."""
        with self._repository.transaction() as connection:
            connection.execute("DELETE FROM sessions WHERE hash = ?", (_hash(token),))

    def end_one(self, session_id: str, *, subject: str | None = None) -> StoredSession:
        """End the session of an id, of this person where one is named; raises :class:`NotFoundError`."""
        held = self.all() if subject is None else self.of_subject(subject)
        found = next((one for one in held if one.id == session_id), None)
        if found is None:
            raise NotFoundError("Der er intet login med det id.", advice="Se dem med: kb session list")
        with self._repository.transaction() as connection:
            hashes = connection.execute("SELECT hash FROM sessions").fetchall()
            ended = [(hashed,) for (hashed,) in hashes if _id(hashed) == found.id]
            connection.executemany("DELETE FROM sessions WHERE hash = ?", ended)
        return found

    def end_others(self, subject: str, *, token: str) -> int:
        """End every session of a person but that of the token; returns how many."""
        with self._repository.transaction() as connection:
            sql = "DELETE FROM sessions WHERE subject = ? AND hash <> ?"
            return connection.execute(sql, (subject, _hash(token))).rowcount

    def end_at_provider(self, *, jti: str, valid: timedelta, subject: str, provider_session: str) -> list[str]:
        """End what a provider's logout token names: one session at the provider, or else all of a person's.

        Returns the names of those who were signed out. A token is taken once: one whose id was seen in the time it was
        valid ends nothing. Sessions begun with a key are none of the provider's.
        """
        named = {"subject": subject, "provider_session": provider_session}
        given = {column: value for column, value in named.items() if value}
        condition = " AND ".join(["key_id = ''", *(f"{column} = ?" for column in given)])
        now = datetime.now(UTC)
        with self._repository.transaction(immediate=True) as connection:
            connection.execute("DELETE FROM logout_tokens WHERE expires <= ?", (_iso(now),))
            if not given or not _is_new(connection, jti, _iso(now + valid)):
                return []
            sql = f"DELETE FROM sessions WHERE {condition} RETURNING name"
            return [name for (name,) in connection.execute(sql, tuple(given.values())).fetchall()]

    def of_person(self, name: str) -> list[dict[str, str]]:
        """What is held of the sessions of someone of this name or with this id at the provider."""
        columns = ("name", "role", "subject", "access", "provider_session", "address", "begun", "used", "expires")
        sql = f"SELECT {', '.join(columns)} FROM sessions WHERE name = ? OR subject = ? ORDER BY expires"
        with self._repository.transaction() as connection:
            rows = connection.execute(sql, (name, name)).fetchall()
        return [dict(zip(columns, row, strict=True)) for row in rows]

    def end_all(self, name: str) -> int:
        """End every session of someone of this name or with this id at the provider; returns how many."""
        with self._repository.transaction() as connection:
            return connection.execute("DELETE FROM sessions WHERE name = ? OR subject = ?", (name, name)).rowcount


def id_of(token: str) -> str:
    """The id of a token's session."""
    return _id(_hash(token))


def _is_new(connection: Database, jti: str, expires: str) -> bool:
    sql = "INSERT INTO logout_tokens VALUES (?,?) ON CONFLICT DO NOTHING"
    return connection.execute(sql, (jti, expires)).rowcount == 1


def _stored(row: tuple[Any, ...]) -> StoredSession:
    hashed, name, role, subject, access, key_id, provider_session, address, begun, used, expires = row
    groups = frozenset(groups_of_text(access))
    session = Session(name, AccessRole(role), subject, groups, key_id, provider_session, address)
    return StoredSession(_id(hashed), session, begun, used, expires)


def _id(hashed: bytes) -> str:
    return hashed.hex()[:ID_LENGTH]


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")
