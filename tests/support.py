"""What the tests share: a small deterministic embedder, small corpora, and settings on a folder of one's own.

Only the model is replaced, and only where a test is about storage and flow; reading, cutting, SQLite, FAISS and Tantivy
are the real ones.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import time
import zlib
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kb.core.settings import Settings
from kb.index import builds
from kb.index.verification import READINGS_CACHE

SHARED = Path(os.environ.get("KB_SHARED", Path(__file__).parents[2] / "shared"))


class HashEmbedder:
    """Vectors of hashed character trigrams: texts that share wording are near one another, and nothing is random.

    ``embedded`` lists every passage text given, in order; ``batch_seconds`` is slept for each batch; ``log`` gets a
    line for each text when its batch is begun, so that another process can count them.
    """

    def __init__(
        self, name: str = "trigram", dimension: int = 64, *, batch_seconds: float = 0.0, log: Path | None = None
    ) -> None:
        self._name = name
        self._dimension = dimension
        self.batch_seconds = batch_seconds
        self.log = log
        self.embedded: list[str] = []
        self.batches: list[int] = []

    @property
    def name(self) -> str:
        return self._name

    @property
    def fingerprint(self) -> str:
        return f"{self._name}-{self._dimension}"

    @property
    def dimension(self) -> int:
        return self._dimension

    @property
    def max_tokens(self) -> int:
        return 512

    def embed_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return self._vectors(texts)

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.embedded.extend(texts)
        self.batches.append(len(texts))
        if self.log:
            lines = "".join(f"{os.getpid()} {zlib.crc32(text.encode()):08x}\n" for text in texts)
            handle = os.open(self.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            try:
                os.write(handle, lines.encode())  # one write: a kill leaves a batch's lines whole or absent
            finally:
                os.close(handle)
        time.sleep(self.batch_seconds)
        return self._vectors(texts)

    def count_tokens(self, text: str) -> int:
        return len(text.split()) + 2

    def _vectors(self, texts: Sequence[str]) -> NDArray[np.float32]:
        found = np.zeros((len(texts), self._dimension), dtype=np.float32)
        for row, text in enumerate(texts):
            padded = f"  {' '.join(text.lower().split())} "
            for at in range(len(padded) - 2):
                found[row, zlib.crc32(padded[at : at + 3].encode()) % self._dimension] += 1.0
        found /= np.linalg.norm(found, axis=1, keepdims=True)
        return found


def make_settings(folder: Path, **overrides: object) -> Settings:
    """Settings whose folders lie in ``folder``; small batches, so that a run has several."""
    values: dict[str, object] = {
        "corpus": folder / "corpus",
        "index_dir": folder / "index",
        "state_dir": folder / "state",
        "batch_size": 4,
        "read_workers": 1,
    }
    return Settings(**{**values, **overrides})  # type: ignore[arg-type]


def take_readings(source: Settings, target: Settings) -> None:
    """Give an index folder that has none the readings of another, as a copy that is restored elsewhere takes them."""
    target.index_dir.mkdir(parents=True, exist_ok=True)
    shutil.copy(source.index_dir / READINGS_CACHE, target.index_dir)
    roots = (str(target.corpus.resolve()), str(source.corpus.resolve()))
    with closing(sqlite3.connect(target.index_dir / READINGS_CACHE)) as readings, readings:
        readings.execute("UPDATE readings SET root = ? WHERE root = ?", roots)


def renumber_build(settings: Settings, build_id: str, form: int) -> None:
    """Make a build one of an older or newer form."""
    manifest = builds.builds_dir(settings.index_dir) / build_id / builds.MANIFEST_FILE
    values = json.loads(manifest.read_text(encoding="utf-8"))
    manifest.write_text(json.dumps({**values, "format": form}), encoding="utf-8")


def renumber_database(path: Path, form: int) -> None:
    """Make a database one of an older or newer form."""
    with closing(sqlite3.connect(path)) as database:
        database.execute(f"PRAGMA user_version = {form}")


def report_text(subject: str, *, project: str = "", paragraphs: int = 2, year: int = 2021) -> str:
    """A small Markdown report about ``subject``, a word that then stands in every one of its passages."""
    head = [f"titel: Rapport om {subject}", f"projekt: {project}", "type: kommunal", f"år: {year}", "temaer: [data]"]
    body = [f"## Formål\n\nProjektet undersøgte {subject} i tre kommuner."]
    for number in range(1, paragraphs + 1):
        body.append(
            f"## Læring {number}\n\nErfaringen med {subject} var, at del {number} krævede mere tid end planlagt. "
            f"Derfor råder deltagerne andre til at begynde med {subject} i god tid."
        )
    return "---\n" + "\n".join(head) + f"\n---\n\n# Rapport om {subject}\n\n" + "\n\n".join(body) + "\n"


CORPUS: Mapping[str, str] = {
    "asta.md": report_text("journalnotater", project="ASTA"),
    "faldrisiko.md": report_text("faldrisiko", project="Falddetektion", year=2022),
    "mail/sortering.md": report_text("mailfordeling", project="Mailsortering", paragraphs=3),
    "noter.txt": "Møde om vandløb\n\nVandløbet blev målt hver uge. Målingerne viste et fald i vandstanden.\n",
}


# Odd names and links by what becomes of them: read, or skipped with a code under the name they are shown by.
ODD_READ = ("l" * 250 + ".md", "m" * 245 + ".md")
ODD_SKIPPED = {
    "gammel-\\xe6\\xf8.md": "ugyldigt-navn",
    "to\\nlinjer.md": "ugyldigt-navn",
    "mappe-\\xe5/rapport.md": "ugyldigt-navn",
    "rundt.md": "link-følges-ikke",
    "intet.md": "link-følges-ikke",
    "rør.md": "kan-ikke-åbnes",
}


def write_odd_files(folder: Path) -> None:
    """Files with odd names and odd links below ``folder``: ``ODD_READ`` and ``ODD_SKIPPED``."""
    for number, name in enumerate((*ODD_READ, "to\nlinjer.md")):
        (folder / name).write_text(report_text(f"emne{number}"), encoding="utf-8")
    home = os.fsencode(folder)
    Path(os.fsdecode(home + b"/mappe-\xe5")).mkdir()
    for odd in (b"gammel-\xe6\xf8.md", b"mappe-\xe5/rapport.md"):
        Path(os.fsdecode(home + b"/" + odd)).write_text(report_text("latin"), encoding="utf-8")
    (folder / "rundt.md").symlink_to("rundt.md")
    (folder / "intet.md").symlink_to("findes-ikke.md")
    os.mkfifo(folder / "rør.md")


def broken_module(folder: Path, name: str, how: str = "") -> Path:
    """A folder that, put first on ``PYTHONPATH``, makes a module one that cannot be loaded, as in half an installation.

    ``how`` is what happens instead when it is loaded.
    """
    folder.mkdir(parents=True, exist_ok=True)
    missing = f"raise ModuleNotFoundError(\"No module named '{name}'\", name={name!r})"
    (folder / f"{name}.py").write_text(how or missing, encoding="utf-8")
    return folder


def write_corpus(folder: Path, files: Mapping[str, str] = CORPUS) -> Path:
    """Write the files below ``folder`` and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder
