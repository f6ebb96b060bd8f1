"""The installed program, from an empty folder to an answer, calls nobody and writes nowhere but where it is told to.

strace sees what every process does, native code included: a look-up, a connection or a file made elsewhere shows
whichever library did it. What is run is what people run: ``kb model prepare``, ``kb index``, ``kb serve`` with
questions, an upload and the run that takes it in.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.support import report_text, write_corpus
from tests.timing import until
from tests.unit.extract.making import docx, report_pdf

ROOT = Path(__file__).parents[2]
SECONDS = 1800  # the model is prepared from nothing, and the machine may be busy
KB = [sys.executable, "-P", "-c", "from kb.cli.commands import main; main()"]
WRITING = "openat,open,creat,mkdir,mkdirat,rename,renameat,renameat2,link,linkat,symlink,symlinkat"
TRACED = f"trace=connect,sendto,sendmsg,sendmmsg,{WRITING}"
# A socket with an address on the network, or a question to one of the services that look hosts up for others. Those
# for users' names, which also go to nscd, stay on the machine.
_CALL = re.compile(r"sa_family=AF_INET6?\b|hosts\\0|systemd/resolve|avahi")
_PATH = re.compile(r'"((?:[^"\\]|\\.)*)"')
_NOWHERE = re.compile(r"/dev/(?:null|tty|shm/.*)|/proc/.*")

pytestmark = [
    pytest.mark.model,
    pytest.mark.timeout(3 * SECONDS),
    pytest.mark.skipif(not shutil.which("strace"), reason="UDEN strace ER DET IKKE PRØVET, OM NATIV KODE KALDER UD"),
]


class Traced:
    """A folder of its own, with the settings that name it, and what the commands run there did."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.corpus = write_corpus(folder / "corpus", {"asta.md": report_text("journalnotater", project="ASTA")})
        (self.corpus / "bilag.docx").write_bytes(docx())
        (self.corpus / "rapport.pdf").write_bytes(report_pdf(2))
        self.configured = [folder / name for name in ("corpus", "index", "state", "tmp")]
        (folder / "home").mkdir()
        (folder / "tmp").mkdir()
        (folder / "work").mkdir()

    def environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        folders = {
            f"KB_{name.upper()}": str(self.folder / name.removesuffix("_dir")) for name in ("corpus", "index_dir")
        }
        return {
            **kept,
            **folders,
            "KB_STATE_DIR": str(self.folder / "state"),
            "HOME": str(self.folder / "home"),
            "TMPDIR": str(self.folder / "tmp"),
            "PYTHONPATH": str(ROOT),
            "PYTHONDONTWRITEBYTECODE": "1",  # the interpreter's own cache lies beside the program
        }

    def start(self, name: str, *arguments: str) -> subprocess.Popen[bytes]:
        trace = self.folder / f"{name}.trace"
        command = ["strace", "-D", "-f", "--seccomp-bpf", "-s", "300", "-o", str(trace), "-e", TRACED, *KB, *arguments]
        return subprocess.Popen(command, cwd=self.folder / "work", env=self.environment())

    def run(self, name: str, *arguments: str) -> None:
        with self.start(name, *arguments) as process:
            assert process.wait(SECONDS) == 0

    def calls(self) -> list[str]:
        return [line for line in self._lines() if _CALL.search(line)]

    def written_elsewhere(self) -> list[str]:
        return [line for line in self._lines() if (path := _written(line)) and not self._is_configured(path)]

    def _lines(self) -> Iterator[str]:
        for trace in self.folder.glob("*.trace"):
            yield from trace.read_text(encoding="utf-8", errors="replace").splitlines()

    def _is_configured(self, path: str) -> bool:
        whole = Path(os.path.normpath(self.folder / "work" / path))
        return bool(_NOWHERE.fullmatch(path)) or any(whole.is_relative_to(folder) for folder in self.configured)


def _written(line: str) -> str:
    """The path that a call made or opened for writing; empty when it failed or only read."""
    _, _, call = line.partition(" ")
    name = call.lstrip().partition("(")[0]
    paths = _PATH.findall(call)
    if name not in WRITING.split(",") or not paths or re.search(r"= -1 E\w+", call):
        return ""
    if name.startswith("open") and not re.search(r"O_WRONLY|O_RDWR|O_CREAT", call):
        return ""
    return str(paths[-1])


def free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


def _use(address: str) -> None:
    """What people do of a day: ask, look at a report, put one in."""
    browser = requests.Session()
    browser.trust_env = False

    def is_up() -> bool:
        try:
            return bool(browser.get(f"{address}/api/v1/health/live", timeout=30).ok)
        except requests.ConnectionError:
            return False

    until(is_up, SECONDS)
    for path in (
        "/",
        "/sporg?q=hvad+krævede+mere+tid",
        "/sporg.docx?q=tid",
        "/dokumenter",
        "/dokumenter/rapport/original",
    ):
        assert browser.get(address + path, timeout=120).status_code == 200, path
    sent = {"filer": ("ny.md", report_text("nabohjælp").encode())}
    page = browser.post(f"{address}/admin/filer", files=sent, timeout=120)
    assert page.status_code == 200
    until(lambda: browser.get(f"{page.url}.json", timeout=30).json()["over"], SECONDS)
    assert "nabohjælp" in browser.get(f"{address}/sporg?q=nabohjælp", timeout=120).text


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> Traced:
    """Everything run once."""
    made = Traced(tmp_path_factory.mktemp("kalder"))
    made.run("model", "model", "prepare")
    made.run("index", "index")
    port = free_port()
    with made.start("serve", "serve", "--port", str(port)) as server:
        try:
            _use(f"http://127.0.0.1:{port}")
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(60)
    return made


def test_nothing_is_looked_up_and_nobody_is_connected_to(traced: Traced) -> None:
    assert traced.calls() == []


def test_nothing_is_written_outside_the_configured_folders(traced: Traced) -> None:
    assert traced.written_elsewhere() == []
    assert list((traced.folder / "home").rglob("*")) == []


CALLING = """
import socket, pathlib
try:
    socket.getaddrinfo("maaling.example", 443)
except OSError:
    pass
with socket.socket() as held:
    held.setblocking(False)
    held.connect_ex(("192.0.2.1", 443))
(pathlib.Path.home() / ".telemetri").write_text("x")
"""


def test_the_trace_catches_what_it_is_there_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that looks up, connects and writes at home is seen to do all three."""
    made = Traced(tmp_path)
    monkeypatch.setattr(f"{__name__}.KB", [sys.executable, "-c", CALLING])
    made.run("kaldende")
    assert any("192.0.2.1" in line for line in made.calls())
    assert any("192.0.2.1" not in line for line in made.calls())
    assert any(".telemetri" in line for line in made.written_elsewhere())
