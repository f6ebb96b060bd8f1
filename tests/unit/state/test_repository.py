"""The state database: transactions, and files of every earlier version, which lose nothing on their way to this one."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from threading import Barrier, Thread

import pytest

from kb.core.errors import StateVersionError, StorageError
from kb.core.identity import AccessRole
from kb.state import migrations
from kb.state.audit import Audit
from kb.state.feedback import FeedbackStore
from kb.state.gaps import GapStore
from kb.state.keys import KeyStore
from kb.state.lessons import LessonStore
from kb.state.migrations import FEEDBACK_FILE, MIGRATIONS, SCHEMA_VERSION
from kb.state.removals import Removals
from kb.state.runs import RunStore, Status
from kb.state.saved_questions import SavedQuestions
from kb.state.sessions import SessionStore
from kb.state.shared_plans import SharedPlans
from kb.state.sources import SourceStore
from kb.state.sqlite_repository import STATE_FILE, SqliteRepository
from kb.state.upload_names import UploadNames
from tests.support import renumber_database

# A state folder as each earlier form left it, by the form's number, with the same things written in each.
EARLIER = Path(__file__).parent / "earlier"
FORMS = [str(number) for number in range(1, SCHEMA_VERSION)]
# Given out by each of them.
KEY = "kb_ff913c69cc94_nCzSG2gjUWO-cZ5lADS413vlHJE1Ea3W0hhpg45oFc8"
SESSION = "ST-0lpfIW22dl4j-Dd9JgZBLJUfMVClphVEPABENgtM"
# Tables whose rows a later version keeps in another form; that they are all there is asked of who keeps them.
TAKEN_OVER = frozenset({"unanswered"})
Rows = dict[str, list[tuple[object, ...]]]


def rows_of(folder: Path) -> Rows:
    """Every row of every table of the databases of a folder."""
    found: Rows = {}
    for file in sorted(folder.glob("*.sqlite")):
        with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as database:
            for (table,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                found[table] = database.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall()
    return found


def shape_of(folder: Path) -> dict[str, list[tuple[object, ...]]]:
    """The columns of every table, and the triggers."""
    with closing(sqlite3.connect(folder / STATE_FILE)) as database:
        names = database.execute("SELECT name, type FROM sqlite_master WHERE type IN ('table', 'trigger')").fetchall()
        return {name: database.execute(f"PRAGMA table_info({name})").fetchall() for name, _ in names}


def kept_of(before: Rows, folder: Path) -> Rows:
    """The rows of the tables there were before; a later version may have added others and columns to these."""
    now = rows_of(folder)
    return {name: rows if name in TAKEN_OVER else _as_wide(now.get(name, []), rows) for name, rows in before.items()}


def _as_wide(rows: list[tuple[object, ...]], before: list[tuple[object, ...]]) -> list[tuple[object, ...]]:
    """The rows in the columns there were before, which come first."""
    return [row[: len(before[0])] for row in rows] if before else rows


def form_of(folder: Path) -> int:
    with closing(sqlite3.connect(folder / STATE_FILE)) as database:
        return int(database.execute("PRAGMA user_version").fetchone()[0])


@pytest.fixture(params=FORMS)
def earlier(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy of the state folder that an earlier version wrote."""
    return Path(shutil.copytree(EARLIER / request.param, tmp_path / "state"))


def test_there_is_a_folder_of_every_earlier_form() -> None:
    assert sorted(folder.name for folder in EARLIER.iterdir()) == FORMS


def test_what_an_earlier_version_wrote_is_all_there(earlier: Path) -> None:
    before = rows_of(earlier)
    SqliteRepository(earlier).connect().close()
    assert kept_of(before, earlier) == before
    assert all(rows for name, rows in before.items() if not name.startswith("sqlite_"))
    assert form_of(earlier) == SCHEMA_VERSION
    assert [file.name for file in earlier.iterdir()] == [STATE_FILE]


