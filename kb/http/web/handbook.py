"""The operator's handbook, ``/hjaelp/drift``: the pages of ``docs/drift``, shown to admins as they are written.

The folder ``handbook_pages`` beside this module is that folder. A page is Markdown without HTML; a link to another page
of the handbook leads to it here, and one to a file elsewhere in the repository is shown as its name.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from flask import Blueprint, render_template, url_for
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from kb.core.identity import AccessRole
from kb.http.gate import needs
from kb.http.services import there

FOLDER = Path(__file__).parent / "handbook_pages"
START = "README"

blueprint = Blueprint("haandbog", __name__)


@dataclass(frozen=True, slots=True)
class HandbookPage:
    """A page: its title and its Markdown."""

    name: str
    title: str
    source: str


@cache
def pages() -> dict[str, HandbookPage]:
    """Every page of the handbook by name, the start first."""
    return {page.name: page for page in sorted(_read(), key=lambda page: (page.name != START, page.name))}


def _read() -> Iterator[HandbookPage]:
    for path in FOLDER.glob("*.md"):
        source = path.read_text(encoding="utf-8")
        yield HandbookPage(path.stem, source.partition("\n")[0].removeprefix("# "), source)


@blueprint.get("/hjaelp/drift")
@needs(AccessRole.ADMIN)
def start() -> str:
    """The handbook's contents."""
    return _shown(START)


@blueprint.get("/hjaelp/drift/<name>")
@needs(AccessRole.ADMIN)
def page(name: str) -> str:
    """A page of the handbook."""
    return _shown(name)


def _shown(name: str) -> str:
    found = there(pages().get(name))
    return render_template("haandbog.html", page=found, is_start=name == START, body=Markup(to_html(found.source)))  # noqa: S704


def to_html(source: str) -> str:
    """A page's Markdown as HTML in the design system's classes; what is HTML in it is shown as text."""
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse(source)
    for token in tokens:
        for inner in token.children or ():
            _lead_on(inner)
    parser.renderer.rules.update({"table_open": _table_open, "table_close": _table_close})  # type: ignore[attr-defined]
    return str(parser.renderer.render(tokens, parser.options, {}))


def _lead_on(token: Token) -> None:
    """Point a link between pages at the page as it is served."""
    if token.type != "link_open":
        return
    target = str(token.attrs["href"])
    if target.endswith(".md") and target.removesuffix(".md") in pages():
        name = target.removesuffix(".md")
        token.attrs["href"] = url_for("haandbog.start") if name == START else url_for("haandbog.page", name=name)


def _table_open(_tokens: list[Token], _index: int, _options: Any, held: dict[str, int]) -> str:
    held["tables"] = held.get("tables", 0) + 1
    region = f'<div class="table--responsive-scroll" tabindex="0" role="region" aria-label="Tabel {held["tables"]}">'
    return f'{region}<table class="table">\n'


def _table_close(*_: Any) -> str:
    return "</table></div>\n"
