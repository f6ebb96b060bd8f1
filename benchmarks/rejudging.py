"""Measures whether the reader should reorder the best documents of a search, on development questions.

    python -m benchmarks.rejudging [--questions benchmarks/development_2]

The windows that an answer reads are read; a document's score is the best of its sentences' logits less a share of the
logarithm of its rank in the search, which the share weighs: 0 orders by the reader alone. Prints nDCG@10 by document
and how often the first document answers, for the search's own order and for several shares.
"""

from __future__ import annotations

import argparse
import math
import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from kb.answer.classifiers import models
from kb.answer.features import gather
from kb.answer.reading import read_for
from kb.core.settings import load_settings
from kb.embedding.embedder import load_embedder
from kb.evaluation.judged_questions import load
from kb.evaluation.metrics import ndcg
from kb.retrieval.searcher import open_searcher

SHARES = (0.0, 0.5, 1.0, 2.0, 4.0)
TOP = 10


def reordered(documents: Sequence[str], read: Mapping[str, float], share: float) -> list[str]:
    """The documents by what the reader says and their rank; one that was not read stands below the worst that was."""
    unread = min(read.values(), default=0.0) - 1
    scores = {id_: read.get(id_, unread) - share * math.log(rank) for rank, id_ in enumerate(documents, 1)}
    return sorted(documents, key=lambda id_: -scores[id_])


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=Path, default=Path("benchmarks/development_2"))
    options = parser.parse_args()
    settings = load_settings()
    searcher = open_searcher(settings, load_embedder(settings))
    figures: dict[str, list[tuple[float, bool]]] = defaultdict(list)
    for question in load(options.questions):
        if not question.answers:
            continue
        gathered = gather(searcher, question.text, {})
        documents = list(dict.fromkeys(hit.document.id for hit in gathered.hits))
        read: dict[str, float] = {}
        for one in read_for(searcher, gathered, models()):
            id_ = one.candidate.hit.document.id
            read[id_] = max(read.get(id_, -math.inf), one.reads)
        orders = {"the search's own order": documents}
        orders |= {f"by the reader, rank weighed {share}": reordered(documents, read, share) for share in SHARES}
        for name, order in orders.items():
            first = bool(order) and question.answers.get(order[0]) == 2
            figures[name].append((ndcg(order, question.answers, TOP), first))
    for name, values in figures.items():
        gains, firsts = zip(*values, strict=True)
        told = f"nDCG@10 {statistics.mean(gains):.3f}, first right {statistics.mean(firsts):.3f}"
        print(f"{name}: {told} ({len(values)} questions)")


if __name__ == "__main__":
    main()
