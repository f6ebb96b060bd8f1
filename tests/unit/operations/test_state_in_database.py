"""A state in PostgreSQL under backup, restore, upgrade and doctor; and the way there from a file and back."""

from __future__ import annotations

import io
import shutil
import tarfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from kb.cli import main
from kb.core.errors import InputError, StateVersionError, UpgradeError
from kb.core.identity import AccessRole
from kb.core.settings import Settings
from kb.core.state_place import StateUrl
from kb.operations import backup, doctor, upgrading
from kb.state import migrations, postgresql_repository
from kb.state.audit import Audit, Event
from kb.state.database import Database
from kb.state.keys import KeyStore
from kb.state.migrations import MIGRATIONS, SCHEMA_VERSION
from kb.state.postgresql_repository import PostgresqlRepository
from kb.state.repository import repository_of
from tests.postgresql import PASSWORD, Cluster, in_database
from tests.stored import rows_in
from tests.support import make_settings, write_corpus

# A file with something in every table.
NEWEST = sorted((Path(__file__).parents[1] / "state" / "earlier").iterdir())[-1]
SCHEMAS = "SELECT count(*) FROM information_schema.schemata WHERE schema_name LIKE 'kb_copy_%'"


@pytest.fixture
def filed(tmp_path: Path) -> Settings:
    """An installation with a file."""
    made = make_settings(tmp_path / "fil")
    write_corpus(made.corpus, {"a.md": "# A\n\nEn rapport."})
    shutil.copytree(NEWEST, made.state_dir)
    repository_of(made.state).bring_up_to_date()
    return made


@pytest.fixture
def held(tmp_path: Path, url: StateUrl, filed: Settings) -> Settings:
    """An installation with a database, to which the other was moved."""
    made = in_database(make_settings(tmp_path / "database"), url)
    backup.backup(filed, tmp_path / "fil.tar.gz")
    backup.restore(made, tmp_path / "fil.tar.gz")
    return made


def test_a_backup_moves_everything_from_a_file_to_a_database_and_back(
    filed: Settings, held: Settings, tmp_path: Path
) -> None:
    moved = rows_in(filed.state)
    assert rows_in(held.state) == moved
    assert not (held.state_dir / "state.sqlite").exists()
    assert (held.corpus / "a.md").is_file()
    backup.backup(held, tmp_path / "database.tar.gz")
    back = make_settings(tmp_path / "tilbage")
    backup.restore(back, tmp_path / "database.tar.gz")
    assert rows_in(back.state) == moved


def test_numbers_go_on_where_they_came_to_on_either_side(filed: Settings, held: Settings) -> None:
    for settings in (filed, held):
        before = Audit(settings.state).entries()
        Audit(settings.state).write(Event("nøgle lavet", who="drift"))
        assert [entry.seq for entry in Audit(settings.state).entries()] == [
            *(entry.seq for entry in before),
            before[-1].seq + 1,
        ]
        assert Audit(settings.state).broken() == []


def test_what_is_stored_is_not_replaced_without_being_told(held: Settings, tmp_path: Path) -> None:
    before = rows_in(held.state)
    shutil.rmtree(held.corpus)
    with pytest.raises(InputError, match="postgresql://") as caught:
        backup.restore(held, tmp_path / "fil.tar.gz")
    assert PASSWORD not in f"{caught.value} {caught.value.advice}"
    KeyStore(held.state).create("senere", AccessRole.READER)
    backup.restore(held, tmp_path / "fil.tar.gz", force=True)
    assert rows_in(held.state) == before


