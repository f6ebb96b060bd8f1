"""Projektstart-tjek as Word: the check as it was shown, and an empty checklist for the project's own file."""

from __future__ import annotations

from typing import Any

from kb.http.web.exports import add_lessons, finished, new_document
from kb.http.web.presenters.answers import references
from kb.http.web.presenters.project_start import CheckView, gap_text, met_by, outcome_text
from kb.project_start.challenges import ChallengeKind, challenge_kinds
from kb.project_start.findings import Challenge, SimilarProject, Told

TITLE = "Projektstart-tjek"
# What a person fills in beside a point of the checklist.
CHECKLIST_COLUMNS = ("Spørgsmål", "Ansvarlig", "Vores svar", "Dato")


def check_docx(view: CheckView) -> bytes:
    """A check as the bytes of a Word document."""
    check, document = view.check, new_document(TITLE)
    for notice in check.notices:
        document.add_paragraph(notice)
    document.add_heading("Projekter, der ligner jeres", 1)
    if not check.similar:
        document.add_paragraph("Ingen projekter i basen ligner planen.")
    for similar in check.similar:
        _add_similar(document, similar)
    add_lessons(document, view.lessons)
    document.add_heading("Det nævner planen ikke", 1)
    for challenge in check.gaps:
        document.add_heading(gap_text(challenge, check), 2)
        document.add_paragraph(f"Tag med til styregruppen: {challenge.question}")
    for phase in view.phases:
        document.add_heading(f"Hvad andre løb ind i: {phase.name}", 1)
        for challenge in phase.challenges:
            document.add_heading(f"{challenge.label} – {met_by(challenge, check)}", 2)
            _add_met(document, challenge)
    if check.stopped:
        document.add_heading("Hvor andre stoppede", 1)
    for stopped in check.stopped:
        document.add_heading(f"{stopped.project.name}: {outcome_text(stopped.outcome)}", 2)
        for told in (stopped.outcome.told, *stopped.reasons):
            _add(document, "", told)
    if check.reusable:
        document.add_heading("Klar til at bruge igen", 1)
    for reusable in check.reusable:
        _add(document, reusable.project.name, reusable.told)
        for link in reusable.links:
            document.add_paragraph(f"{link.titel or link.url}: {link.url}", style="List Bullet 2")
    return finished(document, view.citations, check.created, check.build_id)


def checklist_docx(view: CheckView) -> bytes:
    """An empty checklist with the lessons of the similar projects beside the points they speak to."""
    document = new_document(f"{TITLE}: tjekliste")
    by_kind = {challenge.kind: challenge for challenge in view.check.challenges}
    document.add_paragraph("Udfyld felterne, og læg listen på sagen. Under hvert spørgsmål står, hvad andre mødte.")
    add_lessons(document, view.lessons)
    for kind in challenge_kinds():
        document.add_heading(f"☐ {kind.label}", 1)
        _add_empty_answer(document, kind)
        if challenge := by_kind.get(kind.id):
            _add_met(document, challenge)
    return finished(document, view.citations, view.check.created, view.check.build_id)


def _add_empty_answer(document: Any, kind: ChallengeKind) -> None:
    table = document.add_table(rows=2, cols=len(CHECKLIST_COLUMNS), style="Table Grid")
    for cell, text in zip(table.rows[0].cells, CHECKLIST_COLUMNS, strict=True):
        cell.text = text
    table.rows[1].cells[0].text = kind.question


def _add_similar(document: Any, similar: SimilarProject) -> None:
    document.add_heading(similar.project.name, 2)
    for reason in similar.reasons:
        named = f": {reason.value}" if reason.value else ""
        _add(document, f"{reason.trait.value}{named}", reason.told)
    if similar.outcome:
        _add(document, f"Sådan gik det: {outcome_text(similar.outcome)}", similar.outcome.told)
    if similar.ask.text:
        named = f" {references([similar.ask.told.citation])}" if similar.ask.told else ""
        document.add_paragraph(f"Spørg: {similar.ask.text}{named}", style="List Bullet")


def _add_met(document: Any, challenge: Challenge) -> None:
    for met in challenge.met:
        _add(document, met.project.name, met.challenge)
        for label, told in (("Sådan greb projektet det an", met.handling), ("Det lærte projektet", met.lesson)):
            if told:
                _add(document, label, told, style="List Bullet 2")


def _add(document: Any, label: str, told: Told, style: str = "List Bullet") -> None:
    paragraph = document.add_paragraph(style=style)
    if label:
        paragraph.add_run(f"{label}: ").bold = True
    own = " (indsamlerens læsning)" if told.inferred else ""
    paragraph.add_run(f"{told.text}{own} {references([told.citation])}")
