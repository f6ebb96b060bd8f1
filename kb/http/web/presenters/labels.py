"""Words for the values of the model: labels, dates, numbers and names of formats."""

from __future__ import annotations

from datetime import date, datetime

from kb.core.fields import BY_NAME, ROLE
from kb.core.models import Role

MONTHS = (
    "januar", "februar", "marts", "april", "maj", "juni", "juli", "august", "september", "oktober", "november",
    "december",
)  # fmt: skip
ROLE_LABELS = {
    Role.PURPOSE: "Formål", Role.DATA: "Data", Role.METHOD: "Metode", Role.CHALLENGE: "Udfordring",
    Role.HANDLING: "Håndtering", Role.LESSON: "Læring", Role.ADVICE: "Råd", Role.RESULT: "Resultat", Role.OTHER: "",
}  # fmt: skip
# The order in which a project's findings tell its story.
STORY = (
    Role.PURPOSE, Role.DATA, Role.METHOD, Role.CHALLENGE, Role.HANDLING, Role.RESULT, Role.LESSON, Role.ADVICE,
)  # fmt: skip
THEME_TEXTS = {
    "jura": "Hjemmel, GDPR, databehandleraftaler og aktindsigt.",
    "data": "Adgang til data, datakvalitet og mængden af data.",
    "it-infrastruktur": "Drift, integrationer og forbindelsen til fagsystemer.",
    "organisation": "Ledelse, medarbejdere og nye arbejdsgange.",
    "etik": "Bias, gennemsigtighed og borgernes tillid.",
    "økonomi": "Gevinster, udgifter og finansiering.",
    "leverandør": "Udbud, kontrakter og samarbejde med leverandører.",
    "klinisk": "Afprøvning, medicinsk udstyr og brug i behandling.",
}
THEME_QUESTIONS = {
    "jura": "Hvordan afklarede projekterne det juridiske grundlag?",
    "data": "Hvilke problemer var der med datakvalitet og adgang til data?",
    "it-infrastruktur": "Hvordan blev løsningerne koblet til fagsystemerne?",
    "organisation": "Hvordan fik projekterne medarbejderne med?",
    "etik": "Hvordan håndterede projekterne bias og gennemsigtighed?",
    "økonomi": "Hvilke gevinster og udgifter havde projekterne?",
    "leverandør": "Hvilke erfaringer er der med leverandører og udbud?",
    "klinisk": "Hvordan blev løsningerne afprøvet i klinikken?",
}
FORMATS = {
    "application/pdf": "PDF",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "Word",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "PowerPoint",
    "application/vnd.oasis.opendocument.text": "OpenDocument",
    "application/vnd.oasis.opendocument.presentation": "OpenDocument-præsentation",
    "application/msword": "Word (ældre)",
    "application/rtf": "RTF",
    "application/epub+zip": "EPUB",
    "text/html": "Webside",
    "text/markdown": "Markdown",
    "text/plain": "Tekst",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "Excel",
    "application/vnd.oasis.opendocument.spreadsheet": "OpenDocument-regneark",
    "text/csv": "Tabel (CSV)",
    "message/rfc822": "E-mail",
    "application/vnd.ms-outlook": "Outlook-mail",
    "application/zip": "Arkiv (ZIP)",
}


def danish_date(moment: date) -> str:
    """A date in words: 23. november 2026."""
    return f"{moment.day}. {MONTHS[moment.month - 1]} {moment.year}"


def danish_timestamp(iso: str) -> str:
    """An ISO time in words, in the machine's own time zone; what is no time is returned as it is."""
    try:
        return danish_date(datetime.fromisoformat(iso).astimezone())
    except ValueError:
        return iso


def danish_clock(iso: str) -> str:
    """An ISO time as date and clock time in words."""
    try:
        moment = datetime.fromisoformat(iso).astimezone()
    except ValueError:
        return iso
    return f"{danish_date(moment)} kl. {moment:%H.%M}"


def number(value: int) -> str:
    """A whole number with the Danish thousands mark."""
    return f"{value:,}".replace(",", ".")


def counted(value: int, one: str, many: str) -> str:
    """A number with its noun: 1 rapport, 2 rapporter."""
    return f"{number(value)} {one if value == 1 else many}"


def value_label(field: str, value: str) -> str:
    """What a reader sees of a filter's value; empty for one not worth showing."""
    if field == ROLE.name:
        return ROLE_LABELS.get(Role(value), "") if value in set(Role) else ""
    return BY_NAME[field].label_of(value)


_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")


def inert(cell: str | int) -> str | int:
    """A cell that no spreadsheet takes for a formula: neither reports nor readers are trusted to run anything."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA_SIGNS) else cell


def live(cell: str) -> str:
    """A cell as it was before :func:`inert`."""
    return cell[1:] if cell.startswith(tuple(f"'{sign}" for sign in _FORMULA_SIGNS)) else cell


def file_format(media_type: str) -> str:
    """A media type in words."""
    return FORMATS.get(media_type, media_type.rpartition("/")[2].upper())
