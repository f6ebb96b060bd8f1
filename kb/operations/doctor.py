"""``kb doctor``: what is wrong around an installation, and what to do about it.

    for finding in doctor.findings(settings):
        print(finding.part, finding.problem, finding.advice)

It is quick and changes nothing: it looks at folders, disk, clock, model, index, state and access, and asks the proxy
and the sign-in provider one thing each (:mod:`kb.operations.doctor_network`). It sees what the user sees who runs it,
so it is run as the service's own. What takes reading everything is ``kb verify``'s.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from kb.core.errors import IndexUnusableError, KbError, StateUnavailableError
from kb.core.identity import check_setup, has_sign_on, is_closed, is_loopback, networks
from kb.core.public_address import public_address
from kb.core.settings import Settings
from kb.core.state_place import StateUrl
from kb.embedding import model_store
from kb.embedding.reader.choice import reader_folder
from kb.embedding.reader.model import check as check_reader
from kb.embedding.reader.model import read_card as read_reader_card
from kb.embedding.runtimes.base import cores
from kb.index import builds
from kb.index.places import place_of
from kb.index.verification import Finding
from kb.operations import doctor_network
from kb.sources.configuration import FolderSource, load_sources, secret_file
from kb.state.audit import Audit
from kb.state.keys import KeyState, KeyStore
from kb.state.repository import repository_of
from kb.state.sqlite_repository import STATE_FILE

# Free space that a new build, its staging folder and a backup need, however small the index is now.
LEAST_FREE = 1 << 30
WARN_DAYS = 14
# Others may not read what holds keys, sign-ins and secrets.
OTHERS = stat.S_IRWXO
READ_ONLY = "Filsystemet kan kun læses: se hvorfor med dmesg og findmnt, og montér det igen, så det kan skrives."
SERVICE_USER = "Kør kommandoen som tjenestens bruger, fx: sudo -u erfaringsbasen kb doctor"


@dataclass(frozen=True, slots=True)
class Machine:
    """What is asked of the machine: free bytes at a path, the time, where a program lies, and its processors."""

    free: Callable[[Path], int] = lambda path: shutil.disk_usage(path).free
    now: Callable[[], float] = time.time
    program: Callable[[str], str | None] = shutil.which
    cores: Callable[[], int] = cores


Check = Callable[[Settings, Machine], Iterator[Finding]]


def findings(settings: Settings, machine: Machine | None = None) -> dict[str, list[Finding]]:
    """What is wrong, by the part that was looked at; a part that is sound has none."""
    on = machine or Machine()
    return {name: list(_guarded(name, check, settings, on)) for name, check in CHECKS.items()}


def _guarded(name: str, check: Check, settings: Settings, machine: Machine) -> Iterator[Finding]:
    """A part that cannot be looked at is a finding too, and hides no other."""
    try:
        yield from check(settings, machine)
    except KbError as error:
        yield Finding(name, str(error), error.advice)
    except (OSError, sqlite3.Error) as error:
        yield Finding(name, f"Det kunne ikke ses efter: {error}.", SERVICE_USER)


def _folders(settings: Settings, _machine: Machine) -> Iterator[Finding]:
    for path, setting, what, write in (
        (settings.corpus, "KB_CORPUS", "Mappen med rapporter", False),
        (settings.index_dir, "KB_INDEX_DIR", "Mappen til indekset", True),
        (settings.state_dir, "KB_STATE_DIR", "Mappen til tilstanden", True),
    ):
        if not path.is_dir():
            advice = f"Lav den ({path}), og giv den til tjenestens bruger, eller sæt {setting}."
            yield Finding("mapper", f"{what} findes ikke: {path}.", advice)
        elif not os.access(path, os.R_OK | os.X_OK, effective_ids=True):
            yield Finding("mapper", f"{what} kan ikke læses: {path}.", f"sudo chown -R erfaringsbasen {path}")
        elif write and (shut := next((one for one in (path, *sorted(path.iterdir())) if not _writable(one)), None)):
            which = "kan ikke skrives" if shut == path else "har noget, der ikke kan skrives"
            problem = f"{what} {which}: {shut}."
            yield Finding(
                "mapper", problem, READ_ONLY if _is_read_only(path) else f"sudo chown -R erfaringsbasen {path}"
            )
    for kept in (settings.state_dir / STATE_FILE, settings.state_url_file, settings.oidc_client_secret_file):
        if kept is not None and kept.is_file() and kept.stat().st_mode & OTHERS:
            problem = f"Enhver bruger på maskinen kan læse {kept}, som rummer hemmeligheder."
            yield Finding("mapper", problem, f"sudo chmod o= {kept}")


def _is_read_only(path: Path) -> bool:
    """Whether the file system is, which no change of owner helps."""
    return bool(os.statvfs(path).f_flag & os.ST_RDONLY)


def _writable(path: Path) -> bool:
    """Whether who runs this may write it, as what was once run as another user may not be; links lead elsewhere."""
    return path.is_symlink() or os.access(path, os.W_OK, effective_ids=True)


def _disk(settings: Settings, machine: Machine) -> Iterator[Finding]:
    needed = max(LEAST_FREE, 2 * _size_of_build(settings))
    for path, setting in ((settings.index_dir, "KB_INDEX_DIR"), (settings.state_dir, "KB_STATE_DIR")):
        if path.is_dir() and (free := machine.free(path)) < needed:
            problem = f"Der er {free / 1e9:.1f} GB ledigt ved {path}; et nyt indeks kræver {needed / 1e9:.1f} GB."
            yield Finding("plads", problem, f"Gør plads, sænk KB_KEEP_BUILDS, eller flyt mappen med {setting}.")


def _size_of_build(settings: Settings) -> int:
    try:
        place = place_of(settings)
        folder = place.builds_dir / place.current_id()
        return sum(size for size, _ in builds.read_manifest(folder).files.values())
    except IndexUnusableError:
        return 0


def _clock(settings: Settings, machine: Machine) -> Iterator[Finding]:
    """The clock has run backwards where something was done later than now: sign-ins and keys would hold too long."""
    now = datetime.fromtimestamp(machine.now(), UTC)
    if not repository_of(settings.state).exists:
        return
    try:
        newest = max((entry.at for entry in Audit(settings.state).entries()), default="")
    except (KbError, sqlite3.Error):
        return  # told of with the state
    if newest and datetime.fromisoformat(newest) > now + timedelta(minutes=5):
        problem = f"Maskinens ur viser {now:%Y-%m-%d %H:%M} UTC, men hændelsesloggen er ført til {newest[:16]}."
        yield Finding("ur", problem, "Stil uret, og slå tidssynkronisering til: timedatectl set-ntp true")


def _model(settings: Settings, _machine: Machine) -> Iterator[Finding]:
    folder = model_store.model_folder(settings)
    card = model_store.read_card(folder)
    if not model_store.is_whole(folder):
        yield Finding("model", f"Sprogmodellen {card.name} er beskadiget.", "Kør: kb model prepare --force")
    if settings.reading:
        reader = reader_folder(settings)
        check_reader(reader, read_reader_card(reader))


def _index(settings: Settings, _machine: Machine) -> Iterator[Finding]:
    place = place_of(settings)
    build_id = place.current_id()
    folder = place.builds_dir / build_id
    if not folder.is_dir():
        problem = f"Indekset {build_id}, som er i brug, findes ikke."
        yield Finding("indeks", problem, "Kør: kb rollback, eller: kb index")
        return
    manifest = builds.read_manifest(folder)
    for name, (size, _) in manifest.files.items():
        if not (folder / name).is_file() or (folder / name).stat().st_size != size:
            yield Finding("indeks", f"Filen {name} i indekset mangler eller er afkortet.", "Kør: kb index --full")
    card = model_store.read_card(model_store.model_folder(settings))
    if card.fingerprint != manifest.model:
        problem = f"Indekset er lavet med modellen {manifest.model_name}, men {card.name} er valgt."
        yield Finding("indeks", problem, f"Kør: kb index, eller: kb model use {manifest.model_name}")


def _state(settings: Settings, machine: Machine) -> Iterator[Finding]:
    state = repository_of(settings.state)
    if not state.exists:
        return
    if isinstance(settings.state, StateUrl):
        if problem := state.problem():
            told = f"Databasen {settings.state.shown} kan ikke bruges: {problem}"
            yield Finding("tilstand", told, StateUnavailableError.advice)
            return
    else:
        state.refuse_newer()
        if not _is_whole(settings.state_dir / STATE_FILE):
            yield Finding("tilstand", "Tilstandsfilen er beskadiget.", "Hent den fra en sikkerhedskopi: kb restore")
            return
    if broken := Audit(settings.state).broken():
        problem = f"Hændelsesloggen er ændret eller brudt ved nr. {', '.join(map(str, broken[:5]))}."
        yield Finding("tilstand", problem, "Gem den, og undersøg hvem: kb audit export --lines; kb audit verify")
    now = datetime.fromtimestamp(machine.now(), UTC)
    soon = (now + timedelta(days=WARN_DAYS)).isoformat(timespec="seconds")
    for key in KeyStore(settings.state).list():
        if key.state(now) is KeyState.ACTIVE and key.expires and key.expires < soon:
            problem = f"Nøglen {key.name} udløber {key.expires[:10]}."
            advice = f"Lav en ny, og skift den ud: kb key create {key.name}-2 --role {key.role.value}"
            yield Finding("tilstand", problem, advice)


def _is_whole(file: Path) -> bool:
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
            return bool(database.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok")
    except sqlite3.DatabaseError:
        return False


def _access(settings: Settings, _machine: Machine) -> Iterator[Finding]:
    check_setup(settings, keys=KeyStore(settings.state).active())
    address = public_address(settings)
    if address and not address.is_encrypted and not is_loopback(address.host.partition(":")[0]):
        problem = "Brugerne kommer uden kryptering, og login og spørgsmål kan læses undervejs."
        yield Finding("adgang", problem, "Sæt TLS op i proxyen, og begynd KB_PUBLIC_URL med https://")
    if not is_closed(settings):
        return
    if settings.oidc_issuer and not doctor_network.secret(settings):
        yield _no_secret(settings.oidc_client_secret_file)
    if has_sign_on(settings) and not settings.group_roles and settings.signed_in_role == "none":
        advice = "Sæt KB_GROUP_ROLES, fx Redaktion=editor,Drift=admin, eller KB_SIGNED_IN_ROLE=reader."
        yield Finding("adgang", "Ingen gruppe har en rolle, så ingen, der logger ind, kommer ind.", advice)


def _no_secret(path: Path | None) -> Finding:
    if path is not None and path.exists() and not os.access(path, os.R_OK, effective_ids=True):
        problem = f"Erfaringsbasens hemmelighed hos login-udbyderen må tjenestens bruger ikke læse: {path}."
        return Finding("adgang", problem, f"sudo chgrp erfaringsbasen {path}; sudo chmod 0640 {path}")
    problem = "Erfaringsbasens hemmelighed hos login-udbyderen er tom eller mangler."
    return Finding("adgang", problem, "Læg den i en fil, og sæt KB_OIDC_CLIENT_SECRET_FILE.")


def _server(settings: Settings, _machine: Machine) -> Iterator[Finding]:
    yield from doctor_network.own_port(settings.host, settings.port)


def _proxy(settings: Settings, _machine: Machine) -> Iterator[Finding]:
    address = public_address(settings)
    if address is None:
        return
    if not networks(settings.trusted_proxies, "trusted_proxies"):
        problem = "Serveren står bag en proxy, den ikke kender: alle brugere tælles som én, og loggen viser proxyen."
        yield Finding("proxy", problem, "Sæt KB_TRUSTED_PROXIES til proxyens adresse, fx 127.0.0.1.")
    yield from doctor_network.public_side(address)


def _provider(settings: Settings, machine: Machine) -> Iterator[Finding]:
    if settings.oidc_issuer:
        yield from doctor_network.provider(settings.oidc_issuer, machine.now)


def _processes(settings: Settings, machine: Machine) -> Iterator[Finding]:
    """More workers than processors answer no quicker, and each keeps an index open and caches of its own."""
    if settings.web_workers > machine.cores():
        problem = f"Serveren har {settings.web_workers} processer til {machine.cores()} kerner."
        yield Finding("processer", problem, f"Sæt KB_WEB_WORKERS til højst {machine.cores()}.")


def _programs(settings: Settings, machine: Machine) -> Iterator[Finding]:
    if settings.ocr and machine.program("tesseract") is None:
        advice = "apt-get install tesseract-ocr tesseract-ocr-dan, eller sæt KB_OCR=false."
        yield Finding("programmer", "Tesseract mangler: indscannede sider kan ikke læses.", advice)
    if machine.program("soffice") is None and machine.program("libreoffice") is None:
        advice = "apt-get install libreoffice-writer-nogui libreoffice-impress-nogui"
        yield Finding("programmer", "LibreOffice mangler: DOC-, ODT- og PPT-filer kan ikke læses.", advice)


def _sources(settings: Settings, _machine: Machine) -> Iterator[Finding]:
    """The sources file, each secret it names, and whether folders are there; nothing is asked of another machine."""
    for source in load_sources(settings).values():
        try:
            secrets = secret_file(source)
        except KbError as error:
            yield Finding("kilder", str(error), error.advice)
            continue
        if isinstance(source, FolderSource) and not os.access(source.path, os.R_OK | os.X_OK, effective_ids=True):
            problem = f"Kilden {source.name}: mappen {source.path} findes ikke eller kan ikke læses."
            yield Finding("kilder", problem, "Tilslut drevet, og giv tjenestens bruger læseadgang.")
        if secrets is not None and secrets.stat().st_mode & OTHERS:
            problem = f"Kilden {source.name}: enhver bruger på maskinen kan læse {secrets}, som rummer en hemmelighed."
            yield Finding("kilder", problem, f"chmod o= {secrets}")


CHECKS: dict[str, Check] = {
    "mapper": _folders,
    "plads": _disk,
    "ur": _clock,
    "model": _model,
    "indeks": _index,
    "tilstand": _state,
    "adgang": _access,
    "port": _server,
    "proxy": _proxy,
    "login-udbyder": _provider,
    "kilder": _sources,
    "processer": _processes,
    "programmer": _programs,
}
