"""Rolls back: puts an older build in use again."""

from __future__ import annotations

from pathlib import Path

from kb.core.errors import IndexDamagedError, NotFoundError
from kb.core.settings import Settings
from kb.index import builds
from kb.index.verification import verify_build
from kb.indexing.locking import lock


def roll_back(settings: Settings, build_id: str | None = None) -> str:
    """Put an older build in use: the one named, else the newest intact one before the one in use; returns its id.

    Raises :class:`NotFoundError` when there is none, :class:`IndexDamagedError` when the named one is damaged
    and :class:`kb.core.errors.IndexVersionError` when it is of another version.
    """
    in_use = _in_use(settings.index_dir)  # raises before anything is written when there is no index
    with builds.storage_errors("indeksmappen"), lock(settings.index_dir):
        if build_id is None:
            build_id = _newest_intact_before(settings.index_dir, in_use)
        elif build_id not in builds.build_ids(settings.index_dir):
            raise NotFoundError(f"Der er intet færdigt indeks med id {build_id}.", advice="Se dem med: kb builds")
        else:
            _refuse_unless_intact(settings.index_dir, build_id)
        builds.point_at(settings.index_dir, build_id)
    return build_id


def _refuse_unless_intact(index_dir: Path, build_id: str) -> None:
    builds.read_manifest(builds.builds_dir(index_dir) / build_id)
    if problems := verify_build(index_dir, build_id):
        raise IndexDamagedError(f"Indekset {build_id} er ikke helt: {' '.join(problems)}")


def _in_use(index_dir: Path) -> str:
    """The id of the build in use; empty when ``CURRENT`` is damaged. Raises :class:`IndexMissingError`."""
    try:
        return builds.current_id(index_dir)
    except IndexDamagedError:
        return ""


def _newest_intact_before(index_dir: Path, in_use: str) -> str:
    """The newest intact build older than the one in use; the newest of all when it is not known which is in use."""
    ids = builds.build_ids(index_dir)
    older = [build_id for build_id in ids if build_id < in_use] if in_use in ids else ids
    for build_id in older:
        if not verify_build(index_dir, build_id):
            return build_id
    raise NotFoundError("Der er intet ældre indeks, som er helt.", advice="Kør: kb index --full")
