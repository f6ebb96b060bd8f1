"""What a sync would do: new, changed, renamed and deleted files, from a listing and what was taken in before (pure).

    planned = plan(listing, known, takes=source.takes, now=time.time(), settle=60)
    planned.summary             # "12 nye, 3 ændrede, 1 slettes"
    loss_of(planned, share)     # why it must be confirmed first, or empty

Only what a sync itself has put there is ever in a plan: files that people laid in by hand are not known here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence, Sized
from dataclasses import dataclass
from pathlib import PurePosixPath

from kb.sources.listing import Listing, RemoteFile
from kb.state.sources import KnownFile


@dataclass(frozen=True, slots=True)
class Rename:
    """A file that was known under another path; ``sure`` where it needs no look at the content to know."""

    known: KnownFile
    file: RemoteFile
    sure: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """What a sync would do.

    ``edited`` are copies that someone has changed here, which are left alone, and ``released`` those of them that are
    gone from the source, which are the house's own from now on. ``held`` is how many copies there are, ``passed_over``
    how many files are of other kinds.
    """

    new: tuple[RemoteFile, ...] = ()
    changed: tuple[RemoteFile, ...] = ()
    renamed: tuple[Rename, ...] = ()
    deleted: tuple[KnownFile, ...] = ()
    waiting: tuple[RemoteFile, ...] = ()
    edited: tuple[KnownFile, ...] = ()
    released: tuple[KnownFile, ...] = ()
    unchanged: int = 0
    held: int = 0
    passed_over: int = 0
    is_empty: bool = False

    @property
    def summary(self) -> str:
        """The plan in a line: "12 nye, 3 ændrede, 1 slettes"."""
        return in_words(
            (self.new, "ny", "nye"),
            (self.changed, "ændret", "ændrede"),
            (self.renamed, "omdøbt", "omdøbte"),
            (self.deleted, "slettes", "slettes"),
            (self.waiting, "ventes der på", "ventes der på"),
        )

    @property
    def changes(self) -> bool:
        """Whether a sync would change anything."""
        return bool(self.new or self.changed or self.renamed or self.deleted)


def in_words(*kinds: tuple[Sized, str, str]) -> str:
    """How many files there are of each kind, with its word for one and for many; kinds without any are left out."""
    said = [f"{len(files)} {one if len(files) == 1 else many}" for files, one, many in kinds if files]
    return ", ".join(said) or "Ingen ændringer"


@dataclass(frozen=True, slots=True)
class Settling:
    """When a file is whole: after ``seconds`` without a change, as it is ``now``."""

    now: float
    seconds: float = 0.0

    def awaits(self, file: RemoteFile, known: KnownFile | None) -> bool:
        """Whether a file may still be being written.

        One that was last written a moment ago may be, or by a clock ahead of ours; seen unchanged for the whole time,
        it is not, whatever it says.
        """
        if not self.seconds or not file.modified or file.modified < self.now - self.seconds:
            return False
        unchanged = known is not None and known.seen == file.version
        return not (unchanged and known is not None and self.now - known.seen_at >= self.seconds)


def plan(
    listing: Listing,
    known: Sequence[KnownFile],
    *,
    takes: Callable[[str], bool],
    settling: Settling,
    missing: Collection[str] = (),
    edited: Collection[str] = (),
) -> Plan:
    """What brings the copies in line with the listing.

    ``takes`` says of a path whether files of that kind are taken in; ``missing`` are the paths of known files whose
    copies are gone, which are fetched again, and ``edited`` of those whose copies someone has changed here.
    """
    wanted = {file.path: file for file in listing.files if takes(file.path)}
    before = {one.path: one for one in known}
    held = [one for one in known if one.local]
    gone = [one for path, one in before.items() if path not in wanted and not _is_below(path, listing.unseen)]
    fresh = [file for path, file in wanted.items() if path not in before or not before[path].local]
    renames = _renames([one for one in gone if one.local and one.path not in {*missing, *edited}], fresh)
    renamed = {one.file.path for one in renames}
    moved = {one.known.path for one in renames}
    changed = [
        file
        for path, file in wanted.items()
        if path in before
        and before[path].local
        and path not in edited
        and (before[path].version != file.version or path in missing)
    ]
    waiting = [
        file for file in (*fresh, *changed) if file.path not in renamed and settling.awaits(file, before.get(file.path))
    ]
    waited = {file.path for file in waiting}
    return Plan(
        new=_sorted(file for file in fresh if file.path not in renamed | waited),
        changed=_sorted(file for file in changed if file.path not in waited),
        renamed=tuple(sorted(renames, key=lambda one: one.file.path)),
        deleted=_by_path(one for one in gone if one.path not in {*moved, *edited}),
        waiting=_sorted(waiting),
        edited=_by_path(one for one in known if one.path in edited and one.path in wanted),
        released=_by_path(one for one in gone if one.path in edited),
        unchanged=len(wanted) - len(fresh) - len(changed),
        held=len(held),
        passed_over=len(listing.files) - len(wanted),
        is_empty=not listing.files,
    )


def _renames(gone: Sequence[KnownFile], fresh: Sequence[RemoteFile]) -> list[Rename]:
    """The files that are gone from one path and have come to another.

    Where several share an identity, those of the same file name belong together; what is left of them is no rename.
    """
    old: dict[str, list[KnownFile]] = defaultdict(list)
    new: dict[str, list[RemoteFile]] = defaultdict(list)
    for one in gone:
        if one.identity:
            old[one.identity].append(one)
    for file in fresh:
        if file.identity:
            new[file.identity].append(file)
    return [
        Rename(known, file, sure=file.certain and known.version == file.version)
        for identity in old.keys() & new.keys()
        for known, file in _pairs(old[identity], new[identity])
    ]


def _pairs(old: Sequence[KnownFile], new: Sequence[RemoteFile]) -> list[tuple[KnownFile, RemoteFile]]:
    if len(old) == len(new) == 1:
        return [(old[0], new[0])]
    named: dict[str, tuple[list[KnownFile], list[RemoteFile]]] = defaultdict(lambda: ([], []))
    for one in old:
        named[PurePosixPath(one.path).name][0].append(one)
    for file in new:
        named[PurePosixPath(file.path).name][1].append(file)
    return [(olds[0], news[0]) for olds, news in named.values() if len(olds) == len(news) == 1]


def loss_of(planned: Plan, share: float, confirmed: int = 0) -> str:
    """Why a plan needs someone's word first: it deletes everything, or more than a share of what there is.

    Empty where it does not, and where the deletion of that many was ``confirmed``.
    """
    lost = sum(bool(one.local) for one in planned.deleted)
    if not lost or lost <= confirmed:
        return ""
    if planned.is_empty:
        return f"Kilden er pludselig tom; {lost} filer ville blive slettet."
    if lost > share * planned.held:
        return f"{lost} af {planned.held} filer ville blive slettet, mere end {100 * share:.0f} %."
    return ""


def _is_below(path: str, folders: Iterable[str]) -> bool:
    return any(not folder or path == folder or path.startswith(f"{folder}/") for folder in folders)


def _by_path(files: Iterable[KnownFile]) -> tuple[KnownFile, ...]:
    return tuple(sorted(files, key=lambda one: one.path))


def _sorted(files: Iterable[RemoteFile]) -> tuple[RemoteFile, ...]:
    return tuple(sorted(files, key=lambda file: file.path))