def test_what_an_earlier_version_wrote_can_be_used(earlier: Path) -> None:
    assert {key.name: bool(key.revoked) for key in KeyStore(earlier).list()} == {"gammel": True, "intranet": False}
    assert KeyStore(earlier).check(KEY).role is AccessRole.READER
    session = SessionStore(earlier).find(SESSION)
    assert session is not None
    assert session.name == "Anna And"
    assert [entry.event.target for entry in Audit(earlier).entries()] == ["intranet", "asta"]
    assert Audit(earlier).broken() == []
    assert [said.question for said in FeedbackStore(earlier).all()] == ["Hvem?", "Hvad kostede air?"]
    gaps = GapStore(earlier, keep_days=3650)
    assert [(asked.question, asked.refused, asked.not_useful) for asked in gaps.open()] == [
        ("Hvad er vejret?", 2, 0), ("Hvem?", 0, 1),
    ]  # fmt: skip
    assert [(asked.question, asked.closed_because) for asked in gaps.all() if asked.closed] == [
        ("Hvad er klokken?", "ordnet")
    ]
    assert UploadNames(earlier).all() == {"indlagt/a.pdf": "Årsrapport.pdf"}
    assert Removals(earlier).marked() == {"asta"}
    with RunStore(earlier) as store:
        assert [run.status for run in store.runs()] == [Status.RUNNING, Status.DONE]
        assert [job.status for job in store.jobs()] == [Status.DONE]
        assert store.arrival("indlagt/a.pdf")


def test_the_migrated_file_has_the_shape_of_a_new_one(earlier: Path, tmp_path: Path) -> None:
    for folder in (earlier, tmp_path / "ny"):
        SqliteRepository(folder).connect().close()
    assert shape_of(earlier) == shape_of(tmp_path / "ny")


def test_an_unnumbered_file_that_lacks_tables_gets_them(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / STATE_FILE)) as database:
        database.execute("CREATE TABLE uploads (path TEXT PRIMARY KEY, name TEXT NOT NULL) STRICT")
        database.execute("INSERT INTO uploads VALUES ('a.pdf', 'A.pdf')")
        database.commit()
    assert Removals(tmp_path).marked() == frozenset()
    assert UploadNames(tmp_path).all() == {"a.pdf": "A.pdf"}


