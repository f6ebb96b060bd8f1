"""Redaktionen: what was not found, and what editors do about it: words, pinned passages, a letter to a project's owner.

The gate lets in editors alone (:mod:`kb.http.gate`). Every change of words and pinned passages goes one way: its fields
are read by :func:`_change_of`, shown with what it changes by ``/admin/ord/se``, and put in force by ``/admin/ord``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from werkzeug.exceptions import BadRequest
from werkzeug.wrappers import Response as BaseResponse

from kb.core.errors import InputError, NotFoundError
from kb.curation.gaps import Closing
from kb.curation.words import MOST_NAMES, Curation, Pin, WordGroup, names_of
from kb.http import curation_services
from kb.http.audit_trail import audited, note
from kb.http.services import searcher, services, snapshot, there
from kb.http.web.presenters import hits, lessons
from kb.http.web.presenters.gaps import csv_text
from kb.language import danish
from kb.language.synonyms import shipped_groups
from kb.language.vocabulary import words_of
from kb.lessons.lesson import is_address
from kb.operations import asking_owners, curating
from kb.operations.mail import is_set_up
from kb.retrieval.searcher import clean_question

MOST_GROUPS_SHOWN = 100
CLOSED_SHOWN = 50
FEEDBACK_SHOWN = 50
VERSIONS_SHOWN = 20
PASSAGES_SHOWN = 10
OWNERS_SHOWN = 5
# The passages whose projects come into question as those to ask.
LOOKED_AT = 30

blueprint = Blueprint("mangler", __name__, url_prefix="/admin")


@blueprint.after_request
def _never_kept(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response


# --- The list of gaps ---


@blueprint.get("/spoergsmaal")
def gap_list() -> str:
    """The questions that were refused or found not useful, by likeness, and what readers said."""
    gaps = services().gaps.all()
    groups = curation_services.gap_groups([one for one in gaps if not one.closed])
    closed = sorted((one for one in gaps if one.closed), key=lambda one: one.closed, reverse=True)
    return render_template(
        "admin/spoergsmaal.html",
        groups=groups[:MOST_GROUPS_SHOWN],
        total=len(groups),
        closed=closed[:CLOSED_SHOWN],
        reasons=list(Closing),
        said=services().feedback.all()[:FEEDBACK_SHOWN],
        kept=curation_services.keeps_gaps(),
        days=services().settings.gap_days,
    )


@blueprint.post("/spoergsmaal/luk")
@audited("spørgsmål lukket")
def close_gaps() -> BaseResponse:
    """Take the wordings of a group off the list, with the reason."""
    reason = request.form.get("grund", "")
    if reason not in set(Closing):
        raise InputError("Det mangler, hvorfor spørgsmålet lukkes.", advice="Vælg en grund.")
    closed = services().gaps.close(request.form.getlist("q"), reason)
    note(detail=f"{closed} spørgsmål: {reason}")
    return redirect(url_for("mangler.gap_list"), 303)


@blueprint.post("/spoergsmaal/genaabn")
@audited("spørgsmål genåbnet")
def reopen_gaps() -> BaseResponse:
    """Put a closed question back on the list."""
    services().gaps.reopen(request.form.getlist("q"))
    return redirect(url_for("mangler.gap_list"), 303)


@blueprint.get("/spoergsmaal.csv")
@audited("spørgsmål udtrukket")
def gaps_csv() -> Response:
    """All gaps, open and closed, as CSV for a Danish spreadsheet."""
    every = services().gaps.all()
    rows = [
        (group.question, one)
        for gaps in ([one for one in every if not one.closed], [one for one in every if one.closed])
        for group in curation_services.gap_groups(gaps)
        for one in group.gaps
    ]
    response = make_response(csv_text(rows).encode("utf-8-sig"))
    response.headers["Content-Type"] = "text/csv; charset=utf-8"
    response.headers.set("Content-Disposition", "attachment", filename="spoergsmaal-uden-svar.csv")
    return response


# --- Asking those behind a project ---


@dataclass(frozen=True, slots=True)
class Owner:
    """A project that may know, and the letter to it; ``department`` is whom its reports say to ask."""

    project: str
    authority: str
    department: str
    letter: asking_owners.Letter


@blueprint.get("/spoergsmaal/spoerg")
def ask_owner() -> str | BaseResponse:
    """The projects nearest to a question, each with a letter that is ready to go; the list where none is named."""
    if not request.args.get("q", "").strip():
        return redirect(url_for("mangler.gap_list"), 303)
    question = _question()
    return render_template(
        "admin/spoerg-ejeren.html",
        question=question,
        owners=_owners(question),
        may_send=is_set_up(services().settings),
        sent=request.args.get("sendt", "")[:200],
    )


def _owners(question: str) -> list[Owner]:
    try:
        wordings: Sequence[str] = curation_services.gap_group(question).questions
    except NotFoundError:
        wordings = [question]
    address = url_for("sider.ask", q=question, _external=True)
    found: dict[str, Owner] = {}
    for hit in searcher().search(question, top=LOOKED_AT).hits:
        metadata = hit.document.metadata
        if not metadata.projekt or metadata.projekt in found:
            continue
        contact = str(metadata.value("kontakt"))
        letter = asking_owners.letter_to(
            metadata.projekt, wordings, contact if is_address(contact) else "",
            address=address, asker=services().settings.authority,
        )  # fmt: skip
        found[metadata.projekt] = Owner(metadata.projekt, metadata.myndighed, contact, letter)
    return list(found.values())[:OWNERS_SHOWN]


@blueprint.post("/spoergsmaal/spoerg")
@audited("projekt spurgt")
def send_letter() -> BaseResponse:
    """Send the letter as it stands in the form; the question stays on the list until someone closes it."""
    form = request.form
    letter = asking_owners.Letter(form.get("til", "").strip(), form.get("emne", ""), form.get("tekst", ""))
    report = asking_owners.send_letter(services().settings, letter, date.today())
    if report.refused:
        raise InputError(
            f"Mailserveren afviste modtageren: {'; '.join(report.refused.values())}.", advice="Ret adressen."
        )
    note(target=letter.to, detail="sendt" if report.sent else "var sendt")
    return redirect(url_for("mangler.ask_owner", q=form.get("q", ""), sendt=letter.to), 303)


def _question() -> str:
    return clean_question(request.values.get("q", ""), services().settings.max_question_chars)


# --- Words and pinned passages ---


@blueprint.get("/ord")
def words() -> str:
    """The words and pinned passages in force, the shipped words, and the changes made."""
    history = services().curation.history(VERSIONS_SHOWN)
    held = services().curation.current()
    return render_template(
        "admin/ord.html",
        held=held,
        shipped=sorted(shipped_groups(), key=lambda one: one.key.casefold()),
        pins=_pin_views(held.curation),
        history=history,
        question=request.args.get("q", "")[: services().settings.max_question_chars],
    )


def _pin_views(curation: Curation) -> list[tuple[str, str, lessons.EvidenceView]]:
    """Each pinned passage after its id and question."""
    held = snapshot()
    return [
        (pin.id, pin.question, lessons.evidence_view(curation_services.anchor_of(held, pin), held))
        for pin in curation.pins
    ]


@blueprint.get("/ord/ny")
def new_words() -> str:
    """A form for names that mean the same: empty, of a group to change, or begun with a question's own words."""
    group_id, question = request.args.get("id", ""), request.args.get("q", "")
    curation = services().curation.current().curation
    group = there(next((one for one in curation.groups if one.id == group_id), None)) if group_id else None
    return _words_form(
        names="\n".join(group.names if group else _words_to_begin_with(question)),
        remark=group.note if group else "",
        question=question,
        group_id=group_id,
    )


