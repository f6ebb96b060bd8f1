"""What the views work with: one object, put on the application by the factory and fetched by one function."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from flask import current_app

from kb.errors import KbError
from kb.search import Searcher, Snapshot
from kb.settings import Settings

EXTENSION = "kb"


class Holder(Protocol):
    """Hands out the searcher on the newest good build, as :class:`kb.search.SnapshotHolder` does."""

    problem: KbError | None

    def searcher(self) -> Searcher:
        """The searcher; raises :class:`kb.errors.IndexUnusableError` when there is no good build."""
        ...


@dataclass(frozen=True)
class Services:
    """The settings and the holder of the searcher."""

    settings: Settings
    holder: Holder


def services() -> Services:
    """The services of the application at work."""
    found: Services = current_app.extensions[EXTENSION]
    return found


def searcher() -> Searcher:
    """The searcher on the newest good build."""
    return services().holder.searcher()


def snapshot() -> Snapshot:
    """The newest good build."""
    return searcher().snapshot
