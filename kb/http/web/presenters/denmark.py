"""Denmark as tiles: one square for each municipality, and a bar for each region (pure).

The positions are drawn by hand for this page: each of the 98 municipalities, by its code of Danmarks Statistik's
classification "Regioner, landsdele og kommuner" (:mod:`kb.proposals.authorities`), stands beside its neighbours as far
as squares allow. Areas and distances mean nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from kb.http.web.presenters.projects import ProjectLine
from kb.proposals.authorities import Authority, all_authorities, mentions

_GRID = """
... ... ... 860 813 ... ... ... ... ... ... ... ... ... ... ... ... ...
... ... 849 810 851 825 ... ... ... ... ... ... ... ... ... ... ... ...
... 787 773 820 840 ... ... ... ... ... ... ... ... 270 217 ... ... ...
665 671 779 791 846 ... ... ... ... ... ... ... 260 219 210 ... ... ...
... 661 657 740 730 707 ... ... ... ... ... ... 250 201 223 ... ... ...
... 760 756 746 710 706 ... ... ... ... 306 ... 240 190 230 173 ... ...
... 573 530 615 751 ... ... ... ... 326 316 350 151 163 159 157 ... ...
563 561 630 766 727 741 ... ... ... 330 340 265 169 165 161 175 147 101
... 575 621 607 ... 410 480 440 ... ... 329 253 183 187 153 167 ... 185
... 550 510 ... ... 420 461 450 ... ... 370 259 269 ... ... ... ... 155
... ... 580 540 ... ... 430 479 ... ... 390 320 336 ... ... ... ... ...
... ... ... ... ... ... 492 482 ... 360 376 ... ... ... ... ... ... 400
"""
_MUNICIPALITY, _REGION = "municipalities", "regions"


@dataclass(frozen=True, slots=True)
class Place:
    """A municipality or a region with its projects, and the authorities that these name, as filters take them.

    ``column`` and ``row`` are a municipality's square; of a region ``row`` is its place among the regions.
    """

    name: str
    projects: tuple[ProjectLine, ...]
    authorities: tuple[str, ...]
    column: int
    row: int


@dataclass(frozen=True, slots=True)
class DenmarkMap:
    """The projects by place; ``elsewhere`` are those whose authority is neither a municipality nor a region."""

    municipalities: tuple[Place, ...]
    regions: tuple[Place, ...]
    elsewhere: tuple[ProjectLine, ...]

    @property
    def named(self) -> tuple[Place, ...]:
        """The places that have projects, those with most first."""
        found = [place for place in (*self.municipalities, *self.regions) if place.projects]
        return tuple(sorted(found, key=lambda place: (-len(place.projects), place.name)))


@cache
def squares() -> dict[int, tuple[int, int]]:
    """The column and row of each municipality's square, by its code."""
    rows = [line.split() for line in _GRID.strip().splitlines()]
    return {
        int(cell): (column, row)
        for row, cells in enumerate(rows)
        for column, cell in enumerate(cells)
        if cell.isdigit()
    }


def denmark_map(lines: Sequence[ProjectLine]) -> DenmarkMap:
    """The projects where their authorities are; one of several authorities is in each of their places."""
    projects: dict[str, list[ProjectLine]] = {}
    authorities: dict[str, dict[str, None]] = {}
    elsewhere = []
    for line in lines:
        places = [(place.name, authority) for authority in line.summary.authorities for place in places_of(authority)]
        for name, authority in places:
            authorities.setdefault(name, {})[authority] = None
        for name in dict.fromkeys(name for name, _ in places):
            projects.setdefault(name, []).append(line)
        elsewhere += [] if places else [line]

    def place(authority: Authority, column: int, row: int) -> Place:
        name = authority.name
        return Place(name, tuple(projects.get(name, ())), tuple(authorities.get(name, ())), column, row)

    return DenmarkMap(
        municipalities=tuple(place(one, *squares()[one.code]) for one in _of_kind(_MUNICIPALITY)),
        regions=tuple(place(one, 0, row) for row, one in enumerate(_of_kind(_REGION))),
        elsewhere=tuple(elsewhere),
    )


def places_of(authority: str) -> list[Authority]:
    """The municipalities and regions that the name of an authority has: a hospital's has its region's, say."""
    # A place alone means its municipality only beside that word: hospitals and schools are named by towns as well.
    by_place = "kommune" in authority.casefold()
    found = (mention.authority for mention in mentions(authority, places=by_place))
    return list(dict.fromkeys(one for one in found if one.kind in (_MUNICIPALITY, _REGION)))


def _of_kind(kind: str) -> Iterator[Authority]:
    return (one for one in all_authorities() if one.kind == kind)