def _words_to_begin_with(question: str) -> list[str]:
    """The words of a question that no report uses: what a reader calls what the reports call otherwise."""
    if not question.strip():
        return []
    knows = searcher().snapshot.analyser.vocabulary.knows
    written = (token.text for token in danish.tokenise(question) if token.kind is danish.Kind.WORD)
    unknown = (word for word in written if not knows("".join(words_of(word))) and word.isalpha())
    return sorted(unknown, key=len, reverse=True)[:1]


def _words_form(*, names: str, remark: str, question: str, group_id: str, error: InputError | None = None) -> str:
    return render_template(
        "admin/ord-ny.html", names=names, remark=remark, question=question, group_id=group_id, error=error,
        most=MOST_NAMES,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Change:
    """A change as a whole: what it makes of the curation, what it is called, and why it closes a gap."""

    curation: Curation
    what: str
    because: Closing


def _change_of(held: Curation, sent: Mapping[str, str]) -> _Change:
    """The change that a form asks for; raises :class:`InputError` for one that cannot be made."""
    change, key = sent.get("handling", ""), sent.get("id", "")
    if change == "ord":
        return _words_change(held.without_group(key) if key else held, sent)
    if change == "fremhaev":
        pinned = curation_services.with_passage_pinned(held, sent.get("q", ""), sent.get("passage", ""))
        return _Change(pinned, f"sted fremhævet{_at(pinned.pins[-1])}", Closing.PINNED)
    if change == "slet":
        kept = held.without_group(key)
        gone = next(one for one in held.groups if one.id == key)
        return _Change(kept, f"ord slettet: {_told(gone)}", Closing.DONE)
    if change == "fjern":
        kept = held.without_pin(key)
        pin = next(one for one in held.pins if one.id == key)
        return _Change(kept, f"sted ikke længere fremhævet{_at(pin)}", Closing.DONE)
    if change in {"slaa-fra", "slaa-til"}:
        on = change == "slaa-til"
        return _Change(curating.switched(held, key, on=on), f"{key} slået {'til' if on else 'fra'}", Closing.DONE)
    raise BadRequest


def _at(pin: Pin) -> str:
    """The question of a pin, where every editor may know it: the list of changes is for them all."""
    return "" if pin.access else f" ved »{pin.question}«"


def _words_change(held: Curation, sent: Mapping[str, str]) -> _Change:
    changed = curating.with_new_words(held, names_of(sent.get("navne", "")), sent.get("note", ""))
    what = "ord ændret" if sent.get("id") else "ord tilføjet"
    return _Change(changed, f"{what}: {_told(changed.groups[-1])}", Closing.WORD)


def _told(group: WordGroup) -> str:
    return " = ".join(group.names)


@blueprint.get("/ord/se")
def preview_change() -> BaseResponse:
    """What a change would do to the stored questions, and the button that puts it in force; the words without one."""
    if not request.args:
        return redirect(url_for("mangler.words"), 303)
    held, sent = services().curation.current(), request.args.to_dict()
    try:
        change = _change_of(held.curation, sent)
    except NotFoundError:
        raise
    except InputError as error:
        return _refused(sent, error)
    page = render_template(
        "admin/ord-se.html",
        change=change,
        preview=curation_services.previewed(held.curation, change.curation, of=sent.get("q", "")),
        differences=list(curating.Difference),
        based_on=held.version,
        sent=sent,
        kept=curation_services.keeps_gaps(),
    )
    return make_response(page)


def _refused(sent: Mapping[str, str], error: InputError) -> BaseResponse:
    """The form of words as it was sent, with what is wrong; what has no form is told as any error."""
    if sent.get("handling") != "ord":
        raise error
    page = _words_form(
        names=sent.get("navne", ""), remark=sent.get("note", ""), question=sent.get("q", ""),
        group_id=sent.get("id", ""), error=error,
    )  # fmt: skip
    return make_response(page, 400)


@blueprint.post("/ord")
@audited("ord ændret")
def change_words() -> BaseResponse:
    """Put a change in force, and close the group of the question that it was made for."""
    sent = request.form.to_dict()
    held = services().curation.current()
    change = _change_of(held.curation, sent)
    question = sent.get("q", "")
    made = curation_services.put_in_force(
        change.curation, change.what, based_on=_version(sent, held.version), closing=question, because=change.because
    )
    # The audit trail names people, and has no questions.
    note(detail=f"version {made.version}")
    return redirect(url_for("mangler.words", q=question or None), 303)


@blueprint.post("/ord/fortryd")
@audited("ord fortrudt")
def undo_words() -> BaseResponse:
    """Put an earlier version of words and pinned passages back in force, by default the one before."""
    sent = request.form.to_dict()
    based_on = _version(sent, 0)
    wanted = int(sent["til"]) if _is_number(sent.get("til", "")) else based_on - 1
    note(detail=f"version {services().curation.restore(wanted, based_on=based_on).version}")
    return redirect(url_for("mangler.words"), 303)


def _version(sent: Mapping[str, str], otherwise: int) -> int:
    """The version that was on the page."""
    given = sent.get("version", str(otherwise))
    if not _is_number(given):
        raise BadRequest
    return int(given)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10


@blueprint.get("/fremhaev")
def choose_passage() -> str | BaseResponse:
    """The passages that can be pinned to a question: those nearest to it, or to other words; the list of gaps where no
    question is named.
    """
    if not request.args.get("q", "").strip():
        return redirect(url_for("mangler.gap_list"), 303)
    question = _question()
    looked_for = request.args.get("soeg", "").strip() or question
    found = searcher().search(looked_for, top=PASSAGES_SHOWN)
    titles = {id_: stored.record.metadata.titel for id_, stored in snapshot().records.items()}
    held = services().curation.current()
    return render_template(
        "admin/fremhaev.html",
        question=question,
        looked_for=looked_for,
        hits=[hits.hit_view(hit, titles) for hit in found.hits],
        version=held.version,
    )
