"""Answers on the shipped corpus with the real model: what holds for every judged question, and floors under quality.

The floors lie below the figures in docs/quality.md, so that a change that costs quality is seen and chance is not.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from kb.answer import answer
from kb.core.models import Certainty, RefusalReason
from kb.core.settings import Settings
from kb.evaluation.answer_scores import Judgement, figures, judge_all
from kb.evaluation.judged_questions import load
from kb.evaluation.role_labels import figures as role_figures
from kb.evaluation.role_labels import load as load_roles
from kb.evaluation.role_labels import of_corpus, of_files, predict
from kb.extract import ReadOptions
from kb.retrieval.searcher import Searcher
from tests.support import SHARED

pytestmark = pytest.mark.model
BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def judged(searcher: Searcher) -> list[Judgement]:
    """Every third question: all of them take minutes, and `make quality` asks them."""
    return judge_all(load(BENCHMARKS / "questions")[::3], searcher)[0]


def test_every_sentence_shown_is_verbatim_at_its_place(judged: list[Judgement]) -> None:
    assert sum(one.quotes for one in judged) > 500
    assert [one.id for one in judged if one.not_verbatim] == []


@pytest.mark.parametrize(
    ("measure", "floor"),
    [
        ("refusal_precision", 0.76),
        ("refusal_recall", 0.84),
        ("evidence_in_answer", 0.76),
        ("right_project_first", 0.76),
        ("across_f1", 0.62),
        ("coverage_within_one", 0.60),
        ("right_when_sure", 0.85),
    ],
)
def test_quality_is_above_its_floor(judged: list[Judgement], measure: str, floor: float) -> None:
    assert figures(judged)[measure] >= floor


def test_the_caseworker_s_question_is_answered_from_several_reports(searcher: Searcher) -> None:
    found = answer(searcher, "Hvordan håndterede projekterne GDPR?")
    assert not found.refused
    assert 1 <= len(found.sentences) <= 5
    assert len(found.projects) >= 4
    assert all(finding.citation for project in found.projects for finding in project.findings)


def test_a_number_is_given_first(searcher: Searcher) -> None:
    found = answer(searcher, "Hvor mange procent faldt tiden til at fordele mails i Norddjurs?")
    assert "66 procent" in found.sentences[0].text


def test_how_many_projects_is_answered_by_coverage(searcher: Searcher) -> None:
    found = answer(searcher, "Hvor mange projekter begyndte i 2021?")
    assert len(found.coverage.speaking) == 9
    assert found.coverage.of == 29


def test_a_number_of_projects_that_a_report_tells_stands_first(searcher: Searcher) -> None:
    found = answer(searcher, "Hvor mange signaturprojekter var der?")
    assert found.sentences[0].text.startswith("I alt 40 signaturprojekter blev sat i gang fra 2020 til 2022.")


def test_nothing_on_the_subject_is_said_honestly(searcher: Searcher) -> None:
    found = answer(searcher, "Hvor tit skal en orkidé have vand?")
    assert found.refusal is not None
    assert found.refusal.reason is RefusalReason.NO_SUBJECT


def test_roles_are_mostly_right(searcher: Searcher, shipped: Settings) -> None:
    labelled = load_roles(BENCHMARKS / "roles")
    predicted = predict(
        labelled, of_corpus(searcher.snapshot, sorted({one.place for one in labelled if not one.shared}))
    )
    assert len(predicted) >= 130
    assert role_figures(labelled, predicted)["accuracy_corpus"] >= 0.78


@pytest.mark.shared
def test_roles_are_mostly_right_in_documents_of_another_kind(shipped: Settings) -> None:
    if not SHARED.is_dir():
        pytest.skip(f"udviklingsdata mangler: {SHARED}")
    labelled = [one for one in load_roles(BENCHMARKS / "roles") if one.shared]
    files = sorted({one.place for one in labelled})
    predicted = predict(labelled, of_files(SHARED / "documents", files, ReadOptions.from_settings(shipped)))
    assert len(predicted) >= 60
    assert role_figures(labelled, predicted)["accuracy_documents"] >= 0.75


def test_yes_or_no_that_is_not_said_is_never_sure(searcher: Searcher) -> None:
    found = answer(searcher, "Må en kommune bruge samtykke til at profilere ledige?")
    assert not found.lead
    assert Certainty.SURE not in {found.certainty, *(one.certainty for one in found.sentences)}
    said = answer(searcher, "Er Vådindeks sat i drift?")
    assert said.lead.startswith("Nej")
    assert said.certainty is Certainty.SURE


def test_a_question_that_leaves_out_what_it_asks_is_never_answered_as_sure(searcher: Searcher) -> None:
    found = answer(searcher, "Og hvad med lovgrundlaget?")
    assert found.sentences
    assert Certainty.SURE not in {found.certainty, *(one.certainty for one in found.sentences)}


def test_an_answer_that_leaves_a_part_open_is_never_sure(searcher: Searcher) -> None:
    whole = answer(searcher, "Hvor mange timer sparer AIR pr. ældre om året?")
    assert whole.certainty is Certainty.SURE
    partial = answer(searcher, "Hvor mange timer sparer AIR pr. ældre om året, og hvad koster det?")
    assert "hvad det koster" in partial.lead
    assert Certainty.SURE not in {partial.certainty, *(one.certainty for one in partial.sentences)}
