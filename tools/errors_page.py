"""Make ``docs/errors.md``: every error code with what it means, what to do and how the API tells of it.

All of it is read from :mod:`kb.core.errors` and the API's problems. Run it when either has changed: ``make reference``.
A test compares the page with them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from kb.core.errors import FURTHER_CODES, KbError, ReadError, UnreadableUploadError
from kb.http.api.problem_details import PROBLEMS, Problem, problem_of

TARGET = Path(__file__).parents[1] / "docs" / "errors.md"
HEADING = """# Error codes

Made by `make reference` from `kb/core/errors.py` and `kb/http/api/problem_details.py`.

An error has one code wherever it is told: under `code` in the command line's `--json` and in a run, and after `#` in
the `type` of the API's problems. Where the API tells of an error under the code of a more general one, that stands
beside the status. The code of a file that could not be read stands at the file, in the run's report and in `kb status`.

| code | meaning | what to do | API |
|---|---|---|---|
"""
AT_THE_FILE = "at the file"


def kinds(root: type[KbError] = KbError) -> Iterator[type[KbError]]:
    """The errors, each before those below it."""
    yield root
    for kind in root.__subclasses__():
        if kind.__module__ == KbError.__module__:
            yield from kinds(kind)


def told(kind: type[KbError]) -> str:
    """How the API tells of an error."""
    if issubclass(kind, ReadError):
        return AT_THE_FILE
    found = problem_of(kind)
    return f"{found.status}" if found.code == kind.code else f"{found.status} `{found.code}`"


def row(code: str, meaning: str, advice: str, api: str) -> str:
    """One code's line in the table."""
    return f"| `{code}` | {meaning} | {advice or '–'} | {api} |"


def of_the_api_alone() -> Iterator[Problem]:
    """The problems that no error of the package comes out as."""
    codes = {kind.code for kind in kinds()}
    return (one for one in PROBLEMS.values() if one.code not in codes)


def page() -> str:
    """The whole page."""
    # What is sent and cannot be read has the code of a file that cannot; the row tells both.
    both = f"{told(UnreadableUploadError)} where it is sent, else {AT_THE_FILE}"
    rows = [
        row(
            kind.code,
            (kind.__doc__ or "").strip().partition("\n")[0],
            kind.advice,
            both if kind.code == UnreadableUploadError.code else told(kind),
        )
        for kind in kinds()
        if kind is not UnreadableUploadError
    ]
    rows += [row(code, meaning, "", told(kind)) for code, (kind, meaning) in FURTHER_CODES.items()]
    rows += [row(one.code, f"{one.title}. {one.text}", "", str(one.status)) for one in of_the_api_alone()]
    return HEADING + "\n".join(rows) + "\n"


if __name__ == "__main__":
    TARGET.write_text(page(), encoding="utf-8")
