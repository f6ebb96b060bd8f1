"""The reader in PyTorch: a small one learns, and a batch's filling changes nothing."""

import torch
from transformers import BertConfig, BertModel

from kb.embedding.reader.encoding import Encoded
from training.model import Reader, batch_of

SHORT = Encoded((0, 5, 2, 2, 6, 2, 7, 8, 9, 2), (0, 0, 0, 0, 1, 1, 1, 1, 1, 1), ((6, 8), (8, 9)))
LONG = Encoded((0, 5, 2, 2, 6, 2, *range(10, 30), 2), (0,) * 4 + (1,) * 23, ((6, 16), (16, 26)))


def small() -> Reader:
    torch.manual_seed(1)
    config = BertConfig(
        vocab_size=40, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=64, pad_token_id=1,
    )  # fmt: skip
    return Reader(BertModel(config, add_pooling_layer=False)).eval()


def test_a_window_s_scores_do_not_hang_on_longer_neighbours() -> None:
    reader = small()
    with torch.no_grad():
        alone, beside = reader(batch_of([SHORT])), reader(batch_of([SHORT, LONG]))
    torch.testing.assert_close(alone.windows[0], beside.windows[0], atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(alone.sentences, beside.sentences[:2], atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(alone.about, beside.about[:2], atol=1e-5, rtol=1e-4)


def test_products_in_bfloat16_change_a_score_by_little_and_can_be_learnt_from() -> None:
    reader = small()
    with torch.no_grad():
        whole = reader(batch_of([SHORT, LONG]))
    reader.in_bfloat16 = True
    half = reader(batch_of([SHORT, LONG]))
    assert half.windows.dtype == torch.float32
    assert not torch.equal(half.windows, whole.windows)
    torch.testing.assert_close(half.windows, whole.windows, atol=0.02, rtol=0.02)
    torch.testing.assert_close(half.sentences, whole.sentences, atol=0.02, rtol=0.02)
    torch.autograd.backward(half.windows.sum())
    assert all(tensor.grad is not None for name, tensor in reader.named_parameters() if name.startswith("window"))


def test_every_sentence_has_a_score() -> None:
    with torch.no_grad():
        scores = small()(batch_of([SHORT, LONG]))
    assert scores.windows.shape == (2,)
    assert scores.sentences.shape == (4,)
    assert scores.about.shape == (4, 4)
