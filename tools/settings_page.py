"""Make ``docs/settings.md``: every setting with its environment variable, default, valid values and meaning, in Danish.

All of it is read from :class:`kb.core.settings.Settings`. Run it when a setting has changed: ``make reference``. A test
compares the page with the class.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from kb.core.settings import ENV_PREFIX, TOML_FILE, Settings

TARGET = Path(__file__).parents[1] / "docs" / "settings.md"
HEADING = f"""# Indstillinger

Siden er lavet af `kb/core/settings.py` med `make reference`.

En indstilling gives som miljøvariabel eller i `{TOML_FILE}` i mappen, `kb` køres fra; miljøvariablen går forud. Et
ukendt navn eller en værdi uden for det gyldige standser kommandoen med navnet på fejlen. Mapper regnes fra den mappe,
`kb` køres fra.

| `{TOML_FILE}` | miljøvariabel | standard | gyldigt | betydning |
|---|---|---|---|---|
"""
KINDS = {bool: "`true` eller `false`", int: "helt tal", float: "tal", str: "tekst", Path: "sti", SecretStr: "tekst"}
# The names of pydantic's bounds, and what each says.
SIGNS = (("ge", "mindst"), ("gt", "over"), ("le", "højst"), ("lt", "under"))


def shown(value: Any) -> str:
    """A default as it is written in the file."""
    if value is None or (isinstance(value, str | SecretStr) and not len(value)):
        return "tom"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def bounds(metadata: Iterable[Any]) -> list[str]:
    """The bounds of a number, in words."""
    return [f"{word} {getattr(bound, name)}" for name, word in SIGNS for bound in metadata if hasattr(bound, name)]


def valid(field: FieldInfo) -> str:
    """What a setting may be."""
    if get_origin(field.annotation) is Literal:
        return " · ".join(f"`{value}`" for value in get_args(field.annotation))
    (kind,) = [one for one in get_args(field.annotation) or (field.annotation,) if one is not NoneType]
    return ", ".join([KINDS[kind], *bounds(field.metadata)])


def row(name: str, field: FieldInfo) -> str:
    """One setting's line in the table."""
    variable = f"{ENV_PREFIX}{name}".upper()
    cells = (f"`{name}`", f"`{variable}`", shown(field.default), valid(field), field.description or "")
    return f"| {' | '.join(cells)} |"


def page() -> str:
    """The whole page."""
    return HEADING + "\n".join(row(name, field) for name, field in Settings.model_fields.items()) + "\n"


if __name__ == "__main__":
    TARGET.write_text(page(), encoding="utf-8")
