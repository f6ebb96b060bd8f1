"""The groups of whoever asks, as the proxy's header gives them, and what they let one see."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask

from kb.core.access import EVERYTHING, Access
from kb.core.identity import ANONYMOUS, LOCAL, AccessRole, Identity, Via
from kb.http import gate
from tests.support import make_settings


def test_a_proxys_groups_are_the_readers(tmp_path: Path) -> None:
    settings = make_settings(
        tmp_path, user_header="X-User", groups_header="X-Groups", trusted_proxies="10.0.0.1", signed_in_role="reader"
    )
    with Flask("prøve").test_request_context(headers={"X-Groups": "HR; Jura,HR"}):
        who = gate._by_proxy(settings, "anna")
    assert who.groups == {"HR", "Jura"}
    assert who.access == Access(frozenset({"HR", "Jura"}))


@pytest.mark.parametrize(
    ("who", "access"),
    [
        (ANONYMOUS, Access()),
        (LOCAL, EVERYTHING),
        (Identity("a", AccessRole.EDITOR, Via.KEY, groups=frozenset({"HR"})), Access(frozenset({"HR"}))),
        (Identity("a", AccessRole.ADMIN, Via.SESSION), EVERYTHING),
    ],
)
def test_administrators_see_everything_and_others_what_their_groups_allow(who: Identity, access: Access) -> None:
    assert who.access == access
