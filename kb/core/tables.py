"""The tables in TOML that a package carries beside its modules."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import Any


def read_table(package: str, name: str) -> dict[str, Any]:
    """Read the table ``name`` of a package: ``read_table("kb.language", "stems.toml")``."""
    return tomllib.loads((files(package) / name).read_text(encoding="utf-8"))
