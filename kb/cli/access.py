"""The verbs that look after access and users: ``kb key``, ``kb audit`` and ``kb person``."""

from __future__ import annotations

import csv
import getpass
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TextIO

import click
from rich.markup import escape
from rich.table import Table

from kb.cli import results
from kb.cli.console import EXIT_FAILED, json_option, out, print_json, print_table, reports_errors
from kb.core.identity import AccessRole
from kb.core.settings import Settings, load_settings
from kb.http.api.response_models import AuditEvent
from kb.operations import personal_data
from kb.state.audit import Audit, Event, as_line
from kb.state.keys import Key, KeyStore

VIA = "kommandolinje"


@click.group()
def key() -> None:
    """Nøgler til API'et."""


@key.command("create")
@click.argument("name")
@click.option("--role", type=click.Choice([role.value for role in AccessRole]), required=True, help="Hvad nøglen må.")
@click.option("--days", type=click.IntRange(1, 3660), default=None, help="Dage, nøglen gælder; ellers til den trækkes.")
@click.option("--group", "groups", multiple=True, help="En gruppe, hvis rapporter nøglen også ser; kan gentages.")
@json_option
@reports_errors
def key_create(name: str, role: str, days: int | None, groups: tuple[str, ...], as_json: bool) -> None:
    """Lav en nøgle, der hedder NAME. Den vises kun denne ene gang."""
    settings = load_settings()
    issued, secret = KeyStore(settings.state).create(name, AccessRole(role), days=days, groups=groups)
    _record("nøgle lavet", issued)
    if as_json:
        print_json(results.NewKey(**dict(_told(issued)), secret=secret))
        return
    out.print(f"Nøglen {issued.name} ({issued.role.value}) gælder {_until(issued)}. Gem den nu; den vises ikke igen:")
    out.print(secret, style="bold", markup=False)


@key.command("list")
@json_option
@reports_errors
def key_list(as_json: bool) -> None:
    """Vis nøglerne, nyeste først."""
    listed = KeyStore(load_settings().state).list()
    if as_json:
        print_json(results.Keys(keys=[_told(one) for one in listed]))
        return
    table = Table("navn", "rolle", "grupper", "id", "lavet", "udløber", "sidst brugt", "status")
    for one in listed:
        used, state = one.last_used or "aldrig", _told(one).state
        table.add_row(
            escape(one.name),
            one.role.value,
            escape(", ".join(sorted(one.groups))),
            one.id,
            one.created,
            one.expires,
            used,
            state,
        )
    if listed:
        print_table(table)
    else:
        out.print("Ingen. Lav en med: kb key create NAVN --role reader")


@key.command("revoke")
@click.argument("name_or_id")
@json_option
@reports_errors
def key_revoke(name_or_id: str, as_json: bool) -> None:
    """Træk en nøgle tilbage, så den straks holder op med at gælde."""
    withdrawn = KeyStore(load_settings().state).revoke(name_or_id)
    _record("nøgle trukket tilbage", withdrawn)
    if as_json:
        print_json(results.RevokedKey(revoked=withdrawn.id, name=withdrawn.name))
    else:
        out.print(f"Nøglen {withdrawn.name} gælder ikke mere.", markup=False)


def _told(stored: Key) -> results.Key:
    """A key as it stands now."""
    told = {**asdict(stored), "groups": sorted(stored.groups), "state": stored.state(datetime.now(UTC))}
    return results.Key.model_validate(told)


def _until(stored: Key) -> str:
    return f"til {stored.expires}" if stored.expires else "til den trækkes tilbage"


def _record(action: str, stored: Key) -> None:
    target = f"{stored.name} ({stored.id})"
    record(load_settings(), action, f"rolle {stored.role.value}", target=target)


def record(settings: Settings, action: str, detail: str, *, target: str = "") -> None:
    """Write an action of the command line into the audit trail."""
    event = Event(action, who=getpass.getuser(), via=VIA, target=target, detail=detail)
    Audit(settings.state).write(event)


