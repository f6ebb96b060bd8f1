from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from kb import indexing
from kb.core.errors import IndexMissingError, InputError, LockedError, StateVersionError
from kb.core.settings import Settings
from kb.index import builds, verification
from kb.index.places import place_of
from kb.operations import backup
from kb.operations.jobs import QUEUE_LOCK
from kb.retrieval.searcher import open_searcher
from kb.state.migrations import SCHEMA_VERSION
from kb.state.runs import RunStore
from kb.state.sqlite_repository import STATE_FILE
from tests.support import (
    CORPUS,
    HashEmbedder,
    make_settings,
    renumber_database,
    report_text,
    write_corpus,
    write_odd_files,
)

QUESTIONS = ["faldrisiko", "hvad krævede mere tid?", "måling af vandløb", '"i god tid"']


def _answers(settings: Settings, embedder: HashEmbedder) -> list[object]:
    searcher = open_searcher(settings, embedder)
    return [searcher.search(question).hits for question in QUESTIONS]


def _copy_of(settings: Settings, folder: Path) -> Settings:
    return make_settings(folder, batch_size=settings.batch_size)


class Totals(indexing.Silent):
    """Progress that remembers how much there was to do in each stage."""

    def __init__(self) -> None:
        self.totals: dict[str, int] = {}

    def stage(self, name: str, total: int) -> None:
        self.totals[name] = total


def test_a_restored_copy_answers_the_same(indexed: Settings, embedder: HashEmbedder, tmp_path: Path) -> None:
    before = _answers(indexed, embedder)
    (indexed.state_dir / QUEUE_LOCK).touch()  # of the machine, and no part of the copy
    report = backup.backup(indexed, tmp_path / "kopi.tar.gz")
    shutil.rmtree(indexed.corpus)
    shutil.rmtree(indexed.index_dir)
    shutil.rmtree(indexed.state_dir)
    restored = backup.restore(indexed, tmp_path / "kopi.tar.gz")
    assert (restored.build_id, restored.reindex, restored.files) == (report.build_id, False, report.files)
    assert _answers(indexed, embedder) == before
    assert verification.verify_build(place_of(indexed), report.build_id) == []
    assert not indexing.run(indexed, embedder).published
    with RunStore(indexed.state_dir) as state:
        assert [run.started_by for run in state.runs()] == ["kb index", "kb index"]
    assert not (indexed.state_dir / QUEUE_LOCK).exists()


def test_a_copy_restored_elsewhere_reads_and_embeds_nothing_again(
    indexed: Settings, embedder: HashEmbedder, tmp_path: Path
) -> None:
    before = _answers(indexed, embedder)
    backup.backup(indexed, tmp_path / "kopi.tar.gz")
    other = _copy_of(indexed, tmp_path / "andetsteds")
    assert backup.restore(other, tmp_path / "kopi.tar.gz").reindex
    assert _answers(other, embedder) == before
    progress = Totals()
    report = indexing.run(other, embedder, progress=progress)
    assert (report.published, report.embedded) == (True, 0)
    assert progress.totals["læser"] == 0
    assert _answers(other, embedder) == before
    searcher = open_searcher(other, embedder)
    assert all(searcher.snapshot.file_of(id_).is_relative_to(other.corpus) for id_ in searcher.snapshot.records)


@pytest.mark.slow
def test_without_the_index_it_is_made_again_and_answers_the_same(
    indexed: Settings, embedder: HashEmbedder, tmp_path: Path
) -> None:
    before = _answers(indexed, embedder)
    report = backup.backup(indexed, tmp_path / "kopi.tar.gz", with_index=False)
    assert report.build_id == ""
    with tarfile.open(tmp_path / "kopi.tar.gz") as archive:
        assert not [name for name in archive.getnames() if name.startswith("index/")]
    other = _copy_of(indexed, tmp_path / "andetsteds")
    assert backup.restore(other, tmp_path / "kopi.tar.gz").reindex
    with pytest.raises(IndexMissingError):
        open_searcher(other, embedder)
    indexing.run(other, embedder)
    assert _answers(other, embedder) == before


