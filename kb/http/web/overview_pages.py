"""The page to look at, ``/overblik``, and the same pictures of the projects that speak to a question."""

from __future__ import annotations

from flask import Blueprint, render_template

from kb.core.models import Answer
from kb.http.services import snapshot
from kb.http.web.presenters.overview import Overview, overview
from kb.http.web.presenters.projects import project_lines
from kb.retrieval.snapshot import Snapshot

blueprint = Blueprint("overblik", __name__)


@blueprint.get("/overblik")
def page() -> str:
    """All projects: themes against projects, a timeline, and a map."""
    held = snapshot()
    lines = project_lines(held.projects(), held.records)
    return render_template("overblik.html", pictures=overview(lines, held.records), total=len(lines))


def of_answer(held: Snapshot, answered: Answer) -> Overview | None:
    """The pictures of the projects that speak to a question; None where fewer than two do."""
    speaking = {project.slug for project in answered.coverage.speaking}
    projects = [project for project in held.projects() if project.slug in speaking]
    return overview(project_lines(projects, held.records), held.records) if len(projects) > 1 else None
