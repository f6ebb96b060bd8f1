"""Readers for texts: plain text, Markdown and HTML."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

import yaml
from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline

from kb.core.errors import MetadataError
from kb.core.models import ReadWarning
from kb.extract.blocks import Block, Content, Kind, Properties
from kb.extract.cleaning import clean, join_lines, one_line, strip_bullet
from kb.extract.encoding import decoded
from kb.extract.html import html_blocks, html_language, html_title
from kb.extract.metadata import load_yaml
from kb.extract.options import ReadOptions

_FRONT_MATTER = re.compile(r"\A\ufeff?(?:[ \t]*\n)*---[ \t]*\n(.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.S)
_NOTE = re.compile(r"^ {0,3}\[\^([^\]\s]{1,80})\]:", re.M)
_NOTE_MARK = re.compile(r"\[\^([^\]\s]{1,80})\](?::[ \t]*)?")
_NUMBERED = re.compile(r"^\(?\d{1,2}[.)]\s+\S")
_SECTION_NUMBER = re.compile(r"^(\d{1,2}(?:\.\d{1,2}){0,4})\.?\s+[A-ZÆØÅ]")
_UNDERLINE = re.compile(r"^(?:={3,}|-{3,}|\*{3,}|_{3,})$")
_MAX_HEADING = 90


def read_markdown(data: bytes, _options: ReadOptions) -> Content:
    """Markdown with optional YAML front matter."""
    decoding = decoded(data)
    text = decoding.text.replace("\r\n", "\n").replace("\r", "\n")
    front, body = split_front_matter(text)
    repeated = repeated_keys(text[: len(text) - len(body)]) if front else ()
    # Raw HTML inside Markdown is part of what a reader sees; scripts in it are dropped by the walker.
    html = _markdown().render(body, {"notes": frozenset(_NOTE.findall(body))})
    return Content("markdown", tuple(html_blocks(html)), warnings=(*decoding.warnings, *repeated), front_matter=front)


def _markdown() -> MarkdownIt:
    """Markdown as its writers use it: with tables, and with footnotes whose marks are no part of the text."""
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    parser.inline.ruler.before("link", "note_mark", _note_mark)
    return parser


def _note_mark(state: StateInline, _silent: bool) -> bool:
    """Pass over the mark of a footnote that the text has, and over the label in front of the footnote itself."""
    match = _NOTE_MARK.match(state.src, state.pos)
    if not match or match[1] not in state.env["notes"]:
        return False
    begins_line = state.pos == 0 or state.src[state.pos - 1] == "\n"
    state.pos = match.end() if begins_line else match.end(1) + 1
    return True


def split_front_matter(text: str) -> tuple[dict[str, object] | None, str]:
    """The front matter and the rest; raises :class:`MetadataError` when what stands there is not valid YAML.

    A text that merely begins with a rule, with no mapping below it, has no front matter.
    """
    match = _FRONT_MATTER.match(text)
    if not match:
        return None, text
    if ":" not in match[1]:
        return None, text
    try:
        return load_yaml(match[1]), text[match.end() :]
    except yaml.YAMLError as error:
        raise MetadataError(
            f"Metadata i begyndelsen af filen kan ikke læses: {_where(error, text.count(chr(10), 0, match.start(1)))}"
        ) from error


def repeated_keys(front_matter: str) -> tuple[ReadWarning, ...]:
    """A warning for each key that front matter, which has been parsed before, holds more than once."""
    node = next(iter(yaml.compose_all(front_matter, Loader=yaml.SafeLoader)), None)
    mapping = node.value if isinstance(node, yaml.MappingNode) else []
    keys = [unicodedata.normalize("NFC", str(key.value)) for key, _ in mapping]
    return tuple(
        ReadWarning("gentaget-nøgle", f"Metadata har nøglen «{one_line(key)[:60]}» flere gange; den sidste gælder.")
        for key, number in Counter(keys).items()
        if number > 1
    )


def _where(error: yaml.YAMLError, lines_before: int) -> str:
    mark = getattr(error, "problem_mark", None)
    return f"fejl i linje {lines_before + mark.line + 1}." if mark is not None else "det er ikke gyldig YAML."


def read_html(data: bytes, _options: ReadOptions) -> Content:
    """A web page: its main content."""
    decoding = decoded(data)
    properties = Properties(title=html_title(decoding.text), language=html_language(decoding.text))
    return Content("html", tuple(html_blocks(decoding.text, boilerplate=True)), properties, warnings=decoding.warnings)


def read_text(data: bytes, _options: ReadOptions) -> Content:
    """Plain text: paragraphs at empty lines, wraps undone, headings by their looks."""
    decoding = decoded(data)
    return Content("text", tuple(text_blocks(decoding.text)), warnings=decoding.warnings)


def text_blocks(text: str) -> list[Block]:
    """The blocks of a plain text."""
    blocks: list[Block] = []
    for group, lines in enumerate(_paragraphs(clean(text)), start=1):
        blocks += _paragraph_blocks(lines, group)
    return blocks


def _paragraphs(text: str) -> list[list[str]]:
    """Runs of lines between empty ones; a text without empty lines has one line a paragraph."""
    runs = [run.split("\n") for run in re.split(r"\n{2,}", text) if run.strip()]
    lines = text.split("\n")
    if len(runs) == 1 and len(lines) > 1 and sum(map(len, lines)) / len(lines) > 150:
        return [[line] for line in lines if line]
    return runs


def _paragraph_blocks(lines: list[str], group: int) -> list[Block]:
    if len(lines) == 2 and _UNDERLINE.match(lines[1]) and len(lines[0]) <= _MAX_HEADING:
        return [Block(Kind.HEADING, lines[0], level=1 if lines[1][0] == "=" else 2)]
    lines = [line for line in lines if not _UNDERLINE.match(line)]
    if len(lines) == 1 and (level := _heading_level(lines[0])):
        return [Block(Kind.HEADING, lines[0], level=level)]
    blocks: list[Block] = []
    pending: list[str] = []
    kind = Kind.PARAGRAPH
    for line in lines:
        item = strip_bullet(line)
        if item is None and _NUMBERED.match(line):
            item = line
        if item is not None:
            blocks += _gathered(pending, kind, group)
            pending, kind = [item], Kind.ITEM
        else:
            pending.append(line)
    return blocks + _gathered(pending, kind, group)


def _gathered(lines: list[str], kind: Kind, group: int) -> list[Block]:
    text = one_line(join_lines(lines))
    if not text:
        return []
    return [Block(kind, f"- {text}" if kind is Kind.ITEM else text, group=group)]


def _heading_level(line: str) -> int:
    """A short line on its own that does not end like a sentence: its level, or 0 when it is no heading."""
    if len(line) > _MAX_HEADING or not re.search(r"[^\W\d_]{2}", line) or line[-1] in '.,;:!?)»”"':
        return 0
    numbered = _SECTION_NUMBER.match(line)
    if numbered:
        return min(numbered[1].count(".") + 1, 6)
    if strip_bullet(line) is not None or not (line[0].isupper() or line[0].isdigit()):
        return 0
    if line.isupper():
        return 1
    return 2 if len(line.split()) <= 8 else 0