@click.group()
def audit() -> None:
    """Hændelsesloggen: hvem der ændrede hvad, hvornår og hvorfra."""


@audit.command("export")
@click.option("--since", default="", help="Kun fra dette tidspunkt, fx 2026-11-01.")
@click.option("--lines", is_flag=True, help="Som JSON Lines: én hændelse pr. linje, med resultat og kæde, til et SIEM.")
@json_option
@reports_errors
def audit_export(since: str, lines: bool, as_json: bool) -> None:
    """Skriv hændelserne på standard output, som CSV, med --json som JSON eller med --lines som JSON Lines."""
    settings = load_settings()
    trail = Audit(settings.state)
    written = trail.entries(since=since)
    trail.write(Event("hændelseslog udtrukket", who=getpass.getuser(), via=VIA, detail=f"{len(written)} hændelser"))
    if lines:
        for entry in written:
            click.echo(as_line(entry))
        return
    entries = [AuditEvent.from_domain(entry) for entry in written]
    if as_json:
        print_json(results.Events(events=entries))
        return
    writer = csv.DictWriter(sys.stdout, tuple(AuditEvent.model_fields), delimiter=";")
    writer.writeheader()
    writer.writerows(dict(entry) for entry in entries)


@audit.command("verify")
@click.argument("file", required=False, type=click.File(encoding="utf-8"))
@json_option
@reports_errors
def audit_verify(file: TextIO | None, as_json: bool) -> None:
    """Efterprøv, at ingen hændelse er ændret eller fjernet; med FILE også mod et tidligere udtræk (export --lines)."""
    trail = Audit(load_settings().state)
    broken = sorted({*trail.broken(), *(trail.differing(file) if file else ())})
    if as_json:
        print_json(results.BrokenEvents(broken=broken))
    else:
        out.print(f"Ændret eller brudt ved: {', '.join(map(str, broken))}" if broken else "Hændelsesloggen er hel.")
    if broken:
        sys.exit(EXIT_FAILED)


@audit.command("forget")
@json_option
@reports_errors
def audit_forget(as_json: bool) -> None:
    """Slet hændelser, der er ældre end KB_AUDIT_DAYS."""
    settings = load_settings()
    count = Audit(settings.state).forget(settings.audit_days, who=getpass.getuser(), via=VIA)
    if as_json:
        print_json(results.ForgottenEvents(forgotten=count))
    else:
        out.print(f"{count} hændelser ældre end {settings.audit_days} dage er slettet.")


@click.group()
def person() -> None:
    """Det, der er gemt om én bruger: udlevér det eller slet det."""


@person.command("export")
@click.argument("name")
@reports_errors
def person_export(name: str) -> None:
    """Skriv alt, der er gemt om NAME (navn eller id ved login), som JSON på standard output."""
    settings = load_settings()
    found = personal_data.collect(settings, name)
    trail = Event("persondata udtrukket", who=getpass.getuser(), via=VIA, target=name)
    Audit(settings.state).write(trail)
    print_json(results.PersonalData.model_validate(found))


@person.command("delete")
@click.argument("name")
@click.confirmation_option(prompt="Slet brugerens login, nøgler og gemte spørgsmål, og tag navnet af kørslerne?")
@json_option
@reports_errors
def person_delete(name: str, as_json: bool) -> None:
    """Slet det, der er gemt om NAME; hændelsesloggen bevares, til dens tid er gået."""
    found = personal_data.erase(load_settings(), name, by=getpass.getuser(), via=VIA)
    if as_json:
        print_json(results.Erased.model_validate(found))
        return
    out.print(
        f"Slettet: {found.sessions} login, {found.keys} nøgler, {found.saved_questions} gemte spørgsmål;"
        f" navnet er taget af {found.renamed} kørsler."
    )
    if found.kept_events:
        out.print(
            f"{found.kept_events} hændelser bevares som dokumentation, hver i {found.kept_days} dage (KB_AUDIT_DAYS)."
        )
