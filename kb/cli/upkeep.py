"""The verbs that look after the installation: status, verify, doctor, builds, rollback, backup, restore, upgrade."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kb.cli import results
from kb.cli.console import EXIT_FAILED, json_option, out, print_json, reports_errors
from kb.core.settings import Settings, load_settings
from kb.http.api.response_models import Build, Run, Used

if TYPE_CHECKING:
    from kb.operations.upgrading import Trial

STATUS_RUNS = 20


@click.command()
@click.option("--runs", is_flag=True, help=f"Vis de seneste {STATUS_RUNS} indekseringer i stedet.")
@json_option
@reports_errors
def status(runs: bool, as_json: bool) -> None:
    """Vis, hvad indekset rummer, og hvilke filer der ikke kunne læses."""
    from kb.index.builds import DATABASE_FILE, read_manifest
    from kb.index.places import place_of
    from kb.index.store import Store

    settings = load_settings()
    if runs:
        _print_runs(settings, as_json)
        return
    place = place_of(settings)
    folder = place.builds_dir / place.current_id()
    manifest = read_manifest(folder)
    store = Store(folder / DATABASE_FILE)
    failures = store.failures()
    store.close()
    if as_json:
        values = {name: value for name, value in manifest.as_dict().items() if name != "files"}
        print_json(results.IndexStatus.model_validate({**values, "runtimes": _runtimes(settings), "failed": failures}))
        return
    out.print(f"Indeks {manifest.id}, lavet {manifest.created}")
    out.print(f"{manifest.documents} rapporter, {manifest.projects} projekter, {manifest.passages} passager")
    out.print(f"Model {manifest.model_name} ({manifest.model})")
    if runtimes := _runtimes(settings):
        out.print(f"Spørgsmål indlejres med {runtimes['questions']}, passager med {runtimes['passages']}")
    out.print(f"Mapper: {', '.join(manifest.roots)}", markup=False)
    for failure in failures:
        out.print(f"Ikke læst: {failure.path}: {failure.reason} [{failure.code}]", markup=False)


def _runtimes(settings: Settings) -> dict[str, str]:
    """What embeds questions and passages with the model in use; nothing when none is prepared."""
    from kb.core.errors import ModelMissingError
    from kb.embedding.embedder import open_embedder
    from kb.embedding.model_store import model_folder

    try:
        embedder = open_embedder(model_folder(settings), settings)
    except ModelMissingError:
        return {}
    return {str(purpose): str(name) for purpose, name in embedder.runtimes.items()}


def _print_runs(settings: Settings, as_json: bool) -> None:
    from kb.state.runs import RunStore

    with RunStore(settings.state) as state:
        rows = [Run.from_domain(run) for run in state.runs(STATUS_RUNS)]
    if as_json:
        print_json(results.Runs(runs=rows))
        return
    for row in rows:
        out.print(f"{row.started[:19].replace('T', ' ')}  {row.status:<10} {row.started_by}", markup=False)
        out.print(f"    {_outcome(row)}", style="dim", markup=False)
    if not rows:
        out.print("Der er ikke indekseret endnu.")


def _outcome(row: Run) -> str:
    """What a run did, or how far it is, on one line."""
    if row.error:
        return row.error.message
    report = row.report
    if not report:
        progress = row.progress
        left = f", cirka {progress.seconds_left:.0f} s tilbage" if progress.seconds_left is not None else ""
        return f"{progress.stage or 'begynder'}: {progress.done} af {progress.total or '?'}{left}"
    counts = (("added", "nye"), ("changed", "ændrede"), ("removed", "fjernede"), ("failed", "ikke læst"))
    done = ", ".join(f"{len(report[name])} {word}" for name, word in counts)
    masked = sum(sum(kinds.values()) for kinds in report["masked"].values())
    seconds = ", ".join(f"{name} {spent:g} s" for name, spent in report["seconds"].items())
    return f"{done}; {report['embedded']} indlejret, {masked} oplysninger skjult; {seconds}"


@click.command()
@json_option
@reports_errors
def verify(as_json: bool) -> None:
    """Efterprøv alt mod alt: indekser, lagre, tilstand, sprogmodel og rapporter."""
    from kb.core.errors import IndexDamagedError
    from kb.index.places import place_of
    from kb.index.verification import everything

    settings = load_settings()
    findings = everything(settings)
    if as_json:
        try:
            build = place_of(settings).current_id()
        except IndexDamagedError:  # among the findings
            build = ""
        print_json(results.Verification.model_validate({"build_id": build, "problems": findings}))
    else:
        for finding in findings:
            out.print(f"Fejl i {finding.part}: {finding.problem}", style="red", markup=False)
            out.print(f"    {finding.advice}", markup=False)
        if not findings:
            out.print("Alt er helt.")
    if findings:
        sys.exit(EXIT_FAILED)


@click.command()
@json_option
@reports_errors
def doctor(as_json: bool) -> None:
    """Se efter, om installationen er i orden: mapper, plads, ur, model, indeks, adgang, proxy og login."""
    from kb.operations.doctor import findings

    found = findings(load_settings())
    problems = [one for part in found.values() for one in part]
    if as_json:
        print_json(results.Diagnosis.model_validate({"looked_at": list(found), "problems": problems}))
    else:
        for name, wrong in found.items():
            out.print(f"{'✗' if wrong else '✓'} {name}", style="red" if wrong else "green", markup=False)
            for one in wrong:
                out.print(f"    {one.problem}\n    → {one.advice}", markup=False)
    if problems:
        sys.exit(EXIT_FAILED)


@click.command()
@json_option
@reports_errors
def builds(as_json: bool) -> None:
    """Vis de færdige indekser, nyeste først."""
    from kb.index.places import place_of
    from kb.operations.finished_builds import finished_builds

    rows = [Build.from_domain(one) for one in finished_builds(place_of(load_settings()))]
    if as_json:
        print_json(results.Builds(builds=rows))
        return
    for row in rows:
        what = row.problem or f"{row.documents} rapporter, {row.passages} passager"
        out.print(f"{'→' if row.in_use else ' '} {row.id}  {what}", markup=False)


@click.command()
@click.argument("build", required=False)
@json_option
@reports_errors
def rollback(build: str | None, as_json: bool) -> None:
    """Tag et ældre indeks i brug igen: BUILD, eller det nyeste før det nuværende, som er helt."""
    from kb.operations.editing import use_build

    chosen = use_build(load_settings(), build)
    if as_json:
        print_json(Used(build_id=chosen))
    else:
        out.print(f"Indekset {chosen} er nu i brug.")


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--without-index", is_flag=True, help="Udelad indekset; det laves igen med kb index.")
@json_option
@reports_errors
def backup(file: Path, without_index: bool, as_json: bool) -> None:
    """Tag en sikkerhedskopi af rapporter, tilstand og indeks i FILE (et arkiv, fx kopi.tar.gz)."""
    from kb.operations.backup import backup as make

    report = make(load_settings(), file, with_index=not without_index)
    if as_json:
        print_json(results.Backup.model_validate(report))
        return
    out.print(f"{report.files} filer ({report.bytes / 1e6:.1f} MB før pakning) er gemt i {file}.", markup=False)
    for folder in report.outside:
        out.print(f"Ikke med, fordi den ligger uden for rapportmappen: {folder}", style="yellow", markup=False)


@click.command()
@click.option("--check", "only_check", is_flag=True, help="Prøv det kun, på en kopi; intet ændres.")
@click.option(
    "--backup",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Sikkerhedskopien, der fører tilbage; ellers foer-opgradering-TIDSPUNKT.tar.gz i mappen her.",
)
@json_option
@reports_errors
def upgrade(only_check: bool, file: Path | None, as_json: bool) -> None:
    """Bring tilstanden i den nye versions form: prøv på en kopi, tag en sikkerhedskopi, og gør det så."""
    from kb.operations import upgrading

    settings = load_settings()
    if only_check:
        trial, way_back = upgrading.check(settings), None
    else:
        done = upgrading.carry_out(settings, file or Path(f"foer-opgradering-{datetime.now(UTC):%Y%m%dT%H%M%S}.tar.gz"))
        trial, way_back = done.trial, done.way_back
    if as_json:
        print_json(results.Upgrade.model_validate({**asdict(trial), "way_back": way_back and way_back.file}))
    else:
        _tell_of_upgrade(trial, way_back.file if way_back else "")
    if trial.problems:
        sys.exit(EXIT_FAILED)


def _tell_of_upgrade(trial: Trial, way_back: str) -> None:
    out.print(f"Version {trial.version}.")
    moved = f"Tilstanden: form {trial.state_from} → {trial.state_to}."
    out.print(moved if trial.is_needed else "Tilstanden har den nye form.")
    out.print("Indekset laves igen: kb index" if trial.reindex else "Indekset kan bruges, som det er.")
    for one in trial.problems:
        out.print(f"✗ {one.problem}\n    → {one.advice}", style="red", markup=False)
    if way_back:
        advice = f"Vejen tilbage: installér den forrige version, og kør: kb restore --force {way_back}"
        out.print(advice, markup=False)


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Erstat de rapporter og den tilstand, der er der i forvejen.")
@json_option
@reports_errors
def restore(file: Path, force: bool, as_json: bool) -> None:
    """Gendan rapporter, tilstand og indeks fra FILE, som er lavet med kb backup."""
    from kb.operations.backup import restore as put_back

    report = put_back(load_settings(), file, force=force)
    if as_json:
        print_json(results.Restored.model_validate(report))
        return
    out.print(f"{report.files} filer fra {report.created} er gendannet.")
    if report.reindex:
        out.print("Kør nu: kb index")
