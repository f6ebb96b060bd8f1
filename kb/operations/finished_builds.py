"""The finished builds of an index, each with what it holds or why it cannot be used."""

from __future__ import annotations

from dataclasses import dataclass

from kb.core.errors import IndexUnusableError
from kb.index import builds
from kb.index.builds import Manifest
from kb.index.places import Place


@dataclass(frozen=True, slots=True)
class FinishedBuild:
    """A build, and whether it is the one in use; without a manifest, ``problem`` says in Danish why it is unusable."""

    id: str
    in_use: bool
    manifest: Manifest | None
    problem: str | None = None


def finished_builds(place: Place) -> list[FinishedBuild]:
    """The builds, newest first."""
    try:
        in_use = place.current_id()
    except IndexUnusableError:
        in_use = ""
    return [_look_at(place, build_id, in_use=build_id == in_use) for build_id in place.build_ids()]


def _look_at(place: Place, build_id: str, *, in_use: bool) -> FinishedBuild:
    try:
        return FinishedBuild(build_id, in_use, builds.read_manifest(place.builds_dir / build_id))
    except IndexUnusableError as error:
        return FinishedBuild(build_id, in_use, None, str(error))
