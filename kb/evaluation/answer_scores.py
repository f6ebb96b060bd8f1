"""Scores answers to the judged questions: refusals, answering sentences, projects, coverage, and word-for-word quotes.

* *Refusal*: precision is the share of refused questions that the corpus indeed does not answer, recall the share of
  unanswerable questions that are refused.
* *Evidence*: an answer is right when a sentence of its short answer holds one of the question's quotes. Quotes and
  sentences are compared by letters and digits alone, as a PDF breaks lines and words where its source does not. A
  refused question counts as missed.
* *Projects*: the place of the first right project among the projects listed, for questions with a right project.
  Right are the projects of grade 2.
* *Across*: precision, recall and their harmonic mean of the projects listed for a question across projects, and
  whether their number is within one of the correct number.
* *Verbatim*: every quote is its document's text at the cited offsets, and every shown sentence its quote on one line.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from kb.answer import answer
from kb.core.models import Answer, Certainty
from kb.evaluation import metrics
from kb.evaluation.judged_questions import SPLITS, JudgedQuestion
from kb.retrieval.searcher import Searcher

# A part of a quote counts as the quote from this length on, as a sentence may have been segmented differently.
MIN_QUOTE_LETTERS = 25
CUT_MARK = " …"


@dataclass(frozen=True, slots=True)
class Judgement:
    """The judgement of one answer; None where a measure does not apply to the question."""

    id: str
    kind: str
    answerable: bool
    refused: bool
    certainty: Certainty
    evidence: bool | None
    evidence_first: bool | None
    project_rank: int | None
    across: tuple[float, float, float] | None
    within_one: bool | None
    quotes: int
    not_verbatim: int


def letters(text: str) -> str:
    """A text's letters and digits, folded."""
    return re.sub(r"[\W_]+", "", text.casefold())


def holds_quote(text: str, quotes: Sequence[str]) -> bool:
    """Whether a shown sentence holds one of the quotes, or a long part of one."""
    shown = letters(text)
    return any(
        letters(quote) in shown or (len(shown) >= MIN_QUOTE_LETTERS and shown in letters(quote)) for quote in quotes
    )


def judge(
    question: JudgedQuestion, given: Answer, texts: Mapping[str, str], is_project: Mapping[str, bool]
) -> Judgement:
    """Judge one answer by the key; ``texts`` and ``is_project`` are by document id."""
    quotes = [quote for _, quote in question.evidence]
    shown = [holds_quote(sentence.text, quotes) for sentence in given.sentences]
    across = _across(question, given) if question.projects else None
    return Judgement(
        id=question.id,
        kind=question.kind,
        answerable=question.answerable,
        refused=given.refused,
        certainty=given.certainty,
        evidence=any(shown) if quotes else None,
        evidence_first=bool(shown and shown[0]) if quotes else None,
        project_rank=_project_rank(question, given, is_project),
        across=across,
        within_one=abs(len(given.coverage.speaking) - len(question.projects)) <= 1 if question.projects else None,
        quotes=len(given.citations) + len(given.sentences),
        not_verbatim=len(wrong_quotes(given, texts)),
    )


def wrong_quotes(given: Answer, texts: Mapping[str, str]) -> list[str]:
    """The quotes that are not the text at their offsets, and the sentences that differ from their quote."""
    wrong = [c.quote for c in given.citations if texts[c.document_id][c.start : c.end] != c.quote]
    for sentence in given.sentences:
        quote = " ".join(given.citation(sentence.citations[0]).quote.split())
        if sentence.text != quote and not (
            sentence.text.endswith(CUT_MARK) and quote.startswith(sentence.text.removesuffix(CUT_MARK))
        ):
            wrong.append(sentence.text)
    findings = [finding for project in given.projects for finding in project.findings]
    wrong += [f.text for f in findings if f.text != " ".join(given.citation(f.citation).quote.split())]
    return wrong


def _across(question: JudgedQuestion, given: Answer) -> tuple[float, float, float]:
    return of_projects(set(question.projects), [set(project.document_ids) for project in given.coverage.speaking])


