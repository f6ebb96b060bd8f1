"""Every route as every role: what each gets, written to docs/routes.md; a route that is not in the table fails."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from kb import indexing
from kb.core.identity import AccessRole
from kb.http.api.operations import EXTENSION
from kb.http.server import make_app
from kb.state.keys import KeyStore
from tests.support import HashEmbedder, make_settings, write_corpus

TABLE = Path(__file__).parents[3] / "docs" / "routes.md"
VALUES = {"document_id": "asta", "slug": "asta", "theme": "data", "name": "app.css", "number": "1"}
QUERIES = {"/sporg": "?q=faldrisiko", "/api/v1/search": "?q=faldrisiko", "/api/v1/answer": "?q=faldrisiko"}
QUERIES |= dict.fromkeys(("/sporg.csv", "/sporg.xlsx", "/sporg.atom", "/sporg.docx"), "?q=faldrisiko")
QUERIES |= {"/api/v1/suggestions": "?q=fald"}
OPEN = {"/static/", "/metrics", "/log-", "/api/v1/health", "/api/v1/openapi.json", "/api/v1/dokumentation"}
HEADING = """# Routes by role

Made by `tests/integration/api/test_routes.py`, which asks every route of a closed server as everyone, each with a
request that changes no report: a 4xx other than 401 and 403 says that the role got in and the request was not whole.

| method | route | nobody | reader | editor | admin |
|---|---|---|---|---|---|
"""


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """A closed server."""
    settings = make_settings(tmp_path_factory.mktemp("routes"), access="closed", rate_limit=1_000_000)
    write_corpus(settings.corpus)
    indexing.run(settings, HashEmbedder())
    store = KeyStore(settings.state_dir)
    secrets = {role.value: store.create(role.value, role)[1] for role in AccessRole}
    made = make_app(settings, HashEmbedder())
    made.config["secrets"] = secrets
    yield made
    jobs = made.extensions["kb"].jobs
    while not all(job.is_over for job in jobs.newest()):
        time.sleep(0.05)


def status(client: FlaskClient, method: str, rule: str, secret: str) -> int:
    path = re.sub(r"<(?:\w+:)?(\w+)>", lambda found: VALUES.get(found.group(1), "findes-ikke"), rule)
    # What would change a report is asked of one that is not there.
    if method in {"DELETE", "PUT"} or (method == "POST" and path.startswith("/admin/rapporter/")):
        path = path.replace("asta", "findes-ikke")
    headers = {"Sec-Fetch-Site": "same-origin"}
    if secret:
        headers["Authorization"] = f"Bearer {secret}"
    with client.open(path + QUERIES.get(rule, ""), method=method, headers=headers) as response:
        return response.status_code


def test_every_route_as_every_role(app: Flask) -> None:
    client = app.test_client()
    secrets = {"": "", **app.config["secrets"]}
    rows = {}
    for rule in sorted(app.url_map.iter_rules(), key=lambda one: (one.rule, sorted(one.methods or ()))):
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            rows[method, rule.rule] = {name: status(client, method, rule.rule, secrets[name]) for name in secrets}
    for (method, route), found in rows.items():
        open_to_all = any(route.startswith(start) for start in OPEN)
        assert all(code < 500 for code in found.values()), (method, route, found)
        if route.startswith("/log-"):
            continue  # where one signs in, everyone may try
        assert (found[""] == 401) is not open_to_all, (method, route, found)
        if route.startswith("/admin"):
            assert found["reader"] == 403, (method, route, found)
        assert found["admin"] not in {401, 403} or open_to_all, (method, route, found)
    for endpoint, operation in app.extensions[EXTENSION].items():
        (route,) = [one.rule for one in app.url_map.iter_rules(endpoint)]
        found = rows[operation.method, route]
        for role in AccessRole:
            let_in = operation.role is None or role.includes(operation.role)
            assert (found[role.value] == 403) is not let_in, (operation.name, role, found)
    lines = [
        f"| {method} | `{route}` | {' | '.join(str(found[name]) for name in secrets)} |"
        for (method, route), found in sorted(rows.items(), key=lambda item: (item[0][1], item[0][0]))
    ]
    TABLE.write_text(HEADING + "\n".join(lines) + "\n", encoding="utf-8")
