"""Takes pictures of every page in a phone's and a desk's width, into ``docs/pictures``.

    python tools/pictures.py

It serves the shipped corpus from ``index/`` by itself, with an empty state folder. Pictures show the top of the page,
in 64 colours so that they stay small.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from urllib.parse import quote

from PIL import Image
from playwright.sync_api import Browser, sync_playwright
from waitress.server import BaseWSGIServer, create_server

from kb.server import make_app
from kb.settings import load_settings

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
    "om": "/om",
    "hjaelp": "/hjaelp",
    "tilgaengelighed": "/tilgaengelighed",
    "redaktion": "/admin",
    "redaktion-rapporter": "/admin/rapporter",
    "redaktion-rapport": "/admin/rapporter/norddjurs-mailsortering",
    "redaktion-spoergsmaal": "/admin/spoergsmaal",
    "redaktion-indekser": "/admin/indekser",
    "fejl-404": "/findes-ikke",
}


def main() -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(description="Take pictures of every page.")
    parser.add_argument("--only", nargs="*", default=list(PAGES), help="names of pages")
    parser.add_argument("--into", type=Path, default=TARGET)
    arguments = parser.parse_args()
    arguments.into.mkdir(parents=True, exist_ok=True)
    with served() as address, sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        for _ in PAGES:  # each visit to the front page finds out about one more example
            browser.new_page().goto(address)
        for name in arguments.only:
            for width in WIDTHS:
                picture = take(browser, address + PAGES[name], width)
                picture.save(arguments.into / f"{name}-{width}.png", optimize=True)
        browser.close()
    return 0


@contextmanager
def served() -> Iterator[str]:
    """The shipped corpus behind an address on this machine."""
    with tempfile.TemporaryDirectory() as state:
        settings = load_settings(corpus=ROOT / "corpus", index_dir=ROOT / "index", state_dir=Path(state))
        server = create_server(make_app(settings), host="127.0.0.1", port=0)
        assert isinstance(server, BaseWSGIServer)
        assert server.socket is not None
        threading.Thread(target=server.run, daemon=True).start()
        yield f"http://127.0.0.1:{server.socket.getsockname()[1]}"
        server.close()


def take(browser: Browser, address: str, width: int) -> Image.Image:
    """The whole page at one width."""
    page = browser.new_page(viewport={"width": width, "height": 800})
    page.goto(address, wait_until="networkidle")
    picture = Image.open(BytesIO(page.screenshot(full_page=True))).convert("RGB")
    page.close()
    return picture.crop((0, 0, picture.width, min(picture.height, TALLEST))).quantize(COLOURS)


if __name__ == "__main__":
    sys.exit(main())
