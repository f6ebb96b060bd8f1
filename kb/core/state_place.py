"""Where the state is kept: a folder with an SQLite file, or a PostgreSQL database by its address.

    settings.state                      # what every store of kb.state is made with
    StateUrl.of("postgresql://kb@db.kommune.dk/erfaringer").shown

An address may hold a password. It is a secret here: neither ``repr`` nor an error shows it, and :attr:`StateUrl.shown`
is what may be logged.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from kb.core.errors import SettingsError

SCHEMES = ("postgresql", "postgres")
HIDDEN = "***"
# Parts of the query that are shown; others could hold a secret.
_SHOWN_OPTIONS = ("host", "port", "sslmode", "target_session_attrs")
_FORM = "postgresql://BRUGER@VÆRT/DATABASE"


@dataclass(frozen=True, slots=True)
class StateUrl:
    """The address of a PostgreSQL database, checked."""

    address: str = field(repr=False)

    @classmethod
    def of(cls, address: str) -> StateUrl:
        """Raises :class:`SettingsError`, which never repeats the address, for one that is none."""
        advice = f"Skriv den som {_FORM}; adgangskoden kan stå i en fil (KB_STATE_URL_FILE eller PGPASSFILE)."
        try:
            parts = urlsplit(address)
            if parts.scheme not in SCHEMES:
                raise SettingsError("KB_STATE_URL er ikke en adresse på en PostgreSQL-database.", advice=advice)
            # A comma separates several hosts, whose ports libpq reads.
            if "," not in parts.netloc:
                _ = parts.port
        except ValueError:
            raise SettingsError("KB_STATE_URL kan ikke læses som en adresse.", advice=advice) from None
        return cls(address)

    @property
    def shown(self) -> str:
        """The address without secrets."""
        parts = urlsplit(self.address)
        where, user = parts.netloc.rpartition("@")[2], parts.netloc.rpartition("@")[0].partition(":")[0]
        told = [f"{name}={value}" for name, value in parse_qsl(parts.query) if name in _SHOWN_OPTIONS]
        return f"{SCHEMES[0]}://{f'{user}@' if user else ''}{where}{parts.path}{'?' if told else ''}{'&'.join(told)}"

    def without_secrets(self, text: str) -> str:
        """A text, an error of the database perhaps, without the password and the address."""
        hidden = text.replace(self.address, self.shown)
        parts = urlsplit(self.address)
        inside = parts.netloc.rpartition("@")[0].partition(":")[2]
        said = [value for name, value in parse_qsl(parts.query) if "password" in name]
        for secret in {inside, unquote(inside), *said}:
            if secret:
                hidden = hidden.replace(secret, HIDDEN)
        return hidden


StatePlace = Path | StateUrl


def url_of_file(path: Path) -> StateUrl:
    """The address that a file holds; raises :class:`SettingsError` where it cannot be read."""
    try:
        return StateUrl.of(path.read_text(encoding="utf-8").strip())
    except (OSError, UnicodeDecodeError):
        advice = "Ret KB_STATE_URL_FILE, eller giv læseadgang."
        raise SettingsError(f"Filen {path} med databasens adresse kan ikke læses.", advice=advice) from None
