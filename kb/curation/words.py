"""What a house decides of words and passages: its synonyms, the shipped ones it switched off, and pinned passages.

    changed = held.with_group(checked_group(["skraldebil", "renovationsbil"]))
    held == Curation.from_json(held.to_json())

A :class:`Curation` is one immutable whole, so that it can be compared, previewed, versioned and undone as such.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace

from kb.core.access import Access
from kb.core.errors import InputError, NotFoundError
from kb.core.privacy import mask
from kb.lessons.lesson import LONGEST_QUOTE, Evidence

LONGEST_NAME = 80
LONGEST_NOTE = 200
MOST_NAMES = 12
MOST_GROUPS = 1000
MOST_PINS = 500
_LETTER = re.compile(r"[^\W\d_]")
_LINE_BREAKING = re.compile(r"[\x00-\x1f\x7f-\x9f\ufffe\uffff\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class WordGroup:
    """Names that mean the same in this house, as written; ``note`` says why, or where they are defined."""

    names: tuple[str, ...]
    note: str = ""

    @property
    def id(self) -> str:
        """Names the group in an address: the digest of its names."""
        return _short_digest(*self.names)


@dataclass(frozen=True, slots=True)
class Pin:
    """A passage, by content, that is shown above the answer to a question and to those like it.

    ``access`` are the groups that might see its report when it was pinned.
    """

    question: str
    evidence: Evidence
    access: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """Names the pin in an address."""
        return _short_digest(self.question, self.evidence.document_id, self.evidence.digest)


@dataclass(frozen=True, slots=True)
class Curation:
    """The whole of what a house decided; ``switched_off`` holds the first names of shipped groups."""

    groups: tuple[WordGroup, ...] = ()
    switched_off: tuple[str, ...] = ()
    pins: tuple[Pin, ...] = ()

    def with_group(self, group: WordGroup) -> Curation:
        """With one more group; one with the same names gives way."""
        return checked(replace(self, groups=(*(one for one in self.groups if one.id != group.id), group)))

    def without_group(self, group_id: str) -> Curation:
        """Without a group; raises :class:`NotFoundError`."""
        kept = tuple(one for one in self.groups if one.id != group_id)
        if len(kept) == len(self.groups):
            raise NotFoundError("Ordene findes ikke mere.", advice="Se listen over ord igen.")
        return replace(self, groups=kept)

    def with_pin(self, pin: Pin) -> Curation:
        """With one more pin; the same one stands once."""
        return checked(replace(self, pins=(*(one for one in self.pins if one.id != pin.id), pin)))

    def without_pin(self, pin_id: str) -> Curation:
        """Without a pin; raises :class:`NotFoundError`."""
        kept = tuple(one for one in self.pins if one.id != pin_id)
        if len(kept) == len(self.pins):
            raise NotFoundError("Stedet er ikke fremhævet mere.", advice="Se listen over ord igen.")
        return replace(self, pins=kept)

    def seen_by(self, access: Access) -> Curation:
        """With the pins alone that someone may see."""
        return replace(self, pins=tuple(one for one in self.pins if access.permits(one.access)))

    def over(self, held: Curation, access: Access) -> Curation:
        """In the place of ``held``, whose pins stay that whoever puts it there may not see."""
        kept = tuple(one for one in held.pins if not access.permits(one.access))
        return replace(self, pins=(*kept, *(one for one in self.pins if one not in kept)))

    def switched(self, key: str, *, on: bool) -> Curation:
        """With a shipped group, by its first name, switched on or off."""
        others = tuple(one for one in self.switched_off if one != key)
        return replace(self, switched_off=others if on else (*others, key))

    def to_json(self) -> str:
        """The whole as JSON."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Curation:
        """The inverse of :meth:`to_json`."""
        values = json.loads(text)
        return cls(
            groups=tuple(WordGroup(tuple(one["names"]), one["note"]) for one in values["groups"]),
            switched_off=tuple(values["switched_off"]),
            pins=tuple(
                Pin(one["question"], Evidence(**one["evidence"]), tuple(one.get("access", ())))
                for one in values["pins"]
            ),
        )


def checked(curation: Curation) -> Curation:
    """The curation as it may be stored; raises :class:`InputError` where there is too much of it."""
    if len(curation.groups) > MOST_GROUPS or len(curation.pins) > MOST_PINS:
        raise InputError(
            f"Der er for mange: højst {MOST_GROUPS} grupper af ord og {MOST_PINS} fremhævede steder.",
            advice="Slet dem, der ikke bruges mere.",
        )
    return curation


def checked_group(names: Iterable[str], note: str = "") -> WordGroup:
    """A group as it may be stored: each name once, personal data masked; raises :class:`InputError`."""
    once: dict[str, str] = {}
    for name in filter(None, map(_line, names)):
        once.setdefault(name.casefold(), name)
    written = tuple(once.values())
    if len(written) < 2 or len(written) > MOST_NAMES:
        raise InputError(
            "Der skal være mindst to navne for det samme.", advice=f"Skriv 2 til {MOST_NAMES} navne, ét på hver linje."
        )
    if wrong := [name for name in written if len(name) > LONGEST_NAME or not _LETTER.search(name)]:
        raise InputError(
            f"»{wrong[0][:LONGEST_NAME]}« er ikke et navn.", advice=f"Skriv ord på højst {LONGEST_NAME} tegn."
        )
    return WordGroup(written, _line(note)[:LONGEST_NOTE])


def checked_pin(question: str, document_id: str, quote: str, access: tuple[str, ...] = ()) -> Pin:
    """A pin as it may be stored, the question masked; raises :class:`InputError` where something is missing."""
    asked = _line(question)
    if not asked or not document_id or not quote.strip() or len(quote) > LONGEST_QUOTE:
        raise InputError("Spørgsmålet eller stedet mangler.", advice="Vælg et sted blandt passagerne igen.")
    return Pin(asked, Evidence.of(_line(document_id), mask(quote.strip(), contacts=False).text), access)


def names_of(text: str) -> Sequence[str]:
    """The names written in a text: one a line, or between commas."""
    return [name for name in re.split(r"[\n,;]", text) if name.strip()]


def _line(given: str) -> str:
    return mask(" ".join(_LINE_BREAKING.sub(" ", given).split())).text


def _short_digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]
