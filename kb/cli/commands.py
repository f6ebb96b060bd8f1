"""The command line: ``kb VERB``, each with ``--json`` for one machine-readable object on standard output.

Verbs only gather settings, call one function below and print; torch and Flask are imported inside the verbs that need
them, so that ``kb status`` is quick. An error is told on standard error (or as ``{"error": ...}`` with ``--json``) with
what to do next. Exit codes: 0 done; 1 a file failed under ``--strict``, or a check found damage; 2 the request was
wrong; 3 the installation or the index must be put right first.
"""

from __future__ import annotations

import getpass
import logging
import os
import signal
import sqlite3
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from kb.cli import access, assistants, curation, lessons, questions, results, sessions, sources, upkeep
from kb.cli.console import EXIT_FAILED, err, json_option, out, print_json, reports_errors, write_file
from kb.core.errors import InputError, KbError, StorageError
from kb.core.fields import FILTERS
from kb.core.models import Answer
from kb.core.settings import Settings, load_settings
from kb.core.version import VERSION
from kb.http.api import response_models

if TYPE_CHECKING:
    from kb.http.api.lesson_responses import Lesson
    from kb.lessons.lesson import Lesson as StoredLesson
    from kb.project_start import Check

# What `kb model use --reader` calls the reader that comes with the product.
PACKAGED_READER = "medfølgende"


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="kb")
def main() -> None:
    """Erfaringsbasen: søg i erfaringer fra offentlige projekter, på dansk og uden at forlade huset.

    Begynd med: kb model prepare, derefter kb index, derefter kb serve.
    """
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")


main.add_command(access.key)
main.add_command(access.audit)
main.add_command(access.person)
main.add_command(sessions.session)
main.add_command(assistants.mcp)
main.add_command(lessons.lesson)
main.add_command(questions.question)
main.add_command(sources.source)
main.add_command(curation.gap)
main.add_command(curation.word)
for verb in (upkeep.status, upkeep.verify, upkeep.doctor, upkeep.builds, upkeep.rollback):
    main.add_command(verb)
main.add_command(upkeep.backup)
main.add_command(upkeep.restore)
main.add_command(upkeep.upgrade)


@main.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--full", is_flag=True, help="Læs alle filer igen, også de uændrede.")
@click.option("--strict", is_flag=True, help="Slut med kode 1, hvis en fil ikke kunne læses.")
@click.option("--watch", "watching", is_flag=True, help="Bliv ved: indeksér igen, hver gang mappen har ændret sig.")
@click.option(
    "--settle",
    default=5.0,
    show_default=True,
    type=click.FloatRange(0.1, 3600),
    help="Med --watch: sekunder uden ændringer, før der indekseres; filer, der stadig kopieres, ventes der på.",
)
@click.option(
    "--cluster",
    metavar="VÆRT:PORT",
    help="Læs og indlejr på en Ray-klynge i stedet for KB_INDEX_CLUSTER; '' betyder på denne maskine alene.",
)
@json_option
@reports_errors
def index(
    paths: tuple[Path, ...],
    full: bool,
    strict: bool,
    watching: bool,
    settle: float,
    cluster: str | None,
    as_json: bool,
) -> None:
    """Bring indekset på linje med rapporterne i PATHS (ellers mappen corpus/)."""
    from kb import indexing
    from kb.embedding.embedder import load_embedder

    settings = load_settings() if cluster is None else load_settings(index_cluster=cluster)
    embedder = load_embedder(settings)
    if watching:
        _watch(settings, embedder, paths, settle, as_json)
        return
    with progress_bar(enabled=not as_json) as progress:
        report = indexing.run(
            settings, embedder, roots=paths, full=full, started_by=f"kb index ({_user()})", progress=progress
        )
    if as_json:
        print_json(results.RunReport.model_validate(report))
    else:
        print_report(report)
    if strict and report.failed:
        sys.exit(EXIT_FAILED)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return str(os.getuid())


