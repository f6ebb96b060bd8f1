"""Masking of personal data (pure functions).

CPR numbers are masked always; e-mail addresses and telephone numbers of persons under a setting, and so are the names
of the persons who sent and received a mail.

**CPR number.** Ten digits, DDMMYY-SSSS. The seventh digit and the year give the century; the date must exist and not
lie in the future. Numbers issued before October 2007 also satisfy modulus 11 (weights 4 3 2 7 6 5 4 3 2 1). Later ones
need not: those of children born since, and those of dates whose numbers were used up, in practice 1 January, which
people whose birthday is unknown are given. What is required depends on how the number is written:

====================================  =======================================================================
``DDMMYY-SSSS`` (any hyphen or dash)  the date; modulus 11 too if a word for dates or times is in front
``DDMMYYSSSS``, ``DDMMYY SSSS``       the date, and modulus 11 or a birthday whose numbers need not satisfy it
``DD.MM.YY-SSSS``, ``DD MM YY SSSS``  the date and modulus 11
any of these after "CPR", "født" ...  the date; the replacement numbers' day + 60 counts as a date as well
====================================  =======================================================================

A number straight after a word that names another kind of number ("sagsnr.", "CVR", "EAN", "konto", "tlf.") is left
alone, as is one that is part of a longer number or a code. When in doubt a number in the standard form is masked:
a masked case number is a nuisance, a leaked CPR number is a breach.

**E-mail addresses** are masked unless the part before @ names a role or an organisation (``info@``, ``post@``,
``kommunen@kommunen.dk``). **Telephone numbers** are masked when they are written as one (a label, +45, or pairs of
digits) and a person is near: a name, a personal address, or a label such as "mobil" or "direkte"; the main number of
an authority stays.

**Names** are masked where a mail names those who sent and received it (:func:`names_of`), in all of its text: the whole
name and each part of it. What has a role's address, or is called as an organisation is, is no person.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

CPR = "cpr"
EMAIL = "email"
PHONE = "telefon"
NAME = "navn"

REPLACEMENTS = {
    CPR: "[CPR-nummer skjult]",
    EMAIL: "[e-mailadresse skjult]",
    PHONE: "[telefonnummer skjult]",
    NAME: "[navn skjult]",
}


@dataclass(frozen=True, slots=True)
class MaskedSpan:
    """One replacement: ``[start, end)`` in the text given, ``[new_start, new_end)`` in the masked text."""

    kind: str
    start: int
    end: int
    new_start: int
    new_end: int


@dataclass(frozen=True, slots=True)
class Masked:
    """A masked text, where it was changed, and how many items of each kind were masked."""

    text: str
    spans: tuple[MaskedSpan, ...]
    counts: Mapping[str, int]

    def translate(self, offset: int) -> int:
        """The place in the masked text of an offset in the text given; inside a masked item, its beginning."""
        shift = 0
        for span in self.spans:
            if offset <= span.start:
                break
            if offset < span.end:
                return span.new_start
            shift = span.new_end - span.end
        return offset + shift


def mask(text: str, contacts: bool = True, names: Sequence[str] = ()) -> Masked:
    """Replace each item of personal data by its kind in brackets; with ``contacts`` e-mail, telephone and names too.

    ``names`` are those of :func:`names_of`.
    """
    found = find(text, contacts=contacts, names=names)
    spans: list[MaskedSpan] = []
    shift = 0
    for start, end, kind in found:
        new_start = start + shift
        new_end = new_start + len(REPLACEMENTS[kind])
        spans.append(MaskedSpan(kind, start, end, new_start, new_end))
        shift = new_end - end
    return Masked(_replaced(text, found), tuple(spans), dict(Counter(span.kind for span in spans)))


def find(text: str, contacts: bool = True, names: Sequence[str] = ()) -> list[tuple[int, int, str]]:
    """The places of personal data as (start, end, kind), in order and without overlaps.

    A number beside another, as in a row of them, may be seen only when that one is away: what is found is taken out
    and the rest is looked through again, until nothing is found. So a masked text has nothing left to mask.
    """
    found = _disjoint(_places(text, contacts, names))
    # A name stands between characters that are no letters, as a replacement does: taking one out shows no further.
    while further := found and _disjoint(_places(_replaced(text, found), contacts, ())):
        found = sorted(found + [_before_masking(place, found) for place in further])
    return found


def _places(text: str, contacts: bool, names: Sequence[str]) -> Iterator[tuple[int, int, str]]:
    yield from ((start, end, CPR) for start, end in _cpr_numbers(text))
    if not contacts:
        return
    emails = list(_emails(text))
    yield from ((start, end, EMAIL) for start, end in emails)
    yield from ((start, end, PHONE) for start, end in _phones(text, emails))
    yield from ((start, end, NAME) for start, end in _named(text, names))


def _disjoint(places: Iterable[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    disjoint: list[tuple[int, int, str]] = []
    for place in sorted(places):
        if not disjoint or place[0] >= disjoint[-1][1]:
            disjoint.append(place)
    return disjoint


def _before_masking(place: tuple[int, int, str], found: Sequence[tuple[int, int, str]]) -> tuple[int, int, str]:
    """A place in the text with ``found`` masked, as a place in the text before."""
    start, end, kind = place
    shift = 0
    for earlier_start, earlier_end, earlier_kind in found:
        if earlier_start + shift >= start:
            break
        shift += len(REPLACEMENTS[earlier_kind]) - (earlier_end - earlier_start)
    return start - shift, end - shift, kind


def _replaced(text: str, places: Sequence[tuple[int, int, str]]) -> str:
    parts: list[str] = []
    done = 0
    for start, end, kind in places:
        parts += (text[done:start], REPLACEMENTS[kind])
        done = end
    return "".join((*parts, text[done:]))


# --- CPR numbers ----------------------------------------------------------------------------------------------------

_DASH = r"\-‐‑‒–—−"
_NUMBER = re.compile(
    rf"""(?:(?<![\d\w])(?<!\d[.,/{_DASH}])(?<!\w[{_DASH}])|(?<=cpr)|(?<=cpr_)|(?<=cpr-))
    (?P<day>\d\d)(?P<inner>[ .{_DASH}/]?)(?P<month>\d\d)(?P=inner)(?P<year>\d\d)
    (?P<gap>\s?[{_DASH}]\s?|\s|)
    (?P<serial>\d{{4}})
    (?![\d\w])(?![.,{_DASH}]\d)(?![{_DASH}]\w)""",
    re.IGNORECASE | re.VERBOSE,
)
_WEIGHTS = (4, 3, 2, 7, 6, 5, 4, 3, 2, 1)
# From this day on, numbers that do not satisfy modulus 11 are issued.
_MODULUS_ENDED = date(2007, 10, 1)
_OLDEST = date(1900, 1, 1)

_CPR_WORD = re.compile(
    r"\b(?:cpr|personn(?:umme)?r|person-?nummer|person-?id|født|fødselsdato|fødselsnummer|fdsnr|p\.?nr)\w*"
    r"[^\d\n]{0,25}$",
    re.IGNORECASE,
)
_OTHER_LABEL = re.compile(
    r"""(?:^|[^\w])
    (?:cvr|se|ean|gln|isbn|issn|iban|swift|doi|ø?konto|reg|faktura|ordre|rekvisition|bestilling|kunde|vare|serie|løbe
      |sag(?:en|s)?|journal|j|akt|dok(?:ument)?|esdh|bilag|referat|ticket|ref(?:erence)?|løbe|licens|aftale|kontrakt
      |produktions(?:enhed)?|p|matrikel|projekt|version|build|serial|part|lok(?:ations)?
      |tlf|telefon|tel|mobil|mob|fax|telefax)
    (?:[.\- ]{0,2}(?:nr|nummer|numre|no|number|id|kode|konto))?[.]?[ ]?[:#=]?[ ]?$""",
    re.IGNORECASE | re.VERBOSE,
)
_DATE_WORD = re.compile(
    r"\b(?:periode\w*|dato\w*|uge\w*|dagene|tidsrum\w*|interval\w*|fra|mellem|kl|klokken)[.:]?\s{0,2}$", re.IGNORECASE
)
_IN_ADDRESS = re.compile(r"[/=&?#_]$")


