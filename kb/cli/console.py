"""What every verb of the command line shares: the two streams, ``--json``, and how errors are told."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, Protocol

import click
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from kb.cli.results import Error
from kb.core.errors import InputError, KbError
from kb.http.api.response_models import Failed

WIDEST = 10_000
EXIT_FAILED, EXIT_INPUT, EXIT_SETUP = 1, 2, 3
P = ParamSpec("P")

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)
json_option = click.option("--json", "as_json", is_flag=True, help="Skriv ét JSON-objekt på standard output.")


def reports_errors(verb: Callable[P, None]) -> Callable[P, None]:
    """Tell a :class:`KbError` in the form that was asked for, and exit with its code."""

    @functools.wraps(verb)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            verb(*args, **kwargs)
        except KbError as error:
            if kwargs.get("as_json"):
                print_json(Error(error=Failed(code=error.code, message=str(error), advice=error.advice)))
            else:
                err.print(f"Fejl: {error}", style="bold red", markup=False)
                if error.advice:
                    err.print(error.advice, markup=False)
            sys.exit(EXIT_INPUT if isinstance(error, InputError) else EXIT_SETUP)

    return wrapped


class Result(Protocol):
    """What a verb gives as JSON."""

    def to_json(self, *, indent: int | None = None) -> str:
        """One JSON object."""
        ...


def write_file(file: Path, content: bytes) -> None:
    """Write a file that was asked for; raises :class:`InputError` where it cannot be written."""
    try:
        file.write_bytes(content)
    except OSError as error:
        raise InputError(f"Filen {file} kan ikke skrives: {error.strerror}.", advice="Vælg et andet sted.") from error


def print_table(table: Table) -> None:
    """A table with nothing cut off, as an id is there to be copied; the terminal wraps lines that are too wide."""
    width = Measurement.get(out, out.options.update(max_width=WIDEST), table).maximum
    Console(width=max(width, out.width), highlight=False).print(table)


def print_json(result: Result) -> None:
    """One JSON object on standard output."""
    click.echo(result.to_json(indent=2))
