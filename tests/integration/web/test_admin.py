"""What editors do on the pages, without a browser: put files in, watch and cancel runs, and see what each run did."""

from __future__ import annotations

import io
import re
from xml.etree import ElementTree

import pytest
import yaml
from flask.testing import FlaskClient

from kb import indexing
from kb.core.settings import Settings
from kb.http.server import make_app
from kb.state.runs import RunStore, Status
from tests.support import CORPUS, ODD_READ, ODD_SKIPPED, HashEmbedder, report_text, write_odd_files
from tests.timing import until

ATOM = "{http://www.w3.org/2005/Atom}"


def client_of(settings: Settings, embedder: HashEmbedder | None = None) -> FlaskClient:
    return make_app(settings, embedder or HashEmbedder()).test_client()


@pytest.fixture
def slow(indexed: Settings) -> FlaskClient:
    """A desk whose runs take seconds, for there is always something new to take in."""
    (indexed.corpus / "ny.md").write_text(report_text("sneplove", paragraphs=8), encoding="utf-8")
    return client_of(indexed, HashEmbedder(batch_seconds=0.3))


def started(client: FlaskClient, path: str, **form: object) -> str:
    """Send a form that starts a run; the address of its job."""
    response = client.post(path, **form)
    assert response.status_code == 303, response.text
    return response.headers["Location"]


def over(client: FlaskClient, job: str) -> str:
    """A job's page when it is over."""
    until(lambda: client.get(f"{job}.json").get_json()["over"])
    return client.get(job).text


def uploaded(*files: tuple[str, bytes]) -> dict[str, object]:
    sent = [(io.BytesIO(content), name) for name, content in files]
    return {"data": {"filer": sent}, "content_type": "multipart/form-data"}


def test_each_file_of_several_is_told_of_and_known_by_its_own_name(indexed: Settings) -> None:
    client = client_of(indexed)
    files = uploaded(
        ("Klima Robot.md", b"# Klimarobotten\n\nKlimarobotten maler vandstanden.\n"),
        ("i stykker.pdf", b"%PDF-1.7 og ikke mere"),
        ("../program.exe", b"MZ\x90\x00"),
    )
    page = over(client, started(client, "/admin/filer", **files))
    rows = dict(re.findall(r'<strong class="file-name">(.*?)</strong><br><span[^>]*>([^<]*)', page))
    assert rows["Klima Robot.md"].startswith("Kan findes nu")
    assert "PDF" in rows["i stykker.pdf"]
    assert rows["program.exe"] == "Filen er et program og kan ikke læses."
    assert sorted(path.name for path in (indexed.corpus / "indlagt").iterdir()) == ["i-stykker.pdf", "klima-robot.md"]
    for address in ("/admin", "/admin/rapporter", "/admin/rapporter/indlagt-klima-robot"):
        assert "indlagt/" not in re.sub(r'value="[^"]*"', "", client.get(address).text), address
    assert "Klima Robot.md" in client.get("/admin/rapporter").text
    with client.get("/dokumenter/indlagt-klima-robot/original") as original:
        assert "Klima Robot.md" in original.headers["Content-Disposition"]


def test_when_no_file_can_be_taken_in_the_page_says_why_of_each(indexed: Settings) -> None:
    files = uploaded(("a.exe", b"MZ\x90\x00"), ("b.png", b"\x89PNG og mere"))
    response = client_of(indexed).post("/admin/filer", **files)
    assert response.status_code == 400
    assert "»a.exe« er ikke lagt ind: Filen er et program" in response.text
    assert "»b.png« er ikke lagt ind: Filen er et billede" in response.text
    with RunStore(indexed.state_dir) as state:
        assert not state.jobs()


def test_files_with_odd_names_are_shown_and_those_that_are_read_can_be_had(settings: Settings) -> None:
    write_odd_files(settings.corpus)
    indexing.run(settings, HashEmbedder())
    client = client_of(settings)
    page = client.get("/admin")
    assert page.status_code == 200
    assert all(name in page.text for name in ODD_SKIPPED)
    assert page.text.count("Slet filen") == sum(code != "ugyldigt-navn" for code in ODD_SKIPPED.values())
    reports = set(re.findall(r'href="(/dokumenter/[^"/?]+)"', client.get("/dokumenter").text))
    assert len(reports) == len(CORPUS) + len(ODD_READ)
    for report in reports:
        for address in (report, f"{report}/original", f"/admin/rapporter/{report.rpartition('/')[2]}"):
            with client.get(address) as response:
                assert response.status_code == 200, address
    answer = client.post("/admin/filer/slet", data={"sti": "to\\nlinjer.md"})
    assert answer.status_code == 400
    assert "på serveren" in answer.text


def test_a_value_that_the_file_has_is_emptied_on_the_page_as_over_the_api(indexed: Settings) -> None:
    client = client_of(indexed)
    (asta, faldrisiko) = (indexed.corpus / f"{name}.md.meta.yaml" for name in ("asta", "faldrisiko"))
    over(client, started(client, "/admin/rapporter/asta", data={"titel": "Ny titel", "projekt": "", "år": ""}))
    assert client.put("/api/v1/documents/faldrisiko/metadata", json={"titel": "Ny titel"}).status_code == 202
    assert yaml.safe_load(asta.read_text(encoding="utf-8")) == yaml.safe_load(faldrisiko.read_text(encoding="utf-8"))
    metadata = client.get("/api/v1/documents/asta").get_json()["metadata"]
    assert (metadata["titel"], metadata["projekt"], metadata["år"]) == ("Ny titel", "Ny titel", None)
    assert 'name="projekt" value=""' in client.get("/admin/rapporter/asta").text


