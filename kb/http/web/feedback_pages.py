"""Was the answer useful? The form under an answer posts here."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.exceptions import BadRequest
from werkzeug.wrappers import Response

from kb.http.curation_services import take_feedback
from kb.http.services import services
from kb.retrieval.searcher import clean_question
from kb.state.feedback import LONGEST_COMMENT

MOST_CITATIONS = 50
LONGEST_ID = 200

blueprint = Blueprint("tilbagemelding", __name__, url_prefix="/tilbagemelding")


@blueprint.post("")
def send() -> Response:
    """Keep a reader's word on an answer."""
    useful = request.form.get("nyttigt")
    comment = request.form.get("hvorfor", "").strip()
    if useful not in {"ja", "nej"} or len(comment) > LONGEST_COMMENT:
        raise BadRequest
    held = services()
    question = clean_question(request.form.get("q", ""), held.settings.max_question_chars)
    citations = [value[:LONGEST_ID] for value in request.form.getlist("citat")[:MOST_CITATIONS]]
    build = request.form.get("indeks", "")[:LONGEST_ID]
    take_feedback(question, build, useful=useful == "ja", comment=comment, citations=citations)
    return redirect(url_for("tilbagemelding.thanks", q=question), 303)


@blueprint.get("/tak")
def thanks() -> str:
    """Thank the reader, with the way back to the answer."""
    return render_template("tak.html", question=request.args.get("q", "")[: services().settings.max_question_chars])
