"""The report of a run: its outcome for every file, and the time of each stage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class RunReport:
    """The outcome of a run by file; ``embedded`` is the number of new vectors, ``seconds`` the duration by stage."""

    started: str
    started_by: str
    build_id: str
    published: bool
    documents: int
    passages: int
    embedded: int
    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    copies: Mapping[str, str] = field(default_factory=dict)
    partial: Mapping[str, str] = field(default_factory=dict)
    failed: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    masked: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    run_id: str = ""
