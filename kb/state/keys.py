"""API keys: shown once when created, stored as a hash in the state database.

    keys = KeyStore(settings.state)
    key, secret = keys.create("intranet", AccessRole.READER)
    keys.check(secret).role

A key is ``kb_<id>_<secret>`` with 256 random bits, so one round of SHA-256 protects it as well as a slow hash does
a password. An unknown key costs the same comparison as a wrong one, so that timing reveals nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from kb.core.access import group_names, groups_of_text, groups_text
from kb.core.errors import InputError, NotFoundError
from kb.core.identity import AccessRole
from kb.core.state_place import StatePlace
from kb.state.repository import repository_of

LONGEST_NAME = 80
# The time of last use is informative only; a precision of a minute saves a write for every request.
LAST_USED_PRECISION = timedelta(minutes=1)
_FORM = re.compile(r"kb_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
_NO_HASH = hashlib.sha256(b"").digest()
_COLUMNS = "id, name, role, created, expires, revoked, last_used, access"


class KeyState(StrEnum):
    """Whether a key works. The values are the words shown."""

    ACTIVE = "gælder"
    EXPIRED = "udløbet"
    REVOKED = "trukket tilbage"


class KeyRefused(Exception):
    """The key is unknown, wrong, expired or revoked; the caller is not told which."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key without its secret. Times are ISO 8601 in UTC, empty where there is none."""

    id: str
    name: str
    role: AccessRole
    created: str
    expires: str = ""
    revoked: str = ""
    last_used: str = ""
    groups: frozenset[str] = frozenset()

    def state(self, now: datetime) -> KeyState:
        """Whether the key works at ``now``."""
        if self.revoked:
            return KeyState.REVOKED
        return KeyState.EXPIRED if self.expires and self.expires <= _iso(now) else KeyState.ACTIVE


class KeyStore:
    """The keys' table; a connection a call, safe from several threads and processes."""

    def __init__(self, place: StatePlace) -> None:
        self._repository = repository_of(place)

    def create(
        self, name: str, role: AccessRole, *, days: int | None = None, groups: Iterable[str] = ()
    ) -> tuple[Key, str]:
        """Create a key valid for ``days`` (without limit by default); returns it and its secret, which is not stored.

        Whoever uses it sees the reports of ``groups`` too.

        Raises :class:`InputError` for a name that is empty, too long or that of a valid key.
        """
        name = " ".join(name.split())
        if not name or len(name) > LONGEST_NAME or not name.isprintable():
            raise InputError(f"Nøglens navn skal have 1 til {LONGEST_NAME} tegn.", advice="Fx: kb key create intranet")
        now = datetime.now(UTC)
        if any(key.name == name and key.state(now) is KeyState.ACTIVE for key in self.list()):
            raise InputError(
                f"Der er allerede en nøgle, der hedder {name}.", advice=f"Træk den tilbage først: kb key revoke {name}"
            )
        expires = _iso(now + timedelta(days=days)) if days else ""
        key = Key(secrets.token_hex(6), name, role, _iso(now), expires, groups=frozenset(group_names(groups)))
        secret = f"kb_{key.id}_{secrets.token_urlsafe(32)}"
        with self._repository.transaction() as connection:
            connection.execute(
                "INSERT INTO keys (id, name, role, hash, created, expires, access) VALUES (?,?,?,?,?,?,?)",
                (
                    key.id,
                    key.name,
                    key.role.value,
                    _hash(secret),
                    key.created,
                    key.expires or None,
                    groups_text(key.groups),
                ),
            )
        return key, secret

    def list(self) -> list[Key]:
        """Every key, newest first."""
        with self._repository.transaction() as connection:
            return [_key(row) for row in connection.execute(f"SELECT {_COLUMNS} FROM keys ORDER BY created DESC, id")]

    def active(self) -> int:
        """The number of valid keys."""
        if not self._repository.exists:
            return 0
        now = datetime.now(UTC)
        return sum(key.state(now) is KeyState.ACTIVE for key in self.list())

    def revoke(self, name_or_id: str) -> Key:
        """Revoke a valid key at once; raises :class:`NotFoundError`."""
        now = datetime.now(UTC)
        matching = [key for key in self.list() if name_or_id in {key.id, key.name} and not key.revoked]
        if not matching:
            raise NotFoundError(f"Ingen nøgle, der gælder, hedder {name_or_id}.", advice="Se dem med: kb key list")
        with self._repository.transaction() as connection:
            connection.execute("UPDATE keys SET revoked = ? WHERE id = ?", (_iso(now), matching[0].id))
        return matching[0]

    def delete(self, name: str) -> int:
        """Delete every key of a name, valid or not, with the sessions begun with them; returns how many keys."""
        with self._repository.transaction() as connection:
            of_key = "key_id IN (SELECT id FROM keys WHERE name = ?)"
            connection.execute(f"DELETE FROM sessions WHERE {of_key}", (name,))
            return connection.execute("DELETE FROM keys WHERE name = ?", (name,)).rowcount

    def check(self, secret: str) -> Key:
        """The valid key with this secret; raises :class:`KeyRefused`."""
        form = _FORM.fullmatch(secret)
        now = datetime.now(UTC)
        with self._repository.transaction() as connection:
            row = connection.execute(
                f"SELECT {_COLUMNS}, hash FROM keys WHERE id = ?", (form.group(1) if form else "",)
            ).fetchone()
            right = hmac.compare_digest(_hash(secret), row[-1] if row else _NO_HASH)
            if not row or not right:
                raise KeyRefused
            key = _key(row[:-1])
            if key.state(now) is not KeyState.ACTIVE:
                raise KeyRefused
            if key.last_used < _iso(now - LAST_USED_PRECISION):
                connection.execute("UPDATE keys SET last_used = ? WHERE id = ?", (_iso(now), key.id))
        return key


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()


def _key(row: tuple[str | None, ...]) -> Key:
    id_, name, role, created, expires, revoked, used, groups = (value or "" for value in row)
    given = frozenset(groups_of_text(groups))
    return Key(id_, name, AccessRole(role), created, expires, revoked, used, given)


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")
