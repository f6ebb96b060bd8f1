"""A packaged reader comes back as weights that training can go on from."""

from __future__ import annotations

from importlib.resources import as_file, files
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import BertConfig, BertModel

from kb.embedding.reader import model as reader_model
from kb.embedding.reader.encoding import Encoder
from kb.embedding.reader.model import ReaderModel, Window
from training import unpack
from training.items import ITEMS, read
from training.model import Reader, batch_of

# What 8 bits for activations and weights turn logits by, on average and at most; another model's differ by several.
ROUNDED, ROUNDED_AT_MOST = 0.25, 1.5


def unpacked(folder: Path) -> Reader:
    """The packaged reader in PyTorch, with its own words."""
    words = np.load(folder / reader_model.WORDS_FILE).astype(np.float32)
    with np.load(folder / reader_model.HEADS_FILE) as heads:
        words *= heads["words.scale"][:, None]
    config = BertConfig(
        vocab_size=len(words), hidden_size=384, num_hidden_layers=12, num_attention_heads=12, intermediate_size=1536,
        max_position_embeddings=512, layer_norm_eps=1e-12, pad_token_id=1,
    )  # fmt: skip
    reader = Reader(BertModel(config, add_pooling_layer=False)).eval()
    weights = {**unpack.weights_of(folder), "encoder.embeddings.word_embeddings.weight": torch.from_numpy(words)}
    told = reader.load_state_dict(weights, strict=False)
    assert (told.missing_keys, told.unexpected_keys) == ([], [])
    return reader


@pytest.mark.model
def test_what_is_unpacked_reads_as_the_package_does() -> None:
    with as_file(files("kb.embedding.reader") / "packaged") as folder:
        packaged, reader, encoder = ReaderModel(folder), unpacked(folder), Encoder(folder / reader_model.PIECES_FILE)
        turned: list[float] = []
        for passage in read(ITEMS)[::300]:
            question, sentences = passage.questions[0].text, passage.sentences[:4]
            expected = packaged.read(question, [Window(passage.heading, sentences)])[0]
            with torch.no_grad():
                found = reader(batch_of([encoder.encode(question, passage.heading, sentences)]))
            for one, other in (
                (found.windows, [expected.window]),
                (found.sentences, expected.sentences),
                (found.about, expected.about),
            ):
                turned += np.abs(one.numpy() - np.array(other)).flatten().tolist()
    assert np.mean(turned) < ROUNDED
    assert max(turned) < ROUNDED_AT_MOST


def test_the_rows_of_a_cut_vocabulary_are_found_again() -> None:
    with as_file(files("kb.embedding.reader") / "packaged") as folder:
        pieces = folder / reader_model.PIECES_FILE
        rows = unpack.rows_of(pieces, pieces)
    assert rows.tolist() == list(range(len(rows)))
