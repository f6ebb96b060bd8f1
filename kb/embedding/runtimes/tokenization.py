"""Texts to a model's tokens: by its own tokenizer, or by sentencepiece where that gives the very same.

The tokenizer that comes with a multilingual model takes a second and 280 MB to read its 250,000 pieces; sentencepiece
takes a third of the time and a quarter of the memory, and splits texts three times as quickly. So when a model is
prepared, a tokenizer of pieces with a score each (unigram) is written as a sentencepiece model, with what it does to
a text beforehand as :class:`Pieces`. It is used when it gives the same tokens for every text that it is tried on.
"""

from __future__ import annotations

import json
import re
import threading
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from kb.core.errors import ModelDamagedError

TOKENIZER_FILE = "tokenizer.json"
# How a tokenizer's patterns write a character; Python writes it otherwise.
_CODE_POINT = re.compile(r"\\x\{([0-9A-Fa-f]+)\}")
UNICODE_FORMS = ("NFC", "NFD", "NFKC", "NFKD")


class Tokens(Protocol):
    """A model's tokenizer; several threads may ask at once."""

    def count(self, text: str) -> int:
        """How many tokens ``text`` takes, special tokens included, with nothing cut off."""
        ...

    def ids(self, text: str) -> list[int]:
        """The tokens of ``text``, special tokens included, cut to the longest that the model takes."""
        ...


@dataclass(frozen=True, slots=True)
class Pieces:
    """What a sentencepiece model is used with: the ``steps`` done to a text beforehand, and the special tokens.

    A step is the name of a Unicode form, or a pattern with what to put in its place.
    """

    steps: tuple[str | tuple[str, str], ...]
    before: tuple[int, ...]
    after: tuple[int, ...]


class OwnTokens:
    """The tokenizer that came with the model in ``folder``, read when it is first asked."""

    def __init__(self, folder: Path, max_tokens: int) -> None:
        self._file = folder / TOKENIZER_FILE
        self._max_tokens = max_tokens
        self._lock = threading.Lock()
        self._tokenizer: Any = None

    def count(self, text: str) -> int:
        """How many tokens ``text`` takes, special tokens included, with nothing cut off."""
        return len(self._loaded().encode(text))

    def ids(self, text: str) -> list[int]:
        """The tokens of ``text``, special tokens included, cut to the longest that the model takes."""
        tokenizer = self._loaded()
        encoding = tokenizer.encode(text, add_special_tokens=False)
        encoding.truncate(self._max_tokens - tokenizer.num_special_tokens_to_add(False))
        ids: list[int] = tokenizer.post_process(encoding).ids
        return ids

    def _loaded(self) -> Any:
        with self._lock:
            if self._tokenizer is None:
                from tokenizers import Tokenizer

                self._tokenizer = Tokenizer.from_file(str(self._file))
                self._tokenizer.no_truncation()
                self._tokenizer.no_padding()
        return self._tokenizer


class PieceTokens:
    """A sentencepiece model that stands for the model's own tokenizer, read when it is first asked.

    Raises :class:`ModelDamagedError` when it cannot be read.
    """

    def __init__(self, file: Path, pieces: Pieces, max_tokens: int) -> None:
        self._file = file
        self._pieces = pieces
        self._steps = [_as_function(step) for step in pieces.steps]
        self._most = max_tokens - len(pieces.before) - len(pieces.after)
        self._lock = threading.Lock()
        self._model: Any = None

    def count(self, text: str) -> int:
        """How many tokens ``text`` takes, special tokens included, with nothing cut off."""
        return len(self._pieces.before) + len(self._split(text)) + len(self._pieces.after)

    def ids(self, text: str) -> list[int]:
        """The tokens of ``text``, special tokens included, cut to the longest that the model takes."""
        return [*self._pieces.before, *self._split(text)[: self._most], *self._pieces.after]

    def _split(self, text: str) -> list[int]:
        for step in self._steps:
            text = step(text)
        # The first word has a space in front of it as the others have.
        ids: list[int] = self._loaded().encode(f" {text}" if text and not text.startswith(" ") else text)
        return ids

    def _loaded(self) -> Any:
        with self._lock:
            if self._model is None:
                from sentencepiece import SentencePieceProcessor

                try:
                    self._model = SentencePieceProcessor(model_file=str(self._file))
                except (OSError, RuntimeError) as error:
                    raise ModelDamagedError(f"Sprogmodellens fil {self._file.name} kan ikke læses.") from error
        return self._model


