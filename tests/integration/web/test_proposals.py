"""From a file without metadata to a confirmed report: what is proposed, who sees it, and what saving makes of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from flask.testing import FlaskClient

from kb import indexing
from kb.core.settings import Settings
from kb.http.server import make_app
from tests.support import HashEmbedder, make_settings, write_corpus

REPORT = """# Salt på veje

Team Vej, Svendborg Kommune

Version 2 - 14. 2. 2022

Svendborg Kommune har afprøvet salt. Kommunen saltede mindre, og kommunens veje holdt. Svendborg Kommune sparede penge.
"""
MANY = "# Evaluering af de 40 saltprojekter\n\nDe fleste projekter brugte mindre salt end før, og vejene holdt godt.\n"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = make_settings(tmp_path)
    write_corpus(made.corpus, {"salt.md": REPORT, "mange.md": MANY})
    indexing.run(made, HashEmbedder())
    return made


@pytest.fixture
def client(settings: Settings) -> FlaskClient:
    return make_app(settings, HashEmbedder()).test_client()


def test_the_form_shows_each_proposal_filled_in_with_its_evidence(client: FlaskClient) -> None:
    form = client.get("/admin/rapporter/salt").text
    assert "De gælder først, når du har set dem efter og gemt" in form
    assert re.search(r'name="myndighed" value="Svendborg Kommune"', form)
    assert re.search(r'name="år" value="2022"', form)
    assert "2022 (sikkert): »14. 2. 2022«" in form
    assert "Forslag venter" in client.get("/admin/rapporter").text


def test_readers_see_no_proposal_before_it_is_confirmed(client: FlaskClient) -> None:
    facts = client.get("/dokumenter/salt").text.partition('<dl class="facts">')[2].partition("</dl>")[0]
    assert "Svendborg Kommune" not in facts
    assert "2022" not in facts
    assert "Svendborg Kommune" not in client.get("/dokumenter").text


def test_what_is_saved_is_confirmed(settings: Settings, client: FlaskClient) -> None:
    sent = {"titel": "Salt på veje", "myndighed": "Svendborg Kommune", "år": "2022"}
    assert client.post("/admin/rapporter/salt", data=sent).status_code == 303
    written = yaml.safe_load((settings.corpus / "salt.md.meta.yaml").read_text(encoding="utf-8"))
    assert {name: value for name, value in written.items() if value} == sent | {"år": 2022}
    indexing.run(settings, HashEmbedder())
    saved = make_app(settings, HashEmbedder()).test_client()
    assert "Svendborg Kommune" in saved.get("/dokumenter").text
    assert "»14. 2. 2022«" not in saved.get("/admin/rapporter/salt").text


def test_a_report_without_a_project_is_listed_as_its_own(client: FlaskClient) -> None:
    listed = client.get("/projekter").text
    assert "1 projekt" in listed
    assert "Salt på veje" in listed
    assert "rapporten alene" in client.get("/dokumenter/salt").text


def test_a_report_about_many_is_no_project_and_says_by_what_it_was_recognised(client: FlaskClient) -> None:
    assert "Evaluering af de 40" not in client.get("/projekter").text
    page = client.get("/dokumenter/mange").text
    assert "Rapporten siger selv, at den handler om flere." in page
    assert "»Evaluering af de 40 saltprojekter«" in page
