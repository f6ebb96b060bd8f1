"""Of how many questions an answering sentence is among the windows that are read for them.

    python -m benchmarks.windows_read benchmarks/development_4 [--real benchmarks/development_real]

What is not read takes no part in an answer, so this bounds what a reader can do. Questions across projects, those that
nothing answers and those without a marked sentence are left out; of a set with halves the development half is taken.
Questions to genuine documents come last. ``--by-meaning`` ranks sentences without the words that reports use for
everyday ones.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.fit_relevance import is_marked
from benchmarks.real_questions import searcher_of_documents
from kb.answer.classifiers import models
from kb.answer.features import PASSAGES_READ, Gathered, gather
from kb.answer.intent import ACROSS
from kb.answer.reading import choose_windows
from kb.answer.selection import judge_sentences
from kb.core.settings import load_settings
from kb.embedding.embedder import load_embedder
from kb.evaluation import metrics
from kb.evaluation.judged_questions import JudgedQuestion, load
from kb.retrieval.searcher import Searcher, open_searcher

EARLY = 8


@dataclass(frozen=True, slots=True)
class Found:
    """Whether a marked sentence was gathered, and the place of the first window that has one; None where none has."""

    kind: str
    gathered: bool
    place: int | None
    windows: int


def found_of(question: JudgedQuestion, searcher: Searcher, *, by_meaning: bool) -> Found | None:
    """What is found for a question; None of one that is left out."""
    gathered = gather(searcher, question.text, {})
    if gathered.want.kind in ACROSS:
        return None
    judged = judge_sentences(_without_related(gathered) if by_meaning else gathered, models())
    windows = choose_windows(judged, across=False)
    holding = (
        place
        for place, one in enumerate(windows)
        if any(is_marked(question, candidate) for candidate in one.candidates)
    )
    return Found(
        kind="everyday" if question.kind == "everyday" else "others",
        gathered=any(is_marked(question, candidate) for candidate in gathered.candidates),
        place=next(holding, None),
        windows=len(windows),
    )


def _without_related(gathered: Gathered) -> Gathered:
    """Without the passages that related words found, and what they count."""
    ranked = (replace(one, related=0.0) for one in gathered.candidates if one.hit.rank <= PASSAGES_READ)
    return replace(gathered, candidates=tuple(ranked))


def asked(folders: Sequence[Path]) -> Iterator[JudgedQuestion]:
    """The questions of some sets that are counted."""
    for folder in folders:
        questions = load(folder)
        for question in questions:
            is_dev = folder.name not in ("questions", "real") or question.split == "dev"
            if is_dev and question.evidence and question.kind != "across":
                yield question


def told(name: str, found: Sequence[Found]) -> Iterator[str]:
    """One line for each kind of question."""
    by_kind: dict[str, list[Found]] = defaultdict(list)
    for one in found:
        by_kind[one.kind].append(one)
    for kind, several in sorted(by_kind.items()):
        read = metrics.mean([float(one.place is not None) for one in several])
        early = metrics.mean([float(one.place is not None and one.place < EARLY) for one in several])
        gathered = metrics.mean([float(one.gathered) for one in several])
        windows = metrics.mean([float(one.windows) for one in several])
        yield (
            f"{name}, {kind}: {len(several)} questions, gathered {gathered:.3f}, read {read:.3f}, "
            f"among the first {EARLY} {early:.3f}, windows {windows:.1f}"
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", type=Path, nargs="*")
    parser.add_argument("--real", type=Path, nargs="*", default=[], help="sets of questions to genuine documents")
    parser.add_argument("--by-meaning", action="store_true")
    options = parser.parse_args()
    settings = load_settings()
    embedder = load_embedder(settings)
    for name, folders in (("the corpus", options.sets), ("genuine documents", options.real)):
        if folders:
            of_base = open_searcher if name == "the corpus" else searcher_of_documents
            searcher = of_base(settings, embedder)
            found = [found_of(question, searcher, by_meaning=options.by_meaning) for question in asked(folders)]
            print("\n".join(told(name, [one for one in found if one])))


if __name__ == "__main__":
    main()
