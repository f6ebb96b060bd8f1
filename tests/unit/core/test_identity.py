"""Roles, addresses, keys and the audit trail, without a server."""

from __future__ import annotations

import hmac
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kb.core.errors import ConfigurationError, InputError, NotFoundError, SettingsError
from kb.core.identity import AccessRole, check_setup, client_address, is_closed, networks
from kb.state.audit import Audit, Event
from kb.state.keys import KeyRefused, KeyState, KeyStore
from tests.support import make_settings


def test_a_role_includes_those_below_it() -> None:
    assert [[one.includes(other) for other in AccessRole] for one in AccessRole] == [
        [True, False, False],
        [True, True, False],
        [True, True, True],
    ]


@pytest.mark.parametrize(
    ("overrides", "closed"),
    [
        ({}, False),
        ({"host": "localhost"}, False),
        ({"host": "::1"}, False),
        ({"host": "0.0.0.0"}, True),  # noqa: S104
        ({"host": "kb.kommune.dk"}, True),
        ({"access": "closed"}, True),
        ({"public_url": "https://kb.kommune.dk"}, True),
        ({"trusted_proxies": "10.0.0.1"}, True),
    ],
)
def test_open_on_this_machine_and_closed_beyond_it(tmp_path: Path, overrides: dict[str, str], closed: bool) -> None:
    settings = make_settings(tmp_path, **overrides)
    assert is_closed(settings) is closed
    if closed:
        with pytest.raises(ConfigurationError, match="adgang") as caught:
            check_setup(settings, keys=0)
        assert "kb key create" in caught.value.advice
    check_setup(settings, keys=1)
    check_setup(make_settings(tmp_path, **overrides, anonymous_reading=True), keys=0)


@pytest.mark.parametrize(
    ("peer", "forwarded", "found"),
    [
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "192.0.2.7", "192.0.2.7"),
        ("10.0.0.1", "6.6.6.6, 192.0.2.7", "192.0.2.7"),
        ("10.0.0.1", "6.6.6.6, 192.0.2.7, 10.0.0.2", "192.0.2.7"),
        ("203.0.113.9", "127.0.0.1", "203.0.113.9"),
        ("10.0.0.1", "nonsens", "nonsens"),
    ],
)
def test_a_proxy_is_believed_only_as_far_as_it_is_trusted(peer: str, forwarded: str, found: str) -> None:
    assert client_address(peer, forwarded, networks("10.0.0.0/30", "trusted_proxies")) == found


def test_an_address_that_is_none_is_refused_by_name() -> None:
    with pytest.raises(SettingsError, match="trusted_proxies"):
        networks("10.0.0.1, kommune", "trusted_proxies")


def test_a_key_is_kept_as_a_hash_only(tmp_path: Path) -> None:
    keys = KeyStore(tmp_path)
    key, secret = keys.create("intranet", AccessRole.EDITOR)
    assert keys.check(secret).name == "intranet"
    assert keys.list()[0].last_used
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert secret.rsplit("_", 1)[-1].encode() not in stored
    assert key.id.encode() in stored


@pytest.mark.parametrize("change", ["", "x", "kb_", "\udcff", "kb_" + "0" * 12 + "_" + "a" * 43])
def test_other_keys_are_refused(tmp_path: Path, change: str) -> None:
    keys = KeyStore(tmp_path)
    _key, secret = keys.create("intranet", AccessRole.READER)
    last = "B" if secret[-1] == "A" else "A"
    for wrong in (change, secret + change if change else secret[:-1], secret[:-1] + last):
        with pytest.raises(KeyRefused):
            keys.check(wrong)


def test_a_revoked_key_stops_at_once_and_its_name_is_free(tmp_path: Path) -> None:
    keys = KeyStore(tmp_path)
    _key, secret = keys.create("intranet", AccessRole.READER)
    with pytest.raises(InputError, match="allerede"):
        keys.create("intranet", AccessRole.READER)
    keys.revoke("intranet")
    with pytest.raises(KeyRefused):
        keys.check(secret)
    with pytest.raises(NotFoundError):
        keys.revoke("intranet")
    assert keys.active() == 0
    keys.create("intranet", AccessRole.READER)
    assert keys.active() == 1


