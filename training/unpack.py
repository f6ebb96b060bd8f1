"""Makes of a reader in its packaged form what training goes on from: weights, vocabulary and rows.

    python -m training.unpack READER TARGET --model FOLDER

The weights come back from their 8 bits, so that whoever has the package can train further without the weights that it
was made of. ``TARGET`` then has ``weights.pt``, ``pieces.model`` and ``pieces.rows.npy``, as
:mod:`training.train` takes them with ``--begin`` and ``--vocabulary``. The word embedding is the embedding model's own.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sentencepiece import SentencePieceProcessor
from torch import Tensor

from kb.embedding.reader import model as reader_model
from kb.embedding.runtimes.quantisation import product_weights
from training.export import HEAD_PARTS, HEADS

# Where the embedding model has its pieces, in its prepared folder.
WHOLE_PIECES = Path("runtime") / "pieces.model"
TYPES = "encoder.embeddings.token_type_embeddings.weight"

Floats = NDArray[np.float32]


def encoder_weights(graph: Path) -> Iterator[tuple[str, Floats]]:
    """The encoder's weights by name: those kept in 32 bits, and those of its products."""
    import onnx

    model = onnx.load(graph)
    for tensor in model.graph.initializer:
        if tensor.name.startswith("encoder.") and tensor.data_type == onnx.TensorProto.FLOAT:
            yield tensor.name, onnx.numpy_helper.to_array(tensor)
    for output, values in product_weights(model):
        yield f"{_module_of(model, output)}.weight", values.T


def _module_of(model: Any, product: str) -> str:
    """The name of the module whose product a tensor is: that of the bias it is added to."""
    added = next(node for node in model.graph.node if node.op_type == "Add" and product in node.input)
    bias: str = next(name for name in added.input if name != product)
    return bias.removesuffix(".bias")


def weights_of(folder: Path) -> Mapping[str, Tensor]:
    """All that training changes, by the names that :class:`training.model.Reader` has."""
    found = dict(encoder_weights(folder / reader_model.GRAPH_FILE))
    with np.load(folder / reader_model.HEADS_FILE) as heads:
        kept = {name: heads[name].astype(np.float32) for name in heads.files}
    # The packaged words have the second type of token added to the first by this difference.
    found[TYPES] = np.stack([found[TYPES][0], found[TYPES][0] + kept["type"]])
    found |= {f"{head}_head.{part}": kept[f"{head}.{part}"] for head in HEADS for part in HEAD_PARTS}
    return {name: torch.from_numpy(np.array(values)) for name, values in found.items()}


def rows_of(pieces: Path, whole: Path) -> NDArray[np.int32]:
    """The number in the whole vocabulary of each piece of a cut one."""
    cut, every = (SentencePieceProcessor(model_file=str(file)) for file in (pieces, whole))
    numbers = {every.id_to_piece(number): number for number in range(every.get_piece_size())}
    return np.array([numbers[cut.id_to_piece(number)] for number in range(cut.get_piece_size())], dtype=np.int32)


def main() -> None:
    """Unpack."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("reader", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--model", type=Path, required=True, help="the prepared embedding model's folder")
    options = parser.parse_args()
    options.target.mkdir(parents=True, exist_ok=True)
    pieces = options.target / reader_model.PIECES_FILE
    shutil.copy(options.reader / reader_model.PIECES_FILE, pieces)
    np.save(pieces.with_suffix(".rows.npy"), rows_of(pieces, options.model / WHOLE_PIECES))
    torch.save(dict(weights_of(options.reader)), options.target / "weights.pt")
    print(f"{options.target / 'weights.pt'}")


if __name__ == "__main__":
    main()
