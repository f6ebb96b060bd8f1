"""The state in PostgreSQL: servers at once, a database that is away or killed, and passwords that nobody sees."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from kb.core.errors import InstallationError, StateUnavailableError, StateVersionError, StorageError
from kb.core.identity import AccessRole
from kb.core.settings import load_settings
from kb.core.state_place import StateUrl
from kb.state import migrations, postgresql_repository
from kb.state.audit import Audit, Event
from kb.state.database import Database
from kb.state.keys import KeyStore
from kb.state.migrations import MIGRATIONS, SCHEMA_VERSION, tables_of
from kb.state.postgresql_repository import PostgresqlRepository, close_pools
from kb.state.repository import LockTaken
from kb.state.runs import RunStore, Status
from kb.state.upload_names import UploadNames
from tests.killing_database import torment
from tests.postgresql import PASSWORD, Cluster
from tests.stored import rows_in

HOME = Path(__file__).parents[3]
TOGETHER = 6
KILLS = 2


def together(*work: object) -> None:
    threads = [threading.Thread(target=one) for one in work]  # type: ignore[arg-type]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


# --- Schema ---


def test_servers_that_start_at_once_make_the_tables_once(url: StateUrl, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []

    def counted(_database: Database, _folder: Path | None) -> None:
        made.append(1)

    monkeypatch.setattr(migrations, "MIGRATIONS", (*MIGRATIONS, counted))
    monkeypatch.setattr(migrations, "SCHEMA_VERSION", SCHEMA_VERSION + 1)
    together(*[PostgresqlRepository(url).bring_up_to_date] * TOGETHER)
    assert PostgresqlRepository(url).schema_version() == SCHEMA_VERSION + 1
    assert made == [1]


def test_it_has_the_tables_and_columns_of_a_file(url: StateUrl) -> None:
    PostgresqlRepository(url).bring_up_to_date()
    sql = """SELECT table_name, column_name FROM information_schema.columns
        WHERE table_schema = current_schema() AND column_name <> 'rowid' ORDER BY table_name, ordinal_position"""
    found: dict[str, tuple[str, ...]] = {}
    with PostgresqlRepository(url).reading() as database:
        for table, column in database.execute(sql).fetchall():
            found[table] = (*found.get(table, ()), column)
    assert found.pop("state_schema") == ("version",)
    assert found == tables_of(SCHEMA_VERSION)


def test_a_migration_that_fails_leaves_everything_as_it_was(url: StateUrl, monkeypatch: pytest.MonkeyPatch) -> None:
    KeyStore(url).create("intranet", AccessRole.READER)
    before = rows_in(url)

    def failing(database: Database, _folder: Path | None) -> None:
        database.execute("DELETE FROM keys")
        database.execute("SELECT * FROM der_er_ingen")

    with monkeypatch.context() as newer:
        newer.setattr(migrations, "MIGRATIONS", (*MIGRATIONS, failing))
        newer.setattr(migrations, "SCHEMA_VERSION", SCHEMA_VERSION + 1)
        with pytest.raises(StorageError, match="der_er_ingen"):
            KeyStore(url).list()
    assert rows_in(url) == before


def test_a_newer_state_is_refused_also_by_a_server_that_is_at_work(url: StateUrl) -> None:
    KeyStore(url).create("intranet", AccessRole.READER)
    with PostgresqlRepository(url).transaction() as database:
        database.execute("UPDATE state_schema SET version = ?", (SCHEMA_VERSION + 1,))
    with pytest.raises(StateVersionError, match="nyere version"):
        KeyStore(url).list()


# --- Transactions and locks ---


def test_what_is_done_is_kept_together_or_not_at_all(url: StateUrl) -> None:
    held = PostgresqlRepository(url)
    with pytest.raises(StorageError), held.transaction() as database:
        database.executemany("INSERT INTO uploads VALUES (?,?)", [("a", "A"), ("b", None)])
    assert UploadNames(url).all() == {}


def test_the_database_itself_refuses_to_change_or_empty_the_audit_trail(url: StateUrl) -> None:
    Audit(url).write(Event("nøgle lavet", who="anna"))
    for sql in ("UPDATE audit SET who = 'bo'", "DELETE FROM audit", "TRUNCATE audit"):
        with pytest.raises(StorageError, match="append-only"), PostgresqlRepository(url).transaction() as database:
            database.execute(sql)
    assert [entry.event.who for entry in Audit(url).entries()] == ["anna"]


def test_events_of_several_servers_are_one_chain(url: StateUrl) -> None:
    def write() -> None:
        for number in range(5):
            Audit(url).write(Event("rapport slettet", who="anna", target=str(number)))

    together(*[write] * TOGETHER)
    assert len(Audit(url).entries()) == 5 * TOGETHER
    assert Audit(url).broken() == []


def test_a_text_with_a_sign_that_postgresql_cannot_hold_is_kept(url: StateUrl) -> None:
    UploadNames(url).keep("a.pdf", "før\0efter")
    assert UploadNames(url).all() == {"a.pdf": "før\ufffdefter"}


@pytest.mark.slow
def test_a_lock_is_held_by_one_and_freed_when_its_process_dies(url: StateUrl) -> None:
    PostgresqlRepository(url).bring_up_to_date()
    held = "import sys; from kb.core.state_place import StateUrl; from kb.state.repository import repository_of\n"
    held += "with repository_of(StateUrl.of(sys.stdin.readline().strip())).lock('mail'):\n"
    held += "    print('holdt', flush=True); sys.stdin.readline()"
    with subprocess.Popen(
        [sys.executable, "-c", held], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=HOME
    ) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        print(url.address, file=other.stdin, flush=True)
        assert other.stdout.readline() == "holdt\n"
        with pytest.raises(LockTaken), PostgresqlRepository(url).lock("mail"):
            pass
        with PostgresqlRepository(url).lock("kilde-hr"):
            pass
        other.kill()
    with PostgresqlRepository(url).lock("mail", wait=60):
        pass


# --- Jobs ---

CLAIM = """
import sys
from kb.core.state_place import StateUrl
from kb.state.runs import RunStore
with RunStore(StateUrl.of(sys.stdin.readline().strip())) as state:
    print("klar", flush=True)
    sys.stdin.readline()
    while (job := state.claim_job(int(sys.argv[1]))) is not None:
        print(job.id, flush=True)