def _watch(settings: Settings, embedder: Any, paths: tuple[Path, ...], settle: float, as_json: bool) -> None:
    """Index whenever the folder changes, until interrupted or told to end; one line of JSON a run under --json."""
    from kb.indexing.watching import Listener, Pace, watch

    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())

    def tell(report: Any) -> None:
        if as_json:
            click.echo(results.RunReport.model_validate(report).to_json())
        elif report.published:
            print_report(report)

    def tell_error(error: KbError) -> None:
        err.print(f"Fejl: {error} {error.advice}", style="bold red", markup=False)

    if not as_json:
        out.print("Holder øje med mappen. Stop med Ctrl-C.")
    try:
        started_by = f"kb index --watch ({_user()})"
        pace = Pace(settle=settle)
        watch(settings, embedder, Listener(tell, tell_error), stop, roots=paths, pace=pace, started_by=started_by)
    except KeyboardInterrupt:
        err.print("Stoppet.")


class Rate(ProgressColumn):
    """How many steps a stage takes a second, of late."""

    def render(self, task: Task) -> Text:
        """The rate, or nothing before there is one."""
        return Text(f"{task.speed:.1f}/s" if task.speed else "", style="progress.data.speed")


class Bar:
    """Progress as a bar on a terminal."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task: Any = None

    def stage(self, name: str, total: int) -> None:
        """A new line for the stage."""
        self._task = self._progress.add_task(name, total=total or None, note="")

    def step(self, count: int = 1, note: str = "") -> None:
        """Move the stage's bar."""
        self._progress.update(self._task, advance=count, note=note[-40:])


class Lines:
    """Progress as one line a stage, for logs."""

    def stage(self, name: str, total: int) -> None:
        """Name the stage."""
        err.print(f"{name}{f' ({total})' if total else ''} …", markup=False)

    def step(self, count: int = 1, note: str = "") -> None:
        """Say nothing of single steps."""


