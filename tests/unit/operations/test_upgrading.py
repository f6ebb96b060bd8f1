"""Upgrades: tried on a copy, carried out with a way back; backups of every earlier version come back in this one."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from kb.cli.commands import main
from kb.core.errors import StorageError, UpgradeError
from kb.core.settings import Settings
from kb.operations import backup, upgrading
from kb.state import migrations
from kb.state.audit import Audit
from kb.state.keys import KeyStore
from kb.state.migrations import MIGRATIONS, SCHEMA_VERSION
from kb.state.sqlite_repository import STATE_FILE, SqliteRepository
from tests.support import make_settings, write_corpus

EARLIER = Path(__file__).parents[1] / "state" / "earlier"
FORMS = sorted(folder.name for folder in EARLIER.iterdir())


@pytest.fixture(params=FORMS)
def older(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """An installation as an earlier version left it, without an index."""
    return installed(tmp_path / "installation", request.param)


def installed(folder: Path, form: str) -> Settings:
    settings = make_settings(folder)
    write_corpus(settings.corpus, {"a.md": "# A\n\nEn rapport."})
    shutil.copytree(EARLIER / form, settings.state_dir)
    return settings


def files_of(settings: Settings) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in settings.state_dir.iterdir()}


def test_a_trial_tells_what_would_be_done_and_changes_nothing(older: Settings) -> None:
    before, form = files_of(older), SqliteRepository(older.state_dir).schema_version()
    trial = upgrading.check(older)
    assert (trial.state_from, trial.state_to, trial.reindex, trial.problems) == (form, SCHEMA_VERSION, True, ())
    assert files_of(older) == before
    assert sorted(path.name for path in older.state_dir.parent.iterdir()) == ["corpus", "state"]


def test_a_backup_of_an_earlier_version_comes_back_in_this_one(older: Settings, tmp_path: Path) -> None:
    backup.backup(older, tmp_path / "kopi.tar.gz")
    restored = make_settings(tmp_path / "ny")
    backup.restore(restored, tmp_path / "kopi.tar.gz")
    assert SqliteRepository(restored.state_dir).schema_version() == SCHEMA_VERSION
    assert {key.name for key in KeyStore(restored.state_dir).list()} == {"gammel", "intranet"}
    assert Audit(restored.state_dir).broken() == []
    assert [path.name for path in restored.state_dir.iterdir()] == [STATE_FILE]


@pytest.mark.parametrize("form", [FORMS[1], FORMS[-1]])
def test_an_upgrade_leads_back_to_the_old_form(form: str, tmp_path: Path) -> None:
    older = installed(tmp_path / "installation", form)
    done = upgrading.carry_out(older, tmp_path / "foer.tar.gz")
    assert done.way_back is not None
    assert SqliteRepository(older.state_dir).schema_version() == SCHEMA_VERSION
    # What the version before does with it: its own restore puts the parts in place as they lie in the archive.
    with pytest.MonkeyPatch.context() as version_before:
        version_before.setattr(migrations, "MIGRATIONS", MIGRATIONS[: int(form)])
        version_before.setattr(migrations, "SCHEMA_VERSION", int(form))
        backup.restore(older, tmp_path / "foer.tar.gz", force=True)
        assert SqliteRepository(older.state_dir).schema_version() == int(form)
        assert set(SqliteRepository(older.state_dir).rows("keys", "name")) == {("gammel",), ("intranet",)}


def test_what_would_lose_something_is_not_carried_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    older = installed(tmp_path / "installation", FORMS[-1])
    before = files_of(older)

    def losing(database: sqlite3.Connection, _folder: Path) -> None:
        database.execute("DELETE FROM keys")

    monkeypatch.setattr(migrations, "MIGRATIONS", (*MIGRATIONS, losing))
    monkeypatch.setattr(migrations, "SCHEMA_VERSION", SCHEMA_VERSION + 1)
    assert "keys" in upgrading.check(older).problems[0].problem
    with pytest.raises(UpgradeError, match="keys"):
        upgrading.carry_out(older, tmp_path / "foer.tar.gz")
    assert files_of(older) == before
    assert not (tmp_path / "foer.tar.gz").exists()


def test_a_restore_that_cannot_be_migrated_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    older = installed(tmp_path / "installation", FORMS[-1])
    backup.backup(older, tmp_path / "kopi.tar.gz")
    before = files_of(older)

    def failing(_database: sqlite3.Connection, _folder: Path) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(migrations, "MIGRATIONS", (*MIGRATIONS[:-1], failing))
    with pytest.raises(StorageError, match="disk I/O"):
        backup.restore(older, tmp_path / "kopi.tar.gz", force=True)
    assert files_of(older) == before


def test_what_has_this_form_is_left_as_it_is(tmp_path: Path) -> None:
    settings = make_settings(tmp_path)
    assert upgrading.carry_out(settings, tmp_path / "foer.tar.gz").way_back is None
    SqliteRepository(settings.state_dir).connect().close()
    assert upgrading.carry_out(settings, tmp_path / "foer.tar.gz").way_back is None
    assert not (tmp_path / "foer.tar.gz").exists()


@pytest.mark.parametrize(
    ("after", "lost"), [({"a": 2, "b": 1}, []), ({"a": 1, "b": 5}, ["a"]), ({"b": 1}, [])], ids=str
)
def test_a_table_that_is_gone_was_taken_over_and_one_that_shrank_lost_rows(
    after: dict[str, int], lost: list[str]
) -> None:
    assert list(upgrading.poorer({"a": 2, "b": 1}, after)) == lost


def test_the_command_tells_the_way_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    older = installed(tmp_path, FORMS[-1])
    monkeypatch.chdir(tmp_path)
    for name in ("corpus", "index_dir", "state_dir"):
        monkeypatch.setenv(f"KB_{name.upper()}", str(getattr(older, name)))
    assert f"form {FORMS[-1]} → {SCHEMA_VERSION}" in CliRunner().invoke(main, ["upgrade", "--check"]).output
    done = CliRunner().invoke(main, ["upgrade", "--backup", "foer.tar.gz"])
    assert (done.exit_code, "kb restore --force foer.tar.gz" in done.output) == (0, True)
    with closing(sqlite3.connect(older.state_dir / STATE_FILE)) as database:
        assert database.execute("PRAGMA user_version").fetchone()[0] == SCHEMA_VERSION
