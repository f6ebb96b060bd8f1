"""Send a real server hostile files and see that it answers all the while.

    python -m benchmarks.hostile_uploads [--uploads 200] [--seed 1]

``kb serve`` is started on a folder of its own. Half of the uploads are test documents and the tests' own small
documents, damaged at random as in ``benchmarks.fuzz_readers``; the other half are made to harm: expressions' worst
cases, ZIP and stream bombs, XML and markup nested very deeply, entities, endless lines, accents and encodings.
Meanwhile ``/health/live`` is asked twice a second. Prints one JSON object: how long those answers took, in
milliseconds, and what came of the uploads; ends with 1 when an upload was answered with an error of the server's own,
or when one in a hundred answers of ``/health/live`` took a second or more.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from benchmarks.fuzz_readers import LARGEST, damaged
from benchmarks.readers_page import ROOT, documents
from kb.core.settings import load_settings
from kb.evaluation.metrics import percentile
from kb.extract import find_files
from tests.unit.extract import making
from tests.unit.extract.test_hostile import ENTITIES, pdf_objects, with_part

API = "/api/v1"
EVERY = 0.5
LIMIT_MS = 1000
PATIENCE = 600.0
SETTINGS = {"KB_READ_TIMEOUT": "20"}

Made = Callable[[int], bytes]


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure a server that is sent hostile files.")
    parser.add_argument("--uploads", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    files = list(_files(arguments.uploads, random.Random(arguments.seed)))  # noqa: S311 -- damage, not secrets
    with tempfile.TemporaryDirectory(prefix="kb-hostile-") as folder, served(Path(folder), **SETTINGS) as address:
        outcomes, slowest, live = _attacked(address, files)
    p99 = round(percentile(live, 0.99), 1)
    values = {
        "uploads": len(files),
        "live_asked": len(live),
        "live_p50": round(percentile(live, 0.5), 1),
        "live_p99": p99,
        "live_max": round(max(live), 1),
        "slowest_upload": slowest,
        "outcomes": dict(outcomes.most_common()),
    }
    print(json.dumps(values, ensure_ascii=False, indent=2))
    broken = any(name.startswith("5") or "forbindelse" in name for name in outcomes)
    return int(broken or p99 >= LIMIT_MS)


# --- The files --------------------------------------------------------------------------------------------------------


def _files(number: int, chooser: random.Random) -> Iterator[tuple[str, bytes]]:
    """Names and contents, damaged ones and made ones in turn."""
    sources = [path for path in find_files([documents()]).files if path.stat().st_size < LARGEST]
    samples = {
        "a.pdf": making.report_pdf(1),
        "a.docx": making.docx(),
        "a.odt": making.opendocument("<text:p>Tekst</text:p>"),
        "a.epub": making.epub({"a.xhtml": "<p>Tekst</p>"}),
    }
    kinds = list(MADE.items())
    for place in range(number):
        if place % 2:
            name, made = kinds[place // 2 % len(kinds)]
            yield name, made(chooser.choice((1_000, 30_000, 300_000)))
        elif place % 4:
            source = chooser.choice(sources)
            yield source.name, damaged(source.read_bytes(), chooser)
        else:
            name = chooser.choice(list(samples))
            yield name, damaged(samples[name], chooser)


def _text(made: Callable[[int], str]) -> Made:
    return lambda size: made(size).encode("utf-8")


def _stream_bomb(size: int) -> bytes:
    packed = zlib.compress(b"BT /F 12 Tf (bombe) Tj ET\n" * size * 10, 9)
    return pdf_objects(
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R >>",
    ) + b"4 0 obj << /Filter /FlateDecode /Length %d >>\nstream\n%s\nendstream\nendobj\n" % (len(packed), packed)


def _circle(size: int) -> bytes:
    return pdf_objects("<< /Type /Catalog /Pages 2 0 R >>", f"<< /Type /Pages /Kids [2 0 R] /Count {size} >>")


# Each by about the size that is asked for.
MADE: Mapping[str, Made] = {
    "kommentarer.md": _text(lambda size: "<!-- a -->" * (size // 10)),
    "aabne-kommentarer.html": _text(lambda size: "<!-- a " * (size // 7)),
    "linje.txt": _text(lambda size: "Kommunen begyndte i foråret. " * size),
    "uden-mellemrum.txt": _text(lambda size: "æ" * size * 10),
    "bindestreger.txt": _text(lambda size: "en linje der ender i be-\n" * (size // 25)),
    "accenter.txt": _text(lambda size: "e" + "\u0301\u0323" * size),
    "numre.txt": _text(lambda size: "tlf. 23 45 67 89 anders.and@x.dk 010190-1234 " * (size // 40)),
    "klammer.md": _text(lambda size: "[" * size),
    "citater.md": _text(lambda size: "\n".join(">" * depth for depth in range(size // 100))),
    "overskrifter.md": _text(lambda size: "# Afsnit\n\n" * (size // 10)),
    "fremhaevet.md": _text(lambda size: "*a_ **b " * (size // 8)),
    "yaml.md": _text(lambda size: "---\na: " + "[" * size + "\n---\ntekst"),
    "yaml-henvisninger.md": _text(lambda size: "---\na: &a [x]\nb: [" + "*a," * (size // 3) + "]\n---\ntekst"),
    "indlejret.html": _text(lambda size: "<html><body>" + "<div class=menu>" * size),
    "tabeller.html": _text(lambda size: "<html><body>" + "<table><tr><td rowspan=100 colspan=100>a" * (size // 40)),
    "stil.html": _text(lambda size: "<html><style>" + "div " * 20 + "b{display:none}</style>" + "<div>" * (size // 5)),
    "tegnsaet.html": _text(lambda size: '<meta charset="punycode"><p>' + "æ" * size),
    "krøllet.rtf": _text(lambda size: "{\\rtf1\\ansi " + "{\\field{" * size),
    "bombe.docx": lambda size: with_part(making.docx(), "word/media/bombe.bin", b"\0" * (size << 9)),
    "bombe-i-teksten.docx": lambda size: with_part(making.docx(), "word/document.xml", b" " * (size << 9)),
    "entiteter.docx": lambda _: with_part(making.docx(), "word/document.xml", f"{ENTITIES}<w>&b;&c;</w>".encode()),
    "dele.docx": lambda size: making.container({f"word/{part}.xml": "" for part in range(size // 10)}),
    "dyb.odt": lambda size: making.opendocument("<text:section>" * (size // 10) + "</text:section>" * (size // 10)),
    "celler.odt": lambda size: making.opendocument("<table:table><table:table-row>" + "<table:table-cell/>" * size),
    "kapitler.epub": lambda size: making.epub({f"{part}.xhtml": "<p>x" for part in range(size // 100)}),
    "cirkel.pdf": _circle,
    "strøm.pdf": _stream_bomb,
    "nul.doc": lambda size: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * size + "WordDocument".encode("utf-16-le"),
    "katalog.zip": lambda size: b"PK\x05\x06" + b"\0" * 6 + b"\xff" * 8 + b"\0" * size,
}  # fmt: skip


# --- The server -------------------------------------------------------------------------------------------------------


@contextmanager
def served(folder: Path, **settings: str) -> Iterator[str]:
    """The address of a server on empty folders with the installation's own model and further settings."""
    for name in ("corpus", "index"):
        (folder / name).mkdir()
    (folder / "index" / "models").symlink_to(load_settings().models_dir.resolve())
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "KB_CORPUS": str(folder / "corpus"),
        "KB_INDEX_DIR": str(folder / "index"),
        "KB_STATE_DIR": str(folder / "state"),
        "KB_RATE_LIMIT": "1000000",
        **settings,
    }
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-c", "from kb.cli import main; main()", "serve", "--port", str(port)]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        _wait_for(address, server)
        yield address
    except ConnectionError:
        print((folder / "log").read_text("utf-8"), file=sys.stderr)
        raise
    finally:
        server.terminate()
        server.wait(PATIENCE)


