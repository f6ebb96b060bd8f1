"""Mine spørgsmål: saved with a button beside an answer, listed with what is new since the visit before, and changed.

Each belongs to whoever signed in. The link of a mail that stops it works for anyone who has it: mail programs follow
links unasked, so the link opens a page with a button, and what a mail program posts for its reader is taken too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from flask import Blueprint, Response, g, redirect, render_template, request, url_for
from werkzeug.exceptions import BadRequest
from werkzeug.wrappers import Response as BaseResponse

from kb.core.identity import ANONYMOUS, Identity, Via
from kb.http.audit_trail import audited, note
from kb.http.gate import needs
from kb.http.lesson_services import need_name
from kb.http.services import access, searcher, services, snapshot, there
from kb.http.web import request_parameters
from kb.http.web.presenters import facets
from kb.operations import saved_questions as operations
from kb.operations.saved_questions import NewsItem, mails_news
from kb.retrieval.filters import FILTER_FIELDS
from kb.state.repository import timestamp
from kb.state.saved_questions import LONGEST_TITLE, Frequency, SavedQuestion, SavedQuestions

blueprint = Blueprint("gemte", __name__)


@dataclass(frozen=True, slots=True)
class QuestionView:
    """A saved question as its page shows it: its filters as words, its answer's address, and what is new."""

    question: SavedQuestion
    filters: tuple[str, ...]
    address: str
    news: tuple[NewsItem, ...]

    @property
    def name(self) -> str:
        """What it is called."""
        return self.question.title or self.question.question


@blueprint.after_request
def _never_kept(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response


def may_save() -> bool:
    """Whether whoever asks has a name that questions can be saved under."""
    who: Identity | None = g.get("identity")
    return who is not None and who is not ANONYMOUS


@blueprint.get(operations.PAGE)
def saved_list() -> str:
    """Someone's questions, each with what is new since the visit before."""
    need_name()
    now, held = timestamp(), _store()
    held.note_access(_owner(), access())
    seen = [one.seen(now) for one in held.of_owner(_owner())]
    for one in seen:
        held.note_visit(one)
    return render_template(
        "mine-spoergsmaal.html",
        views=[_view(one) for one in seen],
        frequencies=list(Frequency),
        mails=mails_news(services().settings),
        known_mail=next((one.mail for one in seen if one.mail), _likely_address()),
        longest=LONGEST_TITLE,
    )


def _view(question: SavedQuestion) -> QuestionView:
    asked = request_parameters.Asked(question.question, question.filters)
    known = {name: values for name, values in question.filters.items() if name in FILTER_FIELDS}
    words = tuple(f"{one.field_label}: {one.label}" for one in facets.active_filters(known))
    news = operations.news_items(snapshot(), _store().news(question))
    return QuestionView(question, words, asked.url(), tuple(news))


@blueprint.post(operations.PAGE)
@audited("spørgsmål gemt")
def save() -> BaseResponse:
    """Save the question of an answer's page with its filters."""
    need_name()
    asked = request_parameters.read(request.form)
    name = g.identity.name
    wanted = SavedQuestion(_owner(), asked.question, owner_name=name, filters=asked.filters, access=access())
    saved = operations.save(services().settings, searcher(), wanted)
    # What is asked is nobody's business, the trail's readers' neither.
    note(target=saved.id)
    return redirect(url_for("gemte.saved_list", _anchor=saved.id), 303)


@blueprint.post(f"{operations.PAGE}/<question_id>")
@audited("gemt spørgsmål ændret")
def change(question_id: str) -> BaseResponse:
    """Change what a question is called, and when and where news are mailed."""
    need_name()
    found = _store().get(question_id, _owner())
    frequency = request.form.get("hvor-tit", found.frequency.value)
    if frequency not in set(Frequency):
        raise BadRequest
    changed = replace(
        found, title=request.form.get("navn", found.title), frequency=Frequency(frequency),
        mail=request.form.get("mail", found.mail),
    )  # fmt: skip
    operations.change(services().settings, found, changed)
    return redirect(url_for("gemte.saved_list", _anchor=question_id), 303)


@blueprint.post(f"{operations.PAGE}/<question_id>/pause")
@audited("gemt spørgsmål sat på pause eller i gang")
def pause(question_id: str) -> BaseResponse:
    """Stop the mails for a while, or take them up again."""
    need_name()
    found = _store().get(question_id, _owner())
    _store().change(replace(found, paused=not found.paused))
    return redirect(url_for("gemte.saved_list", _anchor=question_id), 303)


@blueprint.post(f"{operations.PAGE}/<question_id>/slet")
@audited("gemt spørgsmål slettet")
def delete(question_id: str) -> BaseResponse:
    """Delete a question."""
    need_name()
    _store().delete(question_id, _owner())
    return redirect(url_for("gemte.saved_list"), 303)


@blueprint.get(f"{operations.STOP}/<token>")
@needs(None)
def stop_page(token: str) -> str:
    """What a mail's link opens: a button that stops the mails of its question."""
    found = there(_store().of_token(token))
    return render_template("stop-mail.html", question=found, token=token)


@blueprint.post(f"{operations.STOP}/<token>")
@needs(None)
@audited("mails om gemt spørgsmål stoppet")
def stop(token: str) -> str:
    """Mail no more of a question; it stays among its owner's."""
    found = there(_store().of_token(token))
    stopped = replace(found, frequency=Frequency.NEVER)
    _store().change(stopped)
    note(target=found.id)
    return render_template("stop-mail.html", question=stopped, token=token)


def _store() -> SavedQuestions:
    return services().saved_questions


def _owner() -> str:
    """The id that someone's questions are kept under."""
    who: Identity = g.identity
    return who.id or who.name


def _likely_address() -> str:
    """The address that a proxy's sign-in names people by; empty where it does not."""
    who: Identity = g.identity
    return who.id if who.via is Via.PROXY and "@" in who.id else ""
