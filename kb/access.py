"""Who may do what: the roles."""

from __future__ import annotations

from enum import StrEnum


class AccessRole(StrEnum):
    """What someone may do: a reader asks, an editor also changes the reports, an admin also the running of it all."""

    READER = "reader"
    EDITOR = "editor"
    ADMIN = "admin"

    def includes(self, other: AccessRole) -> bool:
        """Whether who has this role may do what ``other`` may."""
        order = list(AccessRole)
        return order.index(self) >= order.index(other)
