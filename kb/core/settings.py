"""All settings in one class, read from ``KB_*`` environment variables and from ``kb.toml`` in the working folder.

The environment wins over the file, the file over the defaults. An unknown key, in either place, is an error that
names the key and the nearest known one, so that no misspelled setting is silently ignored. An empty variable counts
as not set (``KB_LOG_QUESTIONS=``), except where empty has a meaning of its own. ``docs/settings.md`` is made from the
class by ``make reference``.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from kb.core.errors import SettingsError
from kb.core.state_place import StatePlace, StateUrl, url_of_file

ENV_PREFIX = "KB_"
AUTO: Literal["auto"] = "auto"
RuntimeName = Literal["auto", "sentence-transformers", "torch-bf16", "torch-cuda", "onnx-fp32", "onnx-int8"]
TOML_FILE = "kb.toml"
# Variables that begin with the prefix and are not settings: where the tests find the development data.
NOT_SETTINGS = frozenset({"KB_SHARED"})


# Settings whose empty value has a meaning: for ``metrics_from``, from nowhere.
MEANT_EMPTY = frozenset({"metrics_from"})
# The messages for pydantic's error types.
_ERRORS = {
    "bool_parsing": "skal være true eller false",
    "bool_type": "skal være true eller false",
    "int_parsing": "skal være et helt tal",
    "int_type": "skal være et helt tal",
    "int_from_float": "skal være et helt tal",
    "float_parsing": "skal være et tal",
    "float_type": "skal være et tal",
    "greater_than_equal": "skal være mindst {ge}",
    "greater_than": "skal være over {gt}",
    "less_than_equal": "må højst være {le}",
    "literal_error": "skal være en af {expected}",
}
_OTHER_ERROR = "skal være en tekst"


class _Environment(EnvSettingsSource):
    """The variables that are set to something."""

    def __call__(self) -> dict[str, Any]:
        return {name: value for name, value in super().__call__().items() if value != "" or name in MEANT_EMPTY}


class Settings(BaseSettings):
    """Every setting with its bounds; folders are relative to the working folder.

    settings = load_settings()
    settings.index_dir / "builds"
    """

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, toml_file=TOML_FILE, extra="forbid", frozen=True)

    corpus: Annotated[Path, Field(description="Mappen med rapporter.")] = Path("corpus")
    index_dir: Annotated[Path, Field(description="Mappen, hvor indekset bygges.")] = Path("index")
    index_url: Annotated[
        str,
        Field(description="Milvus, som vektorer og ord ligger på: http(s)://vært:19530; tom: i filer i index_dir."),
    ] = ""
    index_name: Annotated[
        str, Field(description="Navnet, indeksets samlinger begynder med på Milvus: små bogstaver, cifre og _.")
    ] = "erfaringsbasen"
    index_user: Annotated[str, Field(description="Brugeren hos Milvus; tom: uden login eller med et token.")] = ""
    index_password_file: Annotated[Path | None, Field(description="En fil med brugerens adgangskode.")] = None
    index_token_file: Annotated[Path | None, Field(description="En fil med et token i stedet for bruger og kode.")] = (
        None
    )
    index_ca_file: Annotated[
        Path | None, Field(description="En fil med det certifikat (PEM), som https til Milvus prøves mod.")
    ] = None
    index_timeout: Annotated[float, Field(gt=0, le=600, description="Sekunder, der ventes på et svar fra Milvus.")] = (
        5.0
    )
    index_retries: Annotated[
        int, Field(ge=0, le=10, description="Gange, der spørges igen, når Milvus ikke svarer.")
    ] = 1
    index_consistency: Annotated[
        Literal["strong", "bounded", "session", "eventually"],
        Field(description="Hvor nyt det skal være, Milvus svarer ud fra; færdige indekser ændrer sig ikke."),
    ] = "bounded"
    state_dir: Annotated[Path, Field(description="Mappen for det, der overlever et slettet indeks.")] = Path("state")
    state_url: Annotated[
        SecretStr, Field(description="PostgreSQL-database til tilstanden: postgresql://…; tom: en fil i state_dir.")
    ] = SecretStr("")
    state_url_file: Annotated[Path | None, Field(description="En fil med databasens adresse og adgangskode.")] = None
    model: Annotated[str, Field(description="Sprogmodellens mappe eller navn; tom betyder den valgte.")] = ""
    question_runtime: Annotated[
        RuntimeName, Field(description="Det, der indlejrer spørgsmål; auto: det hurtigste af de målte, trofaste.")
    ] = AUTO
    passage_runtime: Annotated[
        RuntimeName, Field(description="Det, der indlejrer passager; auto som for spørgsmål.")
    ] = AUTO
    reading: Annotated[
        bool, Field(description="Om læsemodellen læser rapporterne og svarer; slået fra søges der kun.")
    ] = True
    host: Annotated[str, Field(description="Adressen, serveren lytter på.")] = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535, description="Serverens port.")] = 8000
    threads: Annotated[int, Field(ge=1, le=128, description="Forespørgsler, serveren besvarer ad gangen.")] = 8
    web_workers: Annotated[
        int, Field(ge=1, le=64, description="Processer, der besvarer forespørgsler; over 1 kun på Linux og macOS.")
    ] = 1
    batch_size: Annotated[int, Field(ge=1, le=1024, description="Passager, der indlejres ad gangen.")] = 32
    keep_builds: Annotated[int, Field(ge=1, le=100, description="Antal færdige indekser, der gemmes.")] = 3
    read_timeout: Annotated[float, Field(gt=0, le=3600, description="Sekunder pr. fil, før læsning opgives.")] = 120.0
    read_memory_mb: Annotated[int, Field(ge=256, le=65536, description="Hukommelse pr. læseproces i MiB.")] = 2048
    read_workers: Annotated[int, Field(ge=1, le=64, description="Filer, der læses ad gangen.")] = 2
    index_cluster: Annotated[
        str, Field(description="Ray-klyngen, der læser og indlejrer, som VÆRT:PORT; tom: denne maskine alene.")
    ] = ""
    mask_contacts: Annotated[bool, Field(description="Om personers e-mail og telefonnumre skal skjules.")] = True
    ocr: Annotated[bool, Field(description="Om sider uden tekst skal læses med Tesseract.")] = True
    max_question_chars: Annotated[int, Field(ge=10, le=100_000, description="Længste spørgsmål, i tegn.")] = 1000
    page_size: Annotated[int, Field(ge=1, le=100, description="Passager på en side med resultater.")] = 20
    authority: Annotated[str, Field(description="Myndigheden, der driver Erfaringsbasen, fx Vandby Kommune.")] = ""
    accessibility_contact: Annotated[
        str, Field(description="Hvor man skriver om tilgængelighed: en e-mailadresse eller en webadresse.")
    ] = ""
    access: Annotated[
        Literal["auto", "closed"], Field(description="auto: åben på denne maskine, lukket ud over den; closed: lukket.")
    ] = "auto"
    anonymous_reading: Annotated[bool, Field(description="Om enhver, der kan nå serveren, må læse.")] = False
    public_url: Annotated[
        str, Field(description="Adressen, brugerne ser, også med en sti: https://intranet.kommune.dk/erfaringer.")
    ] = ""
    trusted_proxies: Annotated[
        str, Field(description="Adresser på proxyer, hvis hoveder der stoles på, adskilt af komma.")
    ] = ""
    oidc_issuer: Annotated[str, Field(description="OpenID-udstederens adresse, som har .well-known under sig.")] = ""
    oidc_client_id: Annotated[str, Field(description="Erfaringsbasens id hos OpenID-udstederen.")] = ""
    oidc_client_secret: Annotated[SecretStr, Field(description="Erfaringsbasens hemmelighed hos udstederen.")] = (
        SecretStr("")
    )
    oidc_client_secret_file: Annotated[Path | None, Field(description="En fil med hemmeligheden.")] = None
    oidc_scope: Annotated[str, Field(description="Det, der bedes om hos udstederen.")] = "openid profile email"
    oidc_groups_claim: Annotated[str, Field(description="Navnet på listen over brugerens grupper.")] = "groups"
    user_header: Annotated[str, Field(description="Hovedet, en betroet proxy skriver brugerens navn i.")] = ""
    groups_header: Annotated[str, Field(description="Hovedet, en betroet proxy skriver brugerens grupper i.")] = ""
    group_roles: Annotated[str, Field(description="Gruppers roller, fx Redaktion=editor, Drift=admin.")] = ""
    signed_in_role: Annotated[
        Literal["none", "reader"], Field(description="Rollen for den, der er logget ind uden en kendt gruppe.")
    ] = "none"
    access_groups: Annotated[
        bool, Field(description="Om rapporter og mapper kan begrænses til grupper; ellers læses begrænsede slet ikke.")
    ] = False
    session_hours: Annotated[float, Field(gt=0, le=168, description="Timer, et login gælder.")] = 8.0
    rate_limit: Annotated[int, Field(ge=1, le=1_000_000, description="Kald pr. minut pr. nøgle eller adresse.")] = 300
    rate_limit_failures: Annotated[int, Field(ge=1, le=1000, description="Forkerte nøgler pr. minut pr. adresse.")] = 10
    max_upload_mb: Annotated[int, Field(ge=1, le=1000, description="Største fil, der kan lægges ind, i MiB.")] = 200
    log_questions: Annotated[bool, Field(description="Om spørgsmål gemmes i loggen, uden personoplysninger.")] = False
    gap_days: Annotated[
        int,
        Field(
            ge=0,
            le=3650,
            description="Dage, spørgsmål uden svar gemmes til redaktionen, uden personoplysninger; 0: slet ikke.",
        ),
    ] = 365
    audit_days: Annotated[int, Field(ge=30, le=36500, description="Dage, hændelsesloggen gemmes.")] = 365
    cors_origins: Annotated[
        str, Field(description="Websteder, hvis sider må spørge API'et, adskilt af komma: https://intranet.kommune.dk.")
    ] = ""
    smtp_host: Annotated[str, Field(description="Mailserveren, der sendes med; tom: der sendes ingen mails.")] = ""
    smtp_port: Annotated[int, Field(ge=1, le=65535, description="Mailserverens port.")] = 587
    smtp_sender: Annotated[str, Field(description="Adressen, mails sendes fra, fx erfaringer@kommune.dk.")] = ""
    smtp_tls: Annotated[
        Literal["starttls", "tls", "none"], Field(description="starttls, tls fra begyndelsen, eller none: ukrypteret.")
    ] = "starttls"
    smtp_user: Annotated[str, Field(description="Brugeren hos mailserveren; tom: uden login.")] = ""
    smtp_password_file: Annotated[Path | None, Field(description="En fil med brugerens adgangskode.")] = None
    mail_domains: Annotated[
        str, Field(description="Domæner, brugere må få mails på, adskilt af komma; tom: det, der sendes fra.")
    ] = ""
    sources_file: Annotated[Path | None, Field(description="TOML-fil med kilder, der hentes fra; tom: ingen.")] = None
    sync_sources: Annotated[
        bool, Field(description="Om serveren selv henter fra kilderne; slået fra gør timeren eller kommandolinjen det.")
    ] = True
    metrics_from: Annotated[str, Field(description="Netværk, der må læse /metrics, adskilt af komma.")] = (
        "127.0.0.0/8,::1"
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Overrides first, then the environment, then ``kb.toml``."""
        return init_settings, _Environment(settings_cls), TomlConfigSettingsSource(settings_cls)

    @property
    def state(self) -> StatePlace:
        """Where the state is kept; raises :class:`SettingsError` for an address that cannot be used."""
        if self.state_url_file is not None:
            return url_of_file(self.state_url_file)
        address = self.state_url.get_secret_value()
        return StateUrl.of(address) if address else self.state_dir

    @property
    def models_dir(self) -> Path:
        """Where prepared models live."""
        return self.index_dir / "models"


