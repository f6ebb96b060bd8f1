from __future__ import annotations

from pathlib import Path

import pytest

from kb.core.errors import SettingsError
from kb.core.settings import MEANT_EMPTY, Settings, load_settings


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_defaults_need_nothing() -> None:
    settings = load_settings()
    assert settings.corpus == Path("corpus")
    assert settings.models_dir == Path("index/models")
    assert settings.host == "127.0.0.1"


def test_the_file_is_read_and_the_environment_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("kb.toml").write_text('port = 8100\ncorpus = "rapporter"\n', encoding="utf-8")
    monkeypatch.setenv("KB_PORT", "8200")
    settings = load_settings()
    assert (settings.port, settings.corpus) == (8200, Path("rapporter"))
    assert load_settings(port=8300).port == 8300


def test_an_unknown_variable_is_named_with_the_nearest_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KB_CORPSU", "x")
    with pytest.raises(SettingsError, match=r"KB_CORPSU.*KB_CORPUS"):
        load_settings()


def test_an_unknown_key_in_the_file_is_named_with_the_nearest_known() -> None:
    Path("kb.toml").write_text("prot = 8100\n", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"prot.*port"):
        load_settings()


def test_a_file_that_is_not_toml_is_told() -> None:
    Path("kb.toml").write_text("port = = 1\n", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"kb\.toml"):
        load_settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [("port", "0"), ("port", "abc"), ("batch_size", "0"), ("keep_builds", "0"), ("page_size", "101"), ("threads", "0")],
)
def test_a_value_out_of_range_is_named(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"KB_{name.upper()}", value)
    with pytest.raises(SettingsError, match=name):
        load_settings()


@pytest.mark.parametrize("name", sorted(Settings.model_fields.keys() - MEANT_EMPTY))
def test_an_empty_variable_is_one_that_is_not_set(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = getattr(load_settings(), name)
    monkeypatch.setenv(f"KB_{name.upper()}", "")
    assert getattr(load_settings(), name) == usual


def test_measurements_can_be_closed_to_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KB_METRICS_FROM", "")
    assert load_settings().metrics_from == ""


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("log_questions", "måske", "skal være true eller false"),
        ("port", "otte", "skal være et helt tal"),
        ("port", "0", "skal være mindst 1"),
        ("port", "70000", "må højst være 65535"),
        ("read_timeout", "0", "skal være over 0"),
        ("read_timeout", "lidt", "skal være et tal"),
        ("access", "åben", "skal være en af 'auto' eller 'closed'"),
    ],
)
def test_what_is_wrong_with_a_value_is_said_in_danish(
    name: str, value: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"KB_{name.upper()}", value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert str(caught.value).startswith(f"Indstillingen {name} {told} (fik ")


@pytest.mark.parametrize("content", [b"port = = 1\n", b"authority = 'Aar\xf8'\n"])
def test_what_is_wrong_with_the_file_is_said_in_danish(content: bytes) -> None:
    Path("kb.toml").write_bytes(content)
    with pytest.raises(SettingsError, match=r"^kb.toml er ikke skrevet som TOML i UTF-8( \(linje 1, tegn \d+\))?\.$"):
        load_settings()


def test_every_setting_is_described() -> None:
    assert not [name for name, field in Settings.model_fields.items() if not field.description]