@pytest.mark.slow
def test_a_backup_is_refused_while_indexing_and_over_another_file(indexed: Settings, tmp_path: Path) -> None:
    (tmp_path / "findes.tar.gz").write_bytes(b"andet")
    with pytest.raises(InputError, match="findes allerede"):
        backup.backup(indexed, tmp_path / "findes.tar.gz")
    with pytest.raises(InputError, match="Mappen"):
        backup.backup(indexed, tmp_path / "ingen" / "kopi.tar.gz")
    with indexing.lock(indexed.index_dir), pytest.raises(LockedError):
        backup.backup(indexed, tmp_path / "kopi.tar.gz")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["corpus", "findes.tar.gz", "index", "state"]


@pytest.mark.slow
def test_restoring_over_files_needs_force(indexed: Settings, embedder: HashEmbedder, tmp_path: Path) -> None:
    backup.backup(indexed, tmp_path / "kopi.tar.gz")
    (indexed.corpus / "ny.md").write_text(report_text("nabohjælp"), encoding="utf-8")
    indexing.run(indexed, embedder)
    with pytest.raises(InputError, match="allerede filer eller rækker") as caught:
        backup.restore(indexed, tmp_path / "kopi.tar.gz")
    assert "--force" in caught.value.advice
    assert (indexed.corpus / "ny.md").is_file()
    backup.restore(indexed, tmp_path / "kopi.tar.gz", force=True)
    assert not (indexed.corpus / "ny.md").exists()
    assert not [hit for hit in open_searcher(indexed, embedder).search("nabohjælp").hits if "nabo" in hit.passage.text]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["corpus", "index", "kopi.tar.gz", "state"]


def _rewritten(archive: Path, change: Callable[[str, bytes], tuple[str, bytes] | None]) -> None:
    """Write the archive again with each member changed or left out."""
    with tarfile.open(archive) as old:
        members = [(m.name, file.read()) for m in old.getmembers() if (file := old.extractfile(m)) is not None]
    with tarfile.open(archive, "w:gz") as new:
        for name, data in members:
            if (changed := change(name, data)) is not None:
                info = tarfile.TarInfo(changed[0])
                info.size = len(changed[1])
                new.addfile(info, io.BytesIO(changed[1]))


def _named_outside(name: str, data: bytes) -> tuple[str, bytes]:
    outside = "corpus/../../udenfor.md"
    if name == backup.CONTENTS:
        values = json.loads(data)
        values["files"][outside] = values["files"].pop("corpus/asta.md")
        return name, json.dumps(values).encode()
    return (outside if name == "corpus/asta.md" else name), data


