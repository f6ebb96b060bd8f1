"""Writes trained weights as the folder that the product reads with: 8-bit encoder, words, heads, pieces and card.

    python -m training.export WEIGHTS TARGET --model FOLDER --vocabulary FILE --name NAME [--layers N] [--whole]

The encoder's 8 bits are fitted (:mod:`kb.embedding.runtimes.quantisation`) to windows of the written items. With
``--whole`` the encoder stays in 32 bits: what the 8 bits are compared with.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from kb.core.digest import file_sha256
from kb.embedding.reader import model as reader_model
from kb.embedding.reader.encoding import MAX_TOKENS, Encoder
from kb.embedding.runtimes import onnx_export, quantisation
from training.examples import of_items
from training.items import ITEMS, read
from training.model import Reader, batch_of, continued

FITTED_WINDOWS = 240
SEED = 5
HEADS = ("window", "sentence", "about")
HEAD_PARTS = ("0.weight", "0.bias", "2.weight", "2.bias")


def fitting_inputs(reader: Reader, encoder: Encoder) -> Iterator[dict[str, Any]]:
    """The graph's inputs for some windows of the written items."""
    rng = random.Random(SEED)
    passages = rng.sample(read(ITEMS), FITTED_WINDOWS)
    embeddings = reader.encoder.embeddings
    for example in rng.sample(list(of_items(passages, rng)), FITTED_WINDOWS):
        window = example.windows[0]
        batch = batch_of([encoder.encode(example.question, window.context, window.sentences)])
        with torch.no_grad():
            types = embeddings.token_type_embeddings.weight
            embedded = embeddings.word_embeddings(batch.ids) + (types[1] - types[0]) * batch.types.unsqueeze(-1)
        yield {"embedded": embedded.numpy(), "mask": batch.mask.numpy()}


def write(reader: Reader, vocabulary: Path, target: Path, name: str, *, whole: bool = False) -> None:
    """Write the folder; ``target`` is replaced."""
    with tempfile.TemporaryDirectory() as scratch:
        made = Path(scratch)
        _write_words_and_heads(reader, made)
        shutil.copy(vocabulary, made / reader_model.PIECES_FILE)
        inputs = list(fitting_inputs(reader, Encoder(vocabulary)))
        graph = made / reader_model.GRAPH_FILE
        onnx_export.export(reader.encoder, MAX_TOKENS, made / "whole.onnx")
        if whole:
            shutil.copy(made / "whole.onnx", graph)
        else:
            quantisation.quantise(
                made / "whole.onnx", graph, quantisation.activation_ranges(made / "whole.onnx", inputs)
            )
        onnx_export.with_plain_norms(graph)
        files = {file: file_sha256(made / file) for file in reader_model.FILES}
        card = asdict(reader_model.ReaderCard(name, files))
        (made / reader_model.CARD_FILE).write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
        target.mkdir(parents=True, exist_ok=True)
        for file in (*reader_model.FILES, reader_model.CARD_FILE):
            shutil.copy(made / file, target / file)


def _write_words_and_heads(reader: Reader, made: Path) -> None:
    state = {key: tensor.detach().float().numpy() for key, tensor in reader.state_dict().items()}
    words = state["encoder.embeddings.word_embeddings.weight"]
    scales = np.maximum(np.abs(words).max(axis=1) / 127, 1e-9).astype(np.float32)
    np.save(made / reader_model.WORDS_FILE, np.rint(words / scales[:, None]).astype(np.int8))
    types = state["encoder.embeddings.token_type_embeddings.weight"]
    heads = {"words.scale": scales, "type": types[1] - types[0]}
    for name in HEADS:
        for part in HEAD_PARTS:
            heads[f"{name}.{part}"] = state[f"{name}_head.{part}"].astype(np.float16)
    with (made / reader_model.HEADS_FILE).open("wb") as file:
        np.savez(file, **heads)


def main() -> None:
    """Export, and print the files' sizes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--vocabulary", type=Path, required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--layers", type=int)
    parser.add_argument("--whole", action="store_true")
    options = parser.parse_args()
    reader = continued(options.weights, options.model, options.vocabulary, options.layers)
    write(reader, options.vocabulary, options.target, options.name, whole=options.whole)
    for file in (*reader_model.FILES, reader_model.CARD_FILE):
        print(f"{(options.target / file).stat().st_size / 1e6:6.1f} MB  {file}")


if __name__ == "__main__":
    main()
