"""What is stored about one user is found wherever it lies, and deleted."""

from __future__ import annotations

import json

import pytest

from kb.core.errors import InputError
from kb.core.identity import AccessRole
from kb.core.settings import Settings
from kb.operations import personal_data
from kb.state.audit import Audit, Event
from kb.state.keys import KeyStore
from kb.state.runs import RunStore
from kb.state.saved_questions import SavedQuestion, SavedQuestions
from kb.state.sessions import Session, SessionStore
from tests.stored import rows_in

ANNA = "Anna Åkjær"


@pytest.fixture
def used(stateful: Settings) -> Settings:
    """A base that Anna and Bo have used in every way that is stored."""
    for name in (ANNA, "Bo"):
        SessionStore(stateful.state).begin(Session(name, AccessRole.EDITOR, f"id-{name}"), hours=1)
        KeyStore(stateful.state).create(name, AccessRole.READER)
        with RunStore(stateful.state) as runs:
            runs.begin_run(f"kb index ({name})")
            runs.add_job(name)
        SavedQuestions(stateful.state).add(
            SavedQuestion(f"id-{name}", "Hvad kostede det?", owner_name=name), "et indeks", []
        )
        Audit(stateful.state).write(Event("rapport slettet", who=name, target="rapport-1"))
    Audit(stateful.state).write(Event("nøgle lavet", who="drift", target=f"{ANNA} (0123)"))
    return stateful


def stored(settings: Settings, name: str) -> set[str]:
    """The tables with a row that has a name in it."""
    return {table for table, rows in rows_in(settings.state).items() if name in str(rows)}


def test_everything_stored_about_a_user_is_given(used: Settings) -> None:
    found = personal_data.collect(used, ANNA)
    assert stored(used, ANNA) == {"sessions", "keys", "runs", "jobs", "saved_questions", "audit"}
    parts = (found.sessions, found.keys, found.runs, found.saved_questions, found.audit)
    assert [len(part) for part in parts] == [1, 1, 2, 1, 2]
    assert "Bo" not in json.dumps(parts)
    assert "stop_key" not in found.saved_questions[0]
    assert personal_data.collect(used, f"id-{ANNA}").sessions == found.sessions


def test_a_deleted_user_is_left_in_the_audit_trail_alone(used: Settings) -> None:
    done = personal_data.erase(used, ANNA, by="drift")
    assert (done.sessions, done.keys, done.saved_questions, done.renamed, done.kept_events) == (1, 1, 1, 2, 2)
    assert stored(used, ANNA) == {"audit"}
    # His job was joined to hers, which waited.
    assert stored(used, "Bo") == {"sessions", "keys", "runs", "saved_questions", "audit"}
    assert Audit(used.state).broken() == []
    assert Audit(used.state).entries()[-1].event.action == personal_data.ERASED


def test_nobody_is_not_a_user(used: Settings) -> None:
    for name in ("", "  ", personal_data.NOBODY):
        with pytest.raises(InputError, match="navn"):
            personal_data.erase(used, name, by="drift")
