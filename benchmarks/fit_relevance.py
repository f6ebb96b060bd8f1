"""Fits the probabilities of an answer on the development questions and writes ``kb/answer/classifiers.toml``.

    python -m benchmarks.fit_relevance --unseen benchmarks/development_4 --unseen ../shared/questions/other_hand.jsonl \
        --real --keep sentence --keep document
    python -m benchmarks.fit_relevance ... --show                                        # without writing
    python -m benchmarks.fit_relevance ... --folds FOLDER FOLDER --also benchmarks/development --by FOLDER SET

A reader that was trained on judged questions (training/judged.py) reads those better than it reads others. So those of
``--unseen``, which it was not trained on, are read by the one in use; with ``--folds`` the development half and the
sets of ``--also`` are read each by the reader that was trained without its fold, and a set after ``--by`` by the reader
named there. ``--real`` adds the development half of the questions to genuine documents (``benchmarks.real_questions``)
and ``development_real_3``, which are asked of their own index, as are the sets of ``--unseen-real``.
Logistic models, each of few features, are fitted one after the other: does a sentence answer by the cheap signals, that
choose what is read, and by what was read; does a document speak to the question, does the base answer at all, is a
shown sentence right. ``--keep sentence`` leaves the first as it is: fitted on questions in everyday words too, it has
an answering sentence among those read for .91 of the real questions instead of .93. The test questions are never looked
at. Figures in the file's head are from cross-validation, by group of question.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]
from sklearn.metrics import roc_auc_score  # type: ignore[import-untyped]
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict  # type: ignore[import-untyped]

from benchmarks.real_questions import searcher_of_documents
from kb.answer.classifiers import NAMES, Logistic, Models, models
from kb.answer.features import Candidate, Gathered, gather
from kb.answer.intent import ACROSS
from kb.answer.metadata_constraints import demands
from kb.answer.reading import read_by
from kb.answer.selection import (
    Judged,
    answer_features,
    certainty_features,
    choose,
    document_features,
    judge_read,
    read_features,
    sentence_features,
)
from kb.core.settings import load_settings
from kb.embedding.embedder import load_embedder
from kb.embedding.reader.choice import WindowReader
from kb.embedding.reader.model import ReaderModel
from kb.evaluation.answer_scores import holds_quote
from kb.evaluation.judged_questions import FOLDS as READ_FOLDS
from kb.evaluation.judged_questions import JudgedQuestion, load
from kb.retrieval.searcher import Searcher, open_searcher

HERE = Path(__file__).resolve().parent
TARGET = HERE.parent / "kb" / "answer" / "classifiers.toml"
SENTENCE = ("meaning", "words_in_context", "focus", "holds", "counts", "role", "rank")
READ = ("logit", "reads")
DOCUMENT = ("logit", "behind", "behind_across", "across", "words_in_document", "meaning")
ANSWER = ("window",)
CERTAINTY = ("answers", "sentence")
FOLDS = 8
# The models that can be left as they are; the others are fitted on what these choose.
KEPT = ("sentence", "document")
# How many thresholds to either side, .01 apart, a threshold's value is smoothed over.
NEAR_CUTS = 5

Rows = list[dict[str, float]]
Marks = NDArray[np.bool_]


@dataclass(frozen=True)
class Asked:
    """A question with what was gathered for it, and, once they are known, its sentences that were read."""

    question: JudgedQuestion
    gathered: Gathered
    read: Sequence[Judged] = ()
    source: str = ""


def fit(rows: Rows, labels: Sequence[bool], names: Sequence[str], strength: float) -> Logistic:
    """A logistic model of raw features; ``strength`` is scikit-learn's C on standardised ones."""
    values = np.array([[row[name] for name in names] for row in rows])
    centre, spread = values.mean(axis=0), values.std(axis=0) + 1e-9
    fitted = LogisticRegression(C=strength, max_iter=2000).fit((values - centre) / spread, labels)
    slopes = fitted.coef_[0] / spread
    bias = float(fitted.intercept_[0] - slopes @ centre)
    return Logistic(round(bias, 4), {n: round(float(w), 4) for n, w in zip(names, slopes, strict=True)}, 0.5)


def crossed(
    rows: Rows, labels: Sequence[bool], names: Sequence[str], groups: Sequence[str], strength: float
) -> NDArray[np.float64]:
    """Each row's probability by a model that was fitted without its group."""
    values = np.array([[row[name] for name in names] for row in rows])
    values = (values - values.mean(axis=0)) / (values.std(axis=0) + 1e-9)
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=0)
    model = LogisticRegression(C=strength, max_iter=2000)
    found: NDArray[np.float64] = cross_val_predict(
        model, values, labels, groups=groups, cv=folds, method="predict_proba"
    )[:, 1]
    return found


