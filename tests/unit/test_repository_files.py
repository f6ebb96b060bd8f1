"""No test writes to the files of the repository."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", ["docs/prøve.md", "kb/http/api/prøve.json"])
def test_a_test_that_writes_there_fails(name: str) -> None:
    file = ROOT / name
    try:
        with pytest.raises(AssertionError, match="writes to the repository"):
            file.write_text("x", encoding="utf-8")
        assert not file.exists()
    finally:
        file.unlink(missing_ok=True)


def test_reading_there_and_writing_elsewhere_are_allowed(tmp_path: Path) -> None:
    (tmp_path / "prøve.md").write_bytes((ROOT / "docs" / "glossary.md").read_bytes())
