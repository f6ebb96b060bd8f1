"""The address of a database is checked, and what may be secret in it is shown nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from kb.core.errors import SettingsError
from kb.core.settings import Settings
from kb.core.state_place import StateUrl, url_of_file

SECRET = "s3cr:t/æ"  # noqa: S105
ADDRESS = "postgresql://kb:s3cr%3At%2F%C3%A6@db.kommune.dk:5433/erfaringer?sslmode=verify-full&sslpassword=andet"


def test_the_state_is_in_a_folder_until_a_database_is_named(tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path)
    assert settings.state == tmp_path
    assert settings.model_copy(update={"state_url": SecretStr(ADDRESS)}).state == StateUrl.of(ADDRESS)


def test_an_address_is_shown_without_what_is_secret_in_it() -> None:
    url = StateUrl.of(ADDRESS)
    assert url.shown == "postgresql://kb@db.kommune.dk:5433/erfaringer?sslmode=verify-full"
    assert SECRET not in repr(url)
    assert "s3cr" not in f"{url!r} {url} {Settings(state_url=SecretStr(ADDRESS))!r}"


@pytest.mark.parametrize("told", [f"brugeren kb:{SECRET}", "kode s3cr%3At%2F%C3%A6", f"i {ADDRESS}", "nøglens andet"])
def test_an_error_is_told_without_secrets(told: str) -> None:
    said = StateUrl.of(ADDRESS).without_secrets(told)
    assert "s3cr" not in said
    assert "andet" not in said


@pytest.mark.parametrize(
    "address",
    ["mysql://kb:s3cr@db/x", "s3cr", "postgresql://kb:s3cr@db:port/x", "postgresql://kb:s3cr@[::1/x", "sqlite:///s3cr"],
)
def test_what_is_no_address_is_refused_without_repeating_it(address: str) -> None:
    with pytest.raises(SettingsError, match="KB_STATE_URL") as caught:
        StateUrl.of(address)
    assert "s3cr" not in f"{caught.value} {caught.value.advice} {caught.value.__cause__}"


def test_several_hosts_may_be_named() -> None:
    assert StateUrl.of("postgresql://kb@db1:5432,db2:5433/x").shown == "postgresql://kb@db1:5432,db2:5433/x"


def test_a_file_with_the_address_is_read_each_time_and_told_of_when_it_cannot_be(tmp_path: Path) -> None:
    file = tmp_path / "adresse"
    with pytest.raises(SettingsError, match="adresse"):
        url_of_file(file)
    file.write_text(f"{ADDRESS}\n", encoding="utf-8")
    settings = Settings(state_url_file=file)
    assert settings.state == StateUrl.of(ADDRESS)
    file.write_text("postgresql://kb:ny@db/x", encoding="utf-8")
    assert settings.state == StateUrl.of("postgresql://kb:ny@db/x")
