"""A document's metadata: what an editor wrote, checked; what is missing, inferred and marked so.

Editors write YAML: front matter in Markdown, ``<file>.meta.yaml`` beside anything else. A value of the wrong type is
an error that names the key, an unknown key a warning with the nearest known one. Only what every report must have is
inferred: id, title and language. Project, authority and year are proposed (:mod:`kb.proposals`) and never stated as a
fact without evidence and an editor's word: a wrong project is a wrong citation.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from pathlib import PurePosixPath
from typing import Any

import yaml

from kb.core.access import EVERYONE, group_names, names_in
from kb.core.errors import MetadataError
from kb.core.fields import FIELDS, FIRST_YEAR, LAST_YEAR, LONGEST_LIST, FieldKind, MetadataField
from kb.core.models import Metadata, ReadWarning, Source
from kb.core.privacy import mask
from kb.core.slug import slug
from kb.extract.blocks import Block, Kind, Properties
from kb.extract.cleaning import one_line
from kb.proposals.opening import LINES, Line
from kb.proposals.titles import best_title

MAX_YAML = 256 * 1024
# Under this key a metadata file has those of what is inside the file, by name: "bilag.pdf".
PARTS_KEY = "dele"
# The key of the groups that may see a report.
ACCESS_KEY = "adgang"
# Of a value longer than so many times its limit the rest is not looked at.
_LOOKED_AT = 20
# Longer than any key there is.
_LONGEST_KEY = 200
_FIELDS = {field.name: field for field in FIELDS}
_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_URL = re.compile(r"https?://[^\s<>\"']{3,2000}", re.IGNORECASE)


def load_yaml(text: str) -> dict[str, object]:
    """Parse a YAML mapping; raises ``yaml.YAMLError`` or :class:`MetadataError` for what is not one."""
    if len(text) > MAX_YAML:
        raise MetadataError("Metadata fylder mere end 256 KiB.")
    try:
        values = yaml.safe_load(text)
    except (RecursionError, ValueError) as error:
        raise MetadataError("Metadata kan ikke læses: det er ikke gyldig YAML.") from error
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise MetadataError("Metadata skal være nøgler med værdier, fx «titel: Rapportens titel».")
    return {str(key): value for key, value in values.items()}


def parse_sidecar(data: bytes) -> dict[str, object]:
    """The metadata file beside a document; raises :class:`MetadataError`."""
    try:
        return load_yaml(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise MetadataError("Metadatafilen skal være gemt som UTF-8.") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f" (linje {mark.line + 1})" if mark is not None else ""
        raise MetadataError(f"Metadatafilen er ikke gyldig YAML{place}.") from error


def build_metadata(
    written: Mapping[str, object],
    *,
    path: str,
    properties: Properties,
    blocks: list[Block],
    contacts: bool = True,
    names: Sequence[str] = (),
) -> tuple[Metadata, tuple[ReadWarning, ...]]:
    """Check what was written, infer the rest; raises :class:`MetadataError` naming the key that is wrong."""
    checked = _Checked(written, contacts)
    values = checked.values
    inferred = {
        key: value
        for key, value in _inferred(path, properties, blocks, contacts, names).items()
        if value and not values.get(key)
    }
    metadata = Metadata.of({**values, **inferred}, inferred=inferred)
    if _masked_path(path) != path:
        checked.warnings.append(
            ReadWarning("cpr-i-filnavn", "Filens navn eller mappe ligner et CPR-nummer. Omdøb filen: navnet vises.")
        )
    return metadata, tuple(checked.warnings)


class _Checked:
    """The written values that hold, under their keys, and the warnings about the rest."""

    def __init__(self, written: Mapping[str, object], contacts: bool) -> None:
        self.warnings: list[ReadWarning] = []
        self.values: dict[str, Any] = {}
        self._contacts = contacts
        readers: dict[FieldKind, Callable[[MetadataField, object], object]] = {
            FieldKind.IDENTIFIER: _identifier,
            FieldKind.TEXT: self._text,
            FieldKind.CHOICE: self._choice,
            FieldKind.WORDS: self._words,
            FieldKind.YEAR: _year,
            FieldKind.GROUPS: _groups,
            FieldKind.SOURCES: self._sources,
        }
        for key, value in written.items():
            name = unicodedata.normalize("NFC", key[:_LONGEST_KEY])
            field = _FIELDS.get(name)
            if field is None:
                self._warn_unknown(name)
            elif value is not None:
                self.values[field.name] = readers[field.kind](field, value)

    def _warn(self, code: str, message: str) -> None:
        self.warnings.append(ReadWarning(code, message))

    def _warn_unknown(self, key: str) -> None:
        shown = one_line(key)[:60]
        near = difflib.get_close_matches(shown, list(_FIELDS), n=1)
        if near == [ACCESS_KEY]:
            # A warning would not keep what was meant for a few from everyone.
            raise MetadataError(
                f"Metadata: «{shown}» kendes ikke. Mente du «{ACCESS_KEY}»? Ret det, så læses rapporten."
            )
        hint = f" Mente du «{near[0]}»?" if near else ""
        self._warn("ukendt-metadata", f"Metadata har en ukendt nøgle: «{shown}».{hint}")

    def _text(self, field: MetadataField, value: object) -> str:
        return self._text_of(field.name, value, field.longest)

    def _text_of(self, key: str, value: object, longest: int) -> str:
        if isinstance(value, (date, datetime)):
            return value.isoformat()[:10]
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            raise MetadataError(f"Metadata: «{key}» skal være en tekst.")
        return self._cleaned(key, str(value), longest)

    def _cleaned(self, key: str, raw: str, longest: int) -> str:
        looked_at = raw[: longest * _LOOKED_AT]
        text = one_line(looked_at)
        if _has_controls(looked_at):
            self._warn("metadata-renset", f"Styretegn er fjernet fra «{key}» i metadata.")
        if len(text) > longest or len(raw) > len(looked_at):
            self._warn("metadata-afkortet", f"«{key}» i metadata er afkortet til {longest} tegn.")
            text = text[:longest].rstrip()
        return mask(text, contacts=self._contacts).text

    def _choice(self, field: MetadataField, value: object) -> str:
        text = self._text(field, value)
        self._warn_unless_known(field, text)
        return text

    def _words(self, field: MetadataField, value: object) -> tuple[str, ...]:
        given = [value] if isinstance(value, str) else value
        if not isinstance(given, list) or not all(isinstance(word, str) for word in given):
            raise MetadataError(f"Metadata: «{field.name}» skal være en liste af ord.")
        cleaned = (self._cleaned(field.name, word, field.longest).lower() for word in given[:LONGEST_LIST])
        words = tuple(word for word in dict.fromkeys(cleaned) if word)
        for word in words:
            self._warn_unless_known(field, word)
        return words

    def _warn_unless_known(self, field: MetadataField, word: str) -> None:
        if word and word not in field.words:
            known = ", ".join(field.words)
            self._warn(f"ukendt-{field.unknown}", f"«{word}» er ikke et kendt ord under «{field.name}». Brug: {known}.")

    def _sources(self, field: MetadataField, value: object) -> tuple[Source, ...]:
        if not isinstance(value, list):
            raise MetadataError(f"Metadata: «{field.name}» skal være en liste af kilder med url, titel og dato.")
        sources = (self._source(field, entry) for entry in value[:LONGEST_LIST])
        return tuple(source for source in sources if source is not None)

    def _source(self, field: MetadataField, entry: object) -> Source | None:
        key = field.name
        entry = {"url": entry} if isinstance(entry, str) else entry
        if not isinstance(entry, dict):
            raise MetadataError(f"Metadata: hver post i «{key}» skal have url, titel og dato.")
        parts = {
            name: self._text_of(f"{key}.{name}", entry[name], field.longest)
            for name in ("titel", "dato")
            if entry.get(name) is not None
        }
        url = entry.get("url") or ""
        if not isinstance(url, str) or (url and not _URL.fullmatch(url.strip())):
            # Also what keeps javascript: and file: addresses off the pages.
            self._warn("ugyldig-kilde", f"En adresse i «{key}» er ikke en webadresse og er udeladt.")
            url = ""
        return Source(url.strip(), **parts) if url or parts else None


def _has_controls(text: str) -> bool:
    return any(unicodedata.category(c) in {"Cc", "Cs", "Co"} and c not in "\n\r\t" for c in text)


def _identifier(field: MetadataField, value: object) -> str:
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not _SLUG.fullmatch(text) or len(text) > field.longest:
        raise MetadataError(f"Metadata: «{field.name}» må kun have små bogstaver a-z, tal og enkelte bindestreger.")
    return text


def groups_of_rule(written: Mapping[str, object]) -> tuple[str, ...]:
    """The groups that a folder's rule names; raises :class:`MetadataError` for one that names none, or says more."""
    names = _groups(_FIELDS[ACCESS_KEY], written.get(ACCESS_KEY, "")) if set(written) == {ACCESS_KEY} else ()
    if not names:
        raise MetadataError(f"Reglen skal have nøglen «{ACCESS_KEY}» med navne på grupper og intet andet.")
    return names


