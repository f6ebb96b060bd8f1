"""Takes pictures of every page in a phone's and a desk's width, into ``docs/pictures``.

    python tools/pictures.py http://127.0.0.1:8000

The server must be running on the shipped corpus. Pictures are of the whole page, in 64 colours so that they stay small.
"""

from __future__ import annotations

import argparse
import sys
from io import BytesIO
from pathlib import Path
from urllib.parse import quote

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

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
TALLEST = 2600
QUESTION = quote("Hvordan håndterede projekterne GDPR?")
PAGES = {
    "forside": "/",
    "svar": f"/sporg?q={QUESTION}",
    "svar-filtreret": f"/sporg?q={QUESTION}&temaer=jura&rolle=udfordring",
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
    parser.add_argument("address", help="where the server answers, such as http://127.0.0.1:8000")
    parser.add_argument("--only", nargs="*", default=list(PAGES), help="names of pages")
    parser.add_argument("--into", type=Path, default=TARGET)
    arguments = parser.parse_args()
    arguments.into.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        for name in arguments.only:
            for width in WIDTHS:
                picture = take(browser, arguments.address + PAGES[name], width)
                picture.save(arguments.into / f"{name}-{width}.png", optimize=True)
        browser.close()
    return 0


def take(browser: Browser, address: str, width: int) -> Image.Image:
    """The whole page at one width."""
    page = browser.new_page(viewport={"width": width, "height": 800})
    page.goto(address, wait_until="networkidle")
    picture = Image.open(BytesIO(page.screenshot(full_page=True))).convert("RGB")
    page.close()
    return picture.crop((0, 0, picture.width, min(picture.height, TALLEST))).quantize(COLOURS)


if __name__ == "__main__":
    sys.exit(main())
