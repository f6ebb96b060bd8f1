from __future__ import annotations

import time
from typing import Any

import pytest
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, OctKey

from kb.http import back_channel
from kb.http.back_channel import EVENT, Logout, LogoutTokenError, checked

EXPECTED = {"issuer": "https://login.example", "client_id": "kb"}


def claims(**other: Any) -> dict[str, Any]:
    now = int(time.time())
    told = {"iss": "https://login.example", "aud": ["kb", "en-anden"], "iat": now, "exp": now + 120, "jti": "1"}
    return {name: value for name, value in {**told, "sub": "anna", "events": {EVENT: {}}, **other}.items() if value}


def test_a_whole_token_names_whom_it_signs_out() -> None:
    assert checked(claims(), **EXPECTED) == Logout("1", "anna", "")
    assert checked(claims(sub="", sid="s1"), **EXPECTED) == Logout("1", "", "s1")
    assert checked(claims(exp=None), **EXPECTED).subject == "anna"


@pytest.mark.parametrize(
    "wrong",
    [
        {"iss": "https://ond.example"},
        {"aud": "en-anden"},
        {"aud": None},
        {"iat": None},
        {"iat": int(time.time()) - 3600},
        {"iat": int(time.time()) + 3600},
        {"exp": int(time.time()) - 3600},
        {"jti": None},
        {"jti": 7},
        {"events": None},
        {"events": "http://schemas.openid.net/event/backchannel-logout"},
        {"events": {"noget andet": {}}},
        {"nonce": "fra et login"},
        {"sub": None},
        {"sub": ["anna"]},
        {"sid": 7},
    ],
    ids=str,
)
def test_a_token_that_breaks_a_rule_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises((JoseError, LogoutTokenError)):
        checked(claims(**wrong), **EXPECTED)


def test_a_token_of_another_type_or_algorithm_is_refused() -> None:
    key = OctKey.generate_key(256)
    keys = KeySet([key])

    def read(algorithms: list[str], **header: str) -> Logout:
        token = jwt.encode({"alg": "HS256", "kid": key.kid or "", **header}, claims(), key)
        return back_channel.read(token, keys, algorithms=algorithms, **EXPECTED)

    key.ensure_kid()
    assert read(["HS256"], typ="logout+jwt") == Logout("1", "anna", "")
    with pytest.raises(LogoutTokenError):
        read(["HS256"], typ="at+jwt")
    with pytest.raises(JoseError):
        read(["RS256"])