"""


@pytest.mark.slow
def test_each_job_is_taken_once_by_two_processes(url: StateUrl) -> None:
    with RunStore(url) as state:
        wanted = [state.add_job(f"bruger {number}", only_own=True).id for number in range(40)]
    command = [sys.executable, "-c", CLAIM]
    others = [
        subprocess.Popen([*command, owner], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=HOME)
        for owner in ("7", "8")
    ]
    for other in others:
        assert other.stdin is not None
        print(url.address, file=other.stdin, flush=True)
    for other in others:
        assert other.stdout is not None
        assert other.stdout.readline() == "klar\n"
    taken = [other.communicate("nu\n")[0].split() for other in others]
    assert sorted(taken[0] + taken[1]) == wanted
    with RunStore(url) as state:
        assert {job.owner for job in state.jobs_at_work()} <= {7, 8}


def test_a_row_that_another_is_taking_is_passed_over_and_not_waited_for(url: StateUrl) -> None:
    with RunStore(url) as state:
        first, second = (state.add_job(name, only_own=True).id for name in ("anna", "bo"))
        with PostgresqlRepository(url).transaction() as other:
            other.execute(f"SELECT id FROM jobs ORDER BY id LIMIT 1{other.dialect.skip_locked}").fetchone()
            claimed = state.claim_job(7)
            assert claimed is not None
            assert claimed.id == second
            assert state.claim_job(7) is None
        again = state.claim_job(7)
        assert again is not None
        assert again.id == first


def test_a_job_is_put_back_only_as_it_was_seen(url: StateUrl) -> None:
    with RunStore(url) as state:
        state.add_job("anna")
        seen = state.claim_job(7)
        assert seen is not None
        state.beat_job(seen.id, 7)
        assert not state.requeue_job(seen)
        assert state.requeue_job(state.job(seen.id))
        assert state.job(seen.id).status is Status.WAITING
        assert not state.requeue_job(seen)


FORK = """
import os, sys
from kb.core.state_place import StateUrl
from kb.state.repository import repository_of
place = StateUrl.of(sys.stdin.readline().strip())

def connection():
    with repository_of(place).reading() as database:
        return database.execute("SELECT pg_backend_pid()").fetchone()[0]

before = connection()
read, write = os.pipe()
child = os.fork()
if not child:
    os.write(write, str(connection()).encode())
    os._exit(0)
