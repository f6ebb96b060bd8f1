"""What a report says of itself: who, what and when, and whether it is of many.

Each finder reads the report's opening, its file's name and how often it names what, and gives a proposal or none. To
propose nothing is better than to propose what is wrong: "sikkert" is for what the report states of itself in so many
words. A year is never taken from a text's sources, its examples or a file's dates.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath

from kb.core.fields import FIRST_YEAR
from kb.core.models import Certainty, Document, page_at
from kb.proposals.authorities import KIND_TYPES, Authority, Mention, mentions
from kb.proposals.contact import proposed_contact
from kb.proposals.dates import Found, date_in, period_in, year_in
from kb.proposals.opening import Line, lines_of, opening
from kb.proposals.proposal import Proposal
from kb.proposals.subjects import proposed_area, proposed_themes

# Of longer texts the rest is not looked at: what a report is of stands at its beginning.
LOOKED_AT = 60_000
# So many projects or municipalities, named alike often, make a report one about many.
MANY = 5
_ABOUT_MANY = re.compile(
    r"\b(?:på tværs af (?:projekter(?:ne)?|kommuner(?:ne)?|regioner(?:ne)?)"
    r"|(?:evaluering|opsamling|tværgående erfaringer|erfaringer|status(?:rapport)?)\s+(?:af|på|fra|for|om)\s+(?:de\s+)?"
    r"(?:(?:\d+\s+|alle\s+)?[\w-]*projekterne|\d+\s+[\w-]*projekter))\b",
    re.IGNORECASE,
)
_LABELLED = re.compile(
    r"\bprojekt(?:et|titel|navn|ets navn|ets titel)?\s*:\s*"
    r"(?:[\"“”„»'](?P<name>[^\"“”„»«]{3,160})[\"“”«']|(?P<plain>[A-ZÆØÅ][^\n]{2,160}))",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"\b[Pp]rojekt(?:et)?\s+[\"“”„»](?P<name>[^\"“”„»«]{2,80})[\"“”«]")
_TITLED = re.compile(rf"^{_QUOTED.pattern}", re.MULTILINE)
# In a Danish title a capital letter within it begins a name: "Brugervejledning til Opus Medarbejder".
_IN_TITLE = re.compile(
    r"\b(?:til|for|i|af|om|plugin|system(?:et)?|model(?:len)?)\s+"
    r"(?P<name>[A-ZÆØÅ][\wæøåÆØÅ-]+(?:\s+[A-ZÆØÅ][\wæøåÆØÅ-]+){0,3})"
)
_COMPOUND = re.compile(r"(?<![\w-])(?P<name>[A-ZÆØÅ]\w*)-projekt(?:et|ets|er|erne)?\b")
_NAMED = re.compile(r"\bprojekt(?:et|erne)\s+(?P<name>[A-ZÆØÅ][\wæøåÆØÅ]+(?:[- ][A-ZÆØÅ][\wæøåÆØÅ]+)*)")
# A product's name: OS2sofd, SkadesØkonomi, DK2020. Well-known programs are no projects.
_PRODUCT = re.compile(
    r"(?<![\w-])(?:OS2-?[A-Za-zæøåÆØÅ]\w*|[A-ZÆØÅ][a-zæøå]+[A-ZÆØÅ][a-zæøå]\w*|[A-ZÆØÅ]{2,}\d{2,4})(?!\w)"
)
_PROGRAMS = frozenset(
    {
        "arcgis", "bankid", "chatgpt", "covid19", "devops", "github", "govtech", "javascript", "linkedin", "mapinfo",
        "mitid", "mobilepay", "mysql", "nemid", "onedrive", "openai", "postgis", "postgresql", "powerpoint",
        "powershell", "qgis", "sharepoint", "typescript", "webservice", "wordpress", "youtube",
    }
)  # fmt: skip
_DATED = re.compile(r"(?:version|ver\.|v\.?\s?\d|rev|date|dato|udgivet|udgave|publiceret|copyright|©)", re.IGNORECASE)
_PUBLISHED = re.compile(r"(?:©|copyright|udgivet|udgivelse|publiceret|offentliggjort|trykt)[^\n]{0,40}$", re.IGNORECASE)
_PERIOD_LABEL = re.compile(
    r"\b(?:projekt)?perioden?\s*(?::\s*)?(?:fra\s+)?(?=\w)|\bfra\s+(?=(?:\w+\s+)?\d{4}\s+til\s)", re.IGNORECASE
)
_AUTHOR = re.compile(
    r"\b(?:forfatter|udarbejdet af|udgivet af|udgiver|skrevet af|afdeling|team|forvaltning|afsender|myndighed"
    r"|projektejer|kommune:|region:|ansvarlig)",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"\b\d{4}\s+[A-ZÆØÅ]\w")


def propose(document: Document) -> tuple[Proposal, ...]:
    """The proposals for a report, at most one a field but for its themes."""
    text = _Report(document)
    authority = _authority(text)
    who = (_project(text), authority, _type_of(authority), proposed_contact(document, text.front))
    found = (*who, proposed_area(document), _period(text), _year(text), _scope(text), *proposed_themes(document))
    return tuple(proposal for proposal in found if proposal is not None)


@dataclass(frozen=True)
class _Report:
    """A document as the finders look at it."""

    document: Document

    @cached_property
    def body(self) -> str:
        return self.document.text[:LOOKED_AT]

    @cached_property
    def front(self) -> list[Line]:
        return opening(lines_of(self.document))

    @cached_property
    def front_end(self) -> int:
        return self.front[-1].start + len(self.front[-1].text) if self.front else 0

    @cached_property
    def name(self) -> str:
        stem = PurePosixPath(self.document.path).stem
        return stem.replace("_", " ") if " " in stem else stem.replace("_", " ").replace("-", " ")

    def said(self, field: str, value: str | int, certainty: Certainty, why: str, place: tuple[int, int]) -> Proposal:
        """A proposal with the words of the text that say so."""
        start, end = place
        page = page_at(self.document.pages, start)
        number = page.number if page else None
        return Proposal(field, value, certainty, why, self.document.text[start:end], start, end, number)

    def named(self, field: str, value: str | int, certainty: Certainty) -> Proposal:
        """A proposal by the file's name."""
        return Proposal(field, value, certainty, "Står i filens navn.", PurePosixPath(self.document.path).name)


