"""Classifies the role of a passage or sentence by its headings and, where they give none, by its words (pure).

Headings are matched against the tables below, the innermost first. A heading that names a step of a project (challenge,
handling, lesson, advice, result) takes precedence over one that names a topic: under "Udfordringer › Data" the role is
challenge. "Vores læsning" is the collector's own interpretation of a project: its role is lesson, and it is marked as
inferred so that it is never presented as the project's own words.

Where no heading gives a role, a sentence is classified by cue words, conservatively: without a cue it is
:attr:`Role.OTHER`. Two kinds of headings cover more than one role: a sentence under "Data og metode" may be either, and
sections on the purpose also name periods and partners. ``benchmarks/roles`` measures the accuracy.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from kb.core.models import Role

INFERRED_HEADING = re.compile(r"\bvores (?:læsning|vurdering|fortolkning)\b")
SOURCES_HEADING = re.compile(
    r"^(?:kilder|kildeliste|referencer|litteratur(?:liste)?|henvisninger|noter|fodnoter)\b", re.IGNORECASE
)
# The pattern that matches first in the heading decides: "Udfordringer og håndtering" is a challenge.
_HEADING_ROLES: tuple[tuple[Role, str], ...] = (
    (Role.ADVICE, r"råd\b|anbefal|gode råd|opmærksomhedspunkt|huskeliste"),
    (Role.LESSON, r"læring|erfaring|lærte|lært|tager med|vores læsning|pointer?\b|konklusion"),
    (Role.CHALLENGE, r"udfordring|problem|barriere|risi[ck]|løb ind i|hindring|svær|forhindring"),
    (Role.HANDLING, r"håndter|løsning|greb|tiltag|sådan gjorde|gjorde de|tilgang|fremgangsmåde"),
    (Role.RESULT, r"resultat|effekt|gevinst|status|udbytte|virkning|opnåe"),
    (Role.PURPOSE, r"formål|baggrund|mål\b|målet|idé|hvorfor|om projektet|kort om"),
    (Role.METHOD, r"metode|teknik|teknologi|model\b|sådan virker"),
    (Role.DATA, r"^(?:\d[\d.]*\s*)?data\w*"),
)
# In a longer heading a single word says nothing about the role.
MAX_HEADING_WORDS = 6
_COMPILED = tuple((role, re.compile(pattern)) for role, pattern in _HEADING_ROLES)
_STEPS = frozenset((Role.ADVICE, Role.LESSON, Role.CHALLENGE, Role.HANDLING, Role.RESULT))

# Cue words of sentences, in order: the first pattern that matches decides.
_SENTENCE_ROLES: tuple[tuple[Role, str], ...] = (
    (
        Role.ADVICE,
        r"\b(?:anbefal\w*|råder til|rådede|rådet (?:er|lyder)|et (?:andet )?råd|bør)\b"
        r"|^[-•]?\s*(?:husk|undgå|regn (?:ikke )?med|sørg for|overvej|inddrag|afsæt|sæt tid af|start med)\b",
    ),
    (
        Role.LESSON,
        r"\b(?:erfaringen|erfaringerne|læren|lære af|en af erfaringerne|lærte|har lært|konklusionen|viste sig at)\b"
        r"|\bvi læser\b|\bvi udleder\b",
    ),
    (
        Role.HANDLING,
        r"\b(?:håndter(?:e|ede|es|et)|løste|imødegå\w*|valgte|valgt at|har derfor|blev derfor|bad (?:\w+ ){0,4}om"
        r"|inddrog|ændrede|har ændret|indførte|opdelte|tog i stedet"
        r"|derfor (?:\w+ ){0,2}(?:brugte|lavede|trænede|byggede))\b",
    ),
    (
        Role.CHALLENGE,
        r"\b(?:udfordr\w+|problem\w*|barriere\w*|svær\w*|vanskelig\w*|mangle[rd]\w*|manglende|usikker\w*|uklar\w*"
        r"|forsinke\w*|forhindre\w*|hindre[rd]\w*|bremse\w*|i tvivl|ikke nok|ikke (?:god|klar|moden|modne)t? nok"
        r"|kan ikke (?:sættes|bære|bruges|indfries)|ikke lovhjemmel|stor opgave|tager fejl|bekymr\w*)\b",
    ),
    (
        Role.RESULT,
        r"\b(?:resultat(?:et|er|erne)\b(?! af at)|reduceret|faldet|sparer|sparede|gevinst\w*|effekten|opnåe\w*"
        r"|frigive[rt]?|i drift|taget i brug|er afsluttet|blev afsluttet|kunne (?:\w+ ){0,2}konstatere|viser, at"
        r"|har brugt løsningen)\b|\b(?:falde?|faldt|steg\w*|øge\w*|sænke[rt]?)\b[^.]*\bprocent\b"
        r"|\bop til \w+ procent\b",
    ),
    (
        Role.PURPOSE,
        r"\b(?:formål\w*|målet|hensigt\w*|sigter"
        r"|ville(?: \w+){0,6} (?:have|gøre|finde|få|bruge|hjælpe|give|sikre|opdage)"
        r"|skal (?:støtte|hjælpe|opspore|forebygge|gøre det muligt)"
        r"|skulle (?:støtte|hjælpe|opspore|forebygge|aflaste))\b",
    ),
    (
        Role.METHOD,
        r"\b(?:machine learning|maskinlæring\w*|text mining|algoritmen (?:\w+ ){0,2}(?:finder|bruger|kommer)"
        r"|modellen (?:\w+ ){0,4}(?:trænes|bruger|er trænet|har lært)|metoden|beregnes|kortlægges|blev undersøgt"
        r"|simulerer)\b",
    ),
    (
        Role.DATA,
        r"\b(?:datasæt\w*|datagrundlag\w*|data (?:er|kom|fra|om)|(?:bygger på|bruger) (?:data|oplysninger)"
        r"|datakilde\w*|indsamlet)\b",
    ),
)
_SENTENCES = tuple((role, re.compile(pattern, re.IGNORECASE)) for role, pattern in _SENTENCE_ROLES)
_METHOD_WORDS = re.compile(
    r"\b(?:machine learning|maskinlæring\w*|text mining|algoritme\w*|model(?:len|ler|lerne)?|metode\w*|screener"
    r"|simuler\w*|trænes|trænet|udvikles|afprøves|sammenligner|lært af|erstattes|læses af|skalerer"
    r"|beslutningsstøtte)\b",
    re.IGNORECASE,
)
_DATA_WORDS = re.compile(
    r"\b\w*(?:data|datasæt|oplysninger|scanninger|journaler\w*|billeder|registre|tekster|patienter:|opkald|dokumenter)\b",
    re.IGNORECASE,
)
# Periods and partners, which sections on purpose and method also contain: neither role.
_ADMINISTRATIVE = re.compile(
    r"\b(?:partner\w*|samarbejdede|projektperiode\w*|løb (?:som|fra|i)|bistod|følgekommuner|del af|hører til"
    r"|begyndte i|udgav)\b",
    re.IGNORECASE,
)


# Remarks about the source, and grants: Role.OTHER under any heading.
_ASIDE = re.compile(
    r"\b(?:har vi ikke oplysninger om|(?:nævner|siger|oplyser) (?:\w+ ){0,2}kilde[nr]?"
    r"|kilde[nr]? (?:nævner|siger|er)"
    r"|fremgår ikke|ikke noget, kilderne|(?:fik|får|en samlet) .{0,40}(?:i støtte|bevilling))\b",
    re.IGNORECASE,
)


def is_inferred(heading_path: Sequence[str]) -> bool:
    """Whether the headings mark the text as the collector's own interpretation."""
    return any(INFERRED_HEADING.search(heading.lower()) for heading in heading_path)


