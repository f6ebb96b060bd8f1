"""The opening of a report: the lines before its text begins, and what each of them is (pure).

A cover holds little but the title, and around it what a cover holds: the version, the date, the authors, an address, a
letter's salutation, the heading of the contents, a browser's print header. What a line is decides whether it can be a
title and whether a year in it dates the report.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from kb.core.models import Document
from kb.proposals.dates import date_in, without_dates

# A cover, or the first page of a letter, has its title among so many lines.
LINES = 30
# A line of so many words is running text.
RUNNING_WORDS = 26
# From so many words on a line with a full stop is a sentence, and from so many one with a question or exclamation mark.
SENTENCE, LONG_SENTENCE = 5, 9

_MASKED = re.compile(r"\[[\w-]+ skjult\]")
_LETTER = re.compile(r"[A-Za-zÀ-ÖØ-öø-ÿŒœ]")
_NUMBERED = re.compile(r"(?:\d{1,2}(?:\.\d{1,2})*\.?|[A-Z]\.|Kapitel \d+\.?)\s+(?=\S)")
_SECTIONS = re.compile(
    r"(?:indlednings?|introduktion|indhold(?:sfortegnelse|soversigt)?|forord|resum[eé]|sammenfatning|form[åa]l|baggrund"
    r"|bilag(?:\s+\w+)?|abstract|summary|introduction|preface|(?:table\s+of\s+)?contents|vorwort"
    r"|inhaltsverzeichnis|forudsætning(?:er)?|referencer|litteratur|læsevejledning|dagsorden|referat"
    r"|versionshistorik|ændringslog|revisionshistorik|overblik|data|metoder?|udfordringer|håndtering|læring|resultat(?:er)?"
    r"|råd|konklusion(?:er)?|perspektivering)\W*",
    re.IGNORECASE,
)
# Words that stand alone on a cover and tell nothing of what the report is.
_ALONE = re.compile(r"(?:tema|leder|forfattere?|kolofon|nyhedsbrev|fortroligt|udkast|kladde)\W*", re.IGNORECASE)
_LABELLED = re.compile(
    r"(?:version|ver\.|v\.?\s?\d|revision|rev\.|date|dato|author|forfatter(?:e|en)?|udarbejdet|skrevet|redigeret|af:|by:"
    r"|v\.\s|v/|udgiv|udgave\b|oplag|tryk\b|copyright|©|\(c\)|issn|isbn|signed|name:|navn:|status:|til:|fra:|cc:|kopi|att"
    r"|j\.?\s?nr|journal|sags?\s?(?:nr|id|nummer)|ref\.?:|eksp|tlf|telefon|mobil|fax|e-?mail|www\.|https?:|hjemmeside"
    r"|projektperiode|periode:|side\s\d|page\s\d|kære\b|hej\b|distribution|original:|dokumenttype|klassifikation|cvr"
    r"|læs mere|civ\.?\s?ing)",
    re.IGNORECASE,
)
_ADDRESS = re.compile(
    r"\b\d{4}\s+[A-ZÆØÅ][\w.æøåÆØÅ]+|\bpostbo(?:ks|x)\b|\b[A-ZÆØÅ]\w+(?:vej|gade|allé|plads|vænge)\s+\d", re.IGNORECASE
)
_WEB_HEADER = re.compile(r"https?://\S+|\bwww\.\S+|\b\d{1,3}\s*(?:/|af|of)\s*\d{1,3}$")
ISSUE = re.compile(
    r"\bnr\.?\s*\d+(?:\s*/\s*\d+)?|\bnummer\s+\d+|#\s*\d+(?:/\d+)?|\b\d+\.?\s*årgang|\bårgang\s*\d+|\bvol\.?\s*\d+",
    re.IGNORECASE,
)
ISSUE_NUMBER = re.compile(r"(?:\bnr\.?|\bnummer|#)\s*(\d+(?:\s*/\s*\d+)?)", re.IGNORECASE)
_SUBJECT = re.compile(r"(?:vedr(?:ørende)?\.?|emne|subject)\s*:\s*(?=\S)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a report: its text, the level of the heading it is (0 for none), and where it begins in the report."""

    text: str
    level: int = 0
    start: int = 0

    @property
    def words(self) -> list[str]:
        """Its words."""
        return self.text.split()

    @property
    def is_running(self) -> bool:
        """Whether it is text that is read and not a line of a cover."""
        words = self.words
        ends = (".", ";") if len(words) < LONG_SENTENCE else (".", ";", "!", "?")
        return not self.level and (len(words) > RUNNING_WORDS or (len(words) >= SENTENCE and self.text.endswith(ends)))

    @property
    def is_section(self) -> bool:
        """Whether it heads a part of any report: "1. Indledning"."""
        numbered = _NUMBERED.match(self.text)
        rest = self.text[numbered.end() :] if numbered else self.text
        return bool(_SECTIONS.fullmatch(rest.strip())) or (numbered is not None and self.level > 0)

    @property
    def is_issue(self) -> bool:
        """Whether it tells a periodical's number and nothing else."""
        rest = without_dates(ISSUE.sub(" ", self.text))
        return bool(ISSUE.search(self.text)) and len(_LETTER.findall(rest)) < 3

    @property
    def is_date(self) -> bool:
        """Whether it is a date, with the place it was written at most."""
        if date_in(self.text) is None:
            return False
        return len(re.findall(r"[^\W\d_]{2,}", without_dates(self.text))) <= 3

    @property
    def is_furniture(self) -> bool:
        """Whether it stands about the title and never is one."""
        return (
            self.is_section
            or self.is_issue
            or self.is_date
            or bool(_ALONE.fullmatch(self.text))
            or bool(_LABELLED.match(self.text))
            or bool(_ADDRESS.search(without_dates(self.text)))
            or bool(_WEB_HEADER.search(self.text))
            or bool(_MASKED.search(self.text))
            or _is_spaced(self.text)
            or not _is_latin(self.text)
        )

    @property
    def subject(self) -> str:
        """What a letter says it is about; empty for another line."""
        found = _SUBJECT.match(self.text)
        if not found:
            return ""
        rest = self.text[found.end() :]
        return re.split(r"\s(?=(?:Jeg|Vi|Hermed|Tak|I forlængelse|Under henvisning|Med henvisning)\s)", rest)[0].strip()


def _is_spaced(text: str) -> bool:
    """Whether letters stand apart: "N E T V Æ R K"."""
    words = text.split()
    return len(words) > 3 and sum(len(word) == 1 for word in words) > len(words) / 2


def _is_latin(text: str) -> bool:
    """Whether most of it is letters that Danish is written in."""
    text = without_dates(text)
    shown = [character for character in text if not character.isspace()]
    return len(_LETTER.findall(text)) >= max(2, 0.7 * len(shown))


def lines_of(document: Document, most: int = LINES) -> list[Line]:
    """The first lines of a document, with the levels of its headings."""
    levels = {heading.start: heading.level for heading in document.headings}
    found: list[Line] = []
    position = 0
    while position < len(document.text) and len(found) < most:
        end = document.text.find("\n", position)
        end = len(document.text) if end < 0 else end
        if end > position:
            found.append(Line(document.text[position:end], levels.get(position, 0), position))
        position = end + 1
    return found


def opening(lines: Sequence[Line]) -> list[Line]:
    """The lines before a report's text begins: up to the first section, or to text below what can be a title."""
    found: list[Line] = []
    for line in lines:
        titled = any(not other.is_furniture and not other.is_running for other in found)
        if titled and (line.is_running or line.is_section):
            break
        found.append(line)
    return found
