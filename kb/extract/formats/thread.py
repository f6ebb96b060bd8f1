"""The earlier mails that a mail quotes, told from what it says itself (pure).

Mail programs quote in two ways: with ">" before each line, under a line that says who wrote when; or whole below the
answer, under that line or a block of headers (Fra, Sendt, Til, Emne). Both may hold mails that are earlier still.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

# Of more than so many earlier mails the rest is not looked for.
MOST = 50
_RULE = re.compile(
    r"[-_ ]{2,40}(?:oprindelig\w{0,9} (?:meddelelse|e-?mail|besked)|original (?:message|appointment)"
    r"|videresendt (?:meddelelse|besked|e-?mail)|forwarded message|start på videresendt \w{1,20})[-_ :]{0,40}",
    re.IGNORECASE,
)
_LABEL = r"(?:fra|from|sendt|sent|dato|date|til|to|cc|emne|subject)"
_HEADER = re.compile(rf"\*{{0,2}}({_LABEL})\*{{0,2}} ?:\*{{0,2}} ?(.*)", re.IGNORECASE)
_INSIDE = re.compile(rf" (?={_LABEL}: )", re.IGNORECASE)
_KEYS = {
    **dict.fromkeys(("fra", "from"), "sender"),
    **dict.fromkeys(("sendt", "sent", "dato", "date"), "sent"),
    **dict.fromkeys(("til", "to"), "receivers"),
    "cc": "copies",
    **dict.fromkeys(("emne", "subject"), "subject"),
}
_OPENINGS = ("den ", "d. ", "on ", "man", "tir", "ons", "tor", "fre", "lør", "søn")
_LONGEST_OPENING = 400
_DIGIT = re.compile(r"\d")
_MOST_HEADERS = 12


@dataclass(slots=True)
class Earlier:
    """A quoted mail: its text, and what it is said of who sent it when, empty where nothing is."""

    text: str = ""
    sender: str = ""
    sent: str = ""
    receivers: str = ""
    copies: str = ""
    subject: str = ""

    @property
    def people(self) -> tuple[str, str, str]:
        """Who sent and received it, as written."""
        return self.sender, self.receivers, self.copies


@dataclass(slots=True)
class _Level:
    """What one mail says, what it quotes line by line, and what it quotes whole below."""

    own: list[str] = field(default_factory=list)
    quoted: list[str] = field(default_factory=list)
    below: list[str] = field(default_factory=list)


def split(text: str) -> tuple[str, list[Earlier]]:
    """What a mail's cleaned text says itself, and the mails that it quotes, the newest first."""
    first = _level(text.split("\n"))
    earlier: list[Earlier] = []
    waiting = [first.below, first.quoted]
    while waiting and len(earlier) < MOST:
        mail, rest = _headed(waiting.pop())
        level = _level(rest)
        mail.text = "\n".join(level.own).strip()
        if mail.text:
            earlier.append(mail)
        waiting += [part for part in (level.below, level.quoted) if part]
    return "\n".join(first.own).strip(), earlier


def _level(lines: Sequence[str]) -> _Level:
    """Parts what stands on the outermost level from what is quoted on it."""
    level = _Level()
    place = 0
    while place < len(lines):
        line = lines[place]
        length = _opening_length(lines, place)
        if line.startswith(">"):
            level.quoted.append(line[1:].removeprefix(" "))
        elif length and _is_marked(lines, place + length):
            level.quoted.append(" ".join(lines[place : place + length]))
        elif length or _RULE.fullmatch(line) or _headers(lines, place):
            level.below = list(lines[place:])
            break
        else:
            level.own.append(line)
        place += max(length, 1)
    return level


def _headed(lines: Sequence[str]) -> tuple[Earlier, list[str]]:
    """A quoted mail with what is said above it, and the lines below that."""
    place = next((place for place, line in enumerate(lines) if line.strip()), len(lines))
    if place < len(lines) and _RULE.fullmatch(lines[place]):
        place += 1
        place += next((n for n, line in enumerate(lines[place:]) if line.strip()), 0)
    if length := _opening_length(lines, place):
        return _opened(" ".join(lines[place : place + length])), list(lines[place + length :])
    if headers := _headers(lines, place):
        return headers[0], list(lines[place + headers[1] :])
    return Earlier(), list(lines[place:])


def _opening_length(lines: Sequence[str], place: int) -> int:
    """How many lines say who wrote when ("Den 4. maj 2023 skrev Anne:"), one or a wrapped one's two; 0 for none."""
    for length in (1, 2):
        opening = " ".join(lines[place : place + length]).casefold()
        if not opening.startswith(_OPENINGS) or len(opening) > _LONGEST_OPENING or not _DIGIT.search(opening):
            return 0
        if opening.endswith(":") and (" skrev " in opening or opening.endswith((" wrote:", " skrev:"))):
            return length
    return 0


def _opened(opening: str) -> Earlier:
    """What such a line says: in Danish the sender comes last, in English the date comes first."""
    before, danish, after = opening.rstrip(": ").partition(" skrev ")
    if not danish:
        before, _, after = before.removesuffix(" wrote").removesuffix(" skrev").rpartition(", ")
    return Earlier(sender=after.strip(), sent=before.partition(" ")[2].strip())


def _is_marked(lines: Sequence[str], place: int) -> bool:
    """Whether the next line with text is one that is marked as quoted."""
    return next((line for line in lines[place:] if line.strip()), "").startswith(">")


def _headers(lines: Sequence[str], place: int) -> tuple[Earlier, int] | None:
    """A block of headers that begins at a line, and its number of lines; None where there is none."""
    if place >= len(lines) or not lines[place].lstrip("*").casefold().startswith(("fra", "from")):
        return None
    found: dict[str, str] = {}
    key = ""
    block = _INSIDE.sub("\n", lines[place]).split("\n")
    on_one_line = len(block) > 2
    count = 0
    for line in block if on_one_line else lines[place : place + _MOST_HEADERS]:
        header = _HEADER.fullmatch(line)
        if header:
            key = _KEYS[header[1].casefold()]
            found.setdefault(key, header[2].strip())
        elif line.strip() and key in {"receivers", "copies"}:
            found[key] += f" {line.strip()}"
        else:
            break
        count += 1
    if "sender" not in found or not ({"sent", "subject", "receivers"} & found.keys()) or len(found) < 3:
        return None
    return Earlier(**found), 1 if on_one_line else count
