"""Takes pictures of every page in a phone's and a desk's width, into ``docs/pictures``.

    python tools/pictures.py

It serves the shipped corpus from a copy of ``index/`` by itself, with an empty state folder. Before the editors' pages
are taken, three files are put in, one of them broken, and a question that has no answer is asked, so that there is
something on them. Pictures show the top of the page, in 64 colours so that they stay small.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from urllib.parse import quote, urlsplit

from PIL import Image
from playwright.sync_api import Browser, FilePayload, sync_playwright
from waitress.server import BaseWSGIServer, create_server

from kb.core.settings import load_settings
from kb.http.server import make_app

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs" / "pictures"
CHROMIUM = "/usr/bin/chromium"
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
WIDTHS = (320, 1280)
COLOURS = 64
# Longer pages are cut: the rest is more of the same.
TALLEST = 1800
QUESTION = quote("Hvilke udfordringer havde projekterne med jura?")
PAGES = {
    "forside": "/",
    "svar": f"/sporg?q={QUESTION}",
    "svar-filtreret": f"/sporg?q={QUESTION}&temaer=jura&type=kommunal",
    "afslag": f"/sporg?q={quote('Hvornår kører bus 5C fra Nørreport?')}",
    "rapporter": "/dokumenter",
    "rapport": "/dokumenter/norddjurs-mailsortering",
    "rapport-pdf": "/dokumenter/aalborg-air?passage=aalborg-air.5",
    "projekter": "/projekter",
    "projekt": "/projekter/intelligent-fordeling-og-journalisering-af-mails",
    "temaer": "/temaer",
    "tema": "/temaer/jura",
    "overblik": "/overblik",
    "side": "/dokumenter/aalborg-air/side/2?passage=aalborg-air.5",
    "om": "/om",
    "hjaelp": "/hjaelp",
    "tilgaengelighed": "/tilgaengelighed",
    "fejl-404": "/findes-ikke",
}
EDITORS_PAGES = {
    "redaktion": "/admin",
    "redaktion-rapporter": "/admin/rapporter",
    "redaktion-rapport": "/admin/rapporter/norddjurs-mailsortering",
    "redaktion-spoergsmaal": "/admin/spoergsmaal",
    "redaktion-koersler": "/admin/koersler",
    "redaktion-indekser": "/admin/indekser",
}
UPLOADED: Sequence[FilePayload] = (
    {
        "name": "Erfaringer med chatbot på biblioteket.md",
        "mimeType": "text/markdown",
        "buffer": "# Chatbot på biblioteket\n\n## Læring\n\nLånerne spurgte mest om åbningstider.\n".encode(),
    },
    {
        "name": "Referat af styregruppemøde.txt",
        "mimeType": "text/plain",
        "buffer": "Styregruppen mødtes i maj.\n".encode(),
    },
    {"name": "Slutrapport (scannet).pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7 og ikke mere"},
)
PATIENCE_MS = 300_000


def main() -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(description="Take pictures of every page.")
    parser.add_argument("--only", nargs="*", default=[*PAGES, *EDITORS_PAGES], help="names of pages")
    parser.add_argument("--into", type=Path, default=TARGET)
    arguments = parser.parse_args()
    arguments.into.mkdir(parents=True, exist_ok=True)
    with served() as address, sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        for _ in PAGES:  # each visit to the front page finds out about one more example
            browser.new_page().goto(address, timeout=PATIENCE_MS)
        chosen = {name: path for name, path in PAGES.items() if name in arguments.only}
        take_all(browser, address, chosen, arguments.into)
        chosen = {name: path for name, path in EDITORS_PAGES.items() if name in arguments.only}
        if chosen:
            job, run = work_at_the_desk(browser, address)
            take_all(browser, address, {**chosen, "redaktion-job": job, "redaktion-koersel": run}, arguments.into)
        browser.close()
    return 0


def take_all(browser: Browser, address: str, pages: Mapping[str, str], folder: Path) -> None:
    """Take each page in each width."""
    for name, path in pages.items():
        for width in WIDTHS:
            take(browser, address + path, width).save(folder / f"{name}-{width}.png", optimize=True)


def work_at_the_desk(browser: Browser, address: str) -> tuple[str, str]:
    """Ask, put files in and wait; returns the addresses of the job and of its run."""
    page = browser.new_page(base_url=address)
    page.set_default_timeout(PATIENCE_MS)
    page.goto(PAGES["afslag"])
    page.goto("/admin")
    page.get_by_label("Filer").set_input_files(UPLOADED)
    page.get_by_role("button", name="Læg ind og indeksér").click()
    link = page.get_by_role("link", name="Se alt, hvad kørslen gjorde")
    link.wait_for()
    run = link.get_attribute("href") or ""
    job = urlsplit(page.url).path
    page.close()
    return job, run


@contextmanager
def served() -> Iterator[str]:
    """A copy of the shipped corpus and of its index behind an address on this machine."""
    with tempfile.TemporaryDirectory() as made:
        corpus, index, state = (Path(made) / name for name in ("corpus", "index", "state"))
        shutil.copytree(ROOT / "corpus", corpus)
        shutil.copytree(ROOT / "index", index, ignore=shutil.ignore_patterns("models"))
        (index / "models").symlink_to(ROOT / "index" / "models")
        settings = load_settings(corpus=corpus, index_dir=index, state_dir=state)
        server = create_server(make_app(settings), host="127.0.0.1", port=0)
        assert isinstance(server, BaseWSGIServer)
        assert server.socket is not None
        threading.Thread(target=server.run, daemon=True).start()
        yield f"http://127.0.0.1:{server.socket.getsockname()[1]}"
        server.close()


def take(browser: Browser, address: str, width: int) -> Image.Image:
    """The whole page at one width."""
    page = browser.new_page(viewport={"width": width, "height": 800})
    page.goto(address, wait_until="networkidle", timeout=PATIENCE_MS)
    picture = Image.open(BytesIO(page.screenshot(full_page=True))).convert("RGB")
    page.close()
    return picture.crop((0, 0, picture.width, min(picture.height, TALLEST))).quantize(COLOURS)


if __name__ == "__main__":
    sys.exit(main())