def test_a_run_at_work_and_one_that_waits_are_cancelled_from_the_page(slow: FlaskClient, indexed: Settings) -> None:
    first = started(slow, "/admin/indeksering")
    until(lambda: slow.get(f"{first}.json").get_json()["stage"].startswith("indlejrer"))
    second = started(slow, "/admin/indeksering")
    buttons = re.findall(r'action="(/admin/job/[^"]+/afbryd)"', slow.get("/admin").text)
    assert buttons == [f"{second}/afbryd", f"{first}/afbryd"]
    assert slow.post(f"{first}/afbryd", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    for job in (second, first):
        assert f'action="{job}/afbryd"' in slow.get(job).text
        assert started(slow, f"{job}/afbryd") == job
    assert "Annulleret" in over(slow, second)
    assert "Annulleret" in over(slow, first)
    assert "/afbryd" not in slow.get("/admin").text
    assert slow.post("/admin/job/findes-ikke/afbryd").status_code == 404
    with RunStore(indexed.state_dir) as state:
        assert state.runs(1)[0].status is Status.CANCELLED


def test_a_run_that_fails_says_why_on_every_page_it_stands_on(indexed: Settings) -> None:
    for file in indexed.corpus.rglob("*.*"):
        file.write_bytes(b"")
    client = client_of(indexed)
    page = over(client, started(client, "/admin/indeksering"))
    run = re.findall(r'href="(/admin/koersler/[^"]+)"', page)[0]
    for text in (page, client.get(run).text, client.get("/admin/koersler").text, client.get("/admin").text):
        assert "Ingen af filerne kunne læses. Det nuværende indeks er uændret." in text


def test_every_run_is_listed_with_what_it_did(indexed: Settings) -> None:
    (indexed.corpus / "asta.md").unlink()
    (indexed.corpus / "noter.txt").write_text("Vandløb og CPR 010190-1238 i sagen.\n", encoding="utf-8")
    (indexed.corpus / "i stykker.pdf").write_bytes(b"%PDF-1.7 og ikke mere")
    report = indexing.run(indexed, HashEmbedder(), started_by="Anna And")
    client = client_of(indexed)
    listed = client.get("/admin/koersler").text
    assert "Sat i gang af Anna And" in listed
    assert "Sat i gang af kb index" in listed
    assert "1 ændret, 1 fjernet, 1 kunne ikke læses, 1 med skjulte personoplysninger" in listed
    page = client.get(f"/admin/koersler/{report.run_id}").text
    for words in ("Anna And", "Fjernede (1)", "asta.md", "i stykker.pdf: PDF", "noter.txt: ", "<dt>Indlejrer</dt>"):
        assert words in page, words
    assert client.get("/admin/koersler/findes-ikke").status_code == 404
    assert client.get("/admin/koersler?side=99999999999999999999").status_code == 200


def test_a_run_from_the_command_line_is_cancelled_from_its_page(indexed: Settings) -> None:
    client = client_of(indexed)
    with RunStore(indexed.state_dir) as state:
        run_id = state.begin_run("kb index")
        assert f'action="/admin/koersler/{run_id}/afbryd"' in client.get("/admin/koersler").text
        client.post(f"/admin/koersler/{run_id}/afbryd")
        assert state.is_cancelled(run_id)
    assert "bedt om at standse" in client.get(f"/admin/koersler/{run_id}").text
    assert client.post("/admin/koersler/findes-ikke/afbryd").status_code == 404


def test_a_feed_tells_when_each_report_came_in(indexed: Settings) -> None:
    client = client_of(indexed)

    def updated() -> tuple[str, dict[str, str]]:
        feed = ElementTree.fromstring(client.get("/sporg.atom?q=erfaringen").text)  # noqa: S314
        entries = {
            str(entry.find(f"{ATOM}link").get("href")): str(entry.findtext(f"{ATOM}updated"))  # type: ignore[union-attr]
            for entry in feed.iter(f"{ATOM}entry")
        }
        return str(feed.findtext(f"{ATOM}updated")), entries

    newest, before = updated()
    assert newest == max(before.values())
    (indexed.corpus / "ny.md").write_text(report_text("sneplove"), encoding="utf-8")
    indexing.run(indexed, HashEmbedder())
    newest_now, after = updated()
    new = {address for address in after if "/dokumenter/ny?" in address}
    assert new
    assert {after[address] for address in new} == {newest_now}
    assert newest_now > newest
    assert {address: after[address] for address in before if address in after}.items() <= before.items()


@pytest.mark.parametrize(
    ("contact", "shown"),
    [
        ("web@vandby.dk", '<a href="mailto:web@vandby.dk">web@vandby.dk</a>'),
        ("https://vandby.dk/kontakt/", '<a href="https://vandby.dk/kontakt/">vandby.dk/kontakt</a>'),
        ("telefon 12 34 56 78", ": telefon 12 34 56 78."),
    ],
)
def test_the_accessibility_statement_names_the_authority(indexed: Settings, contact: str, shown: str) -> None:
    named = indexed.model_copy(update={"authority": "Vandby Kommune", "accessibility_contact": contact})
    page = client_of(named).get("/tilgaengelighed").text
    assert "Vandby Kommune er ansvarlig" in page
    assert shown in page
    assert "KB_<wbr>AUTHORITY" not in page
    assert "mangler myndighedens navn" not in client_of(named).get("/admin").text


def test_those_who_run_the_base_are_told_that_the_statement_lacks_a_name(indexed: Settings) -> None:
    client = client_of(indexed)
    assert "KB_<wbr>AUTHORITY" in client.get("/tilgaengelighed").text
    assert "mangler myndighedens navn" in client.get("/admin").text
    closed = indexed.model_copy(update={"access": "closed", "anonymous_reading": True})
    assert "KB_<wbr>AUTHORITY" not in client_of(closed).get("/tilgaengelighed").text
