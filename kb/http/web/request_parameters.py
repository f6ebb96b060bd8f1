"""What a request asks: the question, the filters and the page, read from the address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from flask import url_for
from werkzeug.datastructures import MultiDict

from kb.answer.follow_up import completed
from kb.retrieval.filters import FILTER_FIELDS

# Nobody reads further, and each page costs the search as many candidates as stand before it.
LAST_PAGE = 5


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with its filters and the page of the passages, 1 to :data:`LAST_PAGE`.

    ``before`` is the question that stood on the page it was asked from, and ``written`` is what was asked where it
    leans on that one, and ``question`` is what it means.
    """

    question: str
    filters: Mapping[str, tuple[str, ...]]
    page: int = 1
    before: str = ""
    written: str = ""

    def completed(self) -> Asked:
        """The same with the question that is meant, where it leans on the one before."""
        meant = completed(self.question, self.before)
        return replace(self, question=meant, written=self.question) if meant else self

    def url(
        self,
        endpoint: str = "sider.ask",
        *,
        page: int = 1,
        filters: Mapping[str, Any] | None = None,
        full: bool = False,
    ) -> str:
        """The address of the same question at another page, under other filters or in another form.

        It is escaped; ``full`` has the server in it.
        """
        chosen = self.filters if filters is None else filters
        values: dict[str, Any] = {"q": self.question, **{name: list(words) for name, words in chosen.items()}}
        if page > 1:
            values["side"] = page
        return url_for(endpoint, **values, _external=full)


def read(args: MultiDict[str, str]) -> Asked:
    """Read an address; an unknown parameter is left alone, a page out of range becomes the nearest."""
    filters = {name: tuple(dict.fromkeys(v for v in args.getlist(name) if v)) for name in FILTER_FIELDS}
    side = args.get("side", "1")
    page = int(side) if side.isascii() and side.isdigit() and len(side) < 4 else 1
    kept = {name: v for name, v in filters.items() if v}
    return Asked(args.get("q", ""), kept, min(max(page, 1), LAST_PAGE), args.get("efter", ""))