@pytest.mark.slow
@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b"ikke et arkiv"),
        lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
        lambda path: _rewritten(path, lambda name, data: (name, data.replace(b"uge", b"dag"))),
        lambda path: _rewritten(path, lambda name, data: None if name.endswith("asta.md") else (name, data)),
        lambda path: _rewritten(path, lambda name, data: None if name == backup.CONTENTS else (name, data)),
        lambda path: _rewritten(path, lambda name, data: (f"{name}.mere" if name.endswith("asta.md") else name, data)),
        lambda path: _rewritten(path, _named_outside),
    ],
    ids=["intet arkiv", "afkortet", "ændret fil", "manglende fil", "uden indhold", "fremmed fil", "ud af mappen"],
)
def test_a_damaged_archive_changes_nothing(
    indexed: Settings, embedder: HashEmbedder, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    backup.backup(indexed, tmp_path / "kopi.tar.gz")
    damage(tmp_path / "kopi.tar.gz")
    (indexed.corpus / "ny.md").write_text(report_text("nabohjælp"), encoding="utf-8")
    before = _answers(indexed, embedder)
    with pytest.raises(InputError, match="ikke en hel"):
        backup.restore(indexed, tmp_path / "kopi.tar.gz", force=True)
    assert sorted(p.name for p in indexed.corpus.rglob("*") if p.is_file()) == sorted(
        [*(Path(name).name for name in CORPUS), "ny.md"]
    )
    assert _answers(indexed, embedder) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["corpus", "index", "kopi.tar.gz", "state"]


def test_odd_names_are_kept_byte_for_byte(settings: Settings, tmp_path: Path) -> None:
    write_odd_files(settings.corpus)
    before = sorted(path.name for path in settings.corpus.rglob("*") if path.is_file())
    backup.backup(settings, tmp_path / "kopi.tar.gz")
    other = _copy_of(settings, tmp_path / "andetsteds")
    backup.restore(other, tmp_path / "kopi.tar.gz")
    assert sorted(path.name for path in other.corpus.rglob("*") if path.is_file()) == before


@pytest.mark.slow
def test_a_copy_of_a_newer_version_s_state_changes_nothing(
    indexed: Settings, embedder: HashEmbedder, tmp_path: Path
) -> None:
    renumber_database(indexed.state_dir / STATE_FILE, SCHEMA_VERSION + 1)
    backup.backup(indexed, tmp_path / "kopi.tar.gz")
    renumber_database(indexed.state_dir / STATE_FILE, SCHEMA_VERSION)
    (indexed.corpus / "ny.md").write_text(report_text("nabohjælp"), encoding="utf-8")
    with pytest.raises(StateVersionError):
        backup.restore(indexed, tmp_path / "kopi.tar.gz", force=True)
    assert (indexed.corpus / "ny.md").is_file()
    with RunStore(indexed.state_dir) as state:
        assert len(state.runs()) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["corpus", "index", "kopi.tar.gz", "state"]


@pytest.mark.slow
def test_a_copy_with_an_index_of_another_version_says_to_index(
    indexed: Settings, embedder: HashEmbedder, tmp_path: Path
) -> None:
    before = _answers(indexed, embedder)
    current = builds.builds_dir(indexed.index_dir) / builds.current_id(indexed.index_dir)
    backup.backup(indexed, tmp_path / "kopi.tar.gz")

    def renumbered(name: str, data: bytes) -> tuple[str, bytes]:
        member = f"index/builds/{current.name}/{builds.MANIFEST_FILE}"
        if name == member:
            return name, _older(data)
        if name != backup.CONTENTS:
            return name, data
        values = json.loads(data)
        manifest = _older((current / builds.MANIFEST_FILE).read_bytes())
        values["files"][member] = [len(manifest), hashlib.sha256(manifest).hexdigest()]
        return name, json.dumps(values).encode()

    _rewritten(tmp_path / "kopi.tar.gz", renumbered)
    assert backup.restore(indexed, tmp_path / "kopi.tar.gz", force=True).reindex
    assert indexing.run(indexed, embedder).embedded == 0
    assert _answers(indexed, embedder) == before


def _older(manifest: bytes) -> bytes:
    return json.dumps({**json.loads(manifest), "format": builds.FORMAT - 1}).encode()


def test_a_folder_that_is_closed_to_the_user_is_told(settings: Settings, tmp_path: Path) -> None:
    closed = tmp_path / "lukket"
    closed.mkdir(mode=0o700)
    was = os.geteuid()
    try:
        if was == 0:
            tmp_path.chmod(0o755)
            os.seteuid(65534)
        else:
            closed.chmod(0)
        with pytest.raises(InputError, match="er lukket for den bruger") as told:
            backup.backup(settings, closed / "kopi.tar.gz")
    finally:
        os.seteuid(was)
    assert "chown" in told.value.advice


def test_a_missing_archive_is_told(indexed: Settings, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="findes ikke"):
        backup.restore(indexed, tmp_path / "ingen.tar.gz")


@pytest.mark.slow
def test_folders_outside_the_corpus_are_named(settings: Settings, embedder: HashEmbedder, tmp_path: Path) -> None:
    other = write_corpus(tmp_path / "andre", {"a.md": report_text("vandløb")})
    indexing.run(settings, embedder, roots=[settings.corpus, other])
    assert backup.backup(settings, tmp_path / "kopi.tar.gz").outside == (str(other.resolve()),)


def test_an_installation_without_an_index_can_be_backed_up(settings: Settings, tmp_path: Path) -> None:
    report = backup.backup(settings, tmp_path / "kopi.tar.gz")
    assert (report.build_id, report.files) == ("", len(CORPUS))
    assert not builds.build_ids(settings.index_dir)
    assert verification.READINGS_CACHE not in {path.name for path in tmp_path.rglob("*")}
