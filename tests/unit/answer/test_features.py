"""The figures of answers held against their key, and of roles."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from kb.core.errors import InputError
from kb.core.models import (
    Answer,
    AnswerSentence,
    Certainty,
    Citation,
    Coverage,
    ProjectAnswer,
    ProjectRef,
    QuestionKind,
    Refusal,
    RefusalReason,
    Role,
)
from kb.evaluation import role_labels
from kb.evaluation.answer_scores import figures, holds_quote, judge, wrong_quotes
from kb.evaluation.judged_questions import JudgedQuestion

TEXTS = {"a": "Tiden faldt med 66 procent. Det var godt.", "b": "Ingenting skete."}
IS_PROJECT = {"a": True, "b": True}
REFS = (ProjectRef("A", "a", ("a",)), ProjectRef("B", "b", ("b",)))
QUOTE = "Tiden faldt med 66 procent."
QUESTION = JudgedQuestion("q1", "g", "Hvor meget faldt tiden?", "sentence", {"a": 2}, evidence=(("a", QUOTE),))


def project(ref: ProjectRef) -> ProjectAnswer:
    return ProjectAnswer(ref.name, ref.slug, ref.document_ids, "", False, Certainty.SURE, ())


def made(quote: str = QUOTE, *, order: tuple[int, ...] = (0, 1)) -> Answer:
    citation = Citation(1, "a", "a.1", 0, len(quote), quote, "A", "A")
    return Answer(
        question="Hvor meget faldt tiden?",
        kind=QuestionKind.NUMBER,
        build_id="b1",
        created="",
        filters={},
        sentences=(AnswerSentence(quote, (1,), Certainty.SURE),),
        projects=tuple(project(REFS[place]) for place in order),
        coverage=Coverage(REFS[:1], REFS[1:]),
        certainty=Certainty.SURE,
        citations=(citation,),
    )


def refused() -> Answer:
    refusal = Refusal(RefusalReason.NO_SUBJECT, "Nej.")
    return replace(made(), sentences=(), projects=(), citations=(), refusal=refusal, coverage=Coverage((), REFS))


def test_a_right_answer_counts_in_every_measure() -> None:
    found = figures([judge(QUESTION, made(), TEXTS, IS_PROJECT)])
    assert found["evidence_in_answer"] == found["right_project_first"] == found["verbatim"] == 1.0
    assert "across_f1" not in found


def test_a_refused_question_misses_its_evidence_and_project() -> None:
    found = figures([judge(QUESTION, refused(), TEXTS, IS_PROJECT)])
    assert (found["evidence_in_answer"], found["right_project_in_three"]) == (0.0, 0.0)
    assert (found["refusal_precision"], found["wrongly_refused"]) == (0.0, 1.0)


def test_certainty_is_held_against_what_is_shown() -> None:
    unsure = replace(made(), certainty=Certainty.UNSURE)
    nothing = replace(QUESTION, id="q2", kind="far", answers={}, evidence=())
    answers = [(QUESTION, made()), (nothing, made()), (QUESTION, unsure), (QUESTION, refused())]
    found = figures([judge(question, given, TEXTS, IS_PROJECT) for question, given in answers])
    assert (found["right_when_sure"], found["right_when_unsure"]) == (0.5, 1.0)
    assert "right_when_likely" not in found


def test_the_project_s_place_counts_from_one() -> None:
    judged = judge(QUESTION, made(order=(1, 0)), TEXTS, IS_PROJECT)
    assert judged.project_rank == 2
    assert figures([judged])["right_project_first"] == 0.0
    assert figures([judged])["right_project_in_three"] == 1.0


def test_refusals_are_right_where_nothing_answers() -> None:
    near = JudgedQuestion("q2", "h", "Hvem er borgmester?", "near")
    judged = [judge(near, refused(), TEXTS, IS_PROJECT), judge(near, made(), TEXTS, IS_PROJECT)]
    assert figures(judged)["refusal_precision"] == 1.0
    assert figures(judged)["refusal_recall"] == 0.5


def test_projects_across_are_scored_by_precision_and_recall() -> None:
    across = JudgedQuestion("q3", "i", "Hvilke projekter?", "across", {"a": 2, "b": 2}, projects=("a", "b"))
    judged = judge(across, made(), TEXTS, IS_PROJECT)
    assert judged.across is not None
    assert judged.across[:2] == (1.0, 0.5)
    assert judged.across[2] == pytest.approx(2 / 3)
    assert judged.within_one is True
    assert judged.project_rank is None


def test_a_quote_that_is_not_the_document_s_is_wrong() -> None:
    assert wrong_quotes(made(), TEXTS) == []
    assert wrong_quotes(made("Tiden faldt med 99 procent."), TEXTS) == ["Tiden faldt med 99 procent."]
    cut = replace(made(), sentences=(AnswerSentence("Tiden faldt …", (1,), Certainty.SURE),))
    assert wrong_quotes(cut, TEXTS) == []
    invented = replace(made(), sentences=(AnswerSentence("Tiden steg …", (1,), Certainty.SURE),))
    assert wrong_quotes(invented, TEXTS) == ["Tiden steg …"]


def test_quotes_are_compared_by_letters_alone() -> None:
    assert holds_quote("Tiden faldt med 66 pro-\ncent.", [QUOTE])
    assert not holds_quote("Tiden steg.", [QUOTE])


def test_roles_are_matched_by_place_and_text(tmp_path: Path) -> None:
    rows = [
        {"document": "a", "text": "Det var svært at få data.", "role": "udfordring"},
        {"file": "x.pdf", "sha256": role_labels.sentence_key("Husk jura."), "role": "råd"},
        {"document": "a", "text": "Findes ikke mere.", "role": "andet"},
    ]
    (tmp_path / role_labels.FILE).write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    labelled = role_labels.load(tmp_path)
    sentences = [
        role_labels.HeadedSentence("a", "Det var svært at få data.", Role.OTHER),
        role_labels.HeadedSentence("x.pdf", "Husk jura.", Role.RESULT),
        role_labels.HeadedSentence("b", "Det var svært at få data.", Role.OTHER),
    ]
    predicted = role_labels.predict(labelled, sentences)
    values = role_labels.figures(labelled, predicted)
    assert (values["labelled"], values["found"]) == (3, 2)
    assert (values["accuracy_corpus"], values["accuracy_documents"]) == (1.0, 0.0)
    assert values["by_words_documents"] == 1.0


def test_a_wrong_label_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / role_labels.FILE).write_text('{"document": "a", "text": "x", "role": "ukendt"}', encoding="utf-8")
    with pytest.raises(InputError, match="linje 1"):
        role_labels.load(tmp_path)
