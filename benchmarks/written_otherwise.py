"""What other spellings, joined neighbours and correction are worth where people write so.

    python -m benchmarks.written_otherwise [SET_DIR ...]

The evaluation sets hold next to no questions that these three are for, so their rows in ``docs/quality.md`` say little.
Here the sets' own questions are written otherwise: æ, ø and å as ae, oe and aa; a compound as two words; two letters of
the longest word swapped. Only questions that this changes are asked, all mechanisms at work and then without the
one; the vectors are of the questions as they are then written. Prints a table for docs/decisions/search.md.
"""

from __future__ import annotations

import random
import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.quality import ALL, SETS, Prepared, Query, Row, prepare_beir, search
from kb.core.settings import load_settings
from kb.embedding.embedder import Embedder, load_embedder
from kb.evaluation import metrics
from kb.index import lexical
from kb.index.lexical import LexicalIndex
from kb.language.vocabulary import Vocabulary

ROOT = Path(__file__).parent.parent
MOST_QUESTIONS = 300
SHORTEST_PART = 4
SHORTEST_MISSPELT = 7
_WORD = re.compile(r"[^\W\d_]+")
_PLAIN = str.maketrans({"æ": "ae", "ø": "oe", "å": "aa", "Æ": "Ae", "Ø": "Oe", "Å": "Aa"})
_chance = random.Random(8)  # noqa: S311 - misspellings, not secrets

Rewrite = Callable[[str, Vocabulary], str]


def with_plain_letters(question: str, _: Vocabulary) -> str:
    """The question without æ, ø and å."""
    return question.translate(_PLAIN)


def written_apart(question: str, vocabulary: Vocabulary) -> str:
    """The question with compounds of two known words written as those."""
    return _WORD.sub(lambda found: _apart(found.group(), vocabulary), question)


def _apart(word: str, vocabulary: Vocabulary) -> str:
    for at in range(SHORTEST_PART, len(word) - SHORTEST_PART + 1):
        first, rest = word[:at].lower(), word[at:].lower()
        if vocabulary.knows(word.lower()) and vocabulary.knows(first) and vocabulary.knows(rest):
            return f"{first} {rest}"
    return word


def misspelt(question: str, _: Vocabulary) -> str:
    """The question with two neighbouring letters of its longest word swapped, not the first."""
    longest = max(_WORD.findall(question), key=len, default="")
    if len(longest) < SHORTEST_MISSPELT:
        return question
    at = _chance.randrange(1, len(longest) - 2)
    swapped = longest[:at] + longest[at + 1] + longest[at] + longest[at + 2 :]
    return question.replace(longest, swapped, 1)


CASES: Sequence[tuple[str, Rewrite, Row]] = (
    ("ae, oe and aa; without other spellings", with_plain_letters, Row("", use=replace(ALL, spellings=False))),
    ("compounds written apart; without joining neighbours", written_apart, Row("", use=replace(ALL, joined=False))),
    ("the longest word misspelt; without correction", misspelt, Row("", use=replace(ALL, corrections=False))),
)


def measure(prepared: Prepared, embedder: Embedder, scratch: Path) -> Iterator[tuple[str, int, float, float, float]]:
    """For each case its name, how many questions change, and nDCG@10 before, rewritten, and without the mechanism."""
    lexical.build(scratch / "lexical", prepared.entries, ALL)
    whole = LexicalIndex.open(scratch / "lexical", ALL, lexical.NGRAM_WEIGHT)
    for name, rewrite, without in CASES:
        pairs = ((query, rewrite(query.text, whole.analyser.vocabulary)) for query in prepared.queries)
        changed = [(query, text) for query, text in pairs if text != query.text][:MOST_QUESTIONS]
        vectors = embedder.embed_queries([text for _, text in changed])
        written = [
            replace(query, text=text, vector=vector) for (query, text), vector in zip(changed, vectors, strict=True)
        ]
        lacking = LexicalIndex.open(scratch / "lexical", without.use, lexical.NGRAM_WEIGHT)
        found = (
            _quality(prepared, Row(""), whole, [query for query, _ in changed]),
            _quality(prepared, Row(""), whole, written),
            _quality(prepared, without, lacking, written),
        )
        yield name, len(changed), *found


def _quality(prepared: Prepared, row: Row, index: LexicalIndex, asked: Sequence[Query]) -> float:
    """The mean nDCG@10 of one way to search."""
    scores = []
    for query in asked:
        passages = search(row, prepared.vectors, index, query)
        documents = list(dict.fromkeys(prepared.documents[passage] for passage in passages))
        scores.append(metrics.ndcg(documents, query.judged))
    return metrics.mean(scores)


def main(arguments: Sequence[str]) -> None:
    """Measure the named sets (else all there are) and print the table."""
    settings = load_settings()
    shared = ROOT.parent / "shared" / "eval"
    folders = [Path(name) for name in arguments] or [shared / name for name in SETS if (shared / name).is_dir()]
    print("| set | questions written otherwise | number | as they stood | rewritten | without the mechanism |")
    print("|---|---|---|---|---|---|")
    for folder in folders:
        prepared = prepare_beir(folder, settings)
        with tempfile.TemporaryDirectory() as scratch:
            for name, number, *scores in measure(prepared, load_embedder(settings), Path(scratch)):
                cells = " | ".join(f"{score:.3f}" for score in scores)
                print(f"| {folder.name} | {name} | {number} | {cells} |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