def test_an_expired_key_is_refused(tmp_path: Path) -> None:
    keys = KeyStore(tmp_path)
    key, secret = keys.create("kort", AccessRole.READER, days=1)
    assert key.state(datetime.now(UTC)) is KeyState.ACTIVE
    assert key.state(datetime.now(UTC) + timedelta(days=1, seconds=1)) is KeyState.EXPIRED
    with sqlite3.connect(tmp_path / "state.sqlite") as connection:
        connection.execute("UPDATE keys SET expires = '2020-01-01T00:00:00+00:00'")
    with pytest.raises(KeyRefused):
        keys.check(secret)


def test_an_unknown_key_is_compared_as_a_wrong_one_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The time an answer takes does not tell which keys there are."""
    keys = KeyStore(tmp_path)
    _key, secret = keys.create("intranet", AccessRole.READER)
    wrong = secret[:-1] + ("A" if secret[-1] != "A" else "B")
    unknown = "kb_" + "f" * 12 + secret[15:]

    compared: list[tuple[int, int]] = []
    compare = hmac.compare_digest

    def noted(one: bytes, other: bytes) -> bool:
        compared.append((len(one), len(other)))
        return compare(one, other)

    monkeypatch.setattr(hmac, "compare_digest", noted)
    for given in (wrong, unknown):
        with pytest.raises(KeyRefused):
            keys.check(given)
    assert compared == [(32, 32), (32, 32)]


def test_the_trail_can_only_grow(tmp_path: Path) -> None:
    trail = Audit(tmp_path)
    for number in range(3):
        trail.write(Event("slettet", who="anna", target=f"rapport-{number}"))
    with sqlite3.connect(tmp_path / "state.sqlite") as connection:
        for sql in ("UPDATE audit SET who = 'x'", "DELETE FROM audit WHERE seq = 2"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                connection.execute(sql)
    assert [entry.event.target for entry in trail.entries()] == ["rapport-0", "rapport-1", "rapport-2"]
    assert trail.broken() == []


@pytest.mark.parametrize(
    ("sql", "broken"),
    [
        ("UPDATE audit SET who = 'x' WHERE seq = 1", [1]),
        ("UPDATE audit SET who = 'x' WHERE seq = 3", [3]),
        ("DELETE FROM audit WHERE seq = 2", [3]),
        ("DELETE FROM audit WHERE seq = 1", [2]),
    ],
)
def test_tampering_is_found(tmp_path: Path, sql: str, broken: list[int]) -> None:
    trail = Audit(tmp_path)
    for number in range(3):
        trail.write(Event("slettet", who="anna", target=f"rapport-{number}"))
    with sqlite3.connect(tmp_path / "state.sqlite") as connection:
        connection.execute("DROP TRIGGER audit_is_not_changed")
        connection.execute("DROP TRIGGER audit_is_kept")
        connection.execute(sql)
    assert trail.broken() == broken


def test_old_events_are_forgotten_and_young_ones_kept(tmp_path: Path) -> None:
    trail = Audit(tmp_path)
    trail.write(Event("slettet", who="anna"))
    trail.write(Event("slettet", who="bo"))
    with sqlite3.connect(tmp_path / "state.sqlite") as connection:
        connection.execute("DROP TRIGGER audit_is_not_changed")
        connection.execute("UPDATE audit SET at = '2020-01-01T00:00:00.000+00:00' WHERE seq = 1")
    assert trail.forget(1, who="drift") == 1
    assert [entry.event.who for entry in trail.entries()] == ["bo", "drift"]
    assert trail.broken() == []
    assert trail.forget(1, who="drift") == 0
    assert len(trail.entries()) == 2


def test_a_server_behind_a_proxy_is_not_told_to_listen_on_its_own_machine() -> None:
    with pytest.raises(ConfigurationError) as told:
        check_setup(make_settings(Path(), public_url="https://erfaringer.kommune.dk"), keys=0)
    assert "KB_PUBLIC_URL er sat" in str(told.value)
    assert "--host" not in told.value.advice
    with pytest.raises(ConfigurationError) as told:
        check_setup(make_settings(Path(), host="10.0.0.5"), keys=0)
    assert "--host 127.0.0.1" in told.value.advice