def load_settings(**overrides: object) -> Settings:
    """Read the settings; raises :class:`SettingsError` for an unknown key or a value out of range."""
    _refuse_unknown_variables()
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        raise SettingsError(_describe(error), advice=f"Ret {TOML_FILE} eller miljøvariablen.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        place = re.search(r"at line (\d+), column (\d+)", str(error))
        told = f" (linje {place[1]}, tegn {place[2]})" if place else ""
        message = f"{TOML_FILE} er ikke skrevet som TOML i UTF-8{told}."
        raise SettingsError(message, advice=f"Ret {TOML_FILE}.") from error
    except OSError as error:
        raise SettingsError(f"{TOML_FILE} kan ikke åbnes: {error.strerror}.", advice=f"Ret {TOML_FILE}.") from error


def _refuse_unknown_variables() -> None:
    known = {f"{ENV_PREFIX}{name}".upper() for name in Settings.model_fields}
    for name in os.environ:
        if name.startswith(ENV_PREFIX) and name not in known | NOT_SETTINGS:
            raise SettingsError(f"Ukendt indstilling: {name}.{_suggest(name, known)}", advice="Fjern eller ret den.")


def _describe(error: ValidationError) -> str:
    lines = []
    for problem in error.errors():
        key = ".".join(str(part) for part in problem["loc"])
        if problem["type"] == "extra_forbidden":
            lines.append(f"Ukendt indstilling: {key}.{_suggest(key, set(Settings.model_fields))}")
        else:
            bounds = {name: _plain(value) for name, value in problem.get("ctx", {}).items()}
            message = _ERRORS.get(problem["type"], _OTHER_ERROR).format(**bounds)
            lines.append(f"Indstillingen {key} {message} (fik {problem['input']!r}).")
    return " ".join(lines)


def _plain(bound: object) -> str:
    """A bound as a person writes it; pydantic joins words with an English "or"."""
    return str(bound).removesuffix(".0").replace(" or ", " eller ")


def _suggest(name: str, known: set[str]) -> str:
    near = difflib.get_close_matches(name, sorted(known), n=1)
    return f" Mente du {near[0]}?" if near else ""
