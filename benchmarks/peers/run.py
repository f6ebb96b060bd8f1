"""Ranks an exported set with the peers, on given vectors; run by ``benchmarks/quality.py`` in the peers' environment.

    python run.py FOLDER      texts.json, vectors.npy and queries.npy in, ranked.json out

txtai is asked at its hybrid defaults, and with its own tokens stemmed beforehand by Snowball's Danish stemmer, which
its settings do not offer. LanceDB is asked hybrid at its defaults, and with its full-text index set to Danish (stems,
stop words, no folding of æ, ø and å). Each answers with its 200 best passages.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import lancedb
import numpy as np
import Stemmer
import txtai
from numpy.typing import NDArray

TOP = 200


def main(folder: Path) -> None:
    """Ask every peer every question."""
    texts = json.loads((folder / "texts.json").read_text(encoding="utf-8"))
    passages, questions = texts["passages"], texts["queries"]
    vectors, asked = np.load(folder / "vectors.npy"), np.load(folder / "queries.npy")
    stemmed = [stems(text) for text in passages], [stems(text) for text in questions]
    ranked = {
        "txtai hybrid, at its defaults": list(ask_txtai(passages, questions, vectors, asked)),
        "txtai hybrid, Danish stems": list(ask_txtai(*stemmed, vectors, asked)),
        "LanceDB hybrid, at its defaults": list(ask_lancedb(passages, questions, vectors, asked, {})),
        "LanceDB hybrid, set to Danish": list(
            ask_lancedb(passages, questions, vectors, asked, {"language": "Danish", "ascii_folding": False})
        ),
    }
    (folder / "ranked.json").write_text(json.dumps(ranked), encoding="utf-8")


def stems(text: str) -> str:
    """A text's words as Danish stems."""
    return " ".join(Stemmer.Stemmer("danish").stemWords(re.findall(r"\w+", text.lower())))


def ask_txtai(
    passages: Sequence[str], questions: Sequence[str], vectors: NDArray[np.float32], asked: NDArray[np.float32]
) -> Iterator[list[int]]:
    """txtai's hybrid index (BM25 and vectors, weighted equally), fed with vectors made elsewhere."""
    known = {("data", text): vector for text, vector in zip(passages, vectors, strict=True)}
    known |= {("query", text): vector for text, vector in zip(questions, asked, strict=True)}
    # Two passages may have the same text, and then have the same vector too.
    category = ["data"]

    def transform(inputs: Sequence[str]) -> NDArray[np.float32]:
        return np.stack([known[category[0], text] for text in inputs])

    embeddings = txtai.Embeddings(method="external", transform=transform, hybrid=True)
    embeddings.index([(number, text, None) for number, text in enumerate(passages)])
    category[0] = "query"
    for question in questions:
        yield [int(number) for number, _ in embeddings.search(question, TOP)]


def ask_lancedb(
    passages: Sequence[str],
    questions: Sequence[str],
    vectors: NDArray[np.float32],
    asked: NDArray[np.float32],
    settings: dict[str, object],
) -> Iterator[list[int]]:
    """LanceDB's hybrid search (full text and vectors by cosine, fused by reciprocal ranks)."""
    with tempfile.TemporaryDirectory() as place:
        rows = [
            {"row": row, "text": text, "vector": vector.tolist()}
            for row, (text, vector) in enumerate(zip(passages, vectors, strict=True))
        ]
        table = lancedb.connect(place).create_table("passages", rows)
        table.create_fts_index("text", **settings)
        for question, vector in zip(questions, asked, strict=True):
            # The query language's own characters are no part of a question.
            words = " ".join(re.findall(r"\w+", question))
            search = table.search(query_type="hybrid").vector(vector.tolist()).text(words).distance_type("cosine")
            yield [int(row["row"]) for row in search.limit(TOP).to_list()]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