def is_sources(heading_path: Sequence[str]) -> bool:
    """Whether the headings mark the text as a list of sources."""
    return any(SOURCES_HEADING.match(heading.strip()) for heading in heading_path)


def role_of(heading_path: Sequence[str]) -> Role:
    """The role that the headings below a document's title give; :attr:`Role.OTHER` where there is none."""
    headings = [heading.lower() for heading in heading_path]
    if is_sources(headings):
        return Role.OTHER
    roles = [_role_of_heading(heading) for heading in reversed(headings)]
    steps = [role for role in roles if role in _STEPS]
    return next(iter(steps or [role for role in roles if role is not Role.OTHER]), Role.OTHER)


def role_of_sentence(text: str, heading_role: Role) -> Role:
    """The role of a sentence: that of its headings where they name a step, else that of its cue words."""
    if _ASIDE.search(text):
        return Role.OTHER
    if heading_role is Role.OTHER:
        return next((role for role, pattern in _SENTENCES if pattern.search(text)), Role.OTHER)
    if heading_role not in _STEPS and _ADMINISTRATIVE.search(text):
        return Role.OTHER
    if heading_role in (Role.DATA, Role.METHOD):
        return _data_or_method(text, heading_role)
    return heading_role


def _data_or_method(text: str, heading_role: Role) -> Role:
    if _DATA_WORDS.search(text):
        return Role.DATA
    return Role.METHOD if _METHOD_WORDS.search(text) else heading_role


def _role_of_heading(heading: str) -> Role:
    if len(heading.split()) > MAX_HEADING_WORDS:
        return Role.OTHER
    matches = [(match.start(), role) for role, pattern in _COMPILED if (match := pattern.search(heading))]
    return min(matches, key=lambda item: item[0])[1] if matches else Role.OTHER
