"""The finished builds of an index, each with what it holds or why it cannot be used."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kb.core.errors import IndexUnusableError
from kb.index import builds
from kb.index.builds import Manifest


@dataclass(frozen=True, slots=True)
class FinishedBuild:
    """A build, and whether it is the one in use; without a manifest, ``problem`` says in Danish why it is unusable."""

    id: str
    in_use: bool
    manifest: Manifest | None
    problem: str | None = None


def finished_builds(index_dir: Path) -> list[FinishedBuild]:
    """The builds, newest first."""
    try:
        in_use = builds.current_id(index_dir)
    except IndexUnusableError:
        in_use = ""
    return [_look_at(index_dir, build_id, in_use=build_id == in_use) for build_id in builds.build_ids(index_dir)]


def _look_at(index_dir: Path, build_id: str, *, in_use: bool) -> FinishedBuild:
    try:
        return FinishedBuild(build_id, in_use, builds.read_manifest(builds.builds_dir(index_dir) / build_id))
    except IndexUnusableError as error:
        return FinishedBuild(build_id, in_use, None, str(error))