# --- The project ----------------------------------------------------------------------------------------------------


def _project(text: _Report) -> Proposal | None:
    return _labelled_project(text) or _named_project(text) or _product(text) or _guided(text)


def _labelled_project(text: _Report) -> Proposal | None:
    """The project that the opening names as such: "Projekt: X", "vedr. projektet »X«", a title "Projekt »X«"."""
    front = text.body[: text.front_end]
    for match in (_LABELLED.search(front), _TITLED.search(front)):
        if match and match.lastgroup and (name := _clean_name(match[match.lastgroup])):
            why = "Rapporten kalder det selv sit projekt."
            return text.said("projekt", name, Certainty.SURE, why, match.span(match.lastgroup))
    return None


def _clean_name(name: str) -> str:
    name = re.sub(r"(?<!\s)\s*\((?:jr|j|sags?)\.?\s?nr.{0,160}$", "", name, flags=re.IGNORECASE)
    name = " ".join(name.split()).strip(" .,;:-–\"“”»«'")
    return name if 2 <= len(name) <= 160 else ""


def _named_project(text: _Report) -> Proposal | None:
    """The project that the title names, or that the text names as one again and again."""
    counts: Counter[str] = Counter()
    first: dict[str, tuple[int, int]] = {}
    for pattern in (_QUOTED, _COMPOUND, _NAMED):
        for match in pattern.finditer(text.body):
            name = _clean_name(match["name"])
            counts[name] += 1
            first.setdefault(name, match.span("name"))
    title = text.document.metadata.titel.casefold()
    for name, count in counts.most_common():
        in_title = name.casefold() in title
        alone = count >= 3 and count >= 0.6 * counts.total()
        if _is_name(name) and (in_title or alone):
            why = "Navnet står i titlen, og teksten kalder det et projekt." if in_title else "Nævnes igen og igen."
            return text.said("projekt", name, Certainty.LIKELY, why, first[name])
    return None


def _product(text: _Report) -> Proposal | None:
    """The product's name that title and text share: a guide is of the project that made the product."""
    places: dict[str, tuple[int, int]] = {}
    counts: Counter[str] = Counter()
    for match in _PRODUCT.finditer(text.body):
        counts[match.group().casefold()] += 1
        places.setdefault(match.group().casefold(), match.span())
    title = text.document.metadata.titel.casefold()
    for key, count in counts.most_common():
        start, end = places[key]
        name = text.body[start:end]
        if count >= 3 and re.search(rf"(?<!\w){re.escape(key)}(?!\w)", title) and _is_name(name):
            why = "Navnet står i titlen og igen og igen i teksten."
            return text.said("projekt", name, Certainty.LIKELY, why, (start, end))
    return None


