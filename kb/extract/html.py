"""HTML to blocks: the walker that HTML, EPUB, DOCX (by way of mammoth) and Markdown share.

The tree is walked once. Text runs are gathered until a block element begins or ends; headings, list items, table
rows and preformatted lines become blocks of their own. On pages from the web (``boilerplate=True``) only the main
content is kept: navigation, headers, footers and cookie notices are left out. What is hidden, by its own style or by a
rule of the page, is left out everywhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from selectolax.lexbor import LexborHTMLParser, LexborNode

from kb.extract.blocks import Block, Kind
from kb.extract.cleaning import clean, one_line
from kb.extract.tables import table_blocks

_BLOCKS = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "center",
        "dd",
        "details",
        "dialog",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "header",
        "hgroup",
        "hr",
        "html",
        "legend",
        "li",
        "main",
        "nav",
        "ol",
        "p",
        "section",
        "summary",
        "td",
        "th",
        "tr",
        "ul",
        "table",
        "caption",
        "thead",
        "tbody",
        "tfoot",
        "pre",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
    ]
)
_NEVER = frozenset(
    [
        "script",
        "style",
        "noscript",
        "template",
        "head",
        "iframe",
        "object",
        "embed",
        "svg",
        "math",
        "canvas",
        "audio",
        "video",
        "map",
        "select",
        "option",
        "datalist",
        "textarea",
        "input",
        "button",
        "progress",
        "meter",
    ]
)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
# Below this an element's text is taken as it is; real pages nest some thirty deep.
_MAX_DEPTH = 150
_LONGEST_HEADING = 160
_LONGEST_TITLE = 12

_BOILERPLATE_TAGS = frozenset({"nav", "footer", "aside", "form", "dialog", "menu"})
_BOILERPLATE_ROLES = frozenset({"navigation", "banner", "contentinfo", "search", "dialog", "alertdialog", "menu"})
_BOILERPLATE_NAMES = re.compile(
    r"""(?:^|[\s_-])(?:cookie\w*|consent|gdpr-?banner|nav(?:bar|igation)?|menu|breadcrumbs?|brødkrumme\w*|footer|sidefod
    |site-?header|topbar|sidebar|skip-?link|share|social|related|pagination|newsletter|search-?(?:form|box)|toolbar
    |print-?only|sr-only|visually-?hidden)(?:$|[\s_-])""",
    re.IGNORECASE | re.VERBOSE,
)
_HIDDEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_BRACE = re.compile(r"[{}]")
_MAX_RULES = 500
# mammoth's marks at the word a note belongs to, and the arrows from the note back to it.
_NOTE_MARK = re.compile(r"(?:foot|end)note-ref-")
_NOTE_BACK = re.compile(r"#(?:foot|end)note-ref-")
# File names, and what Word writes of its own accord.
_NO_DESCRIPTION = re.compile(r"\.\w{3,4}$|automatisk\s+genereret|automatically\s+generated", re.IGNORECASE)
_MAIN_SELECTORS = ("main", "[role=main]", "article", "#content", "#main", "#main-content", ".content", ".main-content")
_MAIN_SHARE = 0.3
_BESIDE = 0.5


def html_blocks(html: str, *, boilerplate: bool = False) -> list[Block]:
    """The blocks of an HTML text; with ``boilerplate`` only those of its main content."""
    tree = LexborHTMLParser(html)
    body = tree.body
    if body is None:
        return []
    _drop_hidden_by_rules(tree)
    walker = _Walker(skip_boilerplate=boilerplate, page_length=len(body.text()))
    for root in _main_nodes(body) if boilerplate else [body]:
        walker.walk(root, 0)
        walker.flush()
    if boilerplate and not walker.blocks:
        return html_blocks(html)
    return walker.blocks


def _drop_hidden_by_rules(tree: LexborHTMLParser) -> None:
    """Take out what the page's own style rules hide on a screen."""
    selectors = dict.fromkeys(one for style in tree.css("style") for one in hiding_selectors(style.text()))
    for selector in list(selectors)[:_MAX_RULES]:  # each looks through the whole page
        try:
            hidden = tree.css(selector)
        except ValueError:  # a selector this parser does not know
            continue
        for node in hidden:
            if node.tag not in {"html", "body"}:
                node.decompose()


