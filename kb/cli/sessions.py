"""``kb session``: who is signed in, and ending it."""

from __future__ import annotations

import click
from rich.markup import escape
from rich.table import Table

from kb.cli import results
from kb.cli.access import record
from kb.cli.console import json_option, out, print_json, print_table, reports_errors
from kb.core.errors import InputError
from kb.core.settings import load_settings
from kb.state.sessions import SessionStore, StoredSession


@click.group()
def session() -> None:
    """Login: hvem der er logget ind, og hvordan et login afsluttes."""


@session.command("list")
@json_option
@reports_errors
def session_list(as_json: bool) -> None:
    """Vis dem, der er logget ind, det nyeste login først."""
    listed = SessionStore(load_settings().state).all()
    if as_json:
        print_json(results.Sessions(sessions=[_told(one) for one in listed]))
        return
    table = Table("id", "navn", "rolle", "begyndt", "sidst brugt", "fra", "udløber")
    for one in listed:
        who = one.session
        table.add_row(one.id, escape(who.name), who.role.value, one.begun, one.used, escape(who.address), one.expires)
    if listed:
        print_table(table)
    else:
        out.print("Ingen er logget ind.")


@session.command("end")
@click.argument("session_id", required=False)
@click.option("--person", help="Afslut alle en persons login: navnet eller id'et hos udbyderen.")
@json_option
@reports_errors
def session_end(session_id: str | None, person: str | None, as_json: bool) -> None:
    """Afslut et login med det samme: SESSION_ID fra kb session list, eller alle en persons."""
    if bool(session_id) == bool(person):
        raise InputError("Angiv enten et id eller en person.", advice="Se dem med: kb session list")
    settings = load_settings()
    store = SessionStore(settings.state)
    if person:
        target, ended = person, store.end_all(person)
    else:
        target, ended = store.end_one(session_id or "").session.name, 1
    record(settings, "login afsluttet", f"{ended} login", target=target)
    if as_json:
        print_json(results.EndedSessions(name=target, ended=ended))
    else:
        out.print(f"{ended} login for {target} er afsluttet.", markup=False)


def _told(stored: StoredSession) -> results.Session:
    who = stored.session
    return results.Session(
        id=stored.id, name=who.name, role=who.role.value, address=who.address, begun=stored.begun, used=stored.used,
        expires=stored.expires,
    )  # fmt: skip