def _as_function(step: str | tuple[str, str]) -> Callable[[str], str]:
    if isinstance(step, tuple):
        return partial(re.compile(step[0]).sub, step[1])
    form: Any = step  # one of UNICODE_FORMS
    return partial(unicodedata.normalize, form)


def write_pieces(folder: Path, target: Path) -> Pieces | None:
    """Write the tokenizer of the model in ``folder`` as a sentencepiece model; None when it is not of a known make."""
    described = json.loads((folder / TOKENIZER_FILE).read_text(encoding="utf-8"))
    pieces = _read(described)
    if pieces is not None:
        target.write_bytes(_model(described))
    return pieces


def agree(one: Tokens, other: Tokens, texts: Iterable[str]) -> bool:
    """Whether both give the same tokens for every text."""
    return all(one.ids(text) == other.ids(text) and one.count(text) == other.count(text) for text in texts)


def _read(described: Mapping[str, Any]) -> Pieces | None:
    """What has to be done around the pieces; None where the tokenizer does anything not known here."""
    model, before = described["model"], described["pre_tokenizer"] or {}
    known = model["type"] == "Unigram" and not model.get("byte_fallback") and model.get("unk_id") is not None
    spaced = before.get("type") == "Metaspace" and before.get("prepend_scheme") == "always" and before.get("split")
    steps = _steps(described["normalizer"])
    special = _special(described["post_processor"] or {})
    if not known or not spaced or steps is None or special is None:
        return None
    return Pieces(steps, *special)


def _steps(normalizer: Mapping[str, Any] | None) -> tuple[str | tuple[str, str], ...] | None:
    """What is done to a text, in order; None where anything is not known here."""
    parts: Sequence[Mapping[str, Any]] = (normalizer or {}).get("normalizers", [normalizer] if normalizer else [])
    steps: list[str | tuple[str, str]] = []
    for part in parts:
        step = part["type"] if part["type"] in UNICODE_FORMS else _replacement(part)
        if step is None:
            return None
        steps.append(step)
    return tuple(steps)


def _replacement(part: Mapping[str, Any]) -> tuple[str, str] | None:
    """A pattern as Python writes it, and what to put in its place."""
    if part["type"] != "Replace":
        return None
    pattern = part["pattern"]
    plain = re.escape(pattern.get("String", ""))
    written = plain or _CODE_POINT.sub(lambda match: re.escape(chr(int(match[1], 16))), pattern["Regex"])
    try:
        re.compile(written)
    except re.error:
        return None
    return written, part["content"].replace("\\", r"\\")


def _special(processor: Mapping[str, Any]) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
    """The special tokens in front of a text and after it."""
    if processor.get("type") != "TemplateProcessing":
        return None
    numbers = {name: special["ids"] for name, special in processor["special_tokens"].items()}
    parts: Sequence[Mapping[str, Any]] = processor["single"]
    place = next(index for index, part in enumerate(parts) if "Sequence" in part)
    front, back = (
        tuple(number for part in some for number in numbers[part["SpecialToken"]["id"]])
        for some in (parts[:place], parts[place + 1 :])
    )
    return front, back


def _model(described: Mapping[str, Any]) -> bytes:
    """The pieces and their scores as sentencepiece keeps them."""
    from sentencepiece import sentencepiece_model_pb2

    form: Any = sentencepiece_model_pb2  # its stub does not know of what it defines when it is imported
    special = {token["content"] for token in described["added_tokens"]}
    unknown = described["model"]["unk_id"]
    model = form.ModelProto()
    kinds = form.ModelProto.SentencePiece
    for number, (piece, score) in enumerate(described["model"]["vocab"]):
        kind = kinds.UNKNOWN if number == unknown else kinds.CONTROL if piece in special else kinds.NORMAL
        model.pieces.add(piece=piece, score=score, type=kind)
    trained, normal = model.trainer_spec, model.normalizer_spec
    trained.model_type, trained.vocab_size, trained.unk_id = trained.UNIGRAM, len(model.pieces), unknown
    trained.unk_piece = described["model"]["vocab"][unknown][0]
    # There need be none at the ends of a text or as padding: they are put there by number.
    trained.bos_id = trained.eos_id = trained.pad_id = -1
    normal.name, normal.add_dummy_prefix = "identity", False
    normal.remove_extra_whitespaces, normal.escape_whitespaces = False, True
    content: bytes = model.SerializeToString()
    return content