def _groups(field: MetadataField, value: object) -> tuple[str, ...]:
    """The groups that are named, «alle» alone among them; none of an empty value, which says nothing."""
    given = [value] if isinstance(value, str) else value
    if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
        raise MetadataError(
            f"Metadata: «{field.name}» skal være navne på grupper, adskilt af komma eller som en liste."
        )
    names = group_names(name for one in given[:LONGEST_LIST] for name in names_in(one))
    if any(len(name) > field.longest or not name.isprintable() for name in names) or len(given) > LONGEST_LIST:
        raise MetadataError(f"Metadata: «{field.name}» har et navn, der ikke kan være en gruppes.")
    if EVERYONE in names and len(names) > 1:
        raise MetadataError(f"Metadata: «{field.name}» kan ikke både være «{EVERYONE}» og grupper.")
    return names


def _year(field: MetadataField, value: object) -> int:
    if isinstance(value, str) and re.fullmatch(r"\d{4}", value.strip()):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not FIRST_YEAR <= value <= LAST_YEAR:
        raise MetadataError(f"Metadata: «{field.name}» skal være et årstal med fire cifre.")
    return value


# --- What is missing ------------------------------------------------------------------------------------------------


def _inferred(
    path: str, properties: Properties, blocks: list[Block], contacts: bool, names: Sequence[str]
) -> dict[str, Any]:
    without_suffix = str(PurePosixPath(path).with_suffix(""))
    opening = blocks[:LINES] if properties.cover else []
    lines = [Line(block.text, block.level if block.kind is Kind.HEADING else 0) for block in opening]
    proposed = best_title(path, one_line(properties.title), lines, published=properties.published)
    title = mask(one_line(proposed)[: _FIELDS["titel"].longest], contacts=contacts, names=names).text
    return {
        "id": slug(_masked_path(without_suffix), longest=_FIELDS["id"].longest, empty="dokument"),
        "titel": title,
        "sprog": language_of(" ".join(block.text for block in blocks[:400])) or properties.language,
    }


