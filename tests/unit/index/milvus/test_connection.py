"""A server that is away is told of with a reason, and asked again when it is back; nothing else is called."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kb import indexing
from kb.core.errors import IndexAwayError, IndexBusyError, SettingsError
from kb.core.settings import Settings
from kb.http.server import make_app
from kb.index.milvus.connection import Address, Connection
from kb.index.places import place_of
from tests.milvus import MilvusServer, needs_milvus, on_milvus
from tests.support import HashEmbedder, make_settings, take_readings, write_corpus
from tests.timing import until

ROOT = Path(__file__).parents[4]
WITHOUT = """
import sys
sys.modules["pymilvus"] = sys.modules["grpc"] = None
import kb.cli, kb.retrieval.searcher, kb.index.milvus.place
from kb.core.errors import InstallationError
from kb.core.settings import Settings
from kb.index.places import place_of
try:
    place_of(Settings(index_url="http://127.0.0.1:1")).current_id()
except InstallationError as error:
    print(error, error.advice)
"""
DOTENV = """
import dotenv
loaded, load = [], dotenv.load_dotenv
dotenv.load_dotenv = lambda *args, **kwargs: loaded.append(load(*args, **kwargs))
import os
from kb.index.milvus.connection import library
library()
print(loaded, "PYTHON_DOTENV_DISABLED" in os.environ)
"""
ASKED = """
import time
from kb.core.errors import IndexAwayError
from kb.core.settings import load_settings
from kb.index.places import place_of
try:
    place_of(load_settings()).build_ids()
except IndexAwayError as error:
    print(error.code)
time.sleep(1)
"""


def _run(code: str, **environment: str) -> str:
    command = [sys.executable, "-c", code]
    kept = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    return subprocess.run(command, capture_output=True, text=True, check=True, env=kept, timeout=120).stdout


@pytest.fixture
def settings(tmp_path: Path, read_once: Settings) -> Settings:
    made = make_settings(tmp_path, reading=False)
    write_corpus(made.corpus)
    take_readings(read_once, made)
    return made


@pytest.mark.slow
def test_without_the_extra_all_else_works_and_it_is_told_which_it_is() -> None:
    assert "pip install '.[cluster]'" in _run(WITHOUT)


@pytest.mark.parametrize("url", ["milvus:19530", "ftp://milvus", "/data/milvus"])
def test_an_address_of_another_form_is_refused(settings: Settings, url: str) -> None:
    with pytest.raises(SettingsError, match="KB_INDEX_URL"):
        place_of(on_milvus(settings, url))


def test_a_secret_that_cannot_be_read_is_told(settings: Settings, tmp_path: Path) -> None:
    pytest.importorskip("pymilvus", reason="UDEN pymilvus ER LOGIN HOS MILVUS IKKE PRØVET")
    missing = on_milvus(settings, "http://127.0.0.1:9", index_token_file=tmp_path / "token")
    with pytest.raises(SettingsError, match="token"):
        place_of(missing).current_id()


@needs_milvus
@pytest.mark.slow
def test_a_node_that_is_away_gives_503_with_a_reason_and_all_is_well_when_it_is_back(
    settings: Settings, tmp_path: Path
) -> None:
    with MilvusServer(tmp_path / "milvus") as server:
        served = on_milvus(settings, server.url, index_timeout=1.0, index_retries=0)
        indexing.run(served, HashEmbedder())
        client = make_app(served, HashEmbedder()).test_client()
        question = "/api/v1/search?q=vandl%C3%B8b"
        before = client.get(question)
        assert before.status_code == 200
        server.kill()
        # Another question: what is remembered is answered.
        away = client.get("/api/v1/search?q=journalnotater")
        assert away.status_code == 503
        assert away.json is not None
        assert away.json["type"].endswith("indeks-utilgaengeligt")
        assert "Milvus" in away.json["detail"]
        assert "Retry-After" in away.headers
        page = client.get("/?q=mailfordeling")
        assert page.status_code == 503
        assert "kan ikke svare lige nu" in page.get_data(as_text=True)
        # One that begins while the server is away answers when it is there.
        late = make_app(served, HashEmbedder()).test_client()
        assert late.get(question).status_code == 503
        with pytest.raises(IndexAwayError):
            indexing.run(served, HashEmbedder())
        server.start()
        for one in (client, late):
            until(lambda one=one: one.get(question).status_code == 200)  # type: ignore[misc]
            until(lambda one=one: one.get("/api/v1/search?q=journalnotater").status_code == 200)  # type: ignore[misc]
            again = one.get(question)
            assert again.json is not None
            assert before.json is not None
            assert again.json["hits"] == before.json["hits"]
            until(lambda one=one: one.get("/?q=faldrisiko").status_code == 200)  # type: ignore[misc]


@needs_milvus
def test_who_asks_a_server_that_is_away_again_is_told_at_once(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    milvus = Connection(Address.of(on_milvus(settings, "http://127.0.0.1:9", index_timeout=0.2, index_retries=0)))
    with pytest.raises(IndexAwayError) as caught:
        milvus.ask("list_collections")
    assert isinstance(caught.value, IndexBusyError)
    assert caught.value.advice

    def connects(_: Connection) -> None:
        raise AssertionError("asked again")

    monkeypatch.setattr(Connection, "_connect", connects)
    with pytest.raises(IndexAwayError):
        milvus.ask("list_collections")


@needs_milvus
def test_the_log_says_where_the_server_should_be_without_the_password(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    url = "http://root:hemmelig@127.0.0.1:9"
    milvus = Connection(Address.of(on_milvus(settings, url, index_timeout=0.2, index_retries=1)))
    with pytest.raises(IndexAwayError) as caught:
        milvus.ask("list_collections")
    assert "127.0.0.1" not in str(caught.value)
    assert "http://127.0.0.1:9" in caplog.text
    assert "hemmelig" not in caplog.text


@needs_milvus
@pytest.mark.slow
def test_no_environment_file_is_read() -> None:
    assert _run(DOTENV).split() == ["[False]", "False"]


@needs_milvus
@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("strace"), reason="UDEN strace ER DET IKKE PRØVET, HVEM DER KALDES")
def test_nothing_but_the_configured_address_is_called(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    command = ["strace", "-f", "-o", str(trace), "-e", "trace=connect,sendto,sendmsg,sendmmsg"]
    kept = {**os.environ, "PYTHONPATH": str(ROOT), "KB_INDEX_URL": "http://127.0.0.1:9", "KB_INDEX_TIMEOUT": "0.5"}
    kept |= {"http_proxy": "http://127.0.0.1:10", "https_proxy": "http://127.0.0.1:10"}
    done = subprocess.run(
        [*command, sys.executable, "-c", ASKED], capture_output=True, text=True, check=True, env=kept, timeout=240
    )
    assert done.stdout.strip() == "indeks-utilgaengeligt"
    called = set(re.findall(r"sin6?_port=htons\((\d+)\)", trace.read_text(errors="replace")))
    assert called == {"9"}
