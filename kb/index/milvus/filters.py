"""Which rows a search may find, in Milvus's language (pure), and how a search finds the best of them.

Rows that lie together are said as ranges, few others as a list. Where they are neither, the best of all rows are asked
for until enough of them are allowed; where even :data:`MOST_HITS` have too few, the rows are gone through in lists, and
the best of each put together. No row that is allowed is lost to one that is not, and none of the others is found,
whichever way it goes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import ceil

import numpy as np
from numpy.typing import NDArray

ROW = "row"
# What Milvus gives at most for one search.
MOST_HITS = 16_384
# Ranges and rows that go into one expression; a longer one takes longer to read than to search.
MOST_RANGES = 64
MOST_LISTED = 10_000
# Beyond the rows that would do on average, in the first try.
SPARE = 1.5
MORE = 4

Rows = NDArray[np.int64]
Ranking = list[tuple[int, float]]
# The best rows that an expression allows ("": any), at most so many.
Search = Callable[[str, int], Ranking]


def best(search: Search, top: int, allowed: Rows | None, count: int, *, all_found: bool) -> Ranking:
    """The ``top`` best rows among ``allowed``, best first; equal ones by row.

    ``count`` is how many rows there are; with ``all_found`` a search that gives fewer than it may has given all there
    are.
    """
    top = min(top, MOST_HITS)
    if top <= 0 or (allowed is not None and len(allowed) == 0):
        return []
    if allowed is None:
        return ordered(search("", top))
    # A million rows take longer to sort than to look at, and most come in order.
    rows = allowed if (np.diff(allowed) > 0).all() else np.unique(allowed)
    spans = ranges(rows)
    if len(spans) <= MOST_RANGES:
        return ordered(search(within(spans), top))
    if len(rows) > MOST_LISTED:
        sifted = _sifted(search, top, rows, count, all_found=all_found)
        if sifted is not None:
            return sifted
    return ordered([hit for part in listed(rows) for hit in search(part, top)])[:top]


def ordered(ranking: Ranking) -> Ranking:
    """A ranking whose equal scores stand by row."""
    return sorted(ranking, key=lambda hit: (-hit[1], hit[0]))


def _sifted(search: Search, top: int, rows: Rows, count: int, *, all_found: bool) -> Ranking | None:
    """The best of all rows that are among some; None where they are too few among those that can be asked for."""
    enough = min(top, len(rows))
    limit = ceil(SPARE * top * count / len(rows))
    while limit <= MOST_HITS:
        ranking = ordered(search("", limit))
        found = np.array([row for row, _ in ranking], dtype=np.int64)
        places = np.minimum(np.searchsorted(rows, found), len(rows) - 1)
        permitted = [hit for hit, is_in in zip(ranking, rows[places] == found, strict=True) if is_in]
        if len(permitted) >= enough or (all_found and len(ranking) < limit):
            return permitted[:top]
        limit *= MORE
    return None


def ranges(rows: Rows) -> list[tuple[int, int]]:
    """Ascending rows as ranges, each from its first row up to the one after its last."""
    if not len(rows):
        return []
    breaks = np.flatnonzero(np.diff(rows) > 1)
    firsts, lasts = rows[np.r_[0, breaks + 1]], rows[np.r_[breaks, len(rows) - 1]]
    return list(zip(firsts.tolist(), (lasts + 1).tolist(), strict=True))


def within(spans: Sequence[tuple[int, int]]) -> str:
    """The rows of some ranges."""
    return " or ".join(f"({ROW} >= {first} and {ROW} < {last})" for first, last in spans)


def listed(rows: Rows, most: int = MOST_LISTED) -> Iterator[str]:
    """Some rows, as many in an expression as there may be."""
    for start in range(0, len(rows), most):
        yield f"{ROW} in [{','.join(map(str, rows[start : start + most].tolist()))}]"
