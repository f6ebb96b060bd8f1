"""A plan for a project as it is compared: pasted or read text, or five fields; masked, never stored (pure).

What a person writes is treated as a question is: CPR numbers, addresses and telephone numbers of people are masked
before anything is looked for. Of a long plan the beginning tells what it is about, and all of it what it mentions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields

from kb.core.errors import PlanError
from kb.core.privacy import mask
from kb.core.stages import Phase
from kb.extract.metadata import language_of
from kb.project_start.challenges import mentioned_in, spaced
from kb.project_start.traits import data_in, rules_in, techniques_in

# The longest plan that is compared: some 200 pages.
LONGEST = 600_000
# A plan is described by its beginning: so many pieces, each of a length that the model reads whole.
PIECE = 1_200
PIECES = 4
# Fewer words than these describe no project.
FEWEST_WORDS = 4
_NOT_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff\ud800-\udfff]")
_PHASES: Mapping[Phase, tuple[str, ...]] = {
    Phase.IDEA: ("fase idé", "fase ide", "idéstadie", "idéfase", "på tegnebrættet"),
    Phase.LAW_AND_DATA: ("fase jura", "fase data"),
    Phase.DEVELOPMENT: ("fase udvikling", "under udvikling", "udviklingsfase"),
    Phase.TRIAL: ("fase afprøvning", "fase test", "fase pilot", "pilotfase", "testfase"),
    Phase.OPERATION: ("fase drift", "i drift nu", "driftsfase"),
    Phase.SPREAD: ("fase udbredelse", "under udbredelse", "fase skalering"),
}


@dataclass(frozen=True, slots=True)
class PlanFields:
    """The five fields a person may fill in place of a text."""

    hvad: str = ""
    hvem: str = ""
    data: str = ""
    teknik: str = ""
    fase: str = ""

    @property
    def text(self) -> str:
        """The filled fields as a text, a line each."""
        filled = [(FIELD_LABELS[field.name], getattr(self, field.name).strip()) for field in fields(self)]
        return "\n".join(f"{label}: {value.rstrip('.')}." for label, value in filled if value)


FIELD_LABELS: Mapping[str, str] = {
    "hvad": "Hvad",
    "hvem": "For hvem",
    "data": "Data",
    "teknik": "Teknik",
    "fase": "Fase",
}


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan's masked text and what it tells: traits, challenges it mentions, phase, language.

    ``masked`` counts what was masked by kind; ``is_cut`` says that the text was longer than is compared.
    """

    text: str
    pieces: tuple[str, ...]
    data: frozenset[str]
    techniques: frozenset[str]
    rules: frozenset[str]
    mentions: frozenset[str]
    phase: Phase | None
    language: str
    masked: Mapping[str, int]
    is_cut: bool

    @property
    def is_foreign(self) -> bool:
        """Whether the plan is in another language than Danish."""
        return self.language not in ("", "da", "no")

    @classmethod
    def of(cls, written: str | PlanFields) -> Plan:
        """A plan as written; raises :class:`PlanError` for one that says too little to be compared."""
        given = written.text if isinstance(written, PlanFields) else written
        hidden = mask(_NOT_TEXT.sub(" ", given[:LONGEST]))
        text = hidden.text.strip()
        if sum(word.isalpha() for word in spaced(text[:PIECE]).split()) < FEWEST_WORDS:
            raise PlanError("Planen er tom eller for kort til at sammenligne.")
        return cls(
            text=text,
            pieces=_pieces(text),
            data=data_in(text),
            techniques=techniques_in(text),
            rules=rules_in(text),
            mentions=mentioned_in(text),
            phase=_phase_of(text),
            language=language_of(text[: PIECE * PIECES]),
            masked=hidden.counts,
            is_cut=len(given) > LONGEST,
        )


def _pieces(text: str) -> tuple[str, ...]:
    """The beginning of a text in pieces that end between words."""
    words, pieces, piece = text[: PIECE * PIECES].split(), [], ""
    for word in words:
        if piece and len(piece) + len(word) >= PIECE:
            pieces.append(piece)
            piece = ""
        piece = f"{piece} {word}".strip()[:PIECE]
    return (*pieces, piece)[:PIECES]


def _phase_of(text: str) -> Phase | None:
    words = spaced(text)
    return next((phase for phase, names in _PHASES.items() if any(f" {name}" in words for name in names)), None)
