"""schemathesis against the running server, as every role and with every check: nothing fails, and nothing answers 500.

What it may change, it changes: the editor's and the admin's runs upload, edit and delete on a corpus of their own.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kb import indexing
from kb.core.identity import AccessRole
from kb.http.server import make_app
from kb.state.keys import KeyStore
from tests.serving import serving
from tests.support import HashEmbedder, make_settings, write_corpus

EXAMPLES = 15


@pytest.fixture
def server(tmp_path: Path, role: AccessRole) -> Iterator[tuple[str, str]]:
    """The address of a running closed server and a key of the role."""
    settings = make_settings(tmp_path, access="closed", rate_limit=1_000_000, rate_limit_failures=1000)
    write_corpus(settings.corpus)
    indexing.run(settings, HashEmbedder())
    _key, secret = KeyStore(settings.state_dir).create("fuzz", role)
    with serving(make_app(settings, HashEmbedder())) as address:
        yield address, secret


# An address may be too long before any of its parameters is wrong; and what a file holds cannot be described, so a
# made-up one may be refused for what it is.
CONFIG = """
[checks]
positive_data_acceptance.expected-statuses = ["2xx", "3xx", "401", "403", "404", "409", "414"]
negative_data_rejection.expected-statuses = ["400", "401", "403", "404", "405", "409", "413", "414", "415"]

[[operations]]
include-name = "POST /api/v1/documents"
checks.positive_data_acceptance.expected-statuses = ["2xx", "401", "403", "404", "409", "415"]
"""


@pytest.mark.fuzz
@pytest.mark.timeout(900)
@pytest.mark.parametrize("role", list(AccessRole), ids=[role.value for role in AccessRole])
def test_nothing_unforeseen_is_answered(server: tuple[str, str], tmp_path: Path) -> None:
    address, secret = server
    (tmp_path / "schemathesis.toml").write_text(CONFIG, encoding="utf-8")
    run = subprocess.run(
        [
            str(Path(sys.executable).with_name("schemathesis")), "run", f"{address}/api/v1/openapi.json",
            "--header", f"Authorization: Bearer {secret}", "--checks", "all", "--max-examples", str(EXAMPLES),
            "--seed", "1", "--no-color", "--request-timeout", "30", "--continue-on-failure",
        ],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=900,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout[-20000:] + run.stderr[-2000:]
