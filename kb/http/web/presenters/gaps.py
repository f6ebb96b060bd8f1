"""Gaps as CSV for a Danish spreadsheet: semicolons, no cell a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from kb.curation.gaps import Gap
from kb.http.web.presenters import labels

COLUMNS = (
    "gruppe", "spørgsmål", "uden svar", "ikke nyttigt", "først", "senest", "grund", "lukket", "lukket fordi",
)  # fmt: skip


def csv_text(gaps: Iterable[tuple[str, Gap]]) -> str:
    """Gaps, each after the question of its group."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";")
    writer.writerow(COLUMNS)
    for group, one in gaps:
        counts, times = (one.refused, one.not_useful), (one.first, one.last)
        row = (group, one.question, *counts, *times, one.reason, one.closed, one.closed_because)
        writer.writerow([labels.inert(cell) for cell in row])
    return text.getvalue()
