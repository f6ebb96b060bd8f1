"""The title a person would give a report: what stands on its cover, told from all else that stands there (pure).

Every line of the opening that can be a title is scored by what titles are: headings, early, of some words, in words of
the file's name, of a kind ("Notat", "Brugervejledning"). A title that runs over several lines is put together. The
file's own title counts only when its first page says it too: it is often the last report's that the file was made from.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from kb.core.paths import own_name
from kb.proposals.authorities import mentions
from kb.proposals.dates import date_in, without_dates
from kb.proposals.opening import ISSUE, ISSUE_NUMBER, Line, opening

LONGEST_WORDS = 40
_LEAST = 1.5

_NO_TITLE = re.compile(
    r"""^(?:untitled|uden\s?titel|ikke[\s-]navngivet.*|document\s?\d*|dokument\s?\d*|præsentation\s?\d*|presentation\s?\d*
    |powerpoint[\s-].*|slide\s?1|microsoft\s+(?:office\s+)?(?:word|powerpoint|publisher).*|.*\.(?:docx?|indd|odt|rtf|pdf
    |qxd|qxp|pptx?|pub|ai|tmp|tif|wpd)|skabelon.*|template.*|titel|title|title\s+to\s+your\s+text|none|null|unknown
    |print|name|navn|layout\s?\d*|[\W\d_]*|.{1,2})$""",
    re.IGNORECASE | re.VERBOSE,
)
_KINDS = re.compile(
    r"rapport|notat|vejledning|redegørelse|evaluering|strategi|beskrivelse|høringssvar|handle?plan|handlingsplan|analyse"
    r"|undersøgelse|dokumentation|gennemgang|retningslinj|erfaring|anbefaling|manual|referat|statusnotat|projekt|guide",
    re.IGNORECASE,
)
# A file's name that says only what kind of document it is.
_KIND_ALONE = re.compile(
    r"(?:[\W\d_]|rapport|slutrapport|notat|dokument|document|evaluering|endelig|final|udkast)+", re.IGNORECASE
)
# A line that ends with one of these goes on in the next.
_GOES_ON = re.compile(
    r"(?:[:&–—]|\b(?:til|for|af|og|med|i|på|ved|om|fra|under|the|of|for|and|in|to|die|der|das|und|zur?))$",
    re.IGNORECASE,
)
_ENDINGS = re.compile(
    r"(?:\.(?:docx?|pdf|odt|odp|ods|rtf|pptx?|xlsx?|xlsm|csv|tsv|html?|md|txt|epub|eml|msg)){1,9}$", re.IGNORECASE
)
_WORD = re.compile(r"[^\W_]{3,}")
_CASE_NUMBER = re.compile(r"(?<!\s)\s*\((?:jr|j|sags?)\.?\s?(?:nr|nummer)\b[^)]{0,200}\)", re.IGNORECASE)
_SUBTITLE_WORDS = 6
_SHORT_WORDS = 3
_ALONE_WORDS = 10


def best_title(path: str, own: str, lines: Sequence[Line], *, published: bool = False) -> str:
    """The title; ``own`` is the one that the file gives itself, ``lines`` are the first of its text.

    One that was ``published`` with the file, as a book's is, is taken as it stands.
    """
    own = "" if _NO_TITLE.match(own) or "\ufffd" in own else own.strip()
    if own and published:
        return own
    if subject := next((line.subject for line in lines if line.subject), ""):
        return subject
    front = opening(lines)
    name = name_of(path)
    scored = [(_score(line, place, _words(name), _words(own)), place) for place, line in enumerate(front)]
    score, place = max(scored, key=lambda pair: pair[0], default=(0.0, 0))
    if score >= _LEAST:
        return _with_issue(_whole(front, place), front)
    if own and (not front or _share(own, " ".join(line.text for line in front)) >= 0.5 or _words(own) & _words(name)):
        return own
    if own and _KIND_ALONE.fullmatch(name):
        return own
    return name or own or "Uden titel"


def name_of(path: str) -> str:
    """The file's name as a title: without its ending, and with spaces where it has none."""
    stem = _ENDINGS.sub("", own_name(path))
    stem = stem.replace("_", " ").strip()
    return stem if " " in stem else stem.replace("-", " ").strip()


def _words(text: str) -> frozenset[str]:
    folded = text.casefold().replace("ø", "o").replace("æ", "ae").replace("å", "aa")
    return frozenset(_WORD.findall(folded))


