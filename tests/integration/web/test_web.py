"""The pages without a browser: errors in Danish, headers, caching, the editors' door, and the ways to take along."""

from __future__ import annotations

import csv
import gzip
import io
import re
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import Mock
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

import docx
import pytest
from flask import Flask, abort
from flask.testing import FlaskClient

from kb import indexing
from kb.core.errors import IndexMissingError
from kb.core.settings import Settings
from kb.http.server import make_app
from kb.http.services import EXTENSION
from tests.support import HashEmbedder, make_settings, report_text, write_corpus

LONG = ("hvordan gik det med isbjerge og regnearket " * 24)[:1000]
FORMULA = """---
titel: "=HYPERLINK(1)"
projekt: "@Projektet"
---
# Regneark

Regnearket om isbjerge blev brugt hver dag af alle tre kommuner.
"""


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    made = make_settings(tmp_path_factory.mktemp("web"), max_question_chars=200)
    write_corpus(made.corpus)
    (made.corpus / "formel.md").write_text(FORMULA, encoding="utf-8")
    indexing.run(made, HashEmbedder())
    return made


@pytest.fixture(scope="module")
def app(settings: Settings) -> Flask:
    """The application, with pages more that fail in their own way."""
    made = make_app(settings, HashEmbedder())

    @made.get("/prøve/<int:status>")
    def fail(status: int) -> str:
        if status == 500:
            raise RuntimeError("hemmelig detalje")
        if status == 503:
            raise IndexMissingError("Der er ikke noget indeks endnu.")
        abort(status)

    return made


@pytest.fixture
def client(app: Flask) -> Iterator[FlaskClient]:
    with app.test_client() as client:
        yield client


def test_a_page_asks_for_the_searcher_once(app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    holder = app.extensions[EXTENSION].holder
    asked = Mock(side_effect=holder.searcher)
    monkeypatch.setattr(holder, "searcher", asked)
    assert client.get("/sporg?q=Hvad+er+erfaringen+med+isbjerge").status_code == 200
    assert asked.call_count == 1


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (400, "kunne ikke forstås"), (401, "logget ind"), (403, "ikke adgang"), (404, "findes ikke"), (405, "ikke her"),
        (413, "for stort"), (415, "Formatet"), (429, "For mange"), (500, "sket en fejl"), (503, "kan ikke svare"),
    ],
)  # fmt: skip
def test_every_error_is_a_danish_page_with_a_way_back(client: FlaskClient, status: int, words: str) -> None:
    response = client.get(f"/prøve/{status}")
    assert response.status_code == status
    assert words in response.text
    assert 'href="/"' in response.text
    assert "hemmelig" not in response.text
    assert ("Retry-After" in response.headers) == (status == 503)


def test_the_pages_say_so_when_there_is_no_index(tmp_path: Path) -> None:
    settings = make_settings(tmp_path)
    bare = make_app(settings, HashEmbedder()).test_client()
    for address in ("/", "/sporg?q=vand", "/dokumenter", "/projekter", "/temaer", "/om"):
        assert bare.get(address).status_code == 503
    assert bare.get("/hjaelp").status_code == 200
    assert bare.get("/admin").status_code == 200


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/sporg?q=", 302), ("/sporg?q=%3F%3F", 400), (f"/sporg?q={'vand ' * 50}", 400), ("/sporg?q=a%00b", 400),
        ("/sporg?q=vand&side=0", 200), ("/sporg?q=vand&side=99999999999999", 200), ("/sporg?q=vand&side=x", 200),
        ("/sporg?q=vand&rolle=findes-ikke", 200), ("/sporg?q=vand&ukendt=1", 200), ("/sporg.csv", 400),
        ("/sporg.docx?q=", 400), ("/dokumenter?temaer=findes-ikke", 200), ("/dokumenter/..%2f..%2fetc", 404),
        ("/dokumenter/asta?passage=noter.1", 404), ("/dokumenter/asta?passage=asta.1&sted=9-1", 200),
        ("/dokumenter/asta?passage=asta.1&sted=0-99999999", 200), ("/dokumenter/asta/side/1.png", 404),
        ("/projekter?orden=x", 200), ("/projekter?orden=status", 200), ("/projekter/sammenlign", 200),
        ("/projekter/sammenlign?projekt=findes-ikke", 404), ("/projekter/findes-ikke", 404),
        ("/temaer/findes-ikke", 404), ("/overblik", 200), ("/dokumenter/asta/side/1", 404),
        ("/dokumenter?status=i%20drift&fase=drift&periode=2020-2022", 200), ("/dokumenter?status=findes-ikke", 400),
        ("/sporg?q=vand&periode=2022-2020", 400),
        ("/static/../app.py", 404), ("/static/findes-ikke.css", 404),
    ],
)  # fmt: skip
def test_odd_addresses_get_a_proper_answer(client: FlaskClient, address: str, status: int) -> None:
    assert client.get(address).status_code == status


