"""The Python client, the curl examples of docs/api.md and the web component's address, against a running server."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from kb import indexing
from kb.client import ApiError, Client
from kb.core.identity import AccessRole
from kb.http.server import make_app
from kb.state.keys import KeyStore
from tests.serving import serving
from tests.support import HashEmbedder, make_settings, report_text, write_corpus
from tests.timing import PATIENCE

GUIDE = Path(__file__).parents[3] / "docs" / "api.md"
ADDRESS = "http://127.0.0.1:8000"
INTRANET = "https://intranet.kommune.dk"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """The address of a closed server and an editor's key."""
    settings = make_settings(tmp_path_factory.mktemp("client"), access="closed", cors_origins=INTRANET)
    write_corpus(settings.corpus)
    indexing.run(settings, HashEmbedder())
    _key, secret = KeyStore(settings.state_dir).create("intranet", AccessRole.EDITOR)
    with serving(make_app(settings, HashEmbedder())) as address:
        yield address, secret


@pytest.fixture
def client(server: tuple[str, str]) -> Iterator[Client]:
    with Client(server[0], key=server[1]) as made:
        yield made


def test_it_asks(client: Client) -> None:
    hits = client.search("faldrisiko", top=3, projekt=["Falddetektion"]).hits
    assert {hit.project for hit in hits} == {"Falddetektion"}
    assert client.passage(hits[0].passage_id).text == hits[0].quote
    assert client.answer("Hvad var erfaringen med faldrisiko?").question == "Hvad var erfaringen med faldrisiko?"
    assert client.suggestions("Mails")[0].text == "Mailsortering"
    names = ["ASTA", "Falddetektion", "Mailsortering", "Møde om vandløb"]
    assert [project.name for project in client.projects()] == names
    assert client.health().documents >= 4


def test_it_follows_the_pages(client: Client) -> None:
    assert {"asta", "faldrisiko", "noter"} <= {document.id for document in client.documents(order="id")}


def test_it_changes(client: Client, tmp_path: Path) -> None:
    file = tmp_path / "Drone-projektet.md"
    file.write_text(report_text("droner"), encoding="utf-8")
    client.wait(client.upload(file, {"projekt": "Droner"}).job)
    assert client.document("indlagt-drone-projektet").metadata.projekt == "Droner"
    client.wait(client.replace_metadata("indlagt-drone-projektet", {"projekt": "Luft"}).job)
    assert client.document("indlagt-drone-projektet").metadata.projekt == "Luft"
    client.wait(client.delete("indlagt-drone-projektet").job)
    with pytest.raises(ApiError, match="ingen rapport") as caught:
        client.document("indlagt-drone-projektet")
    assert (caught.value.status, caught.value.code) == (404, "findes-ikke")
    client.feedback("Hvad med droner?", useful=False, comment="Der står intet mere.")


def test_an_id_with_a_slash_stays_one_part(client: Client) -> None:
    with pytest.raises(ApiError) as caught:
        client.document("../search?q=data")
    assert caught.value.status == 404


def test_a_wrong_key_is_told(server: tuple[str, str]) -> None:
    with Client(server[0], key="kb_forkert") as client, pytest.raises(ApiError, match="gælder ikke") as caught:
        client.search("data")
    assert caught.value.code == "ugyldig-noegle"


def examples() -> list[str]:
    text = GUIDE.read_text(encoding="utf-8")
    return [block for block in re.findall(r"```sh\n(.*?)```", text, re.S) if block.startswith("curl")]


@pytest.mark.parametrize("example", examples(), ids=lambda example: example.split("\n")[0][:60])
def test_every_curl_example_works(server: tuple[str, str], tmp_path: Path, example: str) -> None:
    address, secret = server
    (tmp_path / "rapport.md").write_text(report_text("ruteplanlægning"), encoding="utf-8")
    command = example.replace(ADDRESS, address).replace("aalborg-air", "asta")
    command = command.replace("curl ", "curl --fail-with-body -sS ")
    run = subprocess.run(
        ["bash", "-euc", command], cwd=tmp_path, env={"KB_KEY": secret, "PATH": "/usr/bin:/bin"},
        capture_output=True, text=True, check=False, timeout=PATIENCE,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout


def test_there_are_examples() -> None:
    assert len(examples()) >= 6
