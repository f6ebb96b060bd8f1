"""Turns a question and a window of a report into the tokens the reader model takes.

The layout is ``<s> question </s></s> title and headings </s> sentence sentence ... </s>``. Every part is split on its
own, so that a sentence's tokens do not depend on its neighbours and its span is known exactly. The question and the
separators behind it have token type 0, the window has type 1. Training and inference share this module: a model only
reads well what is written as it was in training.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sentencepiece import SentencePieceProcessor

# Token numbers that the cut vocabulary keeps from the embedding model.
BEGIN, PAD, END = 0, 1, 2
MAX_TOKENS = 256
MAX_QUESTION = 48
MAX_CONTEXT = 32
# A sentence longer than this is cut: what follows it must have room.
MAX_SENTENCE = 120
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u00ad\u200b-\u200f\ufeff]")


@dataclass(frozen=True, slots=True)
class Encoded:
    """One question with one window: ``ids`` and ``types`` (same length), and each sentence's ``[start, end)`` tokens.

    ``spans`` may be fewer than the sentences given: those that did not fit in :data:`MAX_TOKENS` are left out.
    """

    ids: tuple[int, ...]
    types: tuple[int, ...]
    spans: tuple[tuple[int, int], ...]


class Encoder:
    """Splits texts by the reader's own vocabulary, a sentencepiece model of unigram pieces."""

    def __init__(self, vocabulary: Path) -> None:
        self._pieces = SentencePieceProcessor(model_file=str(vocabulary))

    def ids(self, text: str) -> list[int]:
        """The tokens of a text, without special tokens."""
        plain = " ".join(_CONTROL.sub("", unicodedata.normalize("NFKC", text)).split())
        ids: list[int] = self._pieces.encode(f" {plain}") if plain else []
        return ids

    def encode(self, question: str, context: str, sentences: Sequence[str]) -> Encoded:
        """A question with a window: its title and headings as ``context`` and its ``sentences`` in order."""
        return self.join(self.ids(question), self.ids(context), [self.ids(sentence) for sentence in sentences])

    @staticmethod
    def join(question: Sequence[int], context: Sequence[int], sentences: Sequence[Sequence[int]]) -> Encoded:
        """The same from tokens that are known already."""
        ids = [BEGIN, *question[:MAX_QUESTION], END, END]
        types = [0] * len(ids)
        # The last heading says most of where a window stands.
        ids += [*context[-MAX_CONTEXT:], END]
        spans = []
        for sentence in sentences:
            cut = sentence[:MAX_SENTENCE]
            if len(ids) + len(cut) + 1 > MAX_TOKENS:
                break
            spans.append((len(ids), len(ids) + len(cut)))
            ids += cut
        ids.append(END)
        types += [1] * (len(ids) - len(types))
        return Encoded(tuple(ids), tuple(types), tuple(spans))
