"""Cuts the embedding model's 250,000 pieces to those that the texts of five languages use.

    python -m training.vocabulary MODEL_FOLDER TARGET TEXT_FILE...

A piece is kept when the texts use it often enough, when it is one character of the Latin script, a digit or a mark, or
when it is special. The pieces keep their scores, so that a kept text is split as before. Beside ``TARGET`` (a
sentencepiece model) stand its rows: the kept pieces' numbers in the embedding model.
"""

from __future__ import annotations

import argparse
import unicodedata
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from sentencepiece import SentencePieceProcessor, sentencepiece_model_pb2

SPECIAL = 4
LEAST_USES = 3


def used(pieces: Path, texts: list[Path]) -> Counter[int]:
    """How often each piece of the model is used in the texts, line by line."""
    processor = SentencePieceProcessor(model_file=str(pieces))
    counts: Counter[int] = Counter()
    for path in texts:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        for start in range(0, len(lines), 1000):
            block = [" " + unicodedata.normalize("NFKC", line) for line in lines[start : start + 1000]]
            for ids in processor.encode(block):
                counts.update(ids)
    return counts


def cut(pieces: Path, counts: Counter[int], target: Path, most: int) -> int:
    """Write the cut model and its rows; how many pieces were kept."""
    form: Any = sentencepiece_model_pb2
    proto = form.ModelProto()
    proto.ParseFromString(pieces.read_bytes())
    always = {number for number, piece in enumerate(proto.pieces) if number < SPECIAL or _is_plain(piece.piece)}
    often = [number for number, uses in counts.most_common() if uses >= LEAST_USES and number not in always]
    rows = sorted(always | set(often[: most - len(always)]))
    kept = [proto.pieces[number] for number in rows]
    del proto.pieces[:]
    proto.pieces.extend(kept)
    proto.trainer_spec.vocab_size = len(kept)
    target.write_bytes(proto.SerializeToString())
    np.save(target.with_suffix(".rows.npy"), np.array(rows, dtype=np.int32))
    return len(kept)


def _is_plain(piece: str) -> bool:
    """Whether a piece is one character that European texts write."""
    text = piece.removeprefix("\u2581")
    return len(text) <= 1 and all(ord(char) < 0x250 or 0x2000 <= ord(char) < 0x2200 for char in text)


def main() -> None:
    """Cut, and print how many pieces were kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pieces", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("texts", type=Path, nargs="+")
    parser.add_argument("--most", type=int, default=36_000)
    options = parser.parse_args()
    print(cut(options.pieces, used(options.pieces, options.texts), options.target, options.most))


if __name__ == "__main__":
    main()