def test_a_restore_that_fails_leaves_the_database_as_it_was(
    held: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    KeyStore(held.state).create("senere", AccessRole.READER)
    before = rows_in(held.state)

    def failing(_replacement: Path, _target: Path) -> None:
        raise InputError("disken er fuld")

    monkeypatch.setattr(backup, "_swap", failing)
    with pytest.raises(InputError, match="fuld"):
        backup.restore(held, tmp_path / "fil.tar.gz", force=True)
    assert rows_in(held.state) == before


def test_what_servers_keep_from_everyone_is_in_no_backup(held: Settings, tmp_path: Path) -> None:
    with repository_of(held.state).transaction() as database:
        database.execute("INSERT INTO server_secrets VALUES (?,?)", ("sign-in", b"hemmeligt"))
    backup.backup(held, tmp_path / "kopi.tar.gz")
    with tarfile.open(tmp_path / "kopi.tar.gz") as archive:
        content = archive.extractfile("state/state.sqlite")
        assert content is not None
        assert b"hemmeligt" not in io.BytesIO(content.read()).getvalue()


def test_other_tables_of_the_schema_are_left_alone(held: Settings, tmp_path: Path) -> None:
    with repository_of(held.state).transaction() as database:
        database.execute("CREATE TABLE andres (navn TEXT)")
        database.execute("INSERT INTO andres VALUES ('deres')")
    backup.restore(held, tmp_path / "fil.tar.gz", force=True)
    assert repository_of(held.state).rows("andres", "navn") == [("deres",)]


# --- Upgrade ---


def newer(monkeypatch: pytest.MonkeyPatch, statement: str) -> None:
    """Be a version with one migration more."""

    def added(database: Database, _folder: Path | None) -> None:
        database.execute(statement)

    monkeypatch.setattr(migrations, "MIGRATIONS", (*MIGRATIONS, added))
    monkeypatch.setattr(migrations, "SCHEMA_VERSION", SCHEMA_VERSION + 1)


def test_an_upgrade_is_tried_in_a_copy_of_which_nothing_stays_and_then_done(
    held: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = rows_in(held.state)
    newer(monkeypatch, "CREATE TABLE fremtid (id TEXT)")
    trial = upgrading.check(held)
    assert (trial.state_from, trial.state_to, trial.is_needed) == (SCHEMA_VERSION, SCHEMA_VERSION + 1, True)
    assert trial.problems == ()
    assert PostgresqlRepository(_url(held)).schema_version() == SCHEMA_VERSION
    with PostgresqlRepository(_url(held)).snapshot() as database:
        assert database.execute(SCHEMAS).fetchone() == (0,)
    done = upgrading.carry_out(held, tmp_path / "foer.tar.gz")
    assert done.way_back is not None
    assert repository_of(held.state).schema_version() == SCHEMA_VERSION + 1
    with pytest.MonkeyPatch.context() as version_before:
        version_before.setattr(migrations, "MIGRATIONS", MIGRATIONS)
        version_before.setattr(migrations, "SCHEMA_VERSION", SCHEMA_VERSION)
        with pytest.raises(StateVersionError):
            KeyStore(held.state).list()
        back = make_settings(tmp_path / "tilbage")
        backup.restore(back, tmp_path / "foer.tar.gz")
        assert rows_in(back.state) == before


def test_an_upgrade_that_would_lose_something_is_not_carried_out(
    held: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = rows_in(held.state)
    with monkeypatch.context() as patched:
        newer(patched, "DELETE FROM keys")
        with pytest.raises(UpgradeError, match="keys"):
            upgrading.carry_out(held, tmp_path / "foer.tar.gz")
    assert rows_in(held.state) == before
    assert not (tmp_path / "foer.tar.gz").exists()


def test_an_upgrade_that_fails_is_told_of(held: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        newer(patched, "SELECT * FROM der_er_ingen")
        assert "der_er_ingen" in upgrading.check(held).problems[0].problem
    assert repository_of(held.state).schema_version() == SCHEMA_VERSION


# --- Doctor ---


def test_a_sound_database_has_no_finding(held: Settings) -> None:
    assert doctor.findings(held)["tilstand"] == []


def test_doctor_tells_of_a_database_that_cannot_be_used_and_of_no_password(
    server: Cluster, held: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql_repository, "WAIT_SECONDS", 0.5)
    wrong = in_database(held, server.url(password="helt-forkert-kode"))  # noqa: S106
    (told,) = doctor.findings(wrong)["tilstand"]
    assert "authentication failed" in told.problem
    assert "helt-forkert" not in str(doctor.findings(wrong))
    for name, value in {"STATE_DIR": held.state_dir, "CORPUS": held.corpus, "INDEX_DIR": held.index_dir}.items():
        monkeypatch.setenv(f"KB_{name}", str(value))
    monkeypatch.setenv("KB_STATE_URL", wrong.state_url.get_secret_value())
    for command in (["doctor"], ["key", "list"], ["status", "--runs"], ["verify"]):
        assert "helt-forkert" not in CliRunner().invoke(main, command).output


def test_doctor_tells_of_a_file_with_the_address_that_anyone_may_read(held: Settings, tmp_path: Path) -> None:
    address = tmp_path / "adresse"
    address.write_text(_url(held).address, encoding="utf-8")
    address.chmod(0o644)
    told = doctor.findings(held.model_copy(update={"state_url_file": address}))["mapper"]
    assert any(str(address) in one.problem for one in told)


def _url(settings: Settings) -> StateUrl:
    assert isinstance(settings.state, StateUrl)
    return settings.state
