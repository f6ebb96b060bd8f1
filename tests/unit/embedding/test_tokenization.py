"""A model's own tokenizer and the pieces written for it, on a small tokenizer made here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Regex, Tokenizer, normalizers, pre_tokenizers, processors
from tokenizers.models import Unigram

from kb.core.errors import ModelDamagedError
from kb.embedding.runtimes.tokenization import TOKENIZER_FILE, OwnTokens, PieceTokens, agree, write_pieces

SPECIAL = ["<s>", "<pad>", "</s>", "<unk>"]
WORDS = [
    "▁",
    "▁kommunen",
    "▁kommune",
    "n",
    "▁data",
    "migrering",
    "▁G",
    "DP",
    "R",
    "e",
    "r",
    "t",
    "k",
    "o",
    "m",
    "u",
    "a",
]
MAX_TOKENS = 12


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("model")
    vocabulary = [(piece, 0.0) for piece in SPECIAL] + [(piece, -1.0 - at / 10) for at, piece in enumerate(WORDS)]
    tokenizer = Tokenizer(Unigram(vocabulary, unk_id=3, byte_fallback=False))
    tokenizer.add_special_tokens(SPECIAL)
    tokenizer.normalizer = normalizers.Sequence([
        normalizers.Replace(Regex(r"[\x{1}\x{7F}]"), ""),
        normalizers.Replace(Regex(r"[\x{9}\x{A}\x{200B}]"), " "),
        normalizers.NFKC(),
        normalizers.Replace(Regex(" {2,}"), " "),
    ])  # fmt: skip
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    ends = [("<s>", 0), ("</s>", 2)]
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=ends)
    tokenizer.save(str(made / TOKENIZER_FILE))
    return made


@pytest.fixture(scope="module")
def both(folder: Path) -> tuple[OwnTokens, PieceTokens]:
    pieces = write_pieces(folder, folder / "pieces.model")
    assert pieces is not None
    return OwnTokens(folder, MAX_TOKENS), PieceTokens(folder / "pieces.model", pieces, MAX_TOKENS)


@given(text=st.text(alphabet="komunedatG DPRæﬁ\n\t\u200b\x01-.", max_size=60))
def test_the_pieces_give_the_tokenizers_tokens(text: str, both: tuple[OwnTokens, PieceTokens]) -> None:
    own, pieces = both
    assert pieces.ids(text) == own.ids(text)
    assert pieces.count(text) == own.count(text)


def test_tokens_are_cut_to_what_the_model_takes_between_its_special_ones(both: tuple[OwnTokens, PieceTokens]) -> None:
    for tokens in both:
        assert len(tokens.ids("kommunen " * 40)) == MAX_TOKENS
        assert tokens.ids("kommunen " * 40)[-1] == 2
        assert tokens.count("kommunen " * 40) > MAX_TOKENS


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("normalizer", {"type": "Lowercase"}),
        ("pre_tokenizer", {"type": "Whitespace"}),
        ("post_processor", None),
        ("model", {"type": "BPE"}),
    ],
)
def test_a_tokenizer_of_another_make_is_left_as_it_is(folder: Path, tmp_path: Path, part: str, change: Any) -> None:
    described = json.loads((folder / TOKENIZER_FILE).read_text(encoding="utf-8"))
    described[part] = change
    (tmp_path / TOKENIZER_FILE).write_text(json.dumps(described), encoding="utf-8")
    assert write_pieces(tmp_path, tmp_path / "pieces.model") is None
    assert not (tmp_path / "pieces.model").exists()


def test_pieces_that_split_a_text_otherwise_are_told_from_the_tokenizer(
    folder: Path, tmp_path: Path, both: tuple[OwnTokens, PieceTokens]
) -> None:
    described = json.loads((folder / TOKENIZER_FILE).read_text(encoding="utf-8"))
    described["model"]["vocab"][5][1] = -90.0
    (tmp_path / TOKENIZER_FILE).write_text(json.dumps(described), encoding="utf-8")
    other = OwnTokens(tmp_path, MAX_TOKENS)
    assert agree(both[0], both[1], ["kommunen", "data"])
    assert not agree(other, both[1], ["data", "kommunen"])


def test_a_damaged_file_of_pieces_is_told_of(tmp_path: Path, folder: Path) -> None:
    pieces = write_pieces(folder, tmp_path / "pieces.model")
    assert pieces is not None
    (tmp_path / "pieces.model").write_bytes(b"ikke stykker")
    with pytest.raises(ModelDamagedError, match=r"pieces\.model"):
        PieceTokens(tmp_path / "pieces.model", pieces, MAX_TOKENS).ids("kommunen")
