"""Puts a folder of reports in through the editors' page, as a new user does, and tells what each has become.

    python -m benchmarks.first_upload [--folder ../shared/documents]

A server on empty folders is sent all the files in one form; when its job is over, the editors' pages are read. Prints a
row a file: its state on the job's page, and of each report the title, whom it belongs to (project or authority, stated
or proposed, or itself alone) and what its page asks of an editor. Ends with 1 when a file has no state, a report no
title, or a page says a word that belongs to the machine and not to an editor.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import requests
from selectolax.lexbor import LexborHTMLParser, LexborNode

from benchmarks.hostile_uploads import served
from benchmarks.readers_page import documents

# What an editor need not know of: programs, packages, errors of Python, of the system and of file formats' insides.
TECHNICAL = re.compile(
    r"apt-get|apt install|\bpip\b|tesseract|soffice|libreoffice|traceback|errno|exception|\bNone\b|\bnull\b|xref|xpath|"
    r"stderr|stdout|\bUTF-?8\b|codec|pypdf|pdfium|mammoth|\bKB_[A-Z]+|/tmp/|\.py\b",
    re.IGNORECASE,
)
QUOTED = re.compile(r"»[^«]*«")
# The machine may be busy with other work.
SETTINGS = {"KB_MAX_UPLOAD_MB": "500", "KB_READ_TIMEOUT": "300"}
PATIENCE = 3600.0
EVERY = 5.0


@dataclass(frozen=True, slots=True)
class Became:
    """What an uploaded file has become; ``owner`` is empty where nobody is named."""

    file: str
    state: str
    title: str = ""
    owner: str = ""

    @property
    def is_wanting(self) -> bool:
        """Whether a new user is left without a word of it."""
        return not self.state or (self.state.startswith("Kan findes") and not self.title)


def main() -> int:
    """Upload, wait, read the pages and print."""
    arguments = argparse.ArgumentParser(description="What a folder of reports becomes, put in through the page.")
    arguments.add_argument("--folder", type=Path, default=documents())
    folder = arguments.parse_args().folder
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "README.md"]
    with tempfile.TemporaryDirectory(prefix="kb-first-") as place, served(Path(place), **SETTINGS) as address:
        job = _uploaded(address, files)
        pages = list(_pages(address, job))
        became = list(_became(address, job))
    for one in became:
        print(f"{one.file}\t{one.state}\t{one.title}\t{one.owner}")
    # What a file is called, and what is quoted from it, are the user's own words.
    named = " ".join(path.name.lower() for path in files)
    technical = sorted(
        {
            (name, found.group())
            for name, text in pages
            for found in TECHNICAL.finditer(QUOTED.sub("", text))
            if found.group().lower() not in named
        }
    )
    wanting = [one.file for one in became if one.is_wanting]
    reports = [one for one in became if one.title]
    owned = sum(bool(one.owner) for one in reports)
    print(f"{len(files)} files, {len(reports)} reports, {owned} with an owner; without a word: {wanting}")
    print(f"words that belong to the machine: {technical}")
    return int(bool(wanting or technical))


def _uploaded(address: str, files: list[Path]) -> str:
    """Send the files in one form as the page does; the address of the job's page, once it is over."""
    with ExitStack() as opened:
        sent = [("filer", (path.name, opened.enter_context(path.open("rb")))) for path in files]
        answer = requests.post(f"{address}/admin/filer", files=sent, timeout=PATIENCE)
    answer.raise_for_status()
    until = time.monotonic() + PATIENCE
    while "data-job=" in requests.get(answer.url, timeout=PATIENCE).text:
        if time.monotonic() > until:
            raise TimeoutError("The job did not end.")
        time.sleep(EVERY)
    return str(answer.url)


def _pages(address: str, job: str) -> Iterator[tuple[str, str]]:
    """The names and texts of the pages that an editor sees of it."""
    for page in (job, f"{address}/admin", f"{address}/admin/rapporter", *_reports(address)):
        yield page.removeprefix(address), _main(page).text()


def _became(address: str, job: str) -> Iterator[Became]:
    reports = {file: (title, owner) for file, title, owner in map(_report, _reports(address))}
    for row in _main(job).css("li.report"):
        name = _text(row.css_first(".file-name"))
        yield Became(name, _text(row.css_first("[data-file]")), *reports.get(name, ("", "")))


def _reports(address: str) -> list[str]:
    links = _main(f"{address}/admin/rapporter").css(".report-title a")
    return [f"{address}{link.attributes['href']}" for link in links]


def _report(page: str) -> tuple[str, str, str]:
    """A report's file, title, and whom it belongs to."""
    main = _main(page)
    name = _text(main.css_first("h1 + p")).rpartition(" · ")[0]
    owner = [f"{field}: {value}" for field in ("projekt", "myndighed") if (value := _owner(main, field))]
    return name, _text(main.css_first("h1")), "; ".join(owner)


def _owner(main: LexborNode, field: str) -> str:
    """What a field of the form holds, or what is proposed for it, as the page words it."""
    stated = main.css_first(f"#m-{field}")
    value = stated.attributes.get("value") if stated else ""
    return value or _text(main.css_first(f"#m-{field}-udledt"))


def _text(node: LexborNode | None) -> str:
    return " ".join(node.text().split()) if node else ""


def _main(page: str) -> LexborNode:
    answer = requests.get(page, timeout=PATIENCE)
    answer.raise_for_status()
    main = LexborHTMLParser(answer.text).css_first("main")
    if main is None:
        raise ValueError(f"{page} has no main part.")
    return main


if __name__ == "__main__":
    sys.exit(main())
