"""Rolls back: puts an older build in use again."""

from __future__ import annotations

from kb.core.errors import IndexDamagedError, NotFoundError
from kb.core.settings import Settings
from kb.index import builds
from kb.index.places import Place, place_of
from kb.index.verification import verify_build
from kb.indexing.locking import lock


def roll_back(settings: Settings, build_id: str | None = None) -> str:
    """Put an older build in use: the one named, else the newest intact one before the one in use; returns its id.

    Raises :class:`NotFoundError` when there is none, :class:`IndexDamagedError` when the named one is damaged
    and :class:`kb.core.errors.IndexVersionError` when it is of another version.
    """
    place = place_of(settings)
    in_use = _in_use(place)  # raises before anything is written when there is no index
    with builds.storage_errors("indeksmappen"), lock(settings.index_dir):
        if build_id is None:
            build_id = _newest_intact_before(place, in_use)
        elif build_id not in place.build_ids():
            raise NotFoundError(f"Der er intet færdigt indeks med id {build_id}.", advice="Se dem med: kb builds")
        else:
            _refuse_unless_intact(place, build_id)
        place.point_at(build_id)
    return build_id


def _refuse_unless_intact(place: Place, build_id: str) -> None:
    builds.read_manifest(place.builds_dir / build_id)
    if problems := verify_build(place, build_id):
        raise IndexDamagedError(f"Indekset {build_id} er ikke helt: {' '.join(problems)}")


def _in_use(place: Place) -> str:
    """The id of the build in use; empty when what names it is damaged. Raises :class:`IndexMissingError`."""
    try:
        return place.current_id()
    except IndexDamagedError:
        return ""


def _newest_intact_before(place: Place, in_use: str) -> str:
    """The newest intact build older than the one in use; the newest of all when it is not known which is in use."""
    ids = place.build_ids()
    older = [build_id for build_id in ids if build_id < in_use] if in_use in ids else ids
    for build_id in older:
        if not verify_build(place, build_id):
            return build_id
    raise NotFoundError("Der er intet ældre indeks, som er helt.", advice="Kør: kb index --full")
