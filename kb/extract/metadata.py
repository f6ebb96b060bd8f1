"""A document's metadata: what an editor wrote, checked; what is missing, inferred and marked so.

Editors write YAML: front matter in Markdown, ``<file>.meta.yaml`` beside anything else. A value of the wrong type is
an error that names the key, an unknown key a warning with the nearest known one. ``projekt`` and ``myndighed`` are
never inferred: a wrong project is a wrong citation.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date, datetime
from pathlib import PurePosixPath
from typing import Any

import yaml

from kb.core.errors import MetadataError
from kb.core.models import DOCUMENT_TYPES, FIRST_YEAR, LAST_YEAR, THEMES, Metadata, ReadWarning, Source
from kb.core.privacy import mask
from kb.core.slug import slug
from kb.extract.blocks import Block, Kind, Properties
from kb.extract.cleaning import one_line

TEXT_KEYS = ("titel", "projekt", "myndighed", "type", "område", "emne", "periode", "status", "sprog")
KEYS = ("id", *TEXT_KEYS, "år", "temaer", "kilder")
MAX_VALUE = 500
MAX_YAML = 256 * 1024
_MAX_LIST = 200
_MAX_ID = 100
_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_URL = re.compile(r"https?://[^\s<>\"']{3,2000}", re.IGNORECASE)
_FIRST_FILE_YEAR = 1970


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
    written: Mapping[str, object], *, path: str, properties: Properties, blocks: list[Block], contacts: bool = True
) -> tuple[Metadata, tuple[ReadWarning, ...]]:
    """Check what was written, infer the rest; raises :class:`MetadataError` naming the key that is wrong."""
    checked = _Checked(written, contacts)
    values = checked.values
    inferred = {
        key: value
        for key, value in _inferred(path, properties, blocks, contacts).items()
        if value and not values.get(key)
    }
    metadata = Metadata(**{**values, **inferred, "inferred": frozenset(inferred)})
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
        readers: dict[str, Callable[[str, object], object]] = dict.fromkeys(TEXT_KEYS, self._text)
        readers |= {"id": _identifier, "år": _year, "temaer": self._themes, "kilder": self._sources}
        for key, value in written.items():
            name = unicodedata.normalize("NFC", key)
            if name not in readers:
                self._warn_unknown(name)
            elif value is not None:
                self.values[name] = readers[name](name, value)
        if self.values.get("type", "") not in ("", *DOCUMENT_TYPES):
            kind = self.values["type"]
            self._warn("ukendt-type", f"«{kind}» er ikke en kendt type. Brug en af: {', '.join(DOCUMENT_TYPES)}.")

    def _warn(self, code: str, message: str) -> None:
        self.warnings.append(ReadWarning(code, message))

    def _warn_unknown(self, key: str) -> None:
        shown = one_line(key)[:60]
        near = difflib.get_close_matches(shown, KEYS, n=1)
        hint = f" Mente du «{near[0]}»?" if near else ""
        self._warn("ukendt-metadata", f"Metadata har en ukendt nøgle: «{shown}».{hint}")

    def _text(self, key: str, value: object) -> str:
        if isinstance(value, (date, datetime)):
            return value.isoformat()[:10]
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            raise MetadataError(f"Metadata: «{key}» skal være en tekst.")
        return self._cleaned(key, str(value))

    def _cleaned(self, key: str, raw: str) -> str:
        text = one_line(raw[: MAX_VALUE * 20])
        if _has_controls(raw):
            self._warn("metadata-renset", f"Styretegn er fjernet fra «{key}» i metadata.")
        if len(text) > MAX_VALUE or len(raw) > MAX_VALUE * 20:
            self._warn("metadata-afkortet", f"«{key}» i metadata er afkortet til {MAX_VALUE} tegn.")
            text = text[:MAX_VALUE].rstrip()
        return mask(text, contacts=self._contacts).text

    def _themes(self, key: str, value: object) -> tuple[str, ...]:
        words = [value] if isinstance(value, str) else value
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            raise MetadataError(f"Metadata: «{key}» skal være en liste af ord.")
        themes = tuple(dict.fromkeys(self._cleaned(key, word).lower() for word in words[:_MAX_LIST]))
        for word in themes:
            if word not in THEMES:
                self._warn("ukendt-tema", f"«{word}» er ikke et kendt tema. Brug: {', '.join(THEMES)}.")
        return tuple(word for word in themes if word)

    def _sources(self, key: str, value: object) -> tuple[Source, ...]:
        if not isinstance(value, list):
            raise MetadataError(f"Metadata: «{key}» skal være en liste af kilder med url, titel og dato.")
        found = (self._source(key, entry) for entry in value[:_MAX_LIST])
        return tuple(source for source in found if source is not None)

    def _source(self, key: str, entry: object) -> Source | None:
        entry = {"url": entry} if isinstance(entry, str) else entry
        if not isinstance(entry, dict):
            raise MetadataError(f"Metadata: hver post i «{key}» skal have url, titel og dato.")
        parts = {
            name: self._text(f"{key}.{name}", entry[name]) for name in ("titel", "dato") if entry.get(name) is not None
        }
        url = entry.get("url") or ""
        if not isinstance(url, str) or (url and not _URL.fullmatch(url.strip())):
            # Also what keeps javascript: and file: addresses off the pages.
            self._warn("ugyldig-kilde", f"En adresse i «{key}» er ikke en webadresse og er udeladt.")
            url = ""
        return Source(url.strip(), **parts) if url or parts else None


def _has_controls(text: str) -> bool:
    return any(unicodedata.category(c) in {"Cc", "Cs", "Co"} and c not in "\n\r\t" for c in text[: MAX_VALUE * 20])


def _identifier(key: str, value: object) -> str:
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not _SLUG.fullmatch(text) or len(text) > _MAX_ID:
        raise MetadataError(f"Metadata: «{key}» må kun have små bogstaver a-z, tal og enkelte bindestreger.")
    return text


def _year(key: str, value: object) -> int:
    if isinstance(value, str) and re.fullmatch(r"\d{4}", value.strip()):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not FIRST_YEAR <= value <= LAST_YEAR:
        raise MetadataError(f"Metadata: «{key}» skal være et årstal med fire cifre.")
    return value


# --- What is missing ------------------------------------------------------------------------------------------------


def _inferred(path: str, properties: Properties, blocks: list[Block], contacts: bool) -> dict[str, Any]:
    title = mask(_best_title(path, properties, blocks)[:MAX_VALUE], contacts=contacts).text
    return {
        "id": slug(_masked_path(str(PurePosixPath(path).with_suffix(""))), longest=_MAX_ID, empty="dokument"),
        "titel": title,
        "år": _year_of(properties.created),
        "sprog": language_of(" ".join(block.text for block in blocks[:400])) or properties.language,
    }


def _masked_path(path: str) -> str:
    """A path with CPR numbers masked in each of its names, with underscores taken for the spaces they stand for."""
    names = path.split("/")
    masked = [mask(name.replace("_", " "), contacts=False) for name in names]
    return "/".join(found.text if found.spans else name for name, found in zip(names, masked, strict=True))


_NO_TITLE = re.compile(
    r"""^(?:untitled|uden\s?titel|ikke[\s-]navngivet.*|document\s?\d*|dokument\s?\d*|præsentation\s?\d*|presentation\s?\d*
    |powerpoint[\s-].*|slide\s?1|microsoft\s+(?:office\s+)?(?:word|powerpoint|publisher).*|.*\.(?:docx?|indd|odt|rtf|pdf
    |qxd|qxp|pptx?|pub|ai|tmp|tif|wpd)|skabelon.*|template.*|titel|title|title\s+to\s+your\s+text|none|null|unknown
    |print|layout\s?\d*|[\W\d_]*|.{1,2})$""",
    re.IGNORECASE | re.VERBOSE,
)


def _best_title(path: str, properties: Properties, blocks: list[Block]) -> str:
    """The file's own title unless it is a program's leftover, else the first heading, else the file name."""
    written = one_line(properties.title)
    if written and not _NO_TITLE.match(written) and "\ufffd" not in written:
        return written
    heading = next((block.text for block in blocks if block.kind is Kind.HEADING), "")
    if heading and not _NO_TITLE.match(heading):
        return heading
    return one_line(re.sub(r"[_]+", " ", PurePosixPath(path).stem)) or "Uden titel"


def _year_of(created: date | None) -> int | None:
    return created.year if created and _FIRST_FILE_YEAR < created.year <= date.today().year else None


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
