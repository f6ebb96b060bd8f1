"""``kb doctor`` finds each planted fault and names what to do, and finds nothing in an installation that is sound."""

from __future__ import annotations

import json
import os
import shutil
import socket
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from kb import indexing
from kb.core.identity import AccessRole
from kb.core.settings import Settings
from kb.embedding.model_store import CARD_FILE
from kb.index import builds
from kb.operations import doctor
from kb.operations.doctor import Machine
from kb.state.audit import Audit, Event
from kb.state.keys import KeyStore
from kb.state.sqlite_repository import STATE_FILE
from tests.support import HashEmbedder, make_settings, renumber_build, renumber_database, report_text, write_corpus

NOBODY = 65534


@dataclass
class Place:
    """An installation to plant a fault in."""

    settings: Settings
    machine: Machine
    provider: str

    def set(self, **values: object) -> None:
        self.settings = self.settings.model_copy(update=values)

    @property
    def build(self) -> Path:
        index = self.settings.index_dir
        return builds.builds_dir(index) / builds.current_id(index)

    @property
    def state(self) -> Path:
        return self.settings.state_dir / STATE_FILE


class Answers(BaseHTTPRequestHandler):
    """A server on the loopback: the provider's description, the base's own sign of life, and a proxy without one."""

    def do_GET(self) -> None:
        own = f"http://{self.headers['Host']}"
        body: dict[str, Any] = {"version": "1"} if "/api/v1/health" in self.path else {"issuer": f"{own}/godt"}
        status = 502 if self.path.startswith("/ned/") else 404 if self.path.startswith("/andet/") else 200
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps({} if status == 404 else body).encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def answering() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small base that was indexed with a model whose card lies there."""
    folder = tmp_path_factory.mktemp("sund")
    folder.chmod(0o755)
    settings = make_settings(folder)
    write_corpus(settings.corpus, {"vand.md": report_text("vand")})
    indexing.run(settings, HashEmbedder())
    card = settings.models_dir / "egen" / CARD_FILE
    card.parent.mkdir(parents=True)
    told = {"name": "egen", "fingerprint": HashEmbedder().fingerprint, "dimension": 64, "max_tokens": 512}
    card.write_text(json.dumps(told | {"query_prefix": "", "passage_prefix": ""}), encoding="utf-8")
    Audit(settings.state_dir).write(Event("rapport lagt ind", who="anna"))
    KeyStore(settings.state_dir).create("intranet", AccessRole.READER)
    (settings.state_dir / STATE_FILE).chmod(0o600)
    return folder


@pytest.fixture
def place(sound: Path, tmp_path: Path, answering: str) -> Place:
    folder = tmp_path / "base"
    shutil.copytree(sound, folder)
    settings = make_settings(folder, model="egen", reading=False, port=9)  # where nothing listens
    machine = Machine(free=lambda _: 1 << 40, program=lambda name: f"/usr/bin/{name}")
    return Place(settings, machine, answering)


def no_corpus(place: Place) -> None:
    place.set(corpus=Path("findes-ikke"))


def state_is_a_file(place: Place) -> None:
    place.set(state_dir=place.state)


def not_writable(place: Place) -> None:
    if os.geteuid() == 0:
        for path in (place.state, *place.settings.state_dir.glob("*-*")):
            path.chmod(0o660)
            os.chown(path, NOBODY, NOBODY)
        # Another user than the tests' own must come as far as the folder.
        for folder in [place.settings.state_dir, *place.settings.state_dir.parents][:5]:
            folder.chmod(folder.stat().st_mode | 0o055)
        os.seteuid(NOBODY)
    else:
        place.settings.state_dir.chmod(0o500)


def written_by_another_user(place: Place) -> None:
    """As when somebody has once run kb as root."""
    if os.geteuid() != 0:
        (place.settings.index_dir / builds.CURRENT_FILE).chmod(0o400)
        return
    for folder in [place.settings.index_dir, *place.settings.index_dir.parents][:5]:
        folder.chmod(folder.stat().st_mode | 0o055)
    os.chown(place.settings.index_dir, NOBODY, NOBODY)
    os.seteuid(NOBODY)


def secret_of_another_user(place: Place) -> None:
    no_secret(place)
    file = place.settings.state_dir / "oidc"
    file.write_text("hemmelig", encoding="utf-8")
    file.chmod(0)
    place.set(oidc_client_secret_file=file)
    if os.geteuid() == 0:
        for folder in [place.settings.state_dir, *place.settings.state_dir.parents][:5]:
            folder.chmod(folder.stat().st_mode | 0o055)
        for path in (place.state, *place.settings.state_dir.glob("*-*"), place.settings.state_dir):
            os.chown(path, NOBODY, NOBODY)
        os.seteuid(NOBODY)


def secrets_for_all(place: Place) -> None:
    place.state.chmod(0o644)


def disk_full(place: Place) -> None:
    place.machine = replace(place.machine, free=lambda _: 5_000_000)


def clock_behind(place: Place) -> None:
    place.machine = replace(place.machine, now=lambda: time.time() - 7200)


def no_model(place: Place) -> None:
    shutil.rmtree(place.settings.models_dir)


def damaged_reader(place: Place) -> None:
    place.set(reading=True)
    own = place.settings.models_dir / "reader"
    own.mkdir()
    card = {"name": "x", "files": {}}
    (own / "reader.json").write_text(json.dumps(card), encoding="utf-8")


def no_index(place: Place) -> None:
    (place.settings.index_dir / builds.CURRENT_FILE).unlink()


def build_gone(place: Place) -> None:
    shutil.rmtree(place.build)


def build_cut_short(place: Place) -> None:
    os.truncate(place.build / builds.DATABASE_FILE, 100)


def older_build(place: Place) -> None:
    renumber_build(place.settings, builds.current_id(place.settings.index_dir), 1)


def other_model(place: Place) -> None:
    card = place.settings.models_dir / "egen" / CARD_FILE
    card.write_text(card.read_text(encoding="utf-8").replace("trigram-64", "andet"), encoding="utf-8")


def newer_state(place: Place) -> None:
    renumber_database(place.state, 999)


def damaged_state(place: Place) -> None:
    place.state.write_bytes(b"ikke en database" * 600)


def changed_trail(place: Place) -> None:
    with sqlite3.connect(place.state) as database:
        database.execute("DROP TRIGGER audit_is_not_changed")
        database.execute("UPDATE audit SET who = 'en anden'")


def key_expires(place: Place) -> None:
    KeyStore(place.settings.state_dir).create("fagsystem", AccessRole.READER, days=3)


def no_way_in(place: Place) -> None:
    KeyStore(place.settings.state_dir).revoke("intranet")
    place.set(host="0.0.0.0")  # noqa: S104


def not_encrypted(place: Place) -> None:
    place.set(public_url="http://erfaringer.invalid", trusted_proxies="127.0.0.1")


def address_that_is_none(place: Place) -> None:
    place.set(public_url="erfaringer.kommune.dk")


def no_secret(place: Place) -> None:
    place.set(
        oidc_issuer=f"{place.provider}/godt", oidc_client_id="kb", public_url=place.provider,
        trusted_proxies="127.0.0.1", oidc_client_secret_file=Path("findes-ikke"), group_roles="A=admin",
    )  # fmt: skip


def nobody_has_a_role(place: Place) -> None:
    place.set(user_header="X-Forwarded-User", trusted_proxies="127.0.0.1")


def unknown_proxy(place: Place) -> None:
    place.set(public_url=place.provider)


def proxy_without_a_server(place: Place) -> None:
    place.set(public_url=f"{place.provider}/ned", trusted_proxies="127.0.0.1")


def proxy_to_something_else(place: Place) -> None:
    place.set(public_url=f"{place.provider}/andet", trusted_proxies="127.0.0.1")


def provider_away(place: Place) -> None:
    no_secret(place)
    place.set(oidc_issuer="http://127.0.0.1:9/godt")


def provider_of_another_name(place: Place) -> None:
    no_secret(place)
    place.set(oidc_issuer=f"{place.provider}/forkert")


def clock_far_from_the_provider(place: Place) -> None:
    no_secret(place)
    place.machine = replace(place.machine, now=lambda: time.time() + 600)


def no_ocr(place: Place) -> None:
    place.machine = replace(place.machine, program=lambda name: None if name == "tesseract" else name)


def no_office(place: Place) -> None:
    place.machine = replace(place.machine, program=lambda name: name if name == "tesseract" else None)


def set_up_source(place: Place, text: str) -> Path:
    folder = place.settings.state_dir
    (folder / "kilder.toml").write_text(text, encoding="utf-8")
    place.set(sources_file=folder / "kilder.toml")
    return folder


def drive_away(place: Place) -> None:
    set_up_source(place, '[hr]\nkind = "folder"\npath = "/findes/ikke"')


def dav_with(place: Place, mode: int) -> None:
    text = '[dav]\nkind = "webdav"\nurl = "https://dav.dk/x"\nuser = "anna"\npassword_file = "{}"'
    folder = set_up_source(place, text.format(place.settings.state_dir / "kode"))
    (folder / "kode").write_text("hemmelig" if mode else "", encoding="utf-8")
    (folder / "kode").chmod(mode or 0o600)


def source_secret_for_all(place: Place) -> None:
    dav_with(place, 0o644)


def source_secret_empty(place: Place) -> None:
    dav_with(place, 0)


def more_workers_than_cores(place: Place) -> None:
    place.set(web_workers=4)
    place.machine = replace(place.machine, cores=lambda: 2)


FAULTS: list[tuple[Callable[[Place], None], str, str, str]] = [
    (no_corpus, "mapper", "rapporter findes ikke", "KB_CORPUS"),
    (state_is_a_file, "mapper", "tilstanden findes ikke", "KB_STATE_DIR"),
    (not_writable, "mapper", "kan ikke skrives", "chown"),
    (secrets_for_all, "mapper", "Enhver bruger", "chmod o="),
    (disk_full, "plads", "0.0 GB ledigt", "KB_KEEP_BUILDS"),
    (clock_behind, "ur", "Maskinens ur", "timedatectl"),
    (no_model, "model", "ikke klargjort", "kb model prepare"),
    (damaged_reader, "model", "mangler eller er beskadiget", "kb model use --reader"),
    (no_index, "indeks", "ikke noget indeks", "kb index"),
    (build_gone, "indeks", "findes ikke", "kb rollback"),
    (build_cut_short, "indeks", "afkortet", "kb index --full"),
    (older_build, "indeks", "ældre version", "kb index"),
    (other_model, "indeks", "men egen er valgt", "kb model use"),
    (newer_state, "tilstand", "nyere version", "kb restore"),
    (damaged_state, "tilstand", "kan ikke bruges", "sikkerhedskopi"),
    (changed_trail, "tilstand", "brudt ved nr. 1", "kb audit verify"),
    (written_by_another_user, "mapper", "noget, der ikke kan skrives", "chown -R erfaringsbasen"),
    (key_expires, "tilstand", "fagsystem udløber", "kb key create fagsystem-2 --role reader"),
    (no_way_in, "adgang", "ikke sat adgang op", "kb key create"),
    (not_encrypted, "adgang", "uden kryptering", "https://"),
    (address_that_is_none, "adgang", "ingen webadresse", "https://"),
    (no_secret, "adgang", "hemmelighed", "KB_OIDC_CLIENT_SECRET_FILE"),
    (secret_of_another_user, "adgang", "må tjenestens bruger ikke læse", "chmod 0640"),
    (nobody_has_a_role, "adgang", "Ingen gruppe har en rolle", "KB_GROUP_ROLES"),
    (unknown_proxy, "proxy", "ikke kender", "KB_TRUSTED_PROXIES"),
    (proxy_without_a_server, "proxy", "HTTP 502", "systemctl start erfaringsbasen"),
    (proxy_to_something_else, "proxy", "noget andet end Erfaringsbasen", "below-a-path.conf"),
    (provider_away, "login-udbyder", "kan ikke nås", "KB_OIDC_ISSUER"),
    (provider_of_another_name, "login-udbyder", "kalder sig", "Sæt KB_OIDC_ISSUER="),
    (clock_far_from_the_provider, "login-udbyder", "sekunder fra login-udbyderens", "timedatectl"),
    (drive_away, "kilder", "hr: mappen /findes/ikke", "Tilslut drevet"),
    (source_secret_for_all, "kilder", "som rummer en hemmelighed", "chmod o="),
    (source_secret_empty, "kilder", "password_file", "KB_SOURCES_FILE"),
    (more_workers_than_cores, "processer", "4 processer til 2 kerner", "KB_WEB_WORKERS"),
    (no_ocr, "programmer", "Tesseract mangler", "apt-get install tesseract-ocr"),
    (no_office, "programmer", "LibreOffice mangler", "apt-get install libreoffice"),
]


def test_nothing_is_wrong_with_what_is_sound(place: Place) -> None:
    found = doctor.findings(place.settings, place.machine)
    assert [one for part in found.values() for one in part] == []
    assert set(found) == set(doctor.CHECKS)


@pytest.mark.parametrize(
    ("plant", "part", "problem", "remedy"), FAULTS, ids=lambda value: getattr(value, "__name__", "")
)
def test_a_planted_fault_is_found_with_its_remedy(
    place: Place, plant: Callable[[Place], None], part: str, problem: str, remedy: str
) -> None:
    was = os.geteuid()
    try:
        plant(place)
        found = doctor.findings(place.settings, place.machine)
    finally:
        os.seteuid(was)
    told = [one for one in found[part] if problem in one.problem]
    assert told, [one for group in found.values() for one in group]
    assert remedy in told[0].advice
    # A fault in one part is told of where it is, and hides nothing of the others.
    assert set(found) == set(doctor.CHECKS)


@pytest.mark.parametrize("answers", [b"HTTP/1.0 200 OK\r\n\r\n{}", b"220 mail.kommune.dk\r\n"], ids=["http", "andet"])
def test_another_program_at_the_servers_port_is_found(place: Place, answers: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            for _ in range(2):  # who is there at all, and who
                with closing(listening.accept()[0]) as asked, suppress(OSError):  # gone before it was answered
                    asked.sendall(answers)
                    asked.shutdown(socket.SHUT_WR)
                    asked.recv(4096)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        place.set(port=listening.getsockname()[1])
        (told,) = doctor.findings(place.settings, place.machine)["port"]
        thread.join(5)
    assert "et andet program" in told.problem
    assert "KB_PORT" in told.advice


def test_a_file_system_that_can_only_be_read_is_not_given_another_owner(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "_is_read_only", lambda path: path == place.settings.index_dir)
    monkeypatch.setattr(doctor, "_writable", lambda path: path != place.settings.index_dir)
    (told,) = doctor.findings(place.settings, place.machine)["mapper"]
    assert "findmnt" in told.advice


def test_the_server_itself_at_its_port_is_no_fault(place: Place) -> None:
    place.set(port=int(place.provider.rpartition(":")[2]))
    assert doctor.findings(place.settings, place.machine)["port"] == []


def test_a_certificate_that_no_browser_takes_is_found(place: Place, tmp_path: Path) -> None:
    import ssl

    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=andet"
    subprocess.run(
        [*command.split(), "-keyout", "key.pem", "-out", "cert.pem"], cwd=tmp_path, check=True, capture_output=True
    )
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    place.set(public_url=f"https://127.0.0.1:{server.server_port}", trusted_proxies="127.0.0.1")
    (told,) = doctor.findings(place.settings, place.machine)["proxy"]
    server.shutdown()
    server.server_close()
    assert "godtages ikke" in told.problem
    assert "Forny det" in told.advice
