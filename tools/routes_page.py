"""Make ``docs/routes.md``: every route of a closed server asked as everyone, each with what it answers.

Run it when a route has been added or its role has changed: ``make reference``. A test asks the same and compares.
"""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient

from kb import indexing
from kb.core.identity import AccessRole
from kb.http.server import make_app
from kb.state.keys import KeyStore
from tests.support import HashEmbedder, make_settings, write_corpus

TARGET = Path(__file__).parents[1] / "docs" / "routes.md"
VALUES = {"document_id": "asta", "slug": "asta", "theme": "data", "name": "app.css", "number": "1"}
QUERIES = {"/sporg": "?q=faldrisiko", "/api/v1/search": "?q=faldrisiko", "/api/v1/answer": "?q=faldrisiko"}
QUERIES |= dict.fromkeys(("/sporg.csv", "/sporg.xlsx", "/sporg.atom", "/sporg.docx"), "?q=faldrisiko")
QUERIES |= {"/api/v1/suggestions": "?q=fald"}
HEADING = """# Routes by role

Made by `make reference`, which asks every route of a closed server as everyone, each with a request that changes no
report: a 4xx other than 401 and 403 says that the role got in and the request was not whole.

| method | route | nobody | reader | editor | admin |
|---|---|---|---|---|---|
"""
NOBODY = ""
# The status each role gets, by method and route.
Statuses = Mapping[tuple[str, str], Mapping[str, int]]


@contextmanager
def closed_server(folder: Path) -> Iterator[tuple[Flask, dict[str, str]]]:
    """A closed server on a small corpus, and a key for each role; left when the jobs it was asked for are over."""
    settings = make_settings(folder, access="closed", rate_limit=1_000_000)
    write_corpus(settings.corpus)
    indexing.run(settings, HashEmbedder())
    store = KeyStore(settings.state_dir)
    keys = {role.value: store.create(role.value, role)[1] for role in AccessRole}
    app = make_app(settings, HashEmbedder())
    yield app, {NOBODY: "", **keys}
    _let_jobs_end(app)


def _let_jobs_end(app: Flask) -> None:
    """Wait for the jobs that were asked for: while one runs, what needs the index to itself is answered otherwise."""
    jobs = app.extensions["kb"].jobs
    while not all(job.is_over for job in jobs.newest()):
        time.sleep(0.05)


def statuses(app: Flask, keys: Mapping[str, str]) -> Statuses:
    """Ask every route as everyone."""
    client = app.test_client()
    return {
        (method, rule.rule): {role: _status(client, method, rule.rule, key) for role, key in keys.items()}
        for rule in sorted(app.url_map.iter_rules(), key=lambda one: (one.rule, sorted(one.methods or ())))
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    }


def _status(client: FlaskClient, method: str, rule: str, key: str) -> int:
    path = re.sub(r"<(?:\w+:)?(\w+)>", lambda found: VALUES.get(found.group(1), "findes-ikke"), rule)
    # What would change a report is asked of one that is not there.
    if method in {"DELETE", "PUT"} or (method == "POST" and path.startswith("/admin/rapporter/")):
        path = path.replace("asta", "findes-ikke")
    headers = {"Sec-Fetch-Site": "same-origin"}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    with client.open(path + QUERIES.get(rule, ""), method=method, headers=headers) as response:
        status = response.status_code
    _let_jobs_end(client.application)
    return status


def page(found: Statuses) -> str:
    """The whole page."""
    rows = sorted(found.items(), key=lambda item: (item[0][1], item[0][0]))
    lines = (f"| {method} | `{route}` | {' | '.join(map(str, codes.values()))} |" for (method, route), codes in rows)
    return HEADING + "\n".join(lines) + "\n"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch, closed_server(Path(scratch)) as (server, secrets):
        TARGET.write_text(page(statuses(server, secrets)), encoding="utf-8")
