"""Two projects side by side by the steps of their stories: ``/projekter/sammenlign?projekt=a&projekt=b``."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from kb.http.services import snapshot, there
from kb.http.web.presenters import hits, projects
from kb.retrieval.snapshot import ProjectSummary, Snapshot

COMPARED = 2

blueprint = Blueprint("sammenlign", __name__)


@blueprint.get("/projekter/sammenlign")
def compare() -> str:
    """Choose two projects, and see what each tells of every step."""
    held = snapshot()
    known = {project.slug: project for project in held.projects()}
    wanted = [slug for slug in dict.fromkeys(request.args.getlist("projekt")) if slug][:COMPARED]
    chosen = [there(known.get(slug)) for slug in wanted]
    both = len(chosen) == COMPARED
    return render_template(
        "sammenlign.html",
        projects=list(known.values()),
        chosen=wanted,
        lines=projects.project_lines(chosen, held.records) if both else [],
        rows=projects.side_by_side([_passages(held, project) for project in chosen]) if both else [],
    )


def _passages(held: Snapshot, project: ProjectSummary) -> list[hits.HitView]:
    return [
        hits.passage_view(passage, held.records[id_].record)
        for id_ in project.document_ids
        for passage in held.passages_of(id_)
    ]