def _masked_path(path: str) -> str:
    """A path with CPR numbers masked in each of its names, with underscores taken for the spaces they stand for."""
    names = path.split("/")
    masked = [mask(name.replace("_", " "), contacts=False) for name in names]
    return "/".join(masking.text if masking.spans else name for name, masking in zip(names, masked, strict=True))


_FUNCTION_WORDS = {
    "da": "og i at det er en til på som af for med den de ikke der var et har om skal kan blev fra ved hvor eller også",
    "no": "og i å det er en til på som av for med den de ikke der var et har om skal kan ble fra ved hvor eller også",
    "sv": "och i att det är en till på som av för med den de inte där var ett har om ska kan blev från vid eller också",
    "en": "the of and to in is that for it as was with be by on not he his but at are this have from or had an they",
    "de": "der die und in den von zu das mit sich des auf für ist im dem nicht ein eine als auch es an werden aus er",
}
_WORD_SETS = {language: frozenset(words.split()) for language, words in _FUNCTION_WORDS.items()}
_FEWEST_WORDS = 20


def language_of(text: str) -> str:
    """The language by its function words ("da", "no", "sv", "en", "de"), or empty when the text does not tell."""
    words = re.findall(r"[^\W\d_]+", text[:50_000].lower())
    if len(words) < _FEWEST_WORDS:
        return ""
    counts = {language: sum(word in known for word in words) for language, known in _WORD_SETS.items()}
    best = max(counts, key=lambda language: counts[language])
    return best if counts[best] >= len(words) * 0.12 else ""
