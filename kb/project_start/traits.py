"""What a plan and a project may have in common beside their task: kind of data, technique, rules (pure).

Kinds of data are those of :mod:`kb.facts.patterns`, which the facts of a report are read by; techniques and rules are
named here by parts of words, as the terms of :mod:`kb.project_start.challenges`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from kb.facts import patterns
from kb.project_start.challenges import spaced


class Trait(StrEnum):
    """What kind of thing is in common. The values are the words shown to readers."""

    TASK = "opgaven ligner"
    DATA = "samme slags data"
    TECHNIQUE = "samme teknik"
    RULES = "samme regler"
    SUPPLIER = "samme leverandør"


TECHNIQUES: Mapping[str, tuple[str, ...]] = {
    "billedanalyse": (
        "røntgenbilled", "scanning", "mammogra", "ultralyd", "billedanalyse", "billedgenkend", "tolke billed",
        "analyserer billed", "vurderer billed", "oct billed", " fotos ", "billedet viser",
    ),
    "sprogmodel og tekstanalyse": (
        "sprogmodel", "text mining", "tekstanalyse", "tekstklassifik", "tekst og datamodel", " ner ", "ner model",
        "anonymiseringsmodel", "semantisk søge", "læse mails", "læse hver mail", "analyse af tekst", "resumé",
        "af journalnotater", "læse ansøgning", "fordele mails", "sortere mails", "fordeling af mails", "mailsortering",
    ),
    "forudsigelse og varsling": (
        "forudsig", "risikovurdering", "risikoscore", "risiko for", "tal for risiko", "varsle", "varsling", "prognose",
        "prædikti", "tidlig opsporing", "tidligt opdage", "udpege", "udpeger", "finde tegn",
    ),
    "planlægning og optimering": (
        "optimer", "ruteplan", " ruter ", "simuler", "planlægning", "køreplan", "foreslå ruter", "fordele besøg",
        "flådestyring",
    ),
    "automatisk sortering af sager": (
        "screening af ans", "screener", "automatisk kontrol", "deler sagerne", "sortere dem i enkle", "enkle sager",
        "softwarerobot", "visitation af", "kategoriser", "hvor meget en underretning",
    ),
    "match og anbefaling": (
        " matche", " match ", "jævnføre", "sammenholder", "foreslå alternative", "foreslår hvilken",
        "anbefale den indsats",
    ),
    "talegenkendelse": ("lytter med", "talegenkend", "opkald", "mens samtalen", "tale til tekst"),
    "styring af anlæg": ("styre varme", "styring af varme", "styringssystem", "ventilation"),
}  # fmt: skip
RULES: Mapping[str, tuple[str, ...]] = {
    "forordningen om medicinsk udstyr (MDR)": (" mdr ", "medicinsk udstyr", "ce mærk"),
    "serviceloven": ("serviceloven",),
    "sundhedsloven": ("sundhedsloven",),
    "reglerne om beskæftigelsesindsatsen": (
        "beskæftigelseslov", "lov om en aktiv beskæftigelse", "profilering af ledige",
    ),
    "reglerne om aktindsigt": ("aktindsigt", "offentlighedsloven"),
    "AI-forordningen": ("ai forordningen", "ai act", " ai loven"),
}  # fmt: skip


def data_in(text: str) -> frozenset[str]:
    """The kinds of data that a text names."""
    folded = text.lower()
    return frozenset(kind for kind, pattern in patterns.DATA if pattern.search(folded))


def techniques_in(text: str) -> frozenset[str]:
    """The techniques that a text names."""
    return _named(text, TECHNIQUES)


def rules_in(text: str) -> frozenset[str]:
    """The sets of rules that a text names."""
    return _named(text, RULES)


def _named(text: str, table: Mapping[str, tuple[str, ...]]) -> frozenset[str]:
    words = spaced(text)
    return frozenset(name for name, terms in table.items() if any(term in words for term in terms))
