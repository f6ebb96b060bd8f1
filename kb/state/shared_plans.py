"""Plans that someone chose to share inside the house: a link with a random token, and the masked plan until it expires.

    shared = SharedPlans(settings.state)
    token = shared.add(plan.text, days=30)
    shared.find(token).plan

Nothing else of a Projektstart-tjek is ever stored. The token is kept as its hash, as that of a session is, and an
expired plan is deleted when the next one is shared or looked for.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from kb.core.state_place import StatePlace
from kb.state.repository import repository_of

# Days a link may live.
DAYS = (7, 30, 90)


@dataclass(frozen=True, slots=True)
class SharedPlan:
    """A plan as it was shared, and when its link was made and expires (ISO 8601)."""

    plan: str
    created: str
    expires: str


class SharedPlans:
    """The table of shared plans; a connection a call, safe from several threads and processes."""

    def __init__(self, place: StatePlace) -> None:
        self._repository = repository_of(place)

    def add(self, plan: str, *, days: int) -> str:
        """Keep a plan for some days and return the token of its link."""
        token, now = secrets.token_urlsafe(24), datetime.now(UTC)
        with self._repository.transaction() as database:
            database.execute("DELETE FROM shared_plans WHERE expires <= ?", (_iso(now),))
            values = (_hash(token), plan, _iso(now), _iso(now + timedelta(days=days)))
            database.execute("INSERT INTO shared_plans VALUES (?,?,?,?)", values)
        return token

    def find(self, token: str) -> SharedPlan | None:
        """The plan of a token; None where there is none or its time is over."""
        if not self._repository.exists:
            return None
        now = _iso(datetime.now(UTC))
        with self._repository.transaction() as database:
            database.execute("DELETE FROM shared_plans WHERE expires <= ?", (now,))
            sql = "SELECT plan, created, expires FROM shared_plans WHERE hash = ?"
            row = database.execute(sql, (_hash(token),)).fetchone()
        return SharedPlan(*row) if row else None

    def remove(self, token: str) -> None:
        """Delete the plan of a token."""
        with self._repository.transaction() as database:
            database.execute("DELETE FROM shared_plans WHERE hash = ?", (_hash(token),))


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
