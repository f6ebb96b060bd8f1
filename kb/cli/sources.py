"""The verbs of sources that change: ``kb source list``, ``preview``, ``sync`` and ``remove``."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

import click

from kb.cli import results
from kb.cli.console import EXIT_FAILED, err, json_option, out, print_json, reports_errors
from kb.core.errors import KbError, NotFoundError
from kb.core.settings import Settings, load_settings
from kb.http.api.response_models import Failed
from kb.operations.source_jobs import is_due
from kb.operations.syncing import Preview, SyncReport, preview, remove_copies, sync
from kb.sources.configuration import Source, find_source, load_sources
from kb.state.sources import SourceStore

if TYPE_CHECKING:
    from kb.indexing import RunReport

VIA = "kommandolinje"
NAMES_SHOWN = 20
Done = TypeVar("Done")


@click.group()
def source() -> None:
    """Kilder, der hentes fra: mapper og netværksdrev, WebDAV, SharePoint og websteder (KB_SOURCES_FILE)."""


@source.command("list")
@json_option
@reports_errors
def source_list(as_json: bool) -> None:
    """Vis kilderne, hvordan det gik sidst, og de filer, der ikke kunne hentes."""
    settings = load_settings()
    rows = statuses(settings)
    if as_json:
        print_json(results.Sources(sources=rows))
        return
    for row in rows:
        kind = row.kind or "ikke længere sat op; fjern filerne med: kb source remove"
        out.print(f"{row.name} ({kind}): {row.files} filer", style="bold", markup=False)
        out.print(f"   sidst hentet {row.synced or 'aldrig'}: {row.outcome or '–'}", markup=False)
        if row.error:
            out.print(f"   Fejl: {row.error}", style="red", markup=False)
        for path, reason in row.wrong.items():
            out.print(f"   {path}: {reason}", style="yellow", markup=False)
    if not rows:
        out.print("Der er ingen kilder. Sæt KB_SOURCES_FILE; se Kilder i driftshåndbogen.")


def statuses(settings: Settings) -> list[results.SourceStatus]:
    """Every source that is set up, or has files here though it no longer is."""
    store = SourceStore(settings.state)
    sources, states = load_sources(settings), store.states()
    rows = []
    for name in sorted({*sources, *states}):
        files, state = store.files(name), store.state(name)
        if name in sources or any(one.local for one in files):
            rows.append(
                results.SourceStatus(
                    name=name,
                    kind=sources[name].kind if name in sources else "",
                    files=sum(bool(one.local) for one in files),
                    wrong={one.path: one.reason for one in files if one.reason},
                    tried=state.tried,
                    synced=state.synced,
                    outcome=state.outcome,
                    error=state.error,
                )
            )
    return rows


@source.command("preview")
@click.argument("names", nargs=-1)
@json_option
@reports_errors
def source_preview(names: tuple[str, ...], as_json: bool) -> None:
    """Vis, hvad en synkronisering af NAMES (ellers alle kilder) ville gøre, uden at gøre det."""
    settings = load_settings()
    shown, failed = _each(_chosen(settings, names), lambda one: preview(settings, one))
    if as_json:
        told = {name: results.SourcePreview.model_validate(one) for name, one in shown.items()}
        print_json(results.SourcePreviews(previews=told, failed=failed))
    else:
        for name, one in shown.items():
            _print_preview(name, one)
        _print_failed(failed)
    if failed:
        sys.exit(EXIT_FAILED)


@source.command("sync")
@click.argument("names", nargs=-1)
@click.option("--delete", "confirmed", type=click.IntRange(0), default=0, help="Bekræft, at så mange filer må slettes.")
@click.option("--due", is_flag=True, help="Kun de kilder, hvis tid er gået (every_minutes).")
@click.option("--no-index", is_flag=True, help="Indeksér ikke bagefter.")
@json_option
@reports_errors
def source_sync(names: tuple[str, ...], confirmed: int, due: bool, no_index: bool, as_json: bool) -> None:
    """Hent det nye fra NAMES (ellers alle kilder), slet det, der er væk, og indeksér, hvis noget er ændret."""
    settings = load_settings()
    states = SourceStore(settings.state).states()
    chosen = _chosen(settings, names)
    if due:
        chosen = [one for one in chosen if is_due(one, states.get(one.name), datetime.now(UTC))]
    who = getpass.getuser()
    done, failed = _each(chosen, lambda one: sync(settings, one, by=who, via=VIA, confirmed=confirmed))
    index = None
    if not no_index and any(report.changes for report in done.values()):
        index = _index(settings, f"kb source sync ({who})")
    if as_json:
        told = {name: results.SyncedSource.model_validate(one) for name, one in done.items()}
        run = results.RunReport.model_validate(index) if index else None
        print_json(results.SyncedSources(synced=told, failed=failed, index=run))
    else:
        for name, report in done.items():
            _print_synced(name, report)
        _print_failed(failed)
        if index:
            out.print(f"{index.documents} rapporter i indekset {index.build_id}.", markup=False)
    if failed or any(report.stopped for report in done.values()):
        sys.exit(EXIT_FAILED)


def _index(settings: Settings, started_by: str) -> RunReport:
    from kb import indexing
    from kb.embedding.embedder import load_embedder

    return indexing.run(settings, load_embedder(settings), started_by=started_by)


@source.command("remove")
@click.argument("name")
@click.confirmation_option(prompt="Slet alle filer, der er hentet fra kilden?")
@json_option
@reports_errors
def source_remove(name: str, as_json: bool) -> None:
    """Slet de filer, der er hentet fra NAME, som ikke længere er sat op. Kør kb index bagefter."""
    settings = load_settings()
    deleted = remove_copies(settings, name, by=getpass.getuser(), via=VIA)
    if as_json:
        print_json(results.RemovedSource(name=name, deleted=deleted))
    else:
        out.print(f"{deleted} filer er slettet. Kør nu: kb index")


def _chosen(settings: Settings, names: Iterable[str]) -> list[Source]:
    if names:
        return [find_source(settings, name) for name in names]
    sources = list(load_sources(settings).values())
    if not sources:
        raise NotFoundError("Der er ingen kilder.", advice="Sæt KB_SOURCES_FILE; se Kilder i driftshåndbogen.")
    return sources


def _each(sources: Iterable[Source], do: Callable[[Source], Done]) -> tuple[dict[str, Done], dict[str, Failed]]:
    """What was done with each source; one that fails stops no other."""
    done, failed = {}, {}
    for one in sources:
        try:
            done[one.name] = do(one)
        except KbError as error:
            failed[one.name] = Failed(code=error.code, message=str(error), advice=error.advice)
    return done, failed


def _print_preview(name: str, shown: Preview) -> None:
    out.print(f"{name}: {shown.summary}", style="bold", markup=False)
    _print_names("Ny", shown.new)
    _print_names("Ændret", shown.changed)
    _print_names("Omdøbt", [f"{old} → {new}" for old, new in shown.renamed.items()])
    _print_names("Slettes", shown.deleted)
    _print_names("Ventes på", shown.waiting)
    _print_names("Kan ikke ses", [f"{path}: {reason}" for path, reason in shown.failed.items()])
    out.print(f"   {shown.unchanged} uændrede; {shown.passed_over} af andre slags, som ikke hentes", markup=False)
    if shown.loss:
        out.print(f"   {shown.loss} Det kræver: kb source sync {name} --delete {shown.deletions}", style="yellow")


def _print_synced(name: str, report: SyncReport) -> None:
    out.print(f"{name}: {report.summary}", style="bold", markup=False)
    _print_names("Ikke hentet", [f"{path}: {reason}" for path, reason in report.failed.items()])
    if report.stopped:
        out.print(f"   Standset undervejs: {report.stopped}", style="yellow", markup=False)


def _print_names(what: str, names: Iterable[str]) -> None:
    every = list(names)
    for name in every[:NAMES_SHOWN]:
        out.print(f"   {what}: {name}", markup=False)
    if len(every) > NAMES_SHOWN:
        out.print(f"   {what}: … og {len(every) - NAMES_SHOWN} mere")


def _print_failed(failed: Mapping[str, Failed]) -> None:
    for name, one in failed.items():
        err.print(f"{name}: {one.message} {one.advice}", style="bold red", markup=False)
