"""No answer tells a base with hidden reports from one without: every route is asked, and what is hidden is named.

``python -m benchmarks.access_leaks`` asks many more of many bases.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from kb.core.identity import AccessRole
from kb.state.keys import KeyStore
from tests.leaking import SECRET, Twins, drawn, rules, twins

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twins]:
    with twins(tmp_path_factory.mktemp("adgang"), random.Random(7)) as made:  # noqa: S311 -- reports, not secrets
        yield made


def test_every_route_answers_as_if_hidden_reports_had_never_been_there(pair: Twins) -> None:
    chance = random.Random(7)  # noqa: S311 -- requests, not secrets
    routes = rules(pair)
    found = [pair.ask(drawn(pair, chance, route)) for route in (*routes, *routes)]
    assert [leak for leak in found if leak] == []
    assert pair.statuses[200] > len(routes) / 3


def test_whoever_is_in_the_group_sees_them(pair: Twins) -> None:
    hidden = [id_ for id_ in pair.ids if id_.startswith("hr-")]
    client = pair.apps[0].test_client()
    store = KeyStore(pair.apps[0].extensions["kb"].settings.state_dir)
    _, key = store.create("loen", AccessRole.READER, groups=[SECRET])
    for id_ in hidden:
        answers = [
            client.get(f"/api/v1/documents/{id_}", headers={"Authorization": f"Bearer {one}"}).status_code
            for one in (key, pair.keys["reader"])
        ]
        assert answers == [200, 404]