def test_a_misspelt_word_is_told_of_with_what_was_searched_for(client: FlaskClient) -> None:
    text = client.get("/sporg?q=Hvad+lærte+de+om+faldrisikko").text
    assert "»faldrisikko« er ikke et ord, vi kender" in text
    assert "der er også søgt på faldrisiko." in text
    assert 'q=Hvad+l%C3%A6rte+de+om+faldrisiko"' in text


def test_a_question_that_leans_on_the_one_before_is_completed_and_told_of(client: FlaskClient) -> None:
    first = client.get("/sporg?q=Hvad+lærte+Aarhus+om+fald").text
    assert '<input type="hidden" name="efter" value="Hvad lærte Aarhus om fald">' in first
    text = client.get("/sporg?q=Og+Vejle?&efter=Hvad+lærte+Aarhus+om+fald").text
    assert "Vi spørger: »Hvad lærte Vejle om fald?«" in text
    assert 'href="/sporg?q=Og+Vejle?">Spørg forfra' in text


def test_what_is_said_of_a_report_stands_on_its_page(tmp_path: Path) -> None:
    settings = make_settings(tmp_path)
    text = report_text("mailfordeling", paragraphs=12)
    write_corpus(settings.corpus, {"a.md": text, "b.md": text.replace("tre kommuner", "fire kommuner")})
    indexing.run(settings, HashEmbedder())
    client = make_app(settings, HashEmbedder()).test_client()
    assert "Rapporten findes også som" in client.get("/dokumenter/a").text
    assert "Udgave af" in client.get("/admin/rapporter").text


def test_a_question_that_cannot_be_used_says_why(client: FlaskClient) -> None:
    response = client.get(f"/sporg?q={'vand ' * 50}")
    assert "det må højst være på 200" in response.text
    assert 'aria-invalid="true"' in response.text


def test_every_response_carries_the_protection(client: FlaskClient) -> None:
    for address in ("/", "/sporg?q=vand", "/findes-ikke", "/static/app.css", "/admin", "/sporg.csv?q=vand"):
        headers = client.get(address).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert "Set-Cookie" not in headers


def test_no_page_has_inline_script_or_style(client: FlaskClient) -> None:
    for address in ("/", "/sporg?q=faldrisiko", "/dokumenter/asta", "/admin", "/admin/rapporter/asta"):
        text = client.get(address).text
        assert "style=" not in text
        assert "<style" not in text
        assert " onclick=" not in text
        assert text.count("<script") == text.count("<script src=") == 1


def test_a_page_is_not_sent_twice(client: FlaskClient) -> None:
    first = client.get("/dokumenter")
    again = client.get("/dokumenter", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_text_is_compressed_for_those_who_take_it(client: FlaskClient) -> None:
    plain = client.get("/static/dkfds/dkfds.css")
    zipped = client.get("/static/dkfds/dkfds.css", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in plain.headers
    assert gzip.decompress(zipped.data) == plain.data
    page = client.get("/dokumenter", headers={"Accept-Encoding": "gzip"})
    assert gzip.decompress(page.data).startswith(b"<!doctype html>")


def test_what_carries_its_digest_is_kept_for_a_year(client: FlaskClient) -> None:
    assert "max-age=86400" in client.get("/static/app.css").headers["Cache-Control"]
    assert "max-age=86400" in client.get("/static/app.css?v=forkert").headers["Cache-Control"]
    address = next(part for part in client.get("/").text.split('"') if part.startswith("/static/app.css"))
    assert "max-age=31536000" in client.get(address).headers["Cache-Control"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"X-Forwarded-For": "127.0.0.1"}, 401), ({"Forwarded": "for=127.0.0.1"}, 401), ({"Via": "1.1 proxy"}, 401),
        ({"Host": "ond.example"}, 400), ({"Host": "localhost.ond.example"}, 400),
    ],
)  # fmt: skip
def test_an_open_server_shows_its_pages_to_its_own_machine_only(
    client: FlaskClient, headers: dict[str, str], status: int
) -> None:
    assert client.get("/admin").status_code == 200
    for address in ("/admin", "/hjaelp"):
        response = client.get(address, headers=headers)
        assert (response.status_code, "/admin" in response.text) == (status, False), address


