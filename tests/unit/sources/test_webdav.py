"""WebDAV folders as a source, on a real WebDAV server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kb.core.errors import SourceError, SourceFileError
from kb.sources.configuration import WebDavSource
from kb.sources.webdav import WebDavConnector
from tests.serving import serving

wsgidav = pytest.importorskip("wsgidav.wsgidav_app", reason="wsgidav mangler: WebDAV ER IKKE PRØVET")


@pytest.fixture
def share(tmp_path: Path) -> Path:
    folder = tmp_path / "deling"
    (folder / "projekter" / "Års rapport #1").mkdir(parents=True)
    (folder / "projekter" / "a.pdf").write_bytes(b"a")
    (folder / "projekter" / "Års rapport #1" / "b & c 100%.pdf").write_bytes(b"bb")
    (folder / "andet.pdf").write_bytes(b"uden for")
    return folder


@pytest.fixture
def server(share: Path) -> Iterator[str]:
    config = {
        "provider_mapping": {"/": str(share)},
        "simple_dc": {"user_mapping": {"*": {"anna": {"password": "hemmelig"}}}},
        "http_authenticator": {"accept_basic": True, "accept_digest": False, "default_to_digest": False},
        "logging": {"enable": False},
        "verbose": 0,
    }
    with serving(wsgidav.WsgiDAVApp(config), closing=0.1) as url:
        yield url


def source(server: str, tmp_path: Path, given: str = "hemmelig", **more: object) -> WebDavSource:
    (tmp_path / "kode").write_text(given, encoding="utf-8")
    values = {"url": f"{server}/projekter", "user": "anna", "password_file": tmp_path / "kode", **more}
    return WebDavSource.model_validate({"name": "dav", "kind": "webdav", **values})


def test_a_folder_is_listed_with_all_below_it_and_its_files_are_fetched(
    server: str, share: Path, tmp_path: Path
) -> None:
    connector = WebDavConnector(source(server, tmp_path))
    files = {file.path: file for file in connector.listing("").files}
    assert sorted(files) == ["a.pdf", "Års rapport #1/b & c 100%.pdf"]
    connector.fetch(files["Års rapport #1/b & c 100%.pdf"], tmp_path / "hentet")
    assert (tmp_path / "hentet").read_bytes() == b"bb"
    (share / "projekter" / "a.pdf").write_bytes(b"nyt indhold")
    after = {file.path: file for file in connector.listing("").files}
    assert after["a.pdf"].version != files["a.pdf"].version
    with pytest.raises(SourceFileError, match="ændrede sig"):
        connector.fetch(files["a.pdf"], tmp_path / "hentet")
    (share / "projekter" / "a.pdf").unlink()
    with pytest.raises(SourceFileError, match="404"):
        connector.fetch(files["a.pdf"], tmp_path / "hentet")


def test_a_server_that_does_not_show_the_folder_is_told_of(server: str, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="adgangskoden"):
        WebDavConnector(source(server, tmp_path, given="forkert")).listing("")
    with pytest.raises(SourceError, match="404"):
        WebDavConnector(source(server, tmp_path, url=f"{server}/findes-ikke")).listing("")
    with pytest.raises(SourceError, match="max_files"):
        WebDavConnector(source(server, tmp_path, max_files=1)).listing("")