def _share(text: str, other: str) -> float:
    """The share of a text's words that another text has."""
    words = _words(text)
    return len(words & _words(other)) / len(words) if words else 0.0


def _score(line: Line, place: int, name: frozenset[str], own: frozenset[str]) -> float:
    """How much a line of the opening is like a title; below :data:`_LEAST` it is none."""
    words = line.words
    if line.is_furniture or line.is_running or len(words) > LONGEST_WORDS or _NO_TITLE.match(line.text):
        return 0.0
    if any(mention.end - mention.start >= len(line.text) - 2 for mention in mentions(line.text)):
        return 0.0  # a logo's line
    own_words = _words(line.text)
    score = 2.0 + (6 - line.level) * 0.5 if line.level else 1.0
    score += 3.0 * len(own_words & name) / max(2, min(len(own_words), len(name) or 2))
    score += 2.0 * bool(own_words and len(own_words & own) >= 0.6 * len(own_words))
    # What stands first on a page, alone and unstyled, is how people write a title in a word processor.
    if place == 0 and not line.level and len(words) <= _ALONE_WORDS:
        score += 2.0 * (not line.text.isupper() and not line.text.endswith((".", ":")))
    score += 1.5 * bool(_KINDS.search(line.text))
    score += 0.5 if _SHORT_WORDS <= len(words) <= 25 else 0.0
    score -= 3.0 * bool(re.match(r"[-–—•]\s", line.text))  # it goes on from the line above
    score -= 0.3 * place + 1.0 * line.text.endswith(".") + 1.0 * (line.text[:1].islower())
    return score


def _whole(front: Sequence[Line], place: int) -> str:
    """The title that the line at a place is part of, with the lines it goes on in and those that go on in it."""
    first = place
    while first > 0 and _joined(front, first - 1) and not front[first - 1].is_furniture:
        first -= 1
    text = front[first].text.rstrip()
    while first + 1 < len(front) and (glue := _joined(front, first)):
        first += 1
        if glue == "-":
            text += front[first].text.strip()
        elif glue == "=":
            text = text[:-1] + front[first].text.strip()
        else:
            text += glue + front[first].text.strip()
    return re.sub(r"(?<!\s)\s+[.,]$", "", _CASE_NUMBER.sub("", text))


def _joined(front: Sequence[Line], place: int) -> str:
    """What puts a line and the next together; empty when they are not one title.

    "-" keeps a hyphen that ends the first, "=" takes it away; anything else stands between them.
    """
    line, after = front[place], front[place + 1] if place + 1 < len(front) else None
    if after is None or after.is_furniture or after.is_running:
        return ""
    if re.search(r"\w-$", line.text):
        last = line.text.split()[-1]
        return "-" if after.text[:1].isupper() or any(c.isupper() or c.isdigit() for c in last[1:]) else "="
    if _GOES_ON.search(line.text.rstrip()):
        return " "
    if after.text[:1].islower() and not re.search(r"[.!?:]$", line.text) and len(line.words) <= _SUBTITLE_WORDS:
        return " "
    if line.text.isupper() and after.text.isupper() and len(line.words) == len(after.words) == 1:
        return " "
    following = front[place + 2] if place + 2 < len(front) else None
    return " – " if _is_subtitle(line, after, following) else ""


def _is_subtitle(line: Line, after: Line, following: Line | None) -> bool:
    """Whether a short line goes on in the next, as a product does in what is told of it: no author, no authority."""
    short = len(line.words) <= _SHORT_WORDS and len(after.words) <= _SUBTITLE_WORDS and line.level <= (after.level or 9)
    alone = following is not None and following.is_furniture and not line.is_furniture
    return short and alone and "," not in after.text and not any(mentions(after.text))


def _with_issue(title: str, front: Sequence[Line]) -> str:
    """A periodical's title with its number and month, wherever the two stand."""
    own = ISSUE_NUMBER.search(title)
    issue = title if own else next((line.text for line in front if line.is_issue), "")
    number = ISSUE_NUMBER.search(issue)
    if number is None:
        return title
    dated = ISSUE.sub(" ", issue)
    date = date_in(dated)
    name = ISSUE.sub(" ", title)
    name = without_dates(name) if own else name
    month = f", {dated[date.start : date.end].lower()}" if date else ""
    return f"{' '.join(name.split()).strip(' |,–-•')} nr. {number[1]}{month}"