def is_marked(question: JudgedQuestion, candidate: Candidate) -> bool:
    """Whether a sentence is one of those that the question's key marks."""
    quotes = [quote for id_, quote in question.evidence if id_ == candidate.hit.document.id]
    return holds_quote(candidate.sentence.text, quotes)


def fit_sentences(asked: Sequence[Asked]) -> Logistic:
    """Positive are the marked sentences; questions without marks teach nothing, unless nothing answers them."""
    rows: Rows = []
    labels: list[bool] = []
    for one in asked:
        question = one.question
        if question.answerable and not question.evidence:
            continue
        for candidate in one.gathered.candidates:
            if not candidate.sentence.passage.inferred:
                rows.append(sentence_features(candidate))
                labels.append(is_marked(question, candidate))
    return fit(rows, labels, SENTENCE, 1.0)


def fit_read(asked: Sequence[Asked]) -> tuple[Logistic, dict[str, float]]:
    """The same of the sentences that were read, by all signals."""
    rows: Rows = []
    labels: list[bool] = []
    groups: list[str] = []
    for one in asked:
        if one.question.answerable and not one.question.evidence:
            continue
        for judged in one.read:
            rows.append(read_features(judged))
            labels.append(is_marked(one.question, judged.candidate))
            groups.append(one.question.group)
    probabilities = crossed(rows, labels, READ, groups, 1.0)
    told = {
        "sentences": len(rows),
        "auc_all": round(float(roc_auc_score(labels, probabilities)), 3),
        "auc_logit": round(float(roc_auc_score(labels, [row["logit"] for row in rows])), 3),
        "auc_reads": round(float(roc_auc_score(labels, [row["reads"] for row in rows])), 3),
    }
    return fit(rows, labels, READ, 1.0), told


def fit_documents(asked: Sequence[Asked], models: Models) -> tuple[Logistic, dict[str, float]]:
    """Positive are documents of grade 2; those of grade 1 are left out, and so are questions that nothing answers, and
    those that metadata answer.
    """
    rows: Rows = []
    labels: list[bool] = []
    places: list[tuple[Asked, str]] = []
    for one in asked:
        question, gathered = one.question, one.gathered
        judged = judge_read(one.read, models)
        if not question.answerable or by_metadata(gathered) or not judged:
            continue
        for id_, sentences in by_document(judged).items():
            if question.answers.get(id_) != 1:
                rows.append(document_features(gathered, sentences, judged[0]))
                labels.append(question.answers.get(id_) == 2)
                places.append((one, id_ if sentences[0].candidate.hit.document.metadata.projekt else ""))
    model = fit(rows, labels, DOCUMENT, 1.0)
    probabilities = crossed(rows, labels, DOCUMENT, [one.question.group for one, _ in places], 1.0)
    across_from, _ = best(probabilities, lambda cut: sum(across_quality(places, probabilities, cut)))
    f1, within_one = across_quality(places, probabilities, across_from)
    told = {"documents": len(rows), "across_f1": round(f1, 3), "coverage_within_one": round(within_one, 3)}
    marks = np.array([bool(row["across"]) for row in rows]), np.array(labels)
    sources = np.array([one.source for one, _ in places])
    threshold, told["one_f1"] = best(probabilities, lambda cut: one_quality(*marks, sources, probabilities >= cut))
    # One threshold serves both: what the two differ by is in the weight of being across.
    further = logit_of(across_from) - logit_of(threshold)
    weights = {**model.weights, "across": round(model.weights["across"] - further, 4)}
    return Logistic(model.bias, weights, threshold), {**told, "across_from": across_from}


def logit_of(probability: float) -> float:
    """The logit of a probability."""
    return math.log(probability / (1 - probability))


def one_quality(across: Marks, right: Marks, sources: NDArray[np.str_], said: Marks) -> float:
    """F1 of the documents said to speak to questions for one thing, the mean of the sets."""
    found = []
    for source in sorted(set(sources[~across])):
        here = ~across & (sources == source)
        both = int((said & right & here).sum())
        found.append(2 * both / max(1, int((said & here).sum()) + int((right & here).sum())))
    return round(float(np.mean(found)), 3)


def by_metadata(gathered: Gathered) -> bool:
    """Whether metadata alone answer a question, so that the text is not asked."""
    if gathered.want.kind not in ACROSS:
        return False
    known = {hit.document.id: hit.document.metadata for hit in gathered.hits if hit.document.metadata.projekt}
    return demands(gathered.question, gathered.words.words, list(known.values())).complete


def by_document(judged: Sequence[Judged]) -> dict[str, list[Judged]]:
    """The judged sentences by document."""
    found: dict[str, list[Judged]] = {}
    for one in judged:
        found.setdefault(one.candidate.hit.document.id, []).append(one)
    return found


