"""Every route as every role: what each gets, as docs/routes.md says; a route that is not in the table fails."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from kb.core.identity import AccessRole
from kb.http.api.operations import EXTENSION
from tools import routes_page
from tools.routes_page import NOBODY, Statuses

OPEN = {
    "/static/",
    "/metrics",
    "/log-",
    "/stop-mail/",
    "/api/v1/health",
    "/api/v1/openapi.json",
    "/api/v1/dokumentation",
}


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Flask, Statuses]]:
    """A closed server, and what each of its routes answers everyone."""
    with routes_page.closed_server(tmp_path_factory.mktemp("routes")) as (app, keys):
        yield app, routes_page.statuses(app, keys)


def test_the_page_says_what_the_routes_answer(asked: tuple[Flask, Statuses]) -> None:
    assert routes_page.TARGET.read_text(encoding="utf-8") == routes_page.page(asked[1]), "Kør: make reference"


def test_every_route_is_closed_but_those_that_must_be_open(asked: tuple[Flask, Statuses]) -> None:
    for (method, route), found in asked[1].items():
        open_to_all = any(route.startswith(start) for start in OPEN)
        assert all(code < 500 for code in found.values()), (method, route, found)
        if route.startswith("/log-"):
            continue  # where one signs in, everyone may try
        assert (found[NOBODY] == 401) is not open_to_all, (method, route, found)
        if route.startswith("/admin"):
            assert found["reader"] == 403, (method, route, found)
        assert found["admin"] not in {401, 403} or open_to_all, (method, route, found)


def test_every_operation_lets_in_the_roles_it_names(asked: tuple[Flask, Statuses]) -> None:
    app, rows = asked
    for endpoint, operation in app.extensions[EXTENSION].items():
        (route,) = [one.rule for one in app.url_map.iter_rules(endpoint)]
        found = rows[operation.method, route]
        for role in AccessRole:
            let_in = operation.role is None or role.includes(operation.role)
            assert (found[role.value] == 403) is not let_in, (operation.name, role, found)
