"""A worker reads and embeds as the machine of the run does, leaves nothing, and is refused where it would not."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import tempfile
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kb.cluster.edition import Edition, difference
from kb.cluster.messages import FileBytes, Over
from kb.cluster.model import OpenModel, packed
from kb.cluster.worker import Worker, remove_leftovers
from kb.core.errors import ModelMismatchError, ModelMissingError
from kb.embedding.embedder import ModelEmbedder
from kb.embedding.model_store import CARD_FILE, DEFAULT_MODEL
from kb.embedding.runtimes.choice import Name
from kb.extract import ReadOptions, ReadOutcome, read_files
from tests.support import CORPUS, HashEmbedder, write_corpus

OPTIONS = ReadOptions(workers=1)
MODEL = Path(__file__).parents[3] / "index" / "models" / DEFAULT_MODEL


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def plain(outcome: ReadOutcome) -> ReadOutcome:
    return replace(outcome, seconds=0.0)


@pytest.mark.slow
def test_files_sent_as_bytes_are_read_as_files_here(tmp_path: Path, scratch: Path) -> None:
    root = write_corpus(tmp_path / "corpus", {**CORPUS, "bilag.txt": "Bilag\n\nFem sider.", "skadet.pdf": "%PDF-1.7"})
    (root / "bilag.txt.meta.yaml").write_text("titel: Et bilag\n", encoding="utf-8")
    paths = [root / name for name in (*CORPUS, "bilag.txt", "skadet.pdf")]
    sidecars = {"bilag.txt": b"titel: Et bilag\n"}
    names = [path.relative_to(root).as_posix() for path in paths]
    sent = [FileBytes(name, (root / name).read_bytes(), sidecars.get(name)) for name in names]
    here = sorted(map(plain, read_files(paths, root, OPTIONS)), key=lambda one: one.path)
    there = sorted(map(plain, Worker(packed(HashEmbedder()), OPTIONS).read(sent)), key=lambda one: one.path)
    assert there == here
    assert list(scratch.iterdir()) == []


def test_a_worker_tells_what_it_reads_and_embeds_by_and_embeds_alike(scratch: Path) -> None:
    worker = Worker(packed(HashEmbedder()), OPTIONS)
    assert worker.check() == Edition.here(OPTIONS, HashEmbedder())
    assert np.array_equal(worker.embed(["et", "to"]), HashEmbedder().embed_passages(["et", "to"]))


@pytest.mark.slow
def test_a_worker_that_is_stopped_ends_what_it_is_reading(scratch: Path, tmp_path: Path) -> None:
    """Reading waits for a named pipe that nobody writes to, for as long as a file may take."""
    stopped = threading.Event()
    fifo = tmp_path / "venter.md"
    os.mkfifo(fifo)
    outcomes = read_files([fifo], tmp_path, ReadOptions(workers=1, timeout=3000), stop=stopped.is_set)
    timer = threading.Timer(1.0, stopped.set)
    timer.start()
    assert list(outcomes) == []
    timer.join()


def test_what_a_killed_worker_left_is_removed_and_what_others_use_is_not(tmp_path: Path) -> None:
    with subprocess.Popen(["true"]) as ended:
        pass
    gone, used, foreign = (tmp_path / name for name in (f"kb-read-{ended.pid}-x", f"kb-read-{os.getpid()}-y", "kb-z"))
    for folder in (gone, used, foreign):
        folder.mkdir()
        (folder / "rapport.md").write_text("tekst", encoding="utf-8")
    remove_leftovers(tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted([used, foreign])


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"version": "0.9"}, "udgaven af Erfaringsbasen er 0.9"),
        ({"readers": "8:11"}, "læserne er 8:11"),
        ({"model": "anden"}, "sprogmodellen er anden"),
        ({"runtime": "onnx-fp32"}, "afviklingen af sprogmodellen er onnx-fp32"),
        ({"programs": ()}, "læsernes programmer er ingen"),
    ],
)
def test_every_part_of_an_edition_is_compared(changed: dict[str, object], said: str) -> None:
    wanted = Edition("1.0", "9:11", "model", "onnx-int8", ("LibreOffice",))
    assert difference(wanted, wanted) == ""
    assert said in difference(wanted, replace(wanted, **changed))  # type: ignore[arg-type]


@pytest.mark.model
@pytest.mark.slow
@pytest.mark.skipif(not MODEL.is_dir(), reason="UDEN DEN KLARGJORTE MODEL ER DEN IKKE PRØVET: kb model prepare")
def test_the_packaged_model_is_opened_where_it_is_prepared_and_embeds_to_the_byte_as_here(
    scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run's model lies in a folder that the worker's machine has not."""
    monkeypatch.setenv("KB_INDEX_DIR", str(MODEL.parents[1]))
    here = ModelEmbedder(MODEL)
    opening = replace(pickle.loads(packed(here)), folder=scratch / "hos-jer")  # noqa: S301
    worker = Worker(pickle.dumps(opening), OPTIONS)
    assert worker.check() == Edition.here(OPTIONS, here)
    texts = ["Projektet undersøgte fald.", "Aftalen med leverandøren tog længere tid end ventet.", "Fald"]
    alone = np.concatenate([worker.embed([text]) for text in texts])
    assert np.array_equal(worker.embed(texts), here.embed_passages(texts))
    assert np.array_equal(alone, here.embed_passages(texts)), "a vector must not depend on how texts are shared out"


def card(folder: Path, fingerprint: str) -> Path:
    folder.mkdir(parents=True)
    values = {"name": "m", "fingerprint": fingerprint, "dimension": 8, "max_tokens": 9}
    prefixes = {"query_prefix": "", "passage_prefix": ""}
    (folder / CARD_FILE).write_text(json.dumps({**values, **prefixes}), encoding="utf-8")
    return folder


def test_a_model_of_another_version_is_refused_and_one_that_is_missing_is_told_as_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KB_INDEX_DIR", str(tmp_path / "index"))
    opening = OpenModel(tmp_path / "delt", "m", "rigtig", Name.ONNX_INT8)
    with pytest.raises(ModelMissingError, match="findes ikke"):
        opening()
    card(tmp_path / "index" / "models" / "m", "anden")
    with pytest.raises(ModelMismatchError, match="anden udgave"):
        opening()
    told = Worker(pickle.dumps(opening), OPTIONS).check()
    assert isinstance(told, Over)
    assert "kb model prepare" in told.advice