def _cpr_numbers(text: str) -> Iterator[tuple[int, int]]:
    for match in _NUMBER.finditer(text):
        if _is_cpr(match, text):
            yield match.span()


def _is_cpr(match: re.Match[str], text: str) -> bool:
    # A masked number is a number, and its replacement no label of the next one.
    before = text[max(0, match.start() - 40) : match.start()].replace(REPLACEMENTS[CPR], "0")
    digits = match["day"] + match["month"] + match["year"] + match["serial"]
    named = bool(_CPR_WORD.search(before))
    born = birthday(digits, replacement=named)
    if born is None:
        return False
    if named:
        return True
    if _OTHER_LABEL.search(before) or _IN_ADDRESS.search(before):
        return False
    return _written_as_cpr(match, digits, born, before, text[match.end() : match.end() + 4])


def _written_as_cpr(match: re.Match[str], digits: str, born: date, before: str, after: str) -> bool:
    checked = satisfies_modulus_11(digits)
    hyphen = bool(match["gap"].strip())
    if match["inner"]:
        return checked and (hyphen or (match["gap"].isspace() and match["inner"] == " "))
    if hyphen:
        return checked or (born >= _OLDEST and not _DATE_WORD.search(before))
    if match["gap"] and (re.search(r"\d\s$", before) or re.match(r"\s\d", after)):
        return False  # a group of digits in a longer number
    exempt = born >= _MODULUS_ENDED or (born.month, born.day) == (1, 1)
    return born >= _OLDEST and (checked or exempt)


def birthday(digits: str, *, replacement: bool = False) -> date | None:
    """The birthday in the ten digits of a CPR number; None when it is not a date or is in the future.

    With ``replacement`` the day may be 60 too high, as in the numbers hospitals give to people without one.
    """
    day, month, year, seventh = int(digits[:2]), int(digits[2:4]), int(digits[4:6]), int(digits[6])
    if replacement and day > 60:
        day -= 60
    if seventh <= 3:
        century = 1900
    elif seventh in (4, 9):
        century = 2000 if year <= 36 else 1900
    else:
        century = 2000 if year <= 57 else 1800
    try:
        born = date(century + year, month, day)
    except ValueError:
        return None
    return born if born <= date.today() else None


def satisfies_modulus_11(digits: str) -> bool:
    """Whether ten digits satisfy the CPR check rule."""
    return sum(int(digit) * weight for digit, weight in zip(digits, _WEIGHTS, strict=True)) % 11 == 0


# --- E-mail addresses -----------------------------------------------------------------------------------------------

_EMAIL = re.compile(r"(?<![\w.%+-])[\w.%+-]{1,64}@(?:[\w-]{1,63}\.){1,5}[a-zæøå]{2,12}(?![\w-])", re.IGNORECASE)
_ROLES = frozenset(
    [
        "info",
        "post",
        "kontakt",
        "mail",
        "kommune",
        "kommunen",
        "region",
        "regionen",
        "styrelsen",
        "ministeriet",
        "borgerservice",
        "borger",
        "support",
        "service",
        "webmaster",
        "web",
        "redaktion",
        "redaktionen",
        "kontor",
        "kontoret",
        "presse",
        "press",
        "hr",
        "job",
        "jobs",
        "digital",
        "digitalisering",
        "it",
        "sekretariat",
        "sekretariatet",
        "dpo",
        "databeskyttelse",
        "databeskyttelsesraadgiver",
        "noreply",
        "no",
        "reply",
        "donotreply",
        "admin",
        "administration",
        "administrationen",
        "helpdesk",
        "hotline",
        "servicedesk",
        "sikkerhed",
        "security",
        "abuse",
        "office",
        "hello",
        "hej",
        "team",
        "projekt",
        "projektkontor",
        "salg",
        "sales",
        "marketing",
        "faktura",
        "bogholderi",
        "okonomi",
        "kundeservice",
        "reception",
        "receptionen",
        "bibliotek",
        "bibliotek",
        "arkiv",
        "journal",
        "raadhus",
        "raadhuset",
        "center",
        "centret",
        "forening",
        "foreningen",
        "bestyrelsen",
        "bestyrelse",
        "formand",
        "dataetik",
        "ai",
        "udbud",
        "indkob",
        "analyse",
        "forskning",
        "os2",
        "kl",
        "regioner",
        "contact",
        "feedback",
        "privacy",
        "gdpr",
        "legal",
        "api",
        "data",
        "open",
        "hovedpostkasse",
        "myndighed",
        "nyhedsbrev",
        "news",
        "events",
        "kursus",
        "kurser",
        "tilmelding",
        "uddannelse",
        "bruger",
        "brugere",
        "drift",
        "teknik",
        "plan",
        "miljo",
        "by",
        "skole",
        "sundhed",
        "social",
        "jobcenter",
        "ydelse",
        "udvikling",
        "main",
        "public",
    ]
)


