"""A real server on a small corpus of real files, and Debian's Chromium driven against it.

The corpus is a choice of the shipped reports (two PDFs, a DOCX, a web page, Markdown) with a report of its own that
holds a CPR number and markup. The embedder is the deterministic one: these tests are about what a reader sees and does,
and tests/browser/test_real_answers.py asks the real model.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from kb import indexing
from kb.core.errors import KbError
from kb.core.settings import Settings, load_settings
from kb.embedding.embedder import Embedder, ModelEmbedder
from kb.embedding.model_store import model_folder
from kb.http.server import make_app
from kb.retrieval.searcher import open_searcher
from tests.serving import serving
from tests.support import HashEmbedder, make_settings
from tests.timing import PATIENCE

ROOT = Path(__file__).parents[2]
CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
REPORTS = (
    "projekter/aalborg-air.pdf", "projekter/horsens-priokritisk.pdf", "projekter/esbjerg-rengoeringshjaelp.docx",
    "projekter/koebenhavn-energi.html", "projekter/norddjurs-mailsortering.md", "projekter/plai-hjemmepleje.md",
    "tvaergaaende/gladsaxe-modellen.md", "tvaergaaende/statusrapport-2023.pdf",
)  # fmt: skip
OWN_REPORT = """---
titel: Prøve med <script>alert(1)</script>
projekt: Vandværket
myndighed: Vandby Kommune
år: 2024
temaer: [data, jura]
---
# Trykmåleren

## Udfordringer

Borgeren med CPR-nummer 010190-1238 fik &lt;b&gt;ikke&lt;/b&gt; vand. Trykmåleren i Vandby frøs i januar.

## Læring

Isolér trykmåleren, før frosten kommer.
"""


@dataclass(frozen=True)
class Server:
    """A server at work: its address and its settings."""

    address: str
    settings: Settings


def start(settings: Settings, embedder: Embedder) -> Iterator[Server]:
    """Index the settings' corpus and serve it."""
    indexing.run(settings, embedder)
    with serving(make_app(settings, embedder)) as address:
        yield Server(address, settings)


def small_corpus(folder: Path) -> None:
    """Copy the chosen reports, with the metadata beside them, and write the one of our own."""
    for name in REPORTS:
        for source in (ROOT / "corpus" / name, ROOT / "corpus" / f"{name}.meta.yaml"):
            if source.is_file():
                target = folder / source.relative_to(ROOT / "corpus")
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target)
    (folder / "vandvaerket.md").write_text(OWN_REPORT, encoding="utf-8")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose corpus no test changes."""
    settings = make_settings(tmp_path_factory.mktemp("web"), batch_size=64, read_workers=2)
    small_corpus(settings.corpus)
    yield from start(settings, HashEmbedder())


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests."""
    if not CHROMIUM.is_file():
        pytest.skip(f"{CHROMIUM} mangler (make test installerer den)")
    with sync_playwright() as play:
        found = play.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield found
        found.close()


@pytest.fixture
def context(browser: Browser, server: Server) -> Iterator[BrowserContext]:
    """A fresh profile at a desk's width; what the page may not load or run fails the test."""
    found = browser.new_context(
        base_url=server.address, viewport={"width": 1280, "height": 900}, accept_downloads=True,
        permissions=["clipboard-read", "clipboard-write"],
    )  # fmt: skip
    yield found
    found.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page on which no script fails and nothing breaks the content security policy."""
    found = context.new_page()
    problems: list[str] = []
    found.on("pageerror", lambda error: problems.append(str(error)))
    found.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    yield found
    # The browser itself reports the 4xx answers that a test asks for.
    assert [problem for problem in problems if "Failed to load resource" not in problem] == []


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server on the shipped corpus with the real model."""
    state: Path = tmp_path_factory.mktemp("real-state")
    settings = load_settings(corpus=ROOT / "corpus", index_dir=ROOT / "index", state_dir=state)
    try:
        embedder = ModelEmbedder(model_folder(settings))
        open_searcher(settings, embedder)
    except KbError as error:
        pytest.skip(f"{error} {error.advice} (make test gør det selv)")
    with serving(make_app(settings, embedder)) as found:
        yield found


@pytest.fixture
def desk(browser: Browser, address: str) -> Iterator[Page]:
    """A page of that server."""
    context = browser.new_context(base_url=address, accept_downloads=True)
    context.set_default_timeout(PATIENCE * 1000)
    yield context.new_page()
    context.close()