def test_the_editors_door_is_shut_to_other_machines(client: FlaskClient) -> None:
    assert client.get("/admin", environ_overrides={"REMOTE_ADDR": "10.0.0.7"}).status_code == 401


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://ond.example"}])
def test_a_form_from_elsewhere_is_refused(client: FlaskClient, headers: dict[str, str]) -> None:
    assert client.post("/admin/indeksering", headers=headers).status_code == 403
    assert client.post("/tilbagemelding", data={"q": "vand", "nyttigt": "ja"}, headers=headers).status_code == 403


def test_too_large_a_form_is_refused_in_danish(client: FlaskClient) -> None:
    response = client.post("/tilbagemelding", data={"q": "vand", "nyttigt": "ja", "hvorfor": "x" * 400_000})
    assert response.status_code == 413
    assert "for stort" in response.text


@pytest.mark.parametrize(
    "form",
    [{}, {"q": "vand"}, {"q": "vand", "nyttigt": "måske"}, {"nyttigt": "ja"},
     {"q": "vand", "nyttigt": "ja", "hvorfor": "x" * 2001}],
)  # fmt: skip
def test_half_a_feedback_is_refused(client: FlaskClient, form: dict[str, str]) -> None:
    assert client.post("/tilbagemelding", data=form).status_code == 400


def test_a_refused_question_is_listed_until_it_is_handled(client: FlaskClient) -> None:
    for _ in range(2):
        client.get("/sporg?q=Hvornår+kører+bus+5C+til+skriv@privatperson.dk")
    listed = client.get("/admin/spoergsmaal").text
    assert "2 gange" in listed
    assert "[e-mailadresse skjult]" in listed
    assert "privatperson" not in listed
    closing = {"q": "Hvornår kører bus 5C til [e-mailadresse skjult]", "grund": "ordnet"}
    client.post("/admin/spoergsmaal/luk", data=closing)
    still_open, _, closed = client.get("/admin/spoergsmaal").text.partition("Lukkede (")
    assert "bus 5C" not in still_open
    assert "bus 5C" in closed


def test_reading_goes_on_where_nothing_can_be_written(settings: Settings, tmp_path: Path) -> None:
    blocked = tmp_path / "fil"
    blocked.write_text("ikke en mappe", encoding="utf-8")
    locked = settings.model_copy(update={"state_dir": blocked / "state"})
    client = make_app(locked, HashEmbedder()).test_client()
    assert client.get("/sporg?q=Hvornår+kører+bus+5C").status_code == 200


def test_no_exported_cell_is_a_formula(client: FlaskClient) -> None:
    response = client.get("/sporg.csv?q=regnearket+om+isbjerge")
    rows = list(csv.reader(io.StringIO(response.data.decode("utf-8-sig")), delimiter=";"))
    assert rows[1][1] == "'@Projektet"
    assert rows[1][3] == "'=HYPERLINK(1)"
    assert "attachment" in response.headers["Content-Disposition"]


def test_an_original_is_downloaded_and_never_shown(client: FlaskClient) -> None:
    with client.get("/dokumenter/asta/original") as response:
        assert response.headers["Content-Disposition"].startswith("attachment")


def test_an_original_with_a_cpr_number_is_not_handed_out(tmp_path: Path) -> None:
    settings = make_settings(tmp_path)
    write_corpus(settings.corpus, {"sag.md": "# Sag\n\nBorgeren 010190-1238 søgte om hjælp i kommunen.\n"})
    indexing.run(settings, HashEmbedder())
    client = make_app(settings, HashEmbedder()).test_client()
    assert client.get("/dokumenter/sag").status_code == 200
    assert client.get("/dokumenter/sag/original").status_code == 404
    assert "/dokumenter/sag/original" not in client.get("/dokumenter/sag").text


def test_a_changed_file_is_not_handed_out_as_the_source(tmp_path: Path) -> None:
    settings = make_settings(tmp_path)
    write_corpus(settings.corpus)
    indexing.run(settings, HashEmbedder())
    client = make_app(settings, HashEmbedder()).test_client()
    (settings.corpus / "asta.md").write_text("# Noget andet\n", encoding="utf-8")
    assert client.get("/dokumenter/asta/original").status_code == 404
    assert client.get("/dokumenter/asta").status_code == 200


def test_a_passage_leads_to_similar_ones_in_other_reports(client: FlaskClient) -> None:
    text = client.get("/dokumenter/asta?passage=asta.2").text
    similar = text[text.index("Lignende steder") :]
    assert "/dokumenter/faldrisiko?passage=" in similar
    assert "/dokumenter/asta?passage=" not in similar


def test_a_browser_can_add_the_search(client: FlaskClient) -> None:
    response = client.get("/opensearch.xml")
    assert response.mimetype == "application/opensearchdescription+xml"
    assert 'template="http://localhost/sporg?q={searchTerms}"' in response.text