def hiding_selectors(sheet: str) -> list[str]:
    """The selectors of the rules that hide what they match, outside rules for print and narrow screens."""
    selectors: list[str] = []
    depth = 0
    start = 0
    selector = ""
    sheet = _without_comments(sheet)
    for place in (match.start() for match in _BRACE.finditer(sheet)):
        if sheet[place] == "{":
            selector = sheet[start:place].strip() if depth == 0 else ""
            depth += 1
        elif depth:
            depth -= 1
            if depth == 0 and selector and selector[0] != "@" and _HIDDEN_STYLE.search(sheet[start:place]):
                selectors += [one for part in selector.split(",") if (one := part.strip()) and ":" not in one]
        start = place + 1
    return selectors


def _without_comments(sheet: str) -> str:
    parts: list[str] = []
    for index, part in enumerate(sheet.split("/*")):
        parts.append(part if index == 0 else part.partition("*/")[2])
    return "".join(parts)


def _main_nodes(body: LexborNode) -> list[LexborNode]:
    """The element that holds the page's main content, or the body when none holds a fair share of its text."""
    total = len(body.text())
    for selector in _MAIN_SELECTORS:
        nodes = [node for node in body.css(selector) if not _has_ancestor_in(node, selector)]
        if nodes and sum(len(node.text()) for node in nodes) >= _MAIN_SHARE * total:
            return nodes
    return [body]


def _has_ancestor_in(node: LexborNode, selector: str) -> bool:
    parent = node.parent
    while parent is not None:
        if parent.css_matches(selector):
            return True
        parent = parent.parent
    return False


@dataclass
class _Walker:
    """Gathers blocks while walking; ``run`` is the inline text of the block being read."""

    skip_boilerplate: bool
    page_length: int = 0
    blocks: list[Block] = field(default_factory=list)
    run: list[str] = field(default_factory=list)
    kind: Kind = Kind.PARAGRAPH
    level: int = 0
    group: int = 0
    groups: int = 0

    def walk(self, node: LexborNode, depth: int) -> None:
        child = node.child
        while child is not None:
            self._visit(child, depth + 1)
            child = child.next

    def flush(self) -> None:
        text = one_line("".join(self.run))
        self.run.clear()
        if not text:
            return
        if self.kind is Kind.HEADING and _is_sentence(text):
            self.blocks.append(Block(Kind.PARAGRAPH, text))
            return
        prefix = "- " if self.kind is Kind.ITEM else ""
        self.blocks.append(Block(self.kind, prefix + text, level=self.level, group=self.group))
        if self.kind is Kind.ITEM:
            self.kind = Kind.PARAGRAPH  # what follows inside the same item is not a new item

    def _visit(self, node: LexborNode, depth: int) -> None:
        tag = node.tag or ""
        if tag == "-text":
            self.run.append(node.text(deep=False) or "")
        elif tag in _NEVER or tag.startswith(("-", "!")) or self._is_left_out(node, tag):
            return
        if depth > _MAX_DEPTH:
            self.run.append(node.text(separator=" "))
        elif tag == "br":
            self._break()
        elif tag == "img":
            self._image(node)
        elif tag not in _BLOCKS:
            self.walk(node, depth)
        else:
            self._block(node, tag, depth)

    def _break(self) -> None:
        if self.run and self.run[-1] == "\n":
            self.flush()  # two breaks in a row are an empty line
        else:
            self.run.append("\n")

    def _image(self, node: LexborNode) -> None:
        described = (node.attributes.get("alt") or "").strip()
        if not self.skip_boilerplate and len(described.split()) > 2 and not _NO_DESCRIPTION.search(described):
            self.run.append(f" {described} ")

    def _block(self, node: LexborNode, tag: str, depth: int) -> None:
        self.flush()
        if tag in _HEADINGS:
            self._within(node, depth, Kind.HEADING, level=_HEADINGS[tag])
        elif tag in {"li", "dd"}:
            self._within(node, depth, Kind.ITEM, level=0)
        elif tag in {"ul", "ol", "dl"}:
            self._list(node, depth)
        elif tag == "table":
            self._table(node, depth)
        elif tag == "pre":
            self._lines(node)
        else:
            self.walk(node, depth)
            self.flush()

    def _within(self, node: LexborNode, depth: int, kind: Kind, level: int) -> None:
        outer = self.kind, self.level
        self.kind, self.level = kind, level
        self.walk(node, depth)
        self.flush()
        self.kind, self.level = outer

    def _list(self, node: LexborNode, depth: int) -> None:
        outer = self.kind, self.group
        if self.group == 0:
            self.groups += 1
            self.group = self.groups
        self.walk(node, depth)
        self.flush()
        self.kind, self.group = outer

    def _lines(self, node: LexborNode) -> None:
        self.groups += 1
        for line in clean(node.text()).split("\n"):
            if line:
                self.blocks.append(Block(Kind.LINE, line, group=self.groups))

    def _table(self, node: LexborNode, depth: int) -> None:
        rows = [row for row in node.css("tr") if _table_of(row) == node.mem_id]
        if any(cell.css_first("table, h1, h2, h3, h4") for cell in node.css("td")):
            for row in rows:
                self.walk(row, depth + 2)
                self.flush()
            return
        caption = node.css_first("caption")
        if caption is not None and (text := one_line(caption.text(separator=" "))):
            self.blocks.append(Block(Kind.PARAGRAPH, text))
        self.groups += 1
        cells, header_rows = _read_rows(rows)
        labelled = not header_rows and all(_is_labelled(row) for row in rows)
        self.blocks += table_blocks(cells, header_rows=header_rows, labelled=labelled, group=self.groups)

    def _is_left_out(self, node: LexborNode, tag: str) -> bool:
        attributes = node.attributes
        if tag == "a" and (
            _NOTE_MARK.match(attributes.get("id") or "") or _NOTE_BACK.match(attributes.get("href") or "")
        ):
            return True
        if "hidden" in attributes or _HIDDEN_STYLE.search(attributes.get("style") or ""):
            return True
        return self.skip_boilerplate and self._is_boilerplate(node, tag)

    def _is_boilerplate(self, node: LexborNode, tag: str) -> bool:
        attributes = node.attributes
        if tag in _BOILERPLATE_TAGS or attributes.get("role") in _BOILERPLATE_ROLES:
            return True
        if attributes.get("aria-hidden") == "true" or (tag == "header" and node.css_first("h1") is None):
            return True
        names = f"{attributes.get('class') or ''} {attributes.get('id') or ''}"
        if not _BOILERPLATE_NAMES.search(names) or tag in {"body", "main", "article"}:
            return False
        # A wrapper of the whole page may be called "has-menu"; what holds most of the text is not beside it.
        return len(node.text()) < _BESIDE * self.page_length


