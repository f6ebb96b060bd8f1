"""``docs/settings.md`` is what the settings class says."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import Field, SecretStr
from pydantic.fields import FieldInfo

from kb.core.settings import Settings
from tools import settings_page


def field(annotation: object, default: object) -> FieldInfo:
    return FieldInfo.from_annotated_attribute(annotation, default)  # type: ignore[arg-type]


def test_the_page_is_that_of_the_class() -> None:
    page = settings_page.TARGET.read_text(encoding="utf-8")
    assert page == settings_page.page(), "Kør: make reference"


def test_every_setting_stands_there_with_its_variable() -> None:
    page = settings_page.page()
    assert not [name for name in Settings.model_fields if f"| `{name}` | `KB_{name.upper()}` |" not in page]


@pytest.mark.parametrize(
    ("annotation", "said"),
    [
        (Annotated[int, Field(ge=1, le=65535)], "helt tal, mindst 1, højst 65535"),
        (Annotated[float, Field(gt=0, lt=1)], "tal, over 0, under 1"),
        (Literal["auto", "closed"], "`auto` · `closed`"),
        (bool, "`true` eller `false`"),
        (Path | None, "sti"),
    ],
)
def test_what_is_valid_is_said_in_words(annotation: object, said: str) -> None:
    assert settings_page.valid(field(annotation, None)) == said


@pytest.mark.parametrize(
    ("default", "said"),
    [
        ("", "tom"),
        (SecretStr(""), "tom"),
        (None, "tom"),
        (True, "`true`"),
        (120.0, "`120`"),
        (Path("index"), "`index`"),
    ],
)
def test_defaults_are_written_as_in_the_file(default: object, said: str) -> None:
    assert settings_page.shown(default) == said
