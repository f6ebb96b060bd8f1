"""What is made on one user's account is for every user of the machine to read."""

from __future__ import annotations

from pathlib import Path

import pytest

from kb import indexing
from kb.core.file_modes import give_mode_of
from kb.core.settings import Settings
from kb.index import builds
from tests.support import HashEmbedder


def test_no_file_is_for_its_writer_alone(tmp_path: Path) -> None:
    (tmp_path / "under").mkdir()
    for name, mode in (("kort.json", 0o644), ("vægte.bin", 0o600), ("under/meta.json", 0o600)):
        (tmp_path / name).write_text("x", encoding="utf-8")
        (tmp_path / name).chmod(mode)
    give_mode_of(tmp_path / "kort.json", tmp_path)
    assert {path.stat().st_mode & 0o777 for path in tmp_path.rglob("*") if path.is_file()} == {0o644}


@pytest.mark.slow
def test_every_file_of_a_build_has_the_mode_of_its_manifest(settings: Settings) -> None:
    indexing.run(settings, HashEmbedder())
    folder = builds.builds_dir(settings.index_dir) / str(builds.current_id(settings.index_dir))
    mode = (folder / builds.MANIFEST_FILE).stat().st_mode
    assert {path.stat().st_mode for path in folder.rglob("*") if path.is_file()} == {mode}
