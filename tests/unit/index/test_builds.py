from __future__ import annotations

import errno
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kb.core.errors import IndexDamagedError, IndexMissingError, IndexVersionError, NotFoundError, StorageError
from kb.index import builds
from kb.index.builds import Manifest

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def _manifest(build_id: str) -> Manifest:
    return Manifest(build_id, NOW.isoformat(), "m", "model", 64, 1, 2, 0, 1, ("/korpus",), "1", "1", "c", "0.1")


def _aside(index_dir: Path, build_id: str) -> Path:
    folder = builds.builds_dir(index_dir) / f"{builds.STAGING_PREFIX}{build_id}"
    (folder / "lexical").mkdir(parents=True)
    (folder / "kb.sqlite").write_bytes(b"database")
    (folder / "lexical" / "x").write_bytes(b"ord")
    builds.write_manifest(folder, _manifest(build_id))
    return folder


@pytest.fixture
def three(tmp_path: Path) -> tuple[Path, list[str]]:
    ids = [builds.new_id(NOW + timedelta(minutes=n)) for n in range(3)]
    for build_id in ids:
        builds.publish(tmp_path, _aside(tmp_path, build_id), build_id)
    return tmp_path, ids


def test_ids_sort_by_time() -> None:
    times = [NOW + timedelta(microseconds=n * 777_777) for n in range(20)]
    assert [builds.new_id(time) for time in times] == sorted(builds.new_id(time) for time in times)


def test_publishing_puts_the_build_in_use(three: tuple[Path, list[str]]) -> None:
    index_dir, ids = three
    assert builds.current_id(index_dir) == ids[-1]
    assert builds.build_ids(index_dir) == ids[::-1]
    folder = builds.builds_dir(index_dir) / ids[0]
    manifest = builds.read_manifest(folder)
    assert set(manifest.files) == {"kb.sqlite", "lexical/x"}
    assert replace(manifest, files={}) == _manifest(ids[0])
    assert builds.check_files(folder, manifest) == []


def test_without_an_index_that_is_told(tmp_path: Path) -> None:
    assert builds.build_ids(tmp_path) == []
    with pytest.raises(IndexMissingError):
        builds.current_id(tmp_path)


def test_an_empty_current_is_damage(tmp_path: Path) -> None:
    (tmp_path / builds.CURRENT_FILE).write_text("\n", encoding="utf-8")
    with pytest.raises(IndexDamagedError):
        builds.current_id(tmp_path)


def test_only_a_finished_build_can_be_pointed_at(three: tuple[Path, list[str]]) -> None:
    index_dir, ids = three
    with pytest.raises(NotFoundError):
        builds.point_at(index_dir, "../andet")
    assert builds.current_id(index_dir) == ids[-1]


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda f: (f / "kb.sqlite").unlink(), "mangler"),
        (lambda f: (f / "kb.sqlite").write_bytes(b"kort"), "størrelse"),
        (lambda f: (f / "lexical" / "x").write_bytes(b"orm"), "kontrolsum"),
    ],
)
def test_a_file_that_differs_is_named(three: tuple[Path, list[str]], damage: object, said: str) -> None:
    index_dir, ids = three
    folder = builds.builds_dir(index_dir) / ids[0]
    assert callable(damage)
    damage(folder)
    (problem,) = builds.check_files(folder, builds.read_manifest(folder))
    assert said in problem


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"id": "x"}', '{"roots": 1, "files": {}}', f'{{"format": {builds.FORMAT}, "files": 1}}']
)
def test_a_manifest_that_cannot_be_read_is_damage(tmp_path: Path, text: str) -> None:
    (tmp_path / builds.MANIFEST_FILE).write_text(text, encoding="utf-8")
    with pytest.raises(IndexDamagedError):
        builds.read_manifest(tmp_path)


@pytest.mark.parametrize(
    ("form", "said", "advice"),
    [(builds.FORMAT - 1, "ældre version", "kb index"), (builds.FORMAT + 1, "nyere version", "Opdatér")],
)
def test_a_build_of_another_form_is_recognised_by_its_number_alone(
    tmp_path: Path, form: int, said: str, advice: str
) -> None:
    """Its manifest may have keys that this version knows nothing of, and lack those it knows."""
    (tmp_path / builds.MANIFEST_FILE).write_text(json.dumps({"format": form, "shards": []}), encoding="utf-8")
    with pytest.raises(IndexVersionError, match=said) as caught:
        builds.read_manifest(tmp_path)
    assert advice in caught.value.advice


def test_old_builds_go_and_the_one_in_use_stays(three: tuple[Path, list[str]]) -> None:
    index_dir, ids = three
    builds.point_at(index_dir, ids[0])
    assert builds.remove_old(index_dir, 1) == [ids[1]]
    assert builds.build_ids(index_dir) == [ids[2], ids[0]]


def test_leftovers_of_killed_runs_are_removed(three: tuple[Path, list[str]]) -> None:
    index_dir, ids = three
    left = _aside(index_dir, "dræbt")
    (index_dir / f"{builds.CURRENT_FILE}.new").write_text("halv", encoding="utf-8")
    removed = builds.builds_dir(index_dir) / f"{builds.REMOVED_PREFIX}{ids[0]}"
    (builds.builds_dir(index_dir) / ids[0]).rename(removed)
    builds.remove_leftovers(index_dir)
    assert not left.exists()
    assert not removed.exists()
    assert not (index_dir / f"{builds.CURRENT_FILE}.new").exists()
    assert builds.build_ids(index_dir) == [ids[2], ids[1]]


@pytest.mark.parametrize(
    ("number", "said"),
    [(errno.ENOSPC, "fuld"), (errno.EDQUOT, "fuld"), (errno.EROFS, "skrives"), (errno.EACCES, "skrives")],
)
def test_a_disk_that_refuses_is_a_clear_error(number: int, said: str) -> None:
    with pytest.raises(StorageError, match=said) as caught, builds.storage_errors("indeksmappen"):
        raise OSError(number, "x")
    assert caught.value.advice


def test_other_errors_pass_through() -> None:
    with pytest.raises(OSError, match="x"), builds.storage_errors("indeksmappen"):
        raise OSError(errno.EIO, "x")