def test_a_step_that_fails_leaves_the_file_as_it_was(earlier: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, form = rows_of(earlier), form_of(earlier)

    def failing(database: sqlite3.Connection, _folder: Path) -> None:
        database.execute("DELETE FROM keys")
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(migrations, "MIGRATIONS", (*MIGRATIONS, failing))
    monkeypatch.setattr(migrations, "SCHEMA_VERSION", SCHEMA_VERSION + 1)
    with pytest.raises(StorageError, match="disk I/O"):
        SqliteRepository(earlier).connect()
    assert (rows_of(earlier), form_of(earlier)) == (before, form)


def test_what_an_interrupted_import_left_behind_is_removed(tmp_path: Path) -> None:
    state = Path(shutil.copytree(EARLIER / "1", tmp_path / "state"))
    feedback = (state / FEEDBACK_FILE).read_bytes()
    SqliteRepository(state).connect().close()
    # As after a migration that was killed between its commit and this.
    (state / FEEDBACK_FILE).write_bytes(feedback)
    SqliteRepository(state).connect().close()
    assert [file.name for file in state.iterdir()] == [STATE_FILE]


def test_processes_that_come_at_once_migrate_once(earlier: Path) -> None:
    before, failed, together = rows_of(earlier), [], Barrier(8)

    def open_it() -> None:
        together.wait()
        try:
            SqliteRepository(earlier).connect().close()
        except (StorageError, sqlite3.Error) as error:
            failed.append(error)

    threads = [Thread(target=open_it) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert kept_of(before, earlier) == before


def test_a_damaged_feedback_file_keeps_nothing_else_from_being_read(
    earlier: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (earlier / FEEDBACK_FILE).write_bytes(b"ikke en database" * 500)
    if form_of(earlier) > 1:
        pytest.skip("Formen har ingen fil for sig til det.")
    assert FeedbackStore(earlier).all() == []
    assert len(KeyStore(earlier).list()) == 2
    assert (earlier / f"{FEEDBACK_FILE}.beskadiget").is_file()
    assert FEEDBACK_FILE in caplog.text


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """A state folder of a version that is not made yet."""
    KeyStore(tmp_path).create("intranet", AccessRole.READER)
    renumber_database(tmp_path / STATE_FILE, SCHEMA_VERSION + 1)
    return tmp_path


@pytest.mark.parametrize(
    "use",
    [
        lambda folder: KeyStore(folder).active(),
        lambda folder: SessionStore(folder).find("x"),
        lambda folder: Audit(folder).entries(),
        lambda folder: FeedbackStore(folder).all(),
        lambda folder: LessonStore(folder).all(),
        lambda folder: SharedPlans(folder).find("x"),
        lambda folder: SavedQuestions(folder).all(),
        lambda folder: SourceStore(folder).files("hr"),
        lambda folder: UploadNames(folder).all(),
        lambda folder: Removals(folder).marked(),
        lambda folder: Removals(folder).forget(),
        RunStore,
        lambda folder: SqliteRepository(folder).refuse_newer(),
    ],
)
def test_a_newer_file_is_refused_with_advice_and_left_alone(newer: Path, use: Callable[[Path], object]) -> None:
    before = (newer / STATE_FILE).read_bytes()
    with pytest.raises(StateVersionError, match="nyere version") as caught:
        use(newer)
    assert "Opdatér" in caught.value.advice
    assert (newer / STATE_FILE).read_bytes() == before


def add(folder: Path, *names: str | None) -> None:
    with SqliteRepository(folder).transaction() as database:
        database.executemany("INSERT INTO uploads VALUES (?,?)", [(str(name), name) for name in names])


def names_in(folder: Path) -> list[str]:
    return [row[0] for row in SqliteRepository(folder).rows("uploads", "name")]


def test_what_is_done_is_kept_together_or_not_at_all(tmp_path: Path) -> None:
    add(tmp_path / "ny", "en")
    with pytest.raises(sqlite3.IntegrityError):
        add(tmp_path / "ny", "to", None)
    assert names_in(tmp_path / "ny") == ["en"]


def test_reading_makes_nothing(tmp_path: Path) -> None:
    assert names_in(tmp_path) == []
    assert names_in(tmp_path / "ingen") == []
    SqliteRepository(tmp_path).refuse_newer()
    assert list(tmp_path.iterdir()) == []


def test_what_is_asked_again_and_again_opens_the_file_once_a_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(tmp_path, "en")
    opened: list[object] = []
    connect = SqliteRepository.connect

    def told(self: SqliteRepository) -> sqlite3.Connection:
        opened.append(self)
        return connect(self)

    held = SqliteRepository(tmp_path)
    monkeypatch.setattr(SqliteRepository, "connect", told)
    read = [held.rows("uploads", "name") for _ in range(3)]
    assert (read, len(opened)) == ([[("en",)]] * 3, 1)
    other = Thread(target=lambda: read.append(held.rows("uploads", "name")))
    other.start()
    other.join()
    assert (read[-1], len(opened)) == ([("en",)], 2)


def test_who_reads_again_and_again_sees_what_others_write_and_the_file_that_takes_the_old_ones_place(
    tmp_path: Path,
) -> None:
    add(tmp_path / "ny", "en")
    add(tmp_path / "hentet", "gammel")
    held = SqliteRepository(tmp_path / "ny")
    assert held.rows("uploads", "name") == [("en",)]
    add(tmp_path / "ny", "to")
    assert held.rows("uploads", "name") == [("en",), ("to",)]
    (tmp_path / "ny").rename(tmp_path / "før")
    assert held.rows("uploads", "name") == []
    (tmp_path / "hentet").rename(tmp_path / "ny")
    assert held.rows("uploads", "name") == [("gammel",)]
    renumber_database(tmp_path / "ny" / STATE_FILE, SCHEMA_VERSION + 1)
    with pytest.raises(StateVersionError):
        held.rows("uploads", "name")


def test_nobody_else_writes_during_an_immediate_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kb.state.repository.BUSY_TIMEOUT_SECONDS", 0.05)
    add(tmp_path, "en")
    with SqliteRepository(tmp_path).transaction(immediate=True), pytest.raises(sqlite3.OperationalError):
        add(tmp_path, "to")
    add(tmp_path, "tre")
    assert names_in(tmp_path) == ["en", "tre"]


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    (tmp_path / STATE_FILE).write_bytes(b"ikke en database" * 500)
    for use in (SqliteRepository(tmp_path).connect, SqliteRepository(tmp_path).refuse_newer):
        with pytest.raises(StorageError, match=STATE_FILE) as caught:
            use()
        assert "sikkerhedskopi" in caught.value.advice


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "fil").write_text("", encoding="utf-8")
    with pytest.raises(StorageError, match=STATE_FILE):
        SqliteRepository(tmp_path / "fil" / "state").connect()