def _guided(text: _Report) -> Proposal | None:
    """The name that the title says the report is a guide to, or a description of."""
    title = text.document.metadata.titel
    match = _IN_TITLE.search(title)
    place = text.body.find(match["name"]) if match else -1
    if match is None or place < 0 or len(title.split()) > 12:
        return None
    if any(mentions(match["name"], places=True)) or any(w.casefold() in _PROGRAMS for w in match["name"].split()):
        return None
    why = "Titlen siger, at rapporten er om det."
    return text.said("projekt", match["name"], Certainty.UNSURE, why, (place, place + len(match["name"])))


def _is_name(name: str) -> bool:
    """Whether a word can be a project's name alone: no place, no program, no first word of a longer name."""
    if name.casefold() in _PROGRAMS or any(mention.by_place for mention in mentions(name, places=True)):
        return False
    return " " in name or (len(name) > 2 and (any(c.isupper() or c.isdigit() for c in name[1:]) or len(name) > 8))


# --- The authority --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Standing:
    """How much speaks for an authority, and where it is said best."""

    points: float
    authority: Authority
    place: tuple[int, int] | None


def _authority(text: _Report) -> Proposal | None:
    """The authority that answers for the report: on its cover, in its file's name, or alone in its text."""
    found = list(mentions(text.body))
    counts = Counter(mention.authority for mention in found)
    in_name = [mention.authority for mention in mentions(text.name, places=True)]
    standings = sorted(
        (_standing(text, authority, found, counts, in_name) for authority in {*counts, *in_name}),
        key=lambda standing: -standing.points,
    )
    if not standings or standings[0].points < 2:
        return None
    best = standings[0]
    if len(standings) > 1 and standings[1].points > 0.75 * best.points:
        return None  # two that stand alike: which answers for the report is not said
    certainty = Certainty.SURE if best.points >= 6 else Certainty.LIKELY if best.points >= 4 else Certainty.UNSURE
    if best.place is None:
        return text.named("myndighed", best.authority.name, min(certainty, Certainty.LIKELY, key=_doubt))
    why = f"Nævnes {_times(counts[best.authority])}, første gang her."
    return text.said("myndighed", best.authority.name, certainty, why, best.place)


def _doubt(certainty: Certainty) -> int:
    return -list(Certainty).index(certainty)


def _times(count: int) -> str:
    return "én gang" if count == 1 else f"{count} gange"


def _standing(
    text: _Report, authority: Authority, found: Sequence[Mention], counts: Counter[Authority], in_name: list[Authority]
) -> _Standing:
    own = [mention for mention in found if mention.authority == authority]
    points = 3.0 * (authority in in_name)
    points += max((_on_cover(text, mention) for mention in own), default=0.0)
    points += min(2.0, sum(_speaks(text, mention) for mention in own))
    peers = sum(count for other, count in counts.items() if other.kind == authority.kind)
    share = counts[authority] / peers if peers else 0.0
    # Ministries and agencies are named in any report; a municipality or a region that fills one is whose it is.
    if counts[authority] >= 3 and share >= 0.5 and (points or authority.kind in {"municipalities", "regions"}):
        points += 2.0 + (share >= 0.75)
    if authority.place and counts[authority] and share >= 0.75 and _says_the_municipality(text):
        points += 1.0
    best = max(own, key=lambda mention: _on_cover(text, mention), default=None)
    return _Standing(points, authority, (best.start, best.end) if best else None)


def _on_cover(text: _Report, mention: Mention) -> float:
    """How much a mention in the opening tells: a letter's address and another's paper in the title tell nothing."""
    line = next((one for one in text.front if one.start <= mention.start < one.start + len(one.text)), None)
    if line is None or line.is_running:
        return 0.0
    after = text.body[mention.end : mention.end + 2]
    if _ADDRESS.search(line.text) or (after.startswith("s") and line.text != text.document.metadata.titel):
        return 0.0
    if after.startswith("s"):
        return 0.0
    if _AUTHOR.search(line.text) or len(line.text) <= len(mention.authority.name) + 12:
        return 4.0
    return 3.0


_SPEAKS_BEFORE = re.compile(r"\b(?:vi|os|her) (?:i|hos|ved) $", re.IGNORECASE)
_SPEAKS_AFTER = re.compile(
    r"^s? (?:har (?:vi|afprøvet|udviklet|gennemført|testet|arbejdet|indført)|ønsker|afprøvede|udviklede|gennemførte"
    r"|testede|indførte|intention|erfaringer)\b"
)


def _speaks(text: _Report, mention: Mention) -> float:
    """Whether the authority is who tells what it did."""
    before, after = text.body[max(0, mention.start - 12) : mention.start], text.body[mention.end : mention.end + 30]
    return 1.0 if _SPEAKS_BEFORE.search(before) or _SPEAKS_AFTER.match(after) else 0.0


