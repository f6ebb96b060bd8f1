"""The reader model in PyTorch: the embedding model's encoder with heads for windows, sentences and about whom.

One pass over a question and a window (:mod:`kb.embedding.reader.encoding`) gives three things: a logit that the window
answers, a logit for each sentence that it does, and four logits a sentence for about whom it speaks. The window head
sees the first token's state and the mean of all; the sentence heads see the mean of the sentence's states. Word
embeddings are those of the cut vocabulary and stay as they are.

With ``in_bfloat16`` the encoder's products are made in bfloat16, which a processor that can (AMX) makes three times as
quickly; weights, attention and heads stay as they are. A step takes .44 of the time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from kb.embedding.reader.encoding import PAD, Encoded

ABOUT_KINDS = 4
# Few shapes of batches: for every new one oneDNN compiles its products anew, which takes longer than making them.
WIDTHS = 32


@dataclass(frozen=True, slots=True)
class Batch:
    """Windows as the model takes them; ``spans`` are (row, start, end) of every sentence of the batch, in order."""

    ids: Tensor
    types: Tensor
    mask: Tensor
    spans: Tensor


@dataclass(frozen=True, slots=True)
class Scores:
    """Logits: ``windows`` (rows), ``sentences`` (spans), ``about`` (spans, 4)."""

    windows: Tensor
    sentences: Tensor
    about: Tensor


class Reader(nn.Module):
    """The encoder with its heads; ``encoder`` is a BertModel without pooler whose word embeddings are cut."""

    def __init__(self, encoder: Any) -> None:
        super().__init__()
        self.encoder = encoder
        self.in_bfloat16 = False
        width = encoder.config.hidden_size
        self.window_head = nn.Sequential(nn.Linear(2 * width, width), nn.GELU(), nn.Linear(width, 1))
        self.sentence_head = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.Linear(width, 1))
        self.about_head = nn.Sequential(nn.Linear(width, width // 2), nn.GELU(), nn.Linear(width // 2, ABOUT_KINDS))
        self.encoder.embeddings.word_embeddings.weight.requires_grad = False

    def hidden(self, batch: Batch) -> Tensor:
        """The states of all tokens: (rows, width in tokens, dimension)."""
        with torch.autocast("cpu", torch.bfloat16, enabled=self.in_bfloat16):
            found: Tensor = self.encoder(
                input_ids=batch.ids, attention_mask=batch.mask, token_type_ids=batch.types
            ).last_hidden_state
        return found.float()

    def forward(self, batch: Batch) -> Scores:
        """All logits of a batch."""
        hidden = self.hidden(batch)
        weights = batch.mask.unsqueeze(-1).to(hidden.dtype)
        mean = (hidden * weights).sum(1) / weights.sum(1)
        windows = self.window_head(torch.cat([hidden[:, 0], mean], dim=-1)).squeeze(-1)
        sentences = sentence_means(hidden, batch.spans)
        return Scores(windows, self.sentence_head(sentences).squeeze(-1), self.about_head(sentences))


def sentence_means(hidden: Tensor, spans: Tensor) -> Tensor:
    """The mean of each sentence's tokens: (spans, dimension)."""
    sums = torch.cat([torch.zeros_like(hidden[:, :1]), hidden.cumsum(1)], dim=1)
    rows, starts, ends = spans.unbind(1)
    return (sums[rows, ends] - sums[rows, starts]) / (ends - starts).clamp(min=1).unsqueeze(-1)


def batch_of(encoded: Sequence[Encoded]) -> Batch:
    """Windows filled up to the longest, in steps of :data:`WIDTHS` tokens."""
    width = -(-max(len(one.ids) for one in encoded) // WIDTHS) * WIDTHS
    ids = torch.full((len(encoded), width), PAD)
    types = torch.zeros_like(ids)
    mask = torch.zeros_like(ids)
    spans = []
    for row, one in enumerate(encoded):
        ids[row, : len(one.ids)] = torch.tensor(one.ids)
        types[row, : len(one.types)] = torch.tensor(one.types)
        mask[row, : len(one.ids)] = 1
        spans += [(row, start, end) for start, end in one.spans]
    return Batch(ids, types, mask, torch.tensor(spans, dtype=torch.long).reshape(-1, 3))


def start(folder: Path, rows: Path, layers: int | None = None) -> Reader:
    """A reader with the weights of the embedding model in ``folder`` and fresh heads.

    ``rows`` are the kept pieces' numbers; ``layers`` keeps that many of the encoder's layers, spread evenly.
    """
    from transformers import AttentionInterface, AttentionMaskInterface, BertModel
    from transformers.masking_utils import sdpa_mask

    AttentionInterface.register("whole", _whole_attention)
    AttentionMaskInterface.register("whole", sdpa_mask)
    # No dropout: a window is hardly seen twice, and on a processor it costs a quarter of the pace.
    encoder = BertModel.from_pretrained(
        str(folder), add_pooling_layer=False, attn_implementation="whole",
        hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,
    )  # fmt: skip
    words = encoder.embeddings.word_embeddings.weight.detach()[torch.from_numpy(np.load(rows)).long()]
    encoder.embeddings.word_embeddings = nn.Embedding(len(words), words.shape[1], PAD, _weight=words.clone())
    # The embedding model knows one type of token: the window's begins as a copy.
    types = encoder.embeddings.token_type_embeddings.weight
    with torch.no_grad():
        types[1] = types[0]
    encoder.config.vocab_size = len(words)
    if layers is not None:
        every = np.linspace(0, len(encoder.encoder.layer) - 1, layers).round().astype(int)
        encoder.encoder.layer = nn.ModuleList(encoder.encoder.layer[int(place)] for place in every)
        encoder.config.num_hidden_layers = layers
    return Reader(encoder)


def _whole_attention(
    module: nn.Module, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, **options: Any
) -> tuple[Tensor, None]:
    """Attention in whole precision: in bfloat16 its way back takes four times as long on a processor (torch 2.13)."""
    from transformers.integrations.sdpa_attention import sdpa_attention_forward

    with torch.autocast("cpu", enabled=False):
        states, _ = sdpa_attention_forward(module, query.float(), key.float(), value.float(), mask, **options)
    return states, None


def continued(weights: Path, folder: Path, vocabulary: Path, layers: int | None = None) -> Reader:
    """A reader with weights that were trained before; the rest as at its :func:`start`."""
    reader = start(folder, vocabulary.with_suffix(".rows.npy"), layers)
    reader.load_state_dict(torch.load(weights, weights_only=True), strict=False)
    return reader


def trained(reader: Reader) -> Mapping[str, Tensor]:
    """The weights that training changes: all but the word embeddings."""
    return {name: tensor for name, tensor in reader.state_dict().items() if "word_embeddings" not in name}
