"""Read every test document in isolation and write what came of it to ``docs/readers.md``.

python -m benchmarks.read_table
"""

from __future__ import annotations

import time

from benchmarks.readers_page import documents, write_section
from kb.extract import ReadOptions, ReadOutcome, ReadStatus, find_files, read_files

HEAD = (
    "| file | status | reader | words | pages | headings | warnings | seconds |\n|---|---|---|---:|---:|---:|---|---:|"
)


def main() -> None:
    root = documents()
    options = ReadOptions()
    started = time.monotonic()
    outcomes = sorted(read_files(find_files([root]).files, root, options), key=lambda outcome: outcome.path)
    seconds = time.monotonic() - started
    counts = ", ".join(f"{sum(o.status is status for o in outcomes)} {status}" for status in ReadStatus)
    slowest = max(outcome.seconds for outcome in outcomes)
    summary = (
        f"{len(outcomes)} files in {seconds:.0f} s with {options.workers} workers: {counts}. "
        f"Slowest {slowest:.1f} s (limit {options.timeout:g} s). No worker crashed."
    )
    assert all(outcome.code not in {"læser-gik-ned", "tidsgrænse", "hukommelsesgrænse"} for outcome in outcomes)
    text = "\n".join([summary, "", HEAD, *map(row, outcomes)])
    write_section("read-table", text)
    print(text)


def row(outcome: ReadOutcome) -> str:
    """One line of the table."""
    document = outcome.document
    if document is None:
        cells = [outcome.path, outcome.status, "", "", "", "", f"{outcome.code}: {outcome.reason}"]
    else:
        cells = [
            outcome.path,
            outcome.status,
            document.reader,
            str(len(document.text.split())),
            str(len(document.pages) or ""),
            str(len(document.headings)),
            "; ".join(f"{warning.code}: {warning.message}" for warning in document.warnings),
        ]
    return "| " + " | ".join([*cells, f"{outcome.seconds:.1f}"]) + " |"


if __name__ == "__main__":
    main()
