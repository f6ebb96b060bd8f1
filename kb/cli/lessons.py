"""The verbs of lessons: ``kb lesson list``, ``export``, ``import``, ``figures`` and ``remind``."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from kb.cli import results
from kb.cli.access import record
from kb.cli.console import json_option, out, print_json, reports_errors, write_file
from kb.cli.mails import print_sent
from kb.core.errors import InputError
from kb.core.settings import load_settings
from kb.lessons import reviewing
from kb.lessons.lesson import LessonStatus
from kb.state.lessons import LessonStore


@click.group()
def lesson() -> None:
    """Erfaringer, som redaktionen har skrevet af rapporterne."""


@lesson.command("list")
@click.option(
    "--status",
    type=click.Choice([status.value for status in LessonStatus]),
    default=None,
    help="Kun dem med denne status.",
)
@click.option("--due", is_flag=True, help="Kun dem, der skal ses efter nu.")
@json_option
@reports_errors
def lesson_list(status: str | None, due: bool, as_json: bool) -> None:
    """Vis erfaringerne, de senest ændrede først."""
    found = LessonStore(load_settings().state).all()
    today = date.today()
    shown = [one for one in found if status in {None, one.status.value} and (not due or reviewing.is_due(one, today))]
    if as_json:
        print_json(results.Lessons.model_validate({"lessons": shown}))
        return
    for one in shown:
        until = f"  ses efter {one.review_by}" if one.review_by else ""
        out.print(f"{one.id}  {one.status:<10} {' '.join(one.lesson.split())[:100]}{until}", markup=False)
    if not shown:
        out.print("Ingen.")


@lesson.command("export")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@json_option
@reports_errors
def lesson_export(file: Path, as_json: bool) -> None:
    """Skriv alle erfaringer i FILE: CSV eller JSON efter endelsen."""
    from kb.http.web.presenters.lessons import csv_text
    from kb.lessons.exchange import to_json

    settings = load_settings()
    found = LessonStore(settings.state).all()
    if file.suffix.lower() not in {".csv", ".json"}:
        raise InputError(f"Filen {file.name} er hverken .csv eller .json.", advice="Giv den et af de to navne.")
    is_json = file.suffix.lower() == ".json"
    write_file(file, to_json(found).encode() if is_json else csv_text(found).encode("utf-8-sig"))
    record(settings, "erfaringer udtrukket", f"{len(found)} erfaringer")
    if as_json:
        print_json(results.ExportedLessons(file=str(file), lessons=len(found)))
    else:
        out.print(f"{len(found)} erfaringer er skrevet i {file}.", markup=False)


@lesson.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@json_option
@reports_errors
def lesson_import(file: Path, as_json: bool) -> None:
    """Indlæs erfaringer fra FILE, alle eller ingen; et kendt id erstatter."""
    from kb.http.api.lesson_models import ImportedLessons
    from kb.http.web.presenters.lessons import lessons_of_file

    settings = load_settings()
    try:
        content = file.read_bytes()
    except OSError as error:
        raise InputError(
            f"Filen {file} kan ikke læses: {error.strerror}.", advice="Angiv en fil, der findes."
        ) from error
    counts = LessonStore(settings.state).take_in(lessons_of_file(content))
    told = f"{counts.added} nye, {counts.changed} ændrede, {counts.unchanged} uændrede"
    record(settings, "erfaringer indlæst", told)
    if as_json:
        print_json(ImportedLessons.model_validate(counts))
    else:
        out.print(f"{told}.")


@lesson.command("figures")
@json_option
@reports_errors
def lesson_figures(as_json: bool) -> None:
    """Vis tallene: erfaringer efter status, brugte og til eftersyn; spørgsmål stillet og uden svar."""
    from kb.http.api.lesson_models import LessonFigures

    store = LessonStore(load_settings().state)
    counts = store.question_counts()
    found = reviewing.figures(store.all(), store.uses(), date.today(), asked=counts.asked, refused=counts.refused)
    if as_json:
        print_json(LessonFigures.from_domain(found))
        return
    for status, count in found.by_status.items():
        out.print(f"{status.value:<12} {count}")
    out.print(f"Skal ses efter: {found.due}. Brugt: {found.uses} gange, {found.reused} erfaringer.")
    out.print(f"Spørgsmål: {found.asked}, heraf uden svar: {found.refused}.")


@lesson.command("remind")
@json_option
@reports_errors
def lesson_remind(as_json: bool) -> None:
    """Skriv til ejerne af de erfaringer, der skal ses efter; hver får én mail pr. dato."""
    from kb.operations.lesson_reminders import remind

    settings = load_settings()
    print_sent(settings, remind(settings, date.today()), as_json=as_json)
