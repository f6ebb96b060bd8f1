"""The verbs of what was not found: ``kb gap list`` and ``export``, ``kb word list`` and ``undo``."""

from __future__ import annotations

from pathlib import Path

import click

from kb.cli import results
from kb.cli.access import record
from kb.cli.console import json_option, out, print_json, reports_errors, write_file
from kb.core.errors import InputError
from kb.core.settings import Settings, load_settings
from kb.http.api.curation_models import CurationInForce
from kb.state.curation import CurationStore
from kb.state.gaps import GapStore


def _gaps(settings: Settings) -> GapStore:
    return GapStore(settings.state, keep_days=settings.gap_days)


@click.group()
def gap() -> None:
    """Spørgsmål, der ikke fik svar, eller hvor svaret ikke var nyttigt."""


@gap.command("list")
@json_option
@reports_errors
def gap_list(as_json: bool) -> None:
    """Vis de åbne spørgsmål, de hyppigste først."""
    found = _gaps(load_settings()).open()
    if as_json:
        print_json(results.Gaps.model_validate({"gaps": found}))
        return
    for one in found:
        out.print(f"{one.times:>5}  {one.last[:10]}  {one.question}", markup=False)
    if not found:
        out.print("Ingen.")


@gap.command("export")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@json_option
@reports_errors
def gap_export(file: Path, as_json: bool) -> None:
    """Skriv alle spørgsmål, også de lukkede, i FILE som CSV."""
    from kb.http.web.presenters.gaps import csv_text

    settings = load_settings()
    found = _gaps(settings).all()
    write_file(file, csv_text((one.question, one) for one in found).encode("utf-8-sig"))
    record(settings, "spørgsmål udtrukket", f"{len(found)} spørgsmål")
    if as_json:
        print_json(results.ExportedGaps(file=str(file), gaps=len(found)))
    else:
        out.print(f"{len(found)} spørgsmål er skrevet i {file}.", markup=False)


@click.group()
def word() -> None:
    """Husets egne ord og fremhævede steder."""


@word.command("list")
@json_option
@reports_errors
def word_list(as_json: bool) -> None:
    """Vis det, der gælder nu."""
    held = CurationStore(load_settings().state).current()
    if as_json:
        print_json(CurationInForce.from_domain(held))
        return
    for group in held.curation.groups:
        out.print(" = ".join(group.names), markup=False)
    for key in held.curation.switched_off:
        out.print(f"Slået fra: {key}", markup=False)
    for pin in held.curation.pins:
        out.print(f"Fremhævet ved »{pin.question}«: {pin.evidence.document_id}", markup=False)
    out.print(f"Version {held.version}" + (f": {held.what}" if held.what else ""), style="dim", markup=False)


@word.command("undo")
@json_option
@reports_errors
def word_undo(as_json: bool) -> None:
    """Fortryd den seneste ændring."""
    settings = load_settings()
    store = CurationStore(settings.state)
    if not (version := store.number()):
        raise InputError("Der er intet at fortryde.", advice="Se det, der gælder: kb word list")
    made = store.undo(based_on=version)
    record(settings, "ord fortrudt", f"version {made.version}")
    if as_json:
        print_json(CurationInForce.from_domain(made))
    else:
        out.print(f"{made.what[:1].upper()}{made.what[1:]}", markup=False)