def across_quality(
    places: Sequence[tuple[Asked, str]], probabilities: NDArray[np.float64], cut: float
) -> tuple[float, float]:
    """Over the questions across projects ("" is no project's place): the F1 of the projects found, and the share of
    questions whose number of projects is right within one; the mean of the sets' means.
    """
    found: dict[str, set[str]] = {}
    right: dict[str, tuple[str, set[str]]] = {}
    for (one, id_), probability in zip(places, probabilities, strict=True):
        if one.question.projects:
            right[one.question.id] = one.source, set(one.question.projects)
            if id_ and probability >= cut:
                found.setdefault(one.question.id, set()).add(id_)
    by_source: dict[str, list[tuple[float, float]]] = {}
    for question, (source, key) in right.items():
        ids = found.get(question, set())
        f1 = 2 * len(ids & key) / (len(ids) + len(key))
        by_source.setdefault(source, []).append((f1, float(abs(len(ids) - len(key)) <= 1)))
    f1, within_one = np.mean([np.mean(pairs, axis=0) for pairs in by_source.values()], axis=0)
    return float(f1), float(within_one)


def is_missed(question: JudgedQuestion, judged: Sequence[Judged]) -> bool:
    """Whether a question has marked sentences and none of them would be shown."""
    return bool(question.evidence) and not any(is_marked(question, one.candidate) for one in choose(judged))


def fit_answer(asked: Sequence[Asked], models: Models) -> tuple[Logistic, dict[str, float]]:
    """Positive are the questions that the corpus answers; those whose answer was not found teach nothing, as what would
    be shown for them is wrong, but count where the threshold is chosen.
    """
    features = [
        (a, answer_features(judged), is_missed(a.question, judged))
        for a in asked
        if (judged := judge_read(a.read, models))
    ]
    missed = [(one.source, row) for one, row, is_lost in features if is_lost]
    features = [one for one in features if not one[2]]
    rows = [row for _, row, _ in features]
    labels = [one.question.answerable for one, _, _ in features]
    model = fit(rows, labels, ANSWER, 0.5)
    probabilities = crossed(rows, labels, ANSWER, [one.question.group for one, _, _ in features], 0.5)
    wrong = ~np.array(labels)
    of_near = [one.question.answerable or one.question.kind == "near" for one, _, _ in features]
    lost = np.array([model.probability(row) for _, row in missed])
    sources, lost_sources = np.array([one.source for one, _, _ in features]), np.array([name for name, _ in missed])

    def near_auc(values: Sequence[float]) -> float:
        """How well near misses are told from answerable questions: the area under the curve."""
        return round(float(roc_auc_score(np.array(labels)[of_near], np.array(values)[of_near])), 3)

    def lesser(cut: float) -> float:
        """Of precision and recall of refusals the lesser, as the sets' mean: an answer to what nothing answers is no
        smaller a fault, and no set counts more for being larger.
        """
        refused, lost_refused = probabilities < cut, lost < cut
        shares = []
        for source in sorted(set(sources)):
            here = sources == source
            right = float((refused & wrong & here).sum())
            all_refused = float((refused & here).sum() + (lost_refused & (lost_sources == source)).sum())
            shares.append(right / max(all_refused, float((wrong & here).sum()), 1.0))
        return float(np.mean(shares))

    threshold, _ = best(probabilities, lesser)
    refused = probabilities < threshold
    return Logistic(model.bias, model.weights, threshold), {
        "questions": len(rows) + len(missed),
        "missed": len(missed),
        "refusal_precision": round(float((refused & wrong).sum() / (refused.sum() + (lost < threshold).sum())), 3),
        "refusal_recall": round(float(refused[wrong].mean()), 3),
        "near_auc": near_auc(list(probabilities)),
    }


def fit_certainty(asked: Sequence[Asked], models: Models) -> tuple[Logistic, dict[str, float]]:
    """Positive are the questions of which a shown sentence holds the answer; those without marked sentences teach
    nothing, unless nothing answers them.
    """
    rows: Rows = []
    labels: list[bool] = []
    for one in asked:
        question = one.question
        judged = judge_read(one.read, models)
        if not judged or (question.answerable and not question.evidence):
            continue
        quotes = [quote for _, quote in question.evidence]
        rows.append(certainty_features(models.answer.score(answer_features(judged)), judged[0].logit))
        labels.append(any(holds_quote(one.candidate.sentence.text, quotes) for one in choose(judged)))
    told = {"questions": len(rows), "right": round(float(np.mean(labels)), 3)}
    return fit(rows, labels, CERTAINTY, 1.0), told


