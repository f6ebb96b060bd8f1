"""Plans that are shared by a link: found by it, gone when they expire or are deleted, never under their own token."""

from __future__ import annotations

from kb.core.state_place import StatePlace
from kb.state.shared_plans import SharedPlans
from tests.stored import holds_nothing, rows_in


def test_a_shared_plan_is_found_by_its_token_alone(place: StatePlace) -> None:
    shared = SharedPlans(place)
    assert shared.find("intet") is None
    assert holds_nothing(place)  # looking creates nothing
    token = shared.add("Planen", days=7)
    found = shared.find(token)
    assert found is not None
    assert (found.plan, found.created < found.expires) == ("Planen", True)
    assert shared.find("en anden") is None
    assert token not in str(rows_in(place))


def test_an_expired_plan_is_deleted(place: StatePlace) -> None:
    shared = SharedPlans(place)
    token = shared.add("Planen", days=-1)
    assert shared.find(token) is None
    assert rows_in(place)["shared_plans"] == []


def test_a_shared_plan_can_be_deleted_before_its_time(place: StatePlace) -> None:
    shared = SharedPlans(place)
    kept, removed = shared.add("Den ene", days=7), shared.add("Den anden", days=7)
    shared.remove(removed)
    assert shared.find(removed) is None
    assert shared.find(kept) is not None
