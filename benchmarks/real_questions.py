"""Measures the answers on genuine documents that carry no metadata: ``benchmarks/real/questions.jsonl``.

    python -m benchmarks.real_questions [--show]
    python -m benchmarks.real_questions --set benchmarks/development_real_5    # prints a set's figures, all and by kind

The documents beside the repository (``../shared/documents``) are indexed into a folder of their own, kept for the next
run, and asked as a new user would ask them: no editor has confirmed anything. Beside the measures of
``benchmarks.answer_quality`` stands how often the first document listed is a right one. Both halves are by the hash of
the group of questions, as in ``benchmarks/questions``; rules and weights may be made by dev. ``--show`` prints the
table without writing it into ``docs/quality.md``. Skips, and says so, where the documents are absent.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from benchmarks.answer_quality import figures_of, write
from benchmarks.readers_page import documents
from kb import indexing
from kb.answer import answer
from kb.core.settings import Settings, load_settings
from kb.embedding.embedder import Embedder, load_embedder
from kb.evaluation import answer_scores, beir, metrics
from kb.evaluation.judged_questions import SPLITS, JudgedQuestion, load
from kb.retrieval.searcher import Searcher, open_searcher

QUESTIONS = Path(__file__).resolve().parent / "real"
MEASURES = (
    ("refusal_precision", "of those refused, not answered by the documents", "≥ .92"),
    ("refusal_recall", "of those not answered by the documents, refused", "≥ .88"),
    ("evidence_in_answer", "an answering sentence in the short answer", "≥ .85"),
    ("evidence_first", "an answering sentence first", "≥ .78"),
    ("right_document_first", "the right document first", "≥ .95"),
    ("right_when_sure", "of answers called «sikkert», with an answering sentence", "≥ .95"),
    ("right_when_likely", "of those called «sandsynligt»", ""),
    ("right_when_unsure", "of those called «usikkert»", ""),
)


def searcher_of_documents(settings: Settings, embedder: Embedder) -> Searcher:
    """A searcher of the documents beside the repository, which are indexed if they changed."""
    folder = beir.index_folder(settings, QUESTIONS)
    places = {"index_dir": folder, "index_url": "", "state_dir": folder / "state", "corpus": documents()}
    own = settings.model_copy(update=places)
    indexing.run(own, embedder)
    return open_searcher(own, embedder)


def right_document_first(asked: Sequence[JudgedQuestion], searcher: Searcher) -> float:
    """The share of answerable questions whose answer lists a right document first; a refused one counts as wrong."""
    right = []
    for question in asked:
        if question.answerable:
            listed = answer(searcher, question.text).projects[:1]
            right.append(float(any(id_ in question.answers for one in listed for id_ in one.document_ids)))
    return metrics.mean(right)


def main() -> None:
    """Measure, and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--show", action="store_true", help="print and do not write")
    parser.add_argument("--set", type=Path, help="another set of questions, whose figures are printed only")
    options = parser.parse_args()
    settings = load_settings()
    searcher = searcher_of_documents(settings, load_embedder(settings))
    if options.set:
        print(json.dumps(figures_of(options.set, searcher), indent=1))
        return
    asked = load(QUESTIONS)
    figures = answer_scores.evaluate(asked, searcher)
    for split in SPLITS:
        of_split = [question for question in asked if question.split == split]
        figures[split]["right_document_first"] = right_document_first(of_split, searcher)
    lines = ["| real documents | dev | test | aim |", "|---|---|---|---|"]
    for name, text, aim in MEASURES:
        cells = (figures[split].get(name) for split in ("dev", "test"))
        lines.append(
            f"| {text} | " + " | ".join("" if cell is None else f"{cell:.3f}" for cell in cells) + f" | {aim} |"
        )
    print("\n".join(lines))
    if not options.show:
        write(lines, "real")


if __name__ == "__main__":
    main()
