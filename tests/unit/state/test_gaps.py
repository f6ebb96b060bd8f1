"""The table of gaps: counted and masked, closed and open again, and forgotten in time."""

from __future__ import annotations

import pytest

from kb.core.state_place import StatePlace
from kb.state import gaps
from kb.state.gaps import GapStore
from tests.stored import holds_nothing, rows_in


@pytest.fixture
def store(place: StatePlace) -> GapStore:
    return GapStore(place, keep_days=30)


def test_what_is_refused_and_what_was_not_useful_are_counted_on_one_masked_question(
    store: GapStore, place: StatePlace
) -> None:
    for _ in range(2):
        store.note_refused("Hvem er 010190-1238, anna.and@kommune.dk?", "b1", "emne")
    store.note_not_useful("Hvem er 010190-1238, anna.and@kommune.dk?", "b2")
    (one,) = store.all()
    assert (one.refused, one.not_useful, one.reason, one.build_id) == (2, 1, "emne", "b2")
    written = str(rows_in(place))
    assert "010190" not in written
    assert "anna.and" not in written


def test_a_closed_gap_that_comes_up_again_is_open_again(store: GapStore) -> None:
    store.note_refused("Hvad koster det?", "b", "emne")
    assert store.close(["Hvad koster det?", "ukendt"], "en rapport er lagt ind") == 1
    assert store.open() == []
    assert store.all()[0].closed_because == "en rapport er lagt ind"
    store.note_refused("Hvad koster det?", "b", "emne")
    assert [(one.refused, one.closed) for one in store.open()] == [(2, "")]
    store.close(["Hvad koster det?"], "ordnet")
    store.reopen(["Hvad koster det?"])
    assert [one.question for one in store.open()] == ["Hvad koster det?"]


def test_what_is_older_than_the_setting_is_deleted(store: GapStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gaps, "timestamp", lambda: "2020-01-01T00:00:00+00:00")
    store.note_refused("Gammelt?", "b", "emne")
    monkeypatch.undo()
    store.note_refused("Nyt?", "b", "emne")
    assert [one.question for one in store.all()] == ["Nyt?"]


def test_reading_where_nothing_was_asked_makes_no_file(store: GapStore, place: StatePlace) -> None:
    assert store.all() == []
    assert holds_nothing(place)