def _emails(text: str) -> Iterator[tuple[int, int]]:
    for match in _EMAIL.finditer(text):
        if not _is_role_address(match[0]):
            yield match.span()


def _is_role_address(address: str) -> bool:
    local, _, domain = address.lower().partition("@")
    local = local.replace("ø", "o").replace("æ", "ae").replace("å", "aa")
    words = [word for word in re.split(r"[._+\d-]+", local) if word]
    names = set(domain.split(".")[:-1])
    return bool(words) and all(word in _ROLES or word in names for word in words)


# --- Telephone numbers ----------------------------------------------------------------------------------------------

_PHONE = re.compile(
    r"""(?<![\d\w])(?<!\d[.,/-])
    (?P<prefix>(?:\+|00)\s?(?:45|46|47|49|298|299)[\s-]?|\((?:\+|00)45\)\s?)?
    (?P<number>[2-9]\d(?:[ .-]\d\d){3}|[2-9]\d{3}[ -]\d{4}|[2-9]\d{7}|[2-9]\d\s\d{3}\s\d{3})
    (?![\d\w])(?![.,/-]\d)(?!\s\d\d\s)(?!\s?(?:kr|mio|mia|dkk|%))""",
    re.IGNORECASE | re.VERBOSE,
)
_PHONE_LABEL = re.compile(
    r"\b(?:tlf|telefon(?:nummer|nr)?|tel|phone|mobil(?:nummer|nr|telefon)?|mob|direkte|lokal|ring(?:\s+til)?|sms|fax"
    r"|t|m|d)\b[.:]?[^\w\n]{0,4}(?:nr\.?\s?)?$",
    re.IGNORECASE,
)
_PERSONAL_LABEL = re.compile(
    r"\b(?:mobil\w*|mob|direkte|privat\w*|m|d)\b[.:]?[^\w\n]{0,4}(?:nr\.?\s?)?$", re.IGNORECASE
)
_SWITCHBOARD = re.compile(
    r"\b(?:hovednummer|omstilling\w*|reception\w*|hotline|vagttelefon|callcenter|borgerservice|servicedesk|helpdesk"
    r"|kundeservice|support)\b",
    re.IGNORECASE,
)
_NAME = re.compile(r"\b[A-ZÆØÅ][a-zæøåéüöä]+(?:[ -][A-ZÆØÅ](?:[a-zæøåéüöä]+|\.))+")
_PERSON_WORD = re.compile(
    r"\b(?:kontaktperson\w*|projektleder\w*|konsulent\w*|specialkonsulent|fuldmægtig|chef\w*|leder\w*|direktør"
    r"|læge|overlæge|sagsbehandler|att\.?|v/)",
    re.IGNORECASE,
)
_ORGANISATION_WORD = re.compile(
    r"(?:kommune|region|styrelse|styrelsen|ministeri|universitet|hospital|sygehus|center|centret|forvaltning"
    r"|danmark|aps|tilsyn|råd|nævn|bibliotek|skole|institut|afdeling|sekretariat|forening|telefon|mobil|mail|adresse"
    r"|gade|vej|allé|plads|borgerservice|rådhus|kontor|forlag|selskab|netværk|service|support|kontakt|fonden|bank)",
    re.IGNORECASE,
)
_NEAR_BEFORE, _NEAR_AFTER = 120, 80