def _is_sentence(text: str) -> bool:
    """Whether a text set as a heading is a whole sentence or more: emphasis, not a heading."""
    return len(text) > _LONGEST_HEADING or (text.endswith(".") and len(text.split()) > _LONGEST_TITLE)


def _table_of(node: LexborNode) -> int | None:
    """Which table a node stands in: two nodes themselves are compared by writing both out."""
    parent = node.parent
    while parent is not None and parent.tag != "table":
        parent = parent.parent
    return parent.mem_id if parent is not None else None


def _read_rows(rows: list[LexborNode]) -> tuple[list[list[str]], int]:
    """The cells with spans laid out, and how many leading rows are headings."""
    grid: list[list[str]] = []
    pending: dict[tuple[int, int], str] = {}
    header_rows = 0
    for index, row in enumerate(rows):
        cells: list[str] = []
        tags: set[str] = set()
        for cell in (child for child in row.iter() if child.tag in {"td", "th"}):
            while (index, len(cells)) in pending:
                cells.append(pending.pop((index, len(cells))))
            text = one_line(_cell_text(cell))
            tags.add(cell.tag or "")
            for down in range(1, _span(cell, "rowspan")):
                pending[index + down, len(cells)] = text
            cells += [text] + [""] * (_span(cell, "colspan") - 1)
        while (index, len(cells)) in pending:
            cells.append(pending.pop((index, len(cells))))
        grid.append(cells)
        if header_rows == index and (tags == {"th"} or (row.parent is not None and row.parent.tag == "thead")):
            header_rows += 1
    return grid, header_rows


def _is_labelled(row: LexborNode) -> bool:
    """Whether a row begins with its own heading."""
    tags = [cell.tag for cell in row.iter() if cell.tag in {"td", "th"}]
    return len(tags) > 1 and tags[0] == "th" and "th" not in tags[1:]


def _cell_text(cell: LexborNode) -> str:
    parts = _Walker(skip_boilerplate=False)
    parts.walk(cell, 0)
    parts.flush()
    return " ".join(block.text for block in parts.blocks)


def _span(cell: LexborNode, name: str) -> int:
    value = (cell.attributes.get(name) or "1").strip()
    return min(max(int(value), 1), 100) if value.isdecimal() and len(value) < 6 else 1


def html_title(html: str) -> str:
    """The text of the title element, cleaned; empty when there is none."""
    node = LexborHTMLParser(html).css_first("title")
    return one_line(node.text()) if node is not None else ""


def html_language(html: str) -> str:
    """The two-letter language of the html element, or empty."""
    node = LexborHTMLParser(html).root
    value = (node.attributes.get("lang") or "") if node is not None else ""
    return value[:2].lower() if value[:2].isalpha() else ""