def _says_the_municipality(text: _Report) -> bool:
    return len(re.findall(r"\bkommunens?\b", text.body, re.IGNORECASE)) >= 2


def _type_of(authority: Proposal | None) -> Proposal | None:
    """The kind of project by the kind of authority; of what many do together none is proposed."""
    if authority is None:
        return None
    known = next(mention.authority for mention in mentions(str(authority.value)))
    kind = KIND_TYPES.get(known.kind)
    if kind is None:
        return None
    return Proposal(
        "type", kind, authority.certainty, f"Det er {known.name}s slags.", authority.quote,
        authority.start, authority.end, authority.page,
    )  # fmt: skip


# --- Year and period ------------------------------------------------------------------------------------------------


def _year(text: _Report) -> Proposal | None:
    """The year the report states of itself: on its cover, as the end of its project, in its file's name."""
    stated = list(_stated_years(text))
    in_name = date_in(text.name) or year_in(text.name)
    if stated:
        line, found = max(stated, key=lambda pair: _states(pair[0]))
        sure = _states(line) or (in_name is not None and in_name.year == found.year)
        certainty = Certainty.SURE if sure else Certainty.LIKELY
        place = (line.start + found.start, line.start + found.end)
        return text.said("år", found.year, certainty, "Rapporten er dateret her.", place)
    if in_name and in_name.year >= FIRST_YEAR:
        return text.named("år", in_name.year, Certainty.LIKELY)
    period = _labelled_period(text)
    if period and len(set(re.findall(r"\d{4}", period[0]))) == 1:  # of several years none is the report's
        _, found, start = period
        place = (start + found.start, start + found.end)
        return text.said("år", found.year, Certainty.LIKELY, "Projektets sidste år.", place)
    return _published(text)


def _states(line: Line) -> bool:
    """Whether a line's date is the report's own: a version's, a letter's, an issue's."""
    return bool(_DATED.match(line.text)) or line.is_date or line.is_issue


def _stated_years(text: _Report) -> Iterator[tuple[Line, Found]]:
    for line in text.front:
        if line.is_running or period_in(line.text):
            continue
        found = date_in(line.text) or (year_in(line.text) if _DATED.match(line.text) else None)
        if found:
            yield line, found


def _published(text: _Report) -> Proposal | None:
    """The year of a colophon, at the report's beginning or end."""
    whole = text.document.text
    for first, last in ((0, 6_000), (max(6_000, len(whole) - 3_000), len(whole))):
        for line in re.finditer(r"[^\n]+", whole[first:last]):
            found = date_in(line.group()) or year_in(line.group())
            if found and len(line.group()) < 90 and _PUBLISHED.search(line.group()[: found.start]):
                place = (first + line.start() + found.start, first + line.start() + found.end)
                return text.said("år", found.year, Certainty.LIKELY, "Rapporten er udgivet da.", place)
    return None


def _labelled_period(text: _Report) -> tuple[str, Found, int] | None:
    """The project's period as the opening states it, with where the part of the text begins that it was found in."""
    for line in lines_of(text.document):
        label = _PERIOD_LABEL.search(line.text)
        if label is None or line.is_running:
            continue
        period = period_in(line.text[label.end() :])
        if period:
            return period[0], period[1], line.start + label.end()
    return None


def _period(text: _Report) -> Proposal | None:
    found = _labelled_period(text)
    if found is None:
        return None
    period, place, start = found
    why = "Rapporten siger selv, hvornår projektet løb."
    return text.said("periode", period, Certainty.SURE, why, (start + place.start, start + place.end))


# --- About one or many ----------------------------------------------------------------------------------------------


def _scope(text: _Report) -> Proposal | None:
    """Whether the report is about many projects: it says so where it begins, or names many alike often."""
    front = text.body[: text.front_end]
    if match := _ABOUT_MANY.search(front):
        why = "Rapporten siger selv, at den handler om flere."
        return text.said("omfang", "flere projekter", Certainty.SURE, why, match.span())
    counts = Counter(mention.authority for mention in mentions(text.body) if mention.authority.place)
    often = [authority for authority, count in counts.items() if count >= 2]
    if len(often) >= MANY and max(counts.values()) <= 0.34 * counts.total():
        why = f"Rapporten handler om {len(often)} kommuner, og ingen af dem fylder mest."
        first = next(mention for mention in mentions(text.body) if mention.authority.place)
        return text.said("omfang", "flere projekter", Certainty.LIKELY, why, (first.start, first.end))
    return None