def of_projects(right: Set[str], said: Sequence[Set[str]]) -> tuple[float, float, float]:
    """Precision, recall and F1 of projects, each as its documents, by the documents of the right ones."""
    correct = [not right.isdisjoint(documents) for documents in said]
    hit = set[str]().union(*said) & right
    precision = sum(correct) / len(correct) if correct else 0.0
    recall = len(hit) / len(right)
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    return precision, recall, f1


def _project_rank(question: JudgedQuestion, given: Answer, is_project: Mapping[str, bool]) -> int | None:
    right = {id_ for id_, grade in question.answers.items() if grade == 2 and is_project[id_]}
    if not right or question.projects:
        return None
    listed = [project for project in given.projects if not project.cross_cutting]
    ranks = (place for place, project in enumerate(listed, 1) if not right.isdisjoint(project.document_ids))
    return next(ranks, len(listed) + 1 if len(listed) >= 3 else 99)


def figures(judged: Sequence[Judgement]) -> dict[str, float]:
    """The measures over some judgements; a measure that applies to none is left out."""
    refused = [one for one in judged if one.refused]
    unanswerable = [one for one in judged if not one.answerable]
    ranks = [one.project_rank for one in judged if one.project_rank is not None]
    across = [one.across for one in judged if one.across is not None]
    evidence = [one.evidence for one in judged if one.evidence is not None]
    measures: dict[str, list[float]] = {
        "refusal_precision": [float(not one.answerable) for one in refused],
        "refusal_recall": [float(one.refused) for one in unanswerable],
        "wrongly_refused": [float(one.refused) for one in judged if one.answerable],
        "evidence_in_answer": [float(shown) for shown in evidence],
        "evidence_first": [float(one.evidence_first) for one in judged if one.evidence_first is not None],
        "right_project_first": [float(rank == 1) for rank in ranks],
        "right_project_in_three": [float(rank <= 3) for rank in ranks],
        "across_precision": [one[0] for one in across],
        "across_recall": [one[1] for one in across],
        "across_f1": [one[2] for one in across],
        "coverage_within_one": [float(one.within_one) for one in judged if one.within_one is not None],
    }
    for word in Certainty:
        measures[f"right_when_{word.name.lower()}"] = [float(right) for right in _right_under(word, judged)]
    means = {name: round(metrics.mean(values), 4) for name, values in measures.items() if values}
    total = sum(one.quotes for one in judged)
    means["verbatim"] = round(1 - sum(one.not_verbatim for one in judged) / total, 4) if total else 1.0
    return means


def _right_under(word: Certainty, judged: Sequence[Judgement]) -> Iterator[bool]:
    """Whether each answer of that certainty has an answering sentence; to an unanswerable question none is right."""
    for one in judged:
        if not one.refused and one.certainty is word and (one.evidence is not None or not one.answerable):
            yield bool(one.evidence)


def judge_all(asked: Sequence[JudgedQuestion], searcher: Searcher) -> tuple[list[Judgement], list[float]]:
    """Answer every question and judge it; with each answer's time in milliseconds."""
    texts = {id_: searcher.snapshot.document(id_).document.text for id_ in searcher.snapshot.records}
    is_project = {id_: bool(s.record.metadata.projekt) for id_, s in searcher.snapshot.records.items()}
    judged, times = [], []
    for question in asked:
        begun = time.perf_counter()
        given = answer(searcher, question.text)
        times.append((time.perf_counter() - begun) * 1000)
        judged.append(judge(question, given, texts, is_project))
    return judged, times


def evaluate(asked: Sequence[JudgedQuestion], searcher: Searcher) -> dict[str, Any]:
    """Both splits' figures, as a whole and by kind, with the time of an answer."""
    result: dict[str, Any] = {}
    for split in SPLITS:
        judged, times = judge_all([question for question in asked if question.split == split], searcher)
        kinds = sorted({one.kind for one in judged})
        result[split] = {
            **figures(judged),
            "ms_p50": round(metrics.percentile(times, 0.5), 1),
            "by_kind": {kind: figures([one for one in judged if one.kind == kind]) for kind in kinds},
        }
    return result
