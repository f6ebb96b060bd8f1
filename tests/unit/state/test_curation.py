"""Versions of words and pinned passages: each change whole, each one undone, and no change lost to another."""

from __future__ import annotations

import pytest

from kb.core.errors import InputError, NotFoundError
from kb.core.state_place import StatePlace
from kb.curation.words import Curation, checked_group
from kb.state import curation
from kb.state.curation import CurationStore
from tests.stored import holds_nothing

ONE = Curation().with_group(checked_group(["skraldebil", "renovationskøretøj"]))
TWO = ONE.with_group(checked_group(["lift", "elevator"]))


@pytest.fixture
def store(place: StatePlace) -> CurationStore:
    return CurationStore(place)


def test_nothing_decided_is_version_0_and_makes_no_file(store: CurationStore, place: StatePlace) -> None:
    assert (store.number(), store.current().curation) == (0, Curation())
    assert holds_nothing(place)


def test_a_change_is_a_version_and_is_undone_step_by_step(store: CurationStore) -> None:
    store.put(ONE, "første", based_on=0)
    assert store.put(TWO, "anden", based_on=1).version == store.number() == 2
    assert store.undo(based_on=2).curation == ONE
    assert store.current().what == "fortrudt: anden"
    assert store.undo(based_on=3).curation == TWO, "what undid a change is undone itself"
    assert store.restore(1, based_on=4).curation == ONE
    assert [one.version for one in store.history()] == [5, 4, 3, 2, 1]


def test_the_first_change_is_undone_to_nothing(store: CurationStore) -> None:
    store.put(ONE, "første", based_on=0)
    assert store.undo(based_on=1).curation == Curation()


def test_a_change_of_a_version_that_is_no_longer_in_force_is_refused(store: CurationStore) -> None:
    store.put(ONE, "første", based_on=0)
    with pytest.raises(InputError, match="ændret af en anden"):
        store.put(TWO, "anden", based_on=0)
    with pytest.raises(InputError, match="ændret af en anden"):
        store.restore(1, based_on=3)
    assert store.current().curation == ONE


def test_a_version_that_is_kept_no_more_cannot_be_put_back(
    store: CurationStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(curation, "MOST_VERSIONS", 2)
    for version in range(3):
        store.put(ONE, f"nr. {version}", based_on=version)
    with pytest.raises(NotFoundError, match="kan ikke fortrydes"):
        store.restore(1, based_on=3)
