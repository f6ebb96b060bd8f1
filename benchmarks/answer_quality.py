"""Measures the answers on the judged questions and the labelled roles, and writes the table into ``docs/quality.md``.

    python -m benchmarks.answer_quality
    python -m benchmarks.answer_quality --set benchmarks/blind    # prints a set's figures, all and by kind

Asks the index in use, which must be the corpus'. The probabilities were fitted on dev (``fit_relevance.py``); test was
never tuned on. The time of an answer is set against that of a plain search for the same questions, asked in turn, each
the first time, so that neither finds the other's question already embedded.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

from kb.answer import answer
from kb.core.settings import Settings, load_settings
from kb.embedding.embedder import load_embedder
from kb.evaluation import answer_scores, judged_questions, metrics, role_labels
from kb.extract import ReadOptions
from kb.retrieval.searcher import Searcher, open_searcher

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared" / "documents"
PAGE = ROOT / "docs" / "quality.md"
# Measures in the table's order: what they are called there, and what is aimed at.
MEASURES = (
    ("refusal_precision", "refusals: of those refused, not answered by the corpus", "≥ .90"),
    ("refusal_recall", "refusals: of those not answered by the corpus, refused", "≥ .90"),
    ("evidence_in_answer", "an answering sentence in the short answer", "≥ .85"),
    ("evidence_first", "an answering sentence first", ""),
    ("right_project_first", "the right project first", "≥ .85"),
    ("right_project_in_three", "the right project among the first three", "≥ .95"),
    ("right_when_sure", "of answers called «sikkert», with an answering sentence", ""),
    ("right_when_likely", "of those called «sandsynligt»", ""),
    ("right_when_unsure", "of those called «usikkert»", ""),
    ("across_precision", "across projects: precision of the projects found", ""),
    ("across_recall", "across projects: recall", ""),
    ("across_f1", "across projects: F1", "≥ .80"),
    ("coverage_within_one", "across projects: their number right within one", "≥ .70"),
    ("verbatim", "sentences and quotes that are verbatim at their place", "1"),
)
TIMED = 100


def measured_roles(searcher: Searcher, settings: Settings) -> dict[str, Any]:
    """The figures of the labelled roles, with the documents beside the repository where they are."""
    labelled = role_labels.load(ROOT / "benchmarks" / "roles")
    found = list(role_labels.of_corpus(searcher.snapshot, sorted({one.place for one in labelled if not one.shared})))
    if SHARED.is_dir():
        files = sorted({one.place for one in labelled if one.shared})
        found += role_labels.of_files(SHARED, files, ReadOptions.from_settings(settings))
    return role_labels.figures(labelled, role_labels.predict(labelled, found))


def times(searcher: Searcher, texts: list[str]) -> tuple[float, float]:
    """The median milliseconds of a plain search and of an answer."""
    searches: list[float] = []
    answered: list[float] = []
    for place, text in enumerate(texts):
        begun = time.perf_counter()
        if place % 2:
            searcher.search(text)
        else:
            answer(searcher, text)
        (searches if place % 2 else answered).append((time.perf_counter() - begun) * 1000)
    return metrics.percentile(searches, 0.5), metrics.percentile(answered, 0.5)


def page(figures: dict[str, Any], role_figures: dict[str, Any], search_ms: float, answer_ms: float) -> list[str]:
    """The section's lines."""
    lines = ["| answers | dev | test | aim |", "|---|---|---|---|"]
    for name, text, aim in MEASURES:
        lines.append(f"| {text} | {figures['dev'][name]:.3f} | {figures['test'][name]:.3f} | {aim} |")
    lines += ["", "By kind of question, test:", "", "| kind | refused | answering sentence | right project first |"]
    lines.append("|---|---|---|---|")
    for kind, values in figures["test"]["by_kind"].items():
        refused = values.get("refusal_recall", values.get("wrongly_refused"))
        cells = (refused, values.get("evidence_in_answer"), values.get("right_project_first"))
        lines.append(f"| {kind} | " + " | ".join("" if cell is None else f"{cell:.2f}" for cell in cells) + " |")
    return [
        *lines,
        "",
        f"* roles: {role_figures['accuracy_all']:.3f} of {role_figures['found']} labelled sentences right"
        f" (corpus {role_figures['accuracy_corpus']:.3f}, other documents {role_figures['accuracy_documents']:.3f};"
        f" by words alone {role_figures['by_words_corpus']:.3f} and {role_figures['by_words_documents']:.3f});"
        " aim ≥ .85",
        f"* time: an answer {answer_ms:.0f} ms, a plain search {search_ms:.0f} ms (median,"
        f" {answer_ms / search_ms:.1f} times as long; aim < 3)",
    ]


def write(lines: list[str], section: str = "answers") -> None:
    """Put the lines between the page's marks of a section, at its end where it has none."""
    begin, end = f"<!-- {section}: begin -->", f"<!-- {section}: end -->"
    text = PAGE.read_text(encoding="utf-8") if PAGE.is_file() else "# Quality\n"
    if begin not in text:
        text = f"{text.rstrip()}\n\n{begin}\n{end}\n"
    before, after = text.split(begin)[0], text.split(end)[1]
    PAGE.write_text(f"{before}{begin}\n" + "\n".join(lines) + f"\n{end}{after}", encoding="utf-8")


def figures_of(folder: Path, searcher: Searcher) -> dict[str, Any]:
    """The figures of another set of questions, both halves together, in all and by kind."""
    judged, _ = answer_scores.judge_all(judged_questions.load(folder), searcher)
    by_kind = {kind: [one for one in judged if one.kind == kind] for kind in sorted({one.kind for one in judged})}
    return {"all": answer_scores.figures(judged)} | {
        kind: answer_scores.figures(ones) for kind, ones in by_kind.items()
    }


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--set", type=Path, help="another set of questions, whose figures are printed only")
    options = parser.parse_args()
    settings = load_settings()
    searcher = open_searcher(settings, load_embedder(settings))
    if options.set:
        print(json.dumps(figures_of(options.set, searcher), indent=1))
        return
    asked = judged_questions.load(ROOT / "benchmarks" / "questions")
    answer(searcher, "Hvad er kunstig intelligens?")
    search_ms, answer_ms = times(searcher, [question.text for question in asked if question.answerable][:TIMED])
    lines = page(answer_scores.evaluate(asked, searcher), measured_roles(searcher, settings), search_ms, answer_ms)
    write(lines)
    print("\n".join(lines))


if __name__ == "__main__":
    main()
