"""The audit trail as JSON lines, against an earlier export, and what the log gets."""

from __future__ import annotations

import json
import logging

import pytest

from kb.core.errors import InputError
from kb.core.state_place import StatePlace
from kb.state.audit import Audit, Event, as_line, entry_of_line
from kb.state.database import SQLITE
from tests.stored import unguarded_events


@pytest.fixture
def trail(place: StatePlace) -> Audit:
    found = Audit(place)
    for who, action in (("anna", "rapport slettet"), ("bo", "rapport slettet afvist"), ("cæsar", "login mislykkedes")):
        found.write(
            Event(action, who=who, via="login", address="10.0.0.7", target="rapport-1", request_id="r-12345678")
        )
    return found


def exported(trail: Audit) -> list[str]:
    return [as_line(entry) for entry in trail.entries()]


def age(place: StatePlace, upto: int) -> None:
    with unguarded_events(place) as database:
        database.execute("UPDATE audit SET at = '2020-01-01T00:00:00.000+00:00' WHERE seq <= ?", (upto,))


def test_a_line_tells_who_what_which_when_where_from_and_how_it_went(trail: Audit) -> None:
    lines = [json.loads(line) for line in exported(trail)]
    assert [line["result"] for line in lines] == ["udført", "afvist", "mislykkedes"]
    assert {name: lines[2][name] for name in ("who", "action", "target", "address", "via", "request_id", "seq")} == {
        "who": "cæsar", "action": "login mislykkedes", "target": "rapport-1", "address": "10.0.0.7", "via": "login",
        "request_id": "r-12345678", "seq": 3,
    }  # fmt: skip
    assert lines[2]["previous"] == lines[1]["digest"]
    assert [entry_of_line(line) for line in exported(trail)] == trail.entries()


def test_the_log_gets_each_event_as_it_is_written(place: StatePlace, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "kb.state.audit"):
        Audit(place).write(Event("rapport slettet", who="anna", target="rapport-1"))
    (record,) = caplog.records
    told = record.__dict__["fields"]["audit"]
    assert (told["who"], told["seq"]) == ("anna", 1)
    assert json.dumps(told, ensure_ascii=False) == exported(Audit(place))[0]


def test_a_whole_new_chain_is_found_by_an_earlier_export(trail: Audit, place: StatePlace) -> None:
    before = exported(trail)
    assert trail.differing(before) == []
    with unguarded_events(place) as database:
        database.execute("DELETE FROM audit")
        again = "DELETE FROM sqlite_sequence" if database.dialect is SQLITE else "ALTER SEQUENCE audit_seq_seq RESTART"
        database.execute(again)
    forged = Audit(place)
    forged.write(Event("rapport slettet", who="en anden"))
    assert forged.broken() == []
    assert forged.differing(before) == [1, 2, 3]


def test_a_removed_end_is_found_by_an_earlier_export(trail: Audit, place: StatePlace) -> None:
    before = exported(trail)
    with unguarded_events(place) as database:
        database.execute("DELETE FROM audit WHERE seq = 3")
    assert trail.broken() == []
    assert trail.differing(before) == [3]


def test_an_export_that_was_changed_is_found(trail: Audit) -> None:
    lines = exported(trail)
    assert trail.differing([lines[0], lines[1].replace("bo", "ib"), lines[2]]) == [2]
    with pytest.raises(InputError, match="ikke er en hændelse"):
        trail.differing(["{}"])


def test_what_is_removed_by_age_leaves_a_whole_chain_round_after_round(trail: Audit, place: StatePlace) -> None:
    before = exported(trail)
    for upto, kept in ((1, [2, 3, 4]), (3, [4, 5])):
        age(place, upto)
        assert trail.forget(365, who="serveren") == upto - (kept[0] == 4)
        assert [entry.seq for entry in trail.entries()] == kept
        assert trail.broken() in ([], [3])  # what the test dated back itself
    assert trail.broken() == []
    assert trail.differing(before) == []
