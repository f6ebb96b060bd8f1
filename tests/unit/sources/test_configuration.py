"""The sources file: what it may say, and that no secret is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from kb.core.errors import NotFoundError, SettingsError
from kb.core.settings import Settings
from kb.sources.configuration import SharePointSource, WebDavSource, find_source, load_sources
from tests.support import make_settings

SHAREPOINT = """[sp]
kind = "sharepoint"
tenant = "kommune.dk"
client_id = "1"
client_secret_env = "KILDE_SP"
site = "https://kommune.sharepoint.com/sites/projekter"
"""


def written(folder: Path, text: str) -> Settings:
    (folder / "kilder.toml").write_text(text, encoding="utf-8")
    return make_settings(folder, sources_file=folder / "kilder.toml")


def test_without_a_file_there_are_no_sources(tmp_path: Path) -> None:
    assert load_sources(make_settings(tmp_path)) == {}


def test_a_file_that_is_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"kilder\.toml"):
        load_sources(make_settings(tmp_path, sources_file=tmp_path / "kilder.toml"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[HR]\nkind = "folder"\npath = "/x"', "små bogstaver"),
        ('["../ud"]\nkind = "folder"\npath = "/x"', "små bogstaver"),
        ('[hr]\nkind = "ftp"', "kind skal være"),
        ('[hr]\npath = "/x"', "kind mangler"),
        ('[hr]\nkind = "folder"', "path: mangler"),
        ('[hr]\nkind = "folder"\npath = "/x"\nsti = 1', "sti: er ukendt"),
        ('[hr]\nkind = "folder"\npath = "/x"\nmax_loss = 2', "max_loss: har en ugyldig"),
        ('[w]\nkind = "webdav"\nurl = "file:///etc"', "http eller https"),
        ('[w]\nkind = "webdav"\nurl = "https://a:b@x.dk"', "bruger eller adgangskode"),
        ('[w]\nkind = "webdav"\nurl = "http://dav.dk"\nuser = "a"', "ukrypteret"),
        ("hr = 1", "tabel"),
        ("[hr", "TOML"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        load_sources(written(tmp_path, text))


def test_a_secret_that_is_written_where_none_belongs_is_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load_sources(written(tmp_path, SHAREPOINT + 'client_secret = "hemmelig"'))
    assert "client_secret: er ukendt" in str(caught.value)
    assert "hemmelig" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_secret_is_read_from_its_variable_or_file_when_it_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = find_source(written(tmp_path, SHAREPOINT), "sp")
    assert isinstance(source, SharePointSource)
    with pytest.raises(SettingsError, match="client_secret_env"):
        source.client_secret  # noqa: B018
    monkeypatch.setenv("KILDE_SP", "hemmelig")
    assert source.client_secret == "hemmelig"  # noqa: S105
    assert "hemmelig" not in repr(source)
    (tmp_path / "kode").write_text("fra fil\n", encoding="utf-8")
    text = f'[w]\nkind = "webdav"\nurl = "https://dav.dk/x/"\nuser = "a"\npassword_file = "{tmp_path / "kode"}"'
    dav = find_source(written(tmp_path, text), "w")
    assert isinstance(dav, WebDavSource)
    assert (dav.url, dav.password) == ("https://dav.dk/x", "fra fil")


def test_a_source_that_is_not_set_up_is_told_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError) as caught:
        find_source(written(tmp_path, SHAREPOINT), "hr")
    assert "sp" in caught.value.advice


def test_kinds_hidden_files_and_metadata_are_told_by_name(tmp_path: Path) -> None:
    source = load_sources(written(tmp_path, '[hr]\nkind = "folder"\npath = "/x"'))["hr"]
    for taken in ("a.PDF", "mappe/b.docx"):
        assert source.takes(taken)
    for left in ("film.mp4", ".skjult/a.pdf", "~$a.docx", "a.pdf.meta.yaml", "uden"):
        assert not source.takes(left)