@contextmanager
def progress_bar(*, enabled: bool) -> Iterator[Any]:
    """A progress that suits where standard error goes; None when not ``enabled``."""
    if not enabled:
        yield None
    elif not err.is_terminal:
        yield Lines()
    else:
        columns = (
            TextColumn("{task.description:<14}"),
            BarColumn(),
            MofNCompleteColumn(),
            Rate(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
        )
        with Progress(*columns, console=err) as progress:
            yield Bar(progress)


def print_report(report: Any) -> None:
    """A run's summary by file."""
    for title, names in (
        ("Tilføjet", report.added),
        ("Ændret", report.changed),
        ("Fjernet", report.removed),
    ):
        for name in names:
            out.print(f"{title + ':':<10} {name}", markup=False)
    for name, reason in report.partial.items():
        out.print(f"Delvist:   {name}: {reason}", markup=False)
    for name, failure in report.failed.items():
        out.print(f"Ikke læst: {name}: {failure['grund']} [{failure['kode']}]", markup=False)
    for name, counts in report.masked.items():
        out.print(f"Skjult:    {name}: {', '.join(f'{n} {kind}' for kind, n in counts.items())}", markup=False)
    out.print(
        f"{report.documents} rapporter, {report.passages} passager; {len(report.unchanged)} filer uændret, "
        f"{report.embedded} passager indlejret. "
        + (f"Nyt indeks: {report.build_id}" if report.published else "Indekset var allerede på linje.")
    )


filter_option = click.option(
    "--filter", "filters", multiple=True, metavar="FELT=VÆRDI",
    help=f"Fx status='i drift' eller periode=2020-2022. Felter: {', '.join(field.name for field in FILTERS)}.",
)  # fmt: skip


@main.command()
@click.argument("question")
@click.option("--top", default=10, show_default=True, type=click.IntRange(1, 100), help="Antal passager.")
@filter_option
@click.option("--explain", is_flag=True, help="Vis, hvorfor hver passage blev fundet.")
@json_option
@reports_errors
def search(question: str, top: int, filters: tuple[str, ...], explain: bool, as_json: bool) -> None:
    """Find passager, der svarer på QUESTION."""
    from kb.retrieval.curated_snapshot import open_curated_searcher

    settings, embedder = _settings_and_embedder()
    result = open_curated_searcher(settings, embedder).search(question, top=top, filters=parse_filters(filters))
    if as_json:
        print_json(response_models.FoundPassages.from_domain(result, explain=explain))
        return
    for word, near in result.corrections.items():
        out.print(f"Viser også resultater for {', '.join(near)} (du skrev {word}).", markup=False)
    for hit in result.hits:
        metadata = hit.document.metadata
        page = f", side {hit.passage.page_first}" if hit.passage.page_first else ""
        out.print(f"\n{hit.rank}. {metadata.projekt or metadata.titel}", style="bold", markup=False)
        out.print(f"   {' › '.join(hit.passage.heading_path)}{page}  ({hit.passage.id})", style="dim", markup=False)
        out.print("   " + hit.passage.text.replace("\n", "\n   "), markup=False)
        if explain:
            out.print(f"   {_explanation(hit)}", style="cyan", markup=False)
    if not result.hits:
        out.print("Ingen passager fundet.")


def _explanation(hit: Any) -> str:
    words = ", ".join(dict.fromkeys(f"{hit.passage.text[m.start : m.end]} ({m.kind})" for m in hit.matches))
    scores = hit.scores
    return (
        f"samlet {scores.fused:.2f}; betydning {scores.dense:.3f} (nr. {scores.dense_rank}); "
        f"ord {scores.lexical:.2f} (nr. {scores.lexical_rank}); {words or 'ingen fælles ord'}"
    )


def parse_filters(pairs: tuple[str, ...]) -> dict[str, list[str]]:
    """``field=value`` pairs by field; raises :class:`InputError` for one without ``=``."""
    filters: dict[str, list[str]] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise InputError(f"Filteret {pair!r} mangler et lighedstegn.", advice="Skriv fx --filter type=kommunal")
        filters.setdefault(name.strip(), []).append(value.strip())
    return filters


@main.command()
@click.argument("question")
@filter_option
@json_option
@reports_errors
def ask(question: str, filters: tuple[str, ...], as_json: bool) -> None:
    """Svar på QUESTION med citerede sætninger, projekt for projekt, eller sig, at svaret ikke står der."""
    from kb.answer import answer
    from kb.answer.lessons import belonging
    from kb.http.api.lesson_responses import AnswerWithLessons, lessons_given
    from kb.retrieval.curated_snapshot import open_curated_searcher

    settings, embedder = _settings_and_embedder()
    searcher = open_curated_searcher(settings, embedder)
    result = answer(searcher, question, parse_filters(filters))
    known, counts = _lessons_and_uses(settings)
    lessons = lessons_given(belonging(searcher, result, known), counts)
    if as_json:
        print_json(AnswerWithLessons.of(result, lessons))
    else:
        _print_lessons(lessons)
        _print_answer(result)


def _lessons_and_uses(settings: Settings) -> tuple[list[StoredLesson], Mapping[str, int]]:
    """All lessons and how often each was used; reading goes on without where the state cannot be read."""
    from kb.lessons.reviewing import use_counts
    from kb.state.lessons import LessonStore

    store = LessonStore(settings.state)
    try:
        return store.all(), use_counts(store.uses())
    except (StorageError, sqlite3.Error) as error:
        err.print(f"Erfaringerne kunne ikke læses: {error}", markup=False)
        return [], {}


def _print_lessons(lessons: Sequence[Lesson]) -> None:
    for lesson in lessons:
        out.print(f"Bekræftet erfaring: {lesson.lesson}", style="bold green", markup=False)
        out.print(f"   {lesson.owner} står bag ({lesson.confirmed[:10]}).\n", markup=False)


def _print_answer(answer: Answer) -> None:
    if answer.refusal:
        out.print(answer.refusal.message, style="bold", markup=False)
    if answer.lead:
        out.print(answer.lead, style="bold", markup=False)
    for sentence in answer.sentences:
        out.print(f"{sentence.text} {_numbers(sentence.citations)}", markup=False)
    if answer.coverage.of and not answer.refused:
        out.print(f"\n{answer.coverage.sentence}.", style="bold")
    for project in answer.projects:
        reasons = f" ({'; '.join(project.reasons)})" if project.reasons else ""
        out.print(f"\n{project.name}{reasons}", style="bold", markup=False)
        for finding in project.findings:
            inferred = " (vores læsning)" if finding.inferred else ""
            out.print(f"   {finding.role}{inferred}: {finding.text} [{finding.citation}]", markup=False)
    out.print()
    for citation in answer.citations:
        page = f", side {citation.page}" if citation.page else ""
        line = f"[{citation.number}] {citation.title}{page} ({citation.passage_id})"
        out.print(line, style="dim", markup=False)


def _numbers(citations: Sequence[int]) -> str:
    return "".join(f"[{number}]" for number in citations)


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--docx", "word", type=click.Path(path_type=Path), help="Skriv tjekket som Word i denne fil.")
@json_option
@reports_errors
def projectstart(file: Path, word: Path | None, as_json: bool) -> None:
    """Tjek planen i FILE: projekter, der ligner, hvad de løb ind i, og hvad planen ikke nævner."""
    from kb.answer.lessons import resting_on
    from kb.http.api.lesson_responses import ProjectStartWithLessons, lessons_given
    from kb.project_start import Plan, check
    from kb.project_start.reading import read_plan
    from kb.retrieval.curated_snapshot import open_curated_searcher

    if not file.is_file():
        raise InputError(f"Filen {file.name} findes ikke.", advice="Angiv en fil med planen.")
    settings, embedder = _settings_and_embedder()
    plan = Plan.of(read_plan(file.read_bytes(), file.name, settings))
    searcher = open_curated_searcher(settings, embedder)
    found = check(searcher, plan)
    known, counts = _lessons_and_uses(settings)
    stands = resting_on(searcher.snapshot, found.document_ids, known)
    if word:
        from kb.http.web.app import addresses
        from kb.http.web.presenters.project_start import view_on
        from kb.http.web.project_start_word import check_docx

        with addresses(settings):
            write_file(word, check_docx(view_on(searcher.snapshot, plan.text, found, stands)))
    lessons = lessons_given(stands, counts)
    if as_json:
        print_json(ProjectStartWithLessons.of(found, lessons))
    else:
        _print_lessons(lessons)
        _print_check(found)


def _print_check(found: Check) -> None:
    for notice in found.notices:
        out.print(notice, style="yellow", markup=False)
    if not found.similar:
        nearest = "; ".join(project.name for project in found.nearest)
        out.print(f"Ingen projekter i basen ligner planen. Nærmest kommer: {nearest}", style="bold", markup=False)
    for similar in found.similar:
        out.print(f"\n{similar.project.name}", style="bold", markup=False)
        for reason in similar.reasons:
            out.print(f"   {reason.trait}: {reason.told.text} [{reason.told.citation}]", markup=False)
        if similar.outcome:
            told = similar.outcome.told
            out.print(f"   Sådan gik det: {similar.outcome.status}. {told.text} [{told.citation}]", markup=False)
        if similar.ask.text:
            out.print(f"   Spørg: {similar.ask.text}", markup=False)
    for challenge in found.gaps:
        out.print(
            f"\nPlanen nævner ikke: {challenge.label} ({len(challenge.met)} mødte det)", style="bold", markup=False
        )
        out.print(f"   {challenge.question}", markup=False)
        for met in challenge.met:
            out.print(f"   {met.project.name}: {met.challenge.text} [{met.challenge.citation}]", markup=False)
    out.print()
    for citation in found.citations:
        page = f", side {citation.page}" if citation.page else ""
        line = f"[{citation.number}] {citation.title}{page} ({citation.passage_id})"
        out.print(line, style="dim", markup=False)


@main.command()
@click.option("--host", default=None, help="Adresse at lytte på; ellers 127.0.0.1.")
@click.option("--port", default=None, type=click.IntRange(1, 65535), help="Port; ellers 8000.")
@reports_errors
def serve(host: str | None, port: int | None) -> None:
    """Vis siderne og svar på API'et."""
    from kb.core.identity import check_setup
    from kb.embedding.embedder import load_embedder
    from kb.state.keys import KeyStore

    chosen = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    settings = load_settings(**chosen)
    # Before a thread works on the model: a process that ends under it is aborted by the model's library.
    check_setup(settings, keys=KeyStore(settings.state).active())
    embedder = load_embedder(settings)
    if settings.web_workers > 1:
        from kb.http import processes

        processes.serve(settings, embedder)
        return
    embedder.warm_up()  # while what follows is imported, which takes as long
    from kb.http.server import run

    run(settings, embedder)


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
@json_option
@reports_errors
def extract(file: Path, as_json: bool) -> None:
    """Vis, hvad der blev læst af FILE: opbygning, sider, advarsler og skjulte oplysninger."""
    from kb.extract import ReadOptions, read_files
    from kb.extract.corpus_files import shown_path
    from kb.extract.description import describe

    if not os.path.isfile(file):
        raise InputError(f"Filen {shown_path(str(file))} findes ikke.", advice="Angiv en fil, der findes.")
    options = ReadOptions.from_settings(load_settings())
    outcome = next(iter(read_files([file], file.parent, options)))
    extraction = results.Extraction(
        path=outcome.path,
        status=outcome.status.value,
        code=outcome.code,
        reason=outcome.reason,
        seconds=round(outcome.seconds, 3),
        document=describe(outcome.document) if outcome.document else None,
    )
    if as_json:
        print_json(extraction)
    else:
        _print_extract(extraction, outcome.document.text if outcome.document else "")
    if outcome.document is None:
        sys.exit(EXIT_FAILED)


def _print_extract(extraction: results.Extraction, text: str) -> None:
    out.print(f"{extraction.path}: {extraction.status} {extraction.reason}", style="bold", markup=False)
    document = extraction.document
    if document is None:
        return
    out.print(f"Læser: {document['reader']}; {document['words']} ord, {len(document['pages'])} sider", markup=False)
    for warning in document["warnings"]:
        out.print(f"Advarsel: {warning['message']} [{warning['code']}]", style="yellow", markup=False)
    for kind, count in document["masked"].items():
        out.print(f"Skjult: {count} {kind}", markup=False)
    for key, value in document["metadata"].items():
        if value not in ("", None, []) and key != "udledt":
            mark = " (udledt)" if key in document["metadata"]["udledt"] else ""
            out.print(f"  {key}: {value}{mark}", markup=False)
    for heading in document["headings"]:
        page = f"  (side {heading['page']})" if heading["page"] else ""
        out.print(f"{'  ' * heading['level']}{heading['text']}{page}", markup=False)
    out.print()
    out.print(text, markup=False)


@main.command()
@click.argument("set_dir", type=click.Path(path_type=Path))
@click.option(
    "--engine",
    type=click.Choice(["hybrid", "dense", "lexical"]),
    default="hybrid",
    show_default=True,
    help="Begge søgninger i forening, eller kun den på betydning eller den på ord.",
)
@json_option
@reports_errors
def evaluate(set_dir: Path, engine: str, as_json: bool) -> None:
    """Mål søgningen på et sæt i BEIR-form eller på spørgsmålene i benchmarks/questions."""
    from kb.evaluation import evaluate_folder
    from kb.retrieval.searcher import Engine

    settings, embedder = _settings_and_embedder()
    values = evaluate_folder(set_dir, settings, embedder, Engine(engine))
    if as_json:
        print_json(results.Figures(values))
        return
    table = Table("mål", "værdi", title=str(set_dir))
    for key, value in _flat(values):
        table.add_row(key, str(value))
    out.print(table)


def _flat(values: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


@main.group()
def model() -> None:
    """Sprogmodellen, der forstår spørgsmål og passager."""


@model.command("prepare")
@click.option("--force", is_flag=True, help="Klargør igen, også hvis modellen findes.")
@json_option
@reports_errors
def model_prepare(force: bool, as_json: bool) -> None:
    """Klargør den medfølgende model; der hentes intet."""
    from kb.embedding.model_store import prepare

    settings = load_settings()
    _print_model(prepare(settings, force=force, tell=_tell), settings, as_json)


@model.command("use")
@click.argument("name")
@click.option("--query-prefix", default=None, help="Forstavelse for spørgsmål, hvis modellen ikke selv oplyser den.")
@click.option("--passage-prefix", default=None, help="Forstavelse for passager.")
@click.option("--reader", is_flag=True, help=f"Vælg læsemodellen, der svarer: en mappe, eller «{PACKAGED_READER}».")
@json_option
@reports_errors
def model_use(name: str, query_prefix: str | None, passage_prefix: str | None, reader: bool, as_json: bool) -> None:
    """Vælg en model: navnet på en klargjort, en mappe, eller et navn på en model, der kan hentes herfra."""
    from kb.embedding.model_store import use

    if reader:
        _use_reader(name, load_settings(), as_json)
        return
    given = {"query": query_prefix, "document": passage_prefix}
    prompts = {key: value for key, value in given.items() if value is not None}
    settings = load_settings()
    _print_model(use(name, settings, prompts=prompts, tell=_tell), settings, as_json)
    if not as_json:
        out.print("Kør nu: kb index")


def _use_reader(name: str, settings: Settings, as_json: bool) -> None:
    from kb.embedding.reader.choice import use_packaged, use_reader

    card = use_packaged(settings) if name == PACKAGED_READER else use_reader(Path(name), settings)
    if as_json:
        print_json(results.Reader(name=card.name, fingerprint=card.fingerprint))
        return
    out.print(f"Læsemodellen {card.name} er valgt: {card.fingerprint}. Genstart serveren.")


@model.command("list")
@json_option
@reports_errors
def model_list(as_json: bool) -> None:
    """Vis de klargjorte modeller."""
    from kb.embedding.model_store import cards, selected

    settings = load_settings()
    chosen = settings.model or selected(settings)
    rows = [
        results.ListedModel(**dict(_described(card, settings)), in_use=card.name == chosen) for card in cards(settings)
    ]
    if as_json:
        print_json(results.Models(models=rows))
        return
    for row in rows:
        out.print(f"{'→' if row.in_use else ' '} {row.name}  {row.dimension} tal, {row.fingerprint}")
        _print_runtimes(row)
    if not rows:
        out.print("Ingen. Kør: kb model prepare")


def _tell(word: str) -> None:
    err.print(f"{word} …", markup=False)


def _described(card: Any, settings: Settings) -> results.Model:
    """A model's card, what embeds with it, and what was measured."""
    from kb.embedding.embedder import open_embedder

    embedder = open_embedder(settings.models_dir / card.name, settings)
    embedding = {"runtimes": embedder.runtimes, "measured": embedder.measured}
    return results.Model.model_validate({**asdict(card), **embedding})


def _print_model(card: Any, settings: Settings, as_json: bool) -> None:
    model = _described(card, settings)
    if as_json:
        print_json(model)
        return
    out.print(f"{model.name} er klar: {model.dimension} tal pr. passage, {model.fingerprint}")
    _print_runtimes(model)


def _print_runtimes(model: results.Model) -> None:
    chosen = model.runtimes
    out.print(f"   spørgsmål med {chosen['questions']}, passager med {chosen['passages']}", style="dim")
    for one in model.measured:
        cosine = min(one.question_cosine, one.passage_cosine)
        speed = f"{one.question_ms:7.1f} ms pr. spørgsmål {one.passages_per_second:7.1f} passager/s"
        out.print(f"   {one.runtime:<22} {speed}   cosinus mindst {cosine:.4f}", style="dim")


def _settings_and_embedder() -> tuple[Settings, Any]:
    from kb.embedding.embedder import load_embedder

    settings = load_settings()
    return settings, load_embedder(settings)