def test_the_api_has_its_own_errors(client: FlaskClient) -> None:
    assert client.get("/api/v1/findes-ikke").mimetype == "application/problem+json"
    assert client.get("/findes-ikke").mimetype == "text/html"


def test_a_foreign_report_is_marked_with_its_language(tmp_path: Path) -> None:
    settings = make_settings(tmp_path)
    english = "The municipality of Vandby tested the icebreaker in January and found that it froze to the quay."
    write_corpus(settings.corpus, {"ice.md": f"---\ntitel: Ice\nsprog: en\n---\n# Ice\n\n{english}\n"})
    indexing.run(settings, HashEmbedder())
    client = make_app(settings, HashEmbedder()).test_client()
    assert '<blockquote lang="en">' in client.get("/sporg?q=icebreaker+in+Vandby").text
    assert 'class="document-text" lang="en"' in client.get("/dokumenter/ice").text


@pytest.mark.parametrize("length", [255, 256, 1000])
@pytest.mark.parametrize("form", ["docx", "xlsx", "csv", "atom"])
def test_the_longest_question_can_be_taken_along_in_every_form(settings: Settings, form: str, length: int) -> None:
    generous = settings.model_copy(update={"max_question_chars": 1000})
    client = make_app(generous, HashEmbedder()).test_client()
    response = client.get(f"/sporg.{form}", query_string={"q": LONG[: length - 1] + "?"})
    assert response.status_code == 200
    if form == "docx":
        made = docx.Document(io.BytesIO(response.data))
        assert made.paragraphs[0].text == LONG[: length - 1] + "?"
        assert len(made.core_properties.title) == min(length, 255)


@pytest.mark.parametrize("path", ["/", "/sporg?q=erfaringen", "/dokumenter/formel/original", "/findes-ikke", "/om"])
@pytest.mark.parametrize("accepted", ["gzip", "identity", ""])
def test_every_answer_says_that_it_depends_on_the_encoding_taken(client: FlaskClient, path: str, accepted: str) -> None:
    with client.get(path, headers={"Accept-Encoding": accepted}) as first:
        assert first.vary.find("Accept-Encoding") >= 0
    if etag := first.headers.get("ETag"):
        with client.get(path, headers={"Accept-Encoding": accepted, "If-None-Match": etag}) as again:
            assert again.status_code == 304
            assert again.vary.find("Accept-Encoding") >= 0


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ("bytes=0-9", 206), ("bytes=-5", 206), ("bytes=5-", 206), ("bytes=100000-", 416), ("linjer=1-2", 200),
        ("bytes=a-b", 200), ("bytes=9-1", 200), ("bytes", 200), ("bytes=0-1,4-5", 200), ("", 200),
    ],
)  # fmt: skip
def test_a_part_of_an_original_is_sent_and_a_range_not_understood_ignored(
    client: FlaskClient, settings: Settings, asked: str, status: int
) -> None:
    whole = (settings.corpus / "formel.md").read_bytes()
    with client.get("/dokumenter/formel/original", headers={"Range": asked}) as response:
        assert response.status_code == status
        if status == 200:
            assert response.data == whole
        elif status == 206:
            assert response.data in whole
            assert len(response.data) < len(whole)


@pytest.mark.parametrize("asked", ["bytes=0-9", "bytes=100000-", "linjer=1-2"])
def test_whether_a_copy_is_still_good_is_looked_at_before_the_range(client: FlaskClient, asked: str) -> None:
    address = "/dokumenter/formel/original"
    with client.get(address) as first:
        etag = first.headers["ETag"]
    with client.get(address, headers={"Range": asked, "If-None-Match": etag}) as again:
        assert again.status_code == 304
    with client.get(address, headers={"Range": "bytes=0-9", "If-None-Match": '"en anden"'}) as changed:
        assert changed.status_code == 206


def test_the_addresses_of_a_feed_are_escaped(client: FlaskClient) -> None:
    query = {"q": 'erfaringen & "læring" <b> %41 {x}|y', "myndighed": "Ålborg Øst & søn"}
    feed = ElementTree.fromstring(client.get("/sporg.atom", query_string=query).text)  # noqa: S314
    addresses = [link.get("href", "") for link in feed.iter("{http://www.w3.org/2005/Atom}link")]
    assert len(addresses) >= 2
    for address in addresses:
        assert re.fullmatch(r"(?:[A-Za-z0-9._~:/?#@!$&'()*+,;=-]|%[0-9A-F]{2})+", address), address
    assert parse_qs(urlsplit(addresses[0]).query) == {name: [value] for name, value in query.items()}