def _phones(text: str, emails: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    for match in _PHONE.finditer(text):
        before = text[max(0, match.start() - _NEAR_BEFORE) : match.start()]
        labelled = bool(match["prefix"] or _PHONE_LABEL.search(before))
        grouped = len(match["number"]) > 8 and match["number"].count(" ") == 3
        if not labelled and (not grouped or re.search(r"\d[ .]$", before)):
            continue
        after = text[match.end() : match.end() + _NEAR_AFTER]
        if _is_persons(before, after) or _has_email_near(match, emails):
            yield match.span()


def _is_persons(before: str, after: str) -> bool:
    if _PERSONAL_LABEL.search(before):
        return True
    near = f"{before} | {after}"
    if _SWITCHBOARD.search(before):
        return False
    return bool(_PERSON_WORD.search(near)) or names_person(near)


def _has_email_near(match: re.Match[str], emails: list[tuple[int, int]]) -> bool:
    """Whether one of the addresses, which come in order and apart, is near: the first that does not end too early."""
    place = bisect_left(emails, match.start() - _NEAR_BEFORE, key=lambda email: email[1])
    return place < len(emails) and emails[place][0] - _NEAR_AFTER <= match.end()


# --- Names ------------------------------------------------------------------------------------------------------------

_NAME_PART = re.compile(r"[^\W\d_]+")
_SHORTEST_PART = 2


def names_person(text: str) -> bool:
    """Whether a line has words that look like a person's name, and are no organisation's."""
    return any(not _ORGANISATION_WORD.search(name[0]) for name in _NAME.finditer(text))


def is_person(name: str, address: str) -> bool:
    """Whether who sends or receives a mail under a name and an address is a person, and no role or organisation."""
    if address and _is_role_address(address):
        return False
    return not (name and "@" not in name and _ORGANISATION_WORD.search(name))


def names_of(participants: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """What to mask of those who sent and received a mail, given as (name, address): names and parts, longest first.

    A person without a name goes by what the address tells of it ("anne.hansen@").
    """
    found: dict[str, None] = {}
    for name, address in participants:
        if is_person(name, address):
            parts = _NAME_PART.findall(name if name and "@" not in name else address.partition("@")[0])
            whole = [part for part in parts if len(part) >= _SHORTEST_PART]
            found |= dict.fromkeys(
                [" ".join(parts), *(part.capitalize() if part.islower() else part for part in whole)]
            )
    return tuple(sorted(filter(None, found), key=len, reverse=True))


def _named(text: str, names: Sequence[str]) -> Iterator[tuple[int, int]]:
    """The places of names; of several in a row the whole."""
    if names:
        one = "|".join(re.escape(name).replace(r"\ ", r"[ ,.]{1,3}") for name in names)
        for match in re.finditer(rf"(?<!\w)(?:{one})(?:[ ,.-]{{1,2}}(?:{one}))*(?!\w)", text):
            yield match.span()
