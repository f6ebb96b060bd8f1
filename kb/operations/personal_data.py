"""What is stored about one user of the server: given to them, and deleted when they ask or leave.

    personal_data.collect(settings, "Anna Andersen")
    personal_data.erase(settings, "Anna Andersen", by="drift")

A person is known by the name they sign in with, or by their id at the provider. Reports are not looked through: what
they say of people is the editors' matter. What readers ask and say of answers is stored without a name, but for the
questions that they save themselves.

The audit trail is kept: it documents who had access to what (GDPR article 17(3)(b) and (e)), and goes by age alone.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from kb.core.access import groups_text
from kb.core.errors import InputError
from kb.core.settings import Settings
from kb.state.audit import Audit, Event, as_line
from kb.state.keys import KeyStore
from kb.state.runs import RunStore
from kb.state.saved_questions import SavedQuestions
from kb.state.sessions import SessionStore

NOBODY = "slettet bruger"
ERASED = "bruger slettet"


@dataclass(frozen=True, slots=True)
class PersonalData:
    """What is stored about a person, by where it lies; ``audit`` as exported lines."""

    name: str
    sessions: list[dict[str, str]]
    keys: list[dict[str, Any]]
    runs: list[dict[str, str]]
    saved_questions: list[dict[str, str]]
    audit: list[str]


@dataclass(frozen=True, slots=True)
class Erased:
    """How much was deleted, in how many places a name was taken out, and how many events are kept for how long."""

    sessions: int
    keys: int
    saved_questions: int
    renamed: int
    kept_events: int
    kept_days: int


def collect(settings: Settings, name: str) -> PersonalData:
    """Everything that is stored about the user of this name or id; raises :class:`InputError` for an empty one."""
    _check(name)
    state = settings.state
    with RunStore(state) as runs:
        ran = runs.of_person(name)
    return PersonalData(
        name,
        SessionStore(state).of_person(name),
        [{**asdict(key), "groups": groups_text(key.groups)} for key in KeyStore(state).list() if key.name == name],
        ran,
        SavedQuestions(state).of_person(name),
        [as_line(entry) for entry in Audit(state).of_person(name)],
    )


def erase(settings: Settings, name: str, *, by: str, via: str = "") -> Erased:
    """Delete what is stored about a user, but for the audit trail; raises :class:`InputError` for an empty name."""
    _check(name)
    state = settings.state
    kept = len(Audit(state).of_person(name))
    sessions, keys = SessionStore(state).end_all(name), KeyStore(state).delete(name)
    saved = SavedQuestions(state).delete_all(name)
    with RunStore(state) as runs:
        renamed = runs.rename_person(name, NOBODY)
    # Without the name: what tells of the deletion would else be what is stored about them.
    detail = f"{sessions} login, {keys} nøgler, {saved} gemte spørgsmål, {renamed} kørsler"
    Audit(state).write(Event(ERASED, who=by, via=via, detail=detail))
    return Erased(sessions, keys, saved, renamed, kept, settings.audit_days)


def _check(name: str) -> None:
    if not name.strip() or name == NOBODY:
        advice = "Navne står i: kb audit export og kb key list"
        raise InputError("Brugeren skal have et navn.", advice=advice)