def best(probabilities: NDArray[np.float64], measure: Callable[[float], float]) -> tuple[float, float]:
    """The threshold with the best value of a measure, and the value there.

    Of few questions the measure leaps with the threshold: its values are taken together with those about it.
    """
    cuts = np.round(np.arange(0.05, 0.96, 0.01), 2)
    values = np.array([measure(float(cut)) for cut in cuts])
    about = [values[max(0, place - NEAR_CUTS) : place + NEAR_CUTS + 1].mean() for place in range(len(cuts))]
    top = int(np.argmax(about))
    return float(cuts[top]), float(values[top])


def written(models: Models, told: Mapping[str, Mapping[str, float]]) -> str:
    """The models as TOML with the cross-validated figures in the head."""
    lines = [
        "# Logistic models of whether a sentence answers, a document speaks to a question, the base answers at all.",
        "# Written by benchmarks/fit_relevance.py from the development questions; cross-validated figures there:",
        *(f"#   {name}: " + ", ".join(f"{k} {v}" for k, v in values.items()) for name, values in told.items()),
    ]
    for name in NAMES:
        model: Logistic = getattr(models, name)
        lines += ["", f"[{name}]", f"bias = {model.bias}", f"threshold = {model.threshold}", f"[{name}.weights]"]
        lines += [f"{feature} = {weight}" for feature, weight in model.weights.items()]
    return "\n".join(lines) + "\n"


def gathered(questions: Sequence[JudgedQuestion], searcher: Searcher, source: str) -> list[Asked]:
    """The questions of a set with what is gathered for them."""
    return [Asked(question, gather(searcher, question.text, {}), source=source) for question in questions]


def of_documents(searcher: Searcher, unseen: Sequence[Path], *, real: bool) -> list[Asked]:
    """What is gathered for questions to genuine documents: those of ``--real`` and the sets of ``--unseen-real``."""
    asked = [one for source in unseen for one in gathered(load(source), searcher, str(source))]
    if real:
        own = [question for question in load(HERE / "real") if question.split == "dev"]
        asked += gathered(own + load(HERE / "development_real_3"), searcher, "real")
    return asked


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--show", action="store_true", help="print and do not write")
    parser.add_argument("--also", type=Path, action="append", default=[], help="further questions: a folder or file")
    parser.add_argument("--unseen", type=Path, action="append", default=[], help="questions no reader was trained on")
    parser.add_argument(
        "--folds",
        type=Path,
        nargs=READ_FOLDS,
        help="readers trained without the fold of their place; else what the reader knows is left out",
    )
    parser.add_argument("--by", type=Path, nargs=2, action="append", default=[], metavar=("READER", "SET"))
    parser.add_argument("--documents", type=Path, action="append", default=[], help="unseen, for that model alone")
    parser.add_argument("--keep", action="append", default=[], choices=KEPT, help="leave this model as it is")
    parser.add_argument("--real", action="store_true", help="also the questions to genuine documents")
    parser.add_argument("--unseen-real", type=Path, action="append", default=[], help="unseen, to genuine documents")
    options = parser.parse_args()
    settings = load_settings()
    embedder = load_embedder(settings)
    searcher = open_searcher(settings, embedder)
    folds: list[WindowReader] = [ReaderModel(folder) for folder in options.folds or ()] or [
        searcher.reader
    ] * READ_FOLDS
    own = [question for question in load(HERE / "questions") if question.split == "dev"] if options.folds else []
    own += [question for source in options.also for question in load(source)]
    readers: list[WindowReader] = [folds[question.fold] for question in own]
    asked = gathered(own, searcher, "own")
    for folder, source in options.by:
        asked += gathered(load(source), searcher, str(source))
        readers += [ReaderModel(folder)] * (len(asked) - len(readers))
    for source in options.unseen + options.documents:
        asked += gathered(load(source), searcher, str(source))
    if options.real or options.unseen_real:
        asked += of_documents(searcher_of_documents(settings, embedder), options.unseen_real, real=options.real)
    readers += [searcher.reader] * (len(asked) - len(readers))
    nothing = Logistic(0.0, {}, 0.5)
    sentence = models().sentence if "sentence" in options.keep else fit_sentences(asked)
    fitted = Models(sentence, nothing, nothing, nothing, nothing)
    asked = [
        replace(one, read=read_by(reader, one.gathered, fitted)) for one, reader in zip(asked, readers, strict=True)
    ]
    for_documents = [str(source) for source in options.documents]
    others = [one for one in asked if one.source not in for_documents]
    read, told_read = fit_read(others)
    fitted = replace(fitted, read=read)
    document, told_documents = (models().document, {}) if "document" in options.keep else fit_documents(asked, fitted)
    answer, told_answer = fit_answer(others, fitted)
    fitted = replace(fitted, document=document, answer=answer)
    certainty, told_certainty = fit_certainty(others, fitted)
    told = {"read": told_read, "document": told_documents, "answer": told_answer, "certainty": told_certainty}
    text = written(replace(fitted, certainty=certainty), told)
    print(text)
    if not options.show:
        TARGET.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