def _wait_for(address: str, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if server.poll() is not None:
            raise ConnectionError("The server ended before it answered.")
        try:
            if requests.get(f"{address}{API}/health/live", timeout=30).ok:
                return
        except requests.RequestException:
            time.sleep(EVERY)
    raise ConnectionError("The server did not answer.")


def _attacked(address: str, files: list[tuple[str, bytes]]) -> tuple[Counter[str], dict[str, Any], list[float]]:
    """What came of the uploads, the slowest of them, and how long the answers to ``/health/live`` took meanwhile."""
    live: list[float] = []
    done = threading.Event()
    asking = threading.Thread(target=_ask_on, args=(address, done, live))
    asking.start()
    outcomes: Counter[str] = Counter()
    slowest: dict[str, Any] = {"name": "", "seconds": 0.0}
    try:
        for name, data in files:
            begun = time.monotonic()
            outcomes[_sent(address, name, data)] += 1
            seconds = round(time.monotonic() - begun, 2)
            if seconds > slowest["seconds"]:
                slowest = {"name": name, "bytes": len(data), "seconds": seconds}
    finally:
        done.set()
        asking.join()
    return outcomes, slowest, live


def _ask_on(address: str, done: threading.Event, live: list[float]) -> None:
    while not done.is_set():
        begun = time.monotonic()
        try:
            requests.get(f"{address}{API}/health/live", timeout=PATIENCE).raise_for_status()
        finally:
            live.append((time.monotonic() - begun) * 1000)
        done.wait(EVERY)


def _sent(address: str, name: str, data: bytes) -> str:
    """The status of the answer, and the code of a refusal."""
    try:
        answer = requests.post(f"{address}{API}/documents", files={"file": (name, data)}, timeout=PATIENCE)
    except requests.RequestException as error:
        return f"forbindelse: {type(error).__name__}"
    code = answer.json().get("type", "").rpartition("#")[2] if answer.status_code >= 400 else "lagt ind"
    return f"{answer.status_code} {code}".strip()


if __name__ == "__main__":
    sys.exit(main())
