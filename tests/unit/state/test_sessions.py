from __future__ import annotations

from datetime import timedelta

import pytest

from kb.core.errors import NotFoundError
from kb.core.identity import AccessRole
from kb.core.state_place import StatePlace
from kb.state.repository import repository_of
from kb.state.sessions import Session, SessionStore, id_of

HOUR = timedelta(hours=1)


@pytest.fixture
def store(place: StatePlace) -> SessionStore:
    return SessionStore(place)


def begin(store: SessionStore, who: str, *, provider_session: str = "", key_id: str = "", hours: float = 1) -> str:
    session = Session(
        who.title(), AccessRole.READER, who, key_id=key_id, provider_session=provider_session, address="192.0.2.7"
    )
    return store.begin(session, hours=hours)


def test_sessions_are_listed_without_what_lets_anyone_in(store: SessionStore) -> None:
    token = begin(store, "anna")
    begin(store, "bo", hours=-1)
    (listed,) = store.all()
    assert (listed.id, listed.session.name, listed.session.address) == (id_of(token), "Anna", "192.0.2.7")
    assert token not in repr(listed)
    assert store.find(listed.id) is None


def test_ones_own_session_can_be_ended_and_not_anothers(store: SessionStore) -> None:
    anna, bo = begin(store, "anna"), begin(store, "bo")
    with pytest.raises(NotFoundError):
        store.end_one(id_of(bo), subject="anna")
    store.end_one(id_of(anna), subject="anna")
    assert (store.find(anna), store.find(bo) is None) == (None, False)
    store.end_one(id_of(bo))
    assert store.all() == []


def test_all_others_of_ones_own_are_ended(store: SessionStore) -> None:
    here, there, bo = begin(store, "anna"), begin(store, "anna"), begin(store, "bo")
    assert store.end_others("anna", token=here) == 1
    assert [bool(store.find(token)) for token in (here, there, bo)] == [True, False, True]


@pytest.mark.parametrize(
    ("named", "ended"),
    [
        ({"subject": "anna", "provider_session": ""}, [True, True, False, False]),
        ({"subject": "", "provider_session": "s1"}, [True, False, False, False]),
        ({"subject": "anna", "provider_session": "s2"}, [False, True, False, False]),
        ({"subject": "bo", "provider_session": "s1"}, [False, False, False, False]),
        ({"subject": "", "provider_session": ""}, [False, False, False, False]),
    ],
)
def test_the_provider_ends_whom_it_names(store: SessionStore, named: dict[str, str], ended: list[bool]) -> None:
    tokens = [begin(store, "anna", provider_session="s1"), begin(store, "anna", provider_session="s2")]
    # A key's id is no person at the provider, whatever it is called.
    tokens += [begin(store, "anna", key_id="anna"), begin(store, "bo", provider_session="s3")]
    names = store.end_at_provider(jti="1", valid=HOUR, **named)
    assert [store.find(token) is None for token in tokens] == ended
    assert len(names) == sum(ended)


def test_a_logout_token_is_taken_once(store: SessionStore) -> None:
    begin(store, "anna")
    assert store.end_at_provider(jti="1", valid=HOUR, subject="anna", provider_session="") == ["Anna"]
    again = begin(store, "anna")
    assert store.end_at_provider(jti="1", valid=HOUR, subject="anna", provider_session="") == []
    assert store.find(again)


def test_when_it_was_last_used_is_written_down_now_and_then(store: SessionStore, place: StatePlace) -> None:
    token = begin(store, "anna")
    begun = store.all()[0].used
    with repository_of(place).transaction() as database:
        database.execute("UPDATE sessions SET used = '2026-01-01T00:00:00+00:00'")
    store.find(token)
    assert store.all()[0].used >= begun