os.waitpid(child, 0)
print(before, os.read(read, 100).decode(), connection())
"""


@pytest.mark.slow
def test_a_worker_that_is_forked_has_connections_of_its_own_and_leaves_the_masters_alone(url: StateUrl) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORK], input=url.address, capture_output=True, text=True, check=True, cwd=HOME
    )
    before, of_child, after = done.stdout.split()
    assert before == after != of_child


# --- A database that is away ---


@pytest.mark.slow
def test_a_database_that_is_away_is_told_of_and_found_again(mortal: Cluster, caplog: pytest.LogCaptureFixture) -> None:
    url = mortal.new_state()
    keys = KeyStore(url)
    keys.create("intranet", AccessRole.READER)
    mortal.kill()
    with pytest.raises(StateUnavailableError, match="svarer ikke") as caught:
        keys.list()
    assert PASSWORD not in f"{caught.value} {caught.value.reason} {caught.value.advice} {caplog.text}"
    assert str(mortal.folder) not in str(caught.value)
    begun = time.monotonic()
    with pytest.raises(StateUnavailableError):
        keys.list()
    assert time.monotonic() - begun < postgresql_repository.WAIT_SECONDS  # nobody waits again at once
    assert "refused" in PostgresqlRepository(url).problem() or "No such file" in PostgresqlRepository(url).problem()
    mortal.start()
    until = time.monotonic() + 60
    while True:
        try:
            assert [key.name for key in keys.list()] == ["intranet"]
            break
        except StateUnavailableError:
            assert time.monotonic() < until
            time.sleep(0.2)


@pytest.mark.slow
def test_work_that_has_begun_waits_for_the_database(mortal: Cluster) -> None:
    url = mortal.new_state()
    with RunStore(url, patience=120) as state:
        job = state.add_job("anna")
        mortal.kill()
        back = threading.Timer(2, mortal.start)
        back.start()
        claimed = state.claim_job(7)
        back.join()
        assert claimed is not None
        assert claimed.id == job.id
        state.finish_job(job.id, Status.DONE)
        assert state.job(job.id).status is Status.DONE


@pytest.mark.slow
def test_a_database_that_is_killed_under_load_leaves_nothing_half_written(mortal: Cluster) -> None:
    tally = torment(mortal, KILLS)
    assert (tally.problems, tally.kills) == ([], KILLS)
    assert tally.jobs_done


# --- Passwords ---


def test_a_password_is_told_of_nowhere(
    server: Cluster, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    wrong = server.url(password="helt-forkert-kode")  # noqa: S106
    with monkeypatch.context() as hurried:
        hurried.setattr(postgresql_repository, "WAIT_SECONDS", 0.5)
        with pytest.raises(StateUnavailableError) as caught:
            KeyStore(wrong).list()
    assert "authentication failed" in caught.value.reason
    problem = PostgresqlRepository(wrong).problem()
    assert "authentication failed" in problem
    monkeypatch.setenv("KB_STATE_URL", wrong.address)
    settings = load_settings()
    told = f"{caught.value!r} {caught.value.reason} {caplog.text} {problem} {wrong!r} {wrong.shown} {settings!r}"
    assert "helt-forkert" not in told
    assert settings.state == wrong
    (tmp_path / "adresse").write_text(f"{server.url().address}\n", encoding="utf-8")
    monkeypatch.delenv("KB_STATE_URL")
    monkeypatch.setenv("KB_STATE_URL_FILE", str(tmp_path / "adresse"))
    assert load_settings().state == server.url()
    assert KeyStore(load_settings().state).active() == 0
    close_pools()


def test_libpqs_own_password_file_is_read(server: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    escaped = PASSWORD.replace("\\", "\\\\").replace(":", "\\:")
    (tmp_path / "pgpass").write_text(f"*:*:*:*:{escaped}\n", encoding="utf-8")
    (tmp_path / "pgpass").chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "pgpass"))
    whole = server.new_state()
    user = whole.shown.partition("://")[2].partition("@")[0]
    bare = StateUrl.of(f"postgresql://{user}@/{whole.address.partition('@/')[2]}")
    KeyStore(bare).create("intranet", AccessRole.READER)
    assert [key.name for key in KeyStore(whole).list()] == ["intranet"]
    close_pools()


def test_without_the_driver_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg_pool", None)
    with pytest.raises(InstallationError, match="psycopg") as caught:
        KeyStore(StateUrl.of("postgresql://kb@db/erfaringer")).list()
    assert "[cluster]" in caught.value.advice


def test_a_base_with_a_file_never_loads_the_driver() -> None:
    used = "import sys, tempfile; from pathlib import Path; import kb.state.exchange\n"
    used += "from kb.state.keys import KeyStore\n"
    used += "with tempfile.TemporaryDirectory() as folder: KeyStore(Path(folder)).list()\n"
    used += "print([name for name in sys.modules if name.startswith('psycopg')])"
    done = subprocess.run([sys.executable, "-c", used], capture_output=True, text=True, check=True, cwd=HOME)
    assert done.stdout.strip() == "[]"
