"""A disk that is full and a folder that cannot be written: a clear error, and the old index still in use."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from kb import indexing
from kb.core.errors import StorageError
from kb.core.settings import Settings
from kb.index import builds
from kb.index.places import place_of
from kb.index.verification import verify_build
from kb.retrieval.snapshot_holder import SnapshotHolder
from tests.support import HashEmbedder, make_settings, report_text, write_corpus

SMALL = 8192  # KiB: room for a few indexes of a few reports


def _mount(folder: Path, *options: str) -> None:
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"kan ikke montere et lille filsystem her: {done.stderr.strip()}")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own that soon is full."""
    _mount(tmp_path / "disk", f"size={SMALL}k")
    try:
        yield tmp_path / "disk"
    finally:
        subprocess.run(["umount", "-l", str(tmp_path / "disk")], check=True)


def _settings(tmp_path: Path, disk: Path) -> Settings:
    return make_settings(tmp_path, index_dir=disk / "index")


@pytest.mark.slow
@pytest.mark.parametrize("left_kb", [0, 40, 120, 300])
def test_a_full_disk_leaves_the_old_index_and_loses_nothing(tmp_path: Path, small_disk: Path, left_kb: int) -> None:
    settings, embedder = _settings(tmp_path, small_disk), HashEmbedder()
    write_corpus(settings.corpus, {"a.md": report_text("faldrisiko")})
    before = indexing.run(settings, embedder).build_id
    holder = SnapshotHolder(settings, embedder)
    write_corpus(settings.corpus, {f"ny{n}.md": report_text(f"emne{n}", paragraphs=9) for n in range(12)})
    filler = small_disk / "fyld"
    free = os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_frsize
    filler.write_bytes(bytes(max(0, free - left_kb * 1024)))
    with pytest.raises(StorageError, match="fuld") as caught:
        indexing.run(settings, embedder)
    assert "plads" in caught.value.advice
    assert builds.current_id(settings.index_dir) == before
    assert verify_build(place_of(settings), before) == []
    assert holder.searcher().search("faldrisiko").hits
    assert [path.name for path in builds.builds_dir(settings.index_dir).iterdir()] == [before]
    filler.unlink()
    settings = settings.model_copy(update={"keep_builds": 1})
    report = indexing.run(settings, embedder)
    assert report.documents == 13
    again = len(embedder.embedded) - len(set(embedder.embedded))
    assert again <= settings.batch_size


def test_a_full_disk_under_the_state_is_told_before_anything_is_done(tmp_path: Path, small_disk: Path) -> None:
    settings = make_settings(tmp_path, state_dir=small_disk / "state")
    write_corpus(settings.corpus, {"a.md": report_text("faldrisiko")})
    (small_disk / "fyld").write_bytes(bytes(SMALL * 1024 - 8192))
    with pytest.raises(StorageError):
        indexing.run(settings, HashEmbedder())
    assert builds.build_ids(settings.index_dir) == []


@pytest.mark.slow
def test_a_folder_that_cannot_be_written_is_told(indexed: Settings, embedder: HashEmbedder, tmp_path: Path) -> None:
    before = builds.current_id(indexed.index_dir)
    mounted = tmp_path / "skrivebeskyttet"
    mounted.mkdir()
    bind = subprocess.run(
        ["mount", "--bind", str(indexed.index_dir), str(mounted)], capture_output=True, text=True, check=False
    )
    if bind.returncode != 0:
        pytest.skip(f"kan ikke montere skrivebeskyttet her: {bind.stderr.strip()}")
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", str(mounted)], check=True)
        settings = indexed.model_copy(update={"index_dir": mounted})
        serving = SnapshotHolder(indexed, embedder)
        serving.searcher()
        write_corpus(indexed.corpus, {"ny.md": report_text("nabohjælp")})
        with pytest.raises(StorageError, match="skrives") as caught:
            indexing.run(settings, embedder)
        assert "skriveadgang" in caught.value.advice
        assert serving.searcher().search("faldrisiko").hits
    finally:
        subprocess.run(["umount", "-l", str(mounted)], check=True)
    assert builds.current_id(indexed.index_dir) == before
    assert indexing.run(indexed, embedder).added == ("ny.md",)


def test_a_state_folder_that_cannot_be_made_is_told(settings: Settings, embedder: HashEmbedder) -> None:
    settings.state_dir.write_text("en fil, hvor mappen skulle være", encoding="utf-8")
    with pytest.raises(StorageError) as caught:
        indexing.run(settings, embedder)
    assert caught.value.advice
    assert builds.build_ids(settings.index_dir) == []
