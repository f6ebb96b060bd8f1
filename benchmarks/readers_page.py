"""Where the readers' measurements are kept: sections of ``docs/readers.md`` that commands write anew."""

from __future__ import annotations

import os
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "readers.md"
SHARED = Path(os.environ.get("KB_SHARED", ROOT.parent / "shared"))


def documents() -> Path:
    """The folder of test documents beside the repository; exits with a message when it is absent."""
    folder = SHARED / "documents"
    if not folder.is_dir():
        raise SystemExit(f"The test documents are not there ({folder}). Set KB_SHARED to the folder that holds them.")
    return folder


def write_section(name: str, text: str) -> None:
    """Replace what stands between the markers of a section."""
    start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    page = PAGE.read_text("utf-8")
    if start not in page or end not in page:
        raise SystemExit(f"{PAGE} has no section {start}.")
    pattern = re.compile(re.escape(start) + ".*?" + re.escape(end), re.DOTALL)
    PAGE.write_text(pattern.sub(lambda _: f"{start}\n{text.strip()}\n{end}", page), "utf-8")
