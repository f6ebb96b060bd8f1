"""The way from a model to its exported graphs, on a small model of two layers made here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kb.core.settings import Settings
from kb.embedding import model_store
from kb.embedding.embedder import ModelEmbedder
from kb.embedding.model_store import DEFAULT_MODEL
from kb.embedding.runtimes import choice, onnx_export, quantisation
from kb.embedding.runtimes.choice import GRAPHS, GRAPHS_FOLDER, MOST_SWAY, Name, Purpose

pytestmark = [
    pytest.mark.model,
    # sentence-transformers moves its modules about; both places are in the versions we take.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

WORDS = ["hvordan", "håndterede", "projekterne", "gdpr", "kommunen", "fik", "støtte", "post", "og", "mails"]
SPECIAL = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
TEXTS = [" ".join(WORDS[:count]) for count in (1, 3, 6, 10)] + [" ".join(WORDS * 9)]


def _sentence_transformer(folder: Path, *, pooling: str) -> Path:
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.models import Normalize, Pooling, Transformer
    from tokenizers import Tokenizer, pre_tokenizers, processors
    from tokenizers.models import WordLevel
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    torch.manual_seed(7)
    words = [*SPECIAL.values(), "query:", "passage:", *WORDS]
    vocabulary = {word: number for number, word in enumerate(words)}
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token=SPECIAL["unk_token"]))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    ends = [(name, vocabulary[name]) for name in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ends)
    wrapped = PreTrainedTokenizerFast(tokenizer_object=tokenizer, **SPECIAL)
    sizes: dict[str, Any] = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
    config = BertConfig(
        vocab_size=len(vocabulary), intermediate_size=64, max_position_embeddings=64, pad_token_id=0, **sizes
    )
    plain = folder / "plain"
    BertModel(config).save_pretrained(plain)
    wrapped.save_pretrained(plain)
    modules = [Transformer(str(plain), max_seq_length=64), Pooling(32, pooling_mode=pooling), Normalize()]
    target = folder / f"lille-{pooling}"
    prompts = {"query": "query: ", "document": "passage: "}
    SentenceTransformer(modules=modules, prompts=prompts, device="cpu").save(str(target))
    return target


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("model")
    return Settings(index_dir=folder / "index", state_dir=folder / "state")


@pytest.fixture(scope="module", params=["mean", "cls"])
def folder(request: pytest.FixtureRequest, settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    source = _sentence_transformer(tmp_path_factory.mktemp("source"), pooling=request.param)
    card = model_store.use(str(source), settings)
    return settings.models_dir / card.name


def _vectors(folder: Path, name: Name) -> dict[str, np.ndarray]:
    embedder = ModelEmbedder(folder, dict.fromkeys(Purpose, name))
    return {"questions": embedder.embed_queries(TEXTS), "passages": embedder.embed_passages(TEXTS)}


def test_the_exported_graphs_agree_with_the_reference(folder: Path) -> None:
    reference = _vectors(folder, Name.REFERENCE)
    for name, tolerance in ((Name.ONNX, 1e-5), (Name.ONNX_INT8, 2e-2)):
        for kind, vectors in _vectors(folder, name).items():
            np.testing.assert_allclose(vectors, reference[kind], atol=tolerance, err_msg=f"{name} {kind}")


@pytest.mark.parametrize("name", GRAPHS)
def test_a_text_has_one_vector_whatever_its_company(folder: Path, name: Name) -> None:
    embedder = ModelEmbedder(folder, dict.fromkeys(Purpose, name))
    together = embedder.embed_queries(TEXTS)
    alone = np.concatenate([embedder.embed_queries([text]) for text in TEXTS])
    assert np.abs(together - alone).max() <= MOST_SWAY


def test_what_was_measured_is_kept_and_not_measured_again(folder: Path, settings: Settings) -> None:
    record = choice.read(folder)
    assert record is not None
    assert {Name.REFERENCE, Name.ONNX, Name.ONNX_INT8} <= {one.runtime for one in record.measured}
    before = (folder / choice.RUNTIME_FILE).stat().st_mtime_ns
    told: list[str] = []
    model_store.use(folder.name, settings, tell=told.append)
    assert not told
    assert (folder / choice.RUNTIME_FILE).stat().st_mtime_ns == before


def test_the_fingerprint_is_the_models_and_not_the_runtimes(folder: Path) -> None:
    card = model_store.read_card(folder)
    prompts = {"query": card.query_prefix, "document": card.passage_prefix}
    assert model_store._fingerprint(folder, prompts) == card.fingerprint


def test_another_machines_measurements_are_made_again_and_a_damaged_graph_exported_again(
    folder: Path, settings: Settings
) -> None:
    file = folder / choice.RUNTIME_FILE
    values = json.loads(file.read_text())
    file.write_text(json.dumps({**values, "machine": {**values["machine"], "processor": "en anden"}}))
    told: list[str] = []
    model_store.use(folder.name, settings, tell=told.append)
    assert len(told) == 1
    assert json.loads(file.read_text())["machine"] == values["machine"]

    graph = folder / GRAPHS_FOLDER / GRAPHS[Name.ONNX]
    graph.write_bytes(graph.read_bytes()[:-5])
    assert not model_store.is_whole(folder)
    model_store.use(folder.name, settings, tell=told.append)
    assert len(told) == 3
    assert model_store.is_whole(folder)


def test_a_model_that_is_pooled_otherwise_stays_on_sentence_transformers(settings: Settings, tmp_path: Path) -> None:
    card = model_store.use(str(_sentence_transformer(tmp_path, pooling="max")), settings)
    folder = settings.models_dir / card.name
    record = choice.read(folder)
    assert record is not None
    assert record.plan is None
    assert "max" in record.left_out[Name.ONNX]
    embedder = ModelEmbedder(folder)
    assert not set(embedder.runtimes.values()) & set(GRAPHS)
    assert embedder.embed_queries(TEXTS).shape == (len(TEXTS), 32)
    assert card.name != DEFAULT_MODEL


def _normed_product(folder: Path) -> Path:
    """A graph of one layer normalisation, whose gain lets two places reach far, and one product by fixed weights."""
    import onnx
    from onnx.helper import make_graph, make_model, make_node, make_opsetid, make_tensor_value_info
    from onnx.numpy_helper import from_array

    chance = np.random.default_rng(3)
    gain = np.ones(16, dtype=np.float32)
    gain[[4, 11]] = 60
    fixed = {"gain": gain, "shift": np.zeros(16, np.float32), "weight": chance.normal(size=(16, 8)).astype(np.float32)}
    nodes = [
        make_node("LayerNormalization", ["embedded", "gain", "shift"], ["normed"], epsilon=1e-6),
        make_node("MatMul", ["normed", "weight"], ["hidden"]),
    ]
    shapes = {"embedded": ["texts", "tokens", 16], "hidden": ["texts", "tokens", 8]}
    inputs, outputs = ([make_tensor_value_info(name, onnx.TensorProto.FLOAT, shapes[name])] for name in shapes)
    tensors = [from_array(values, name) for name, values in fixed.items()]
    path = folder / "plain.onnx"
    model = make_model(make_graph(nodes, "normed", inputs, outputs, tensors), opset_imports=[make_opsetid("", 20)])
    onnx.save(model, path)
    return path


def _run(graph: Path, embedded: np.ndarray) -> np.ndarray:
    from onnxruntime import InferenceSession

    session = InferenceSession(str(graph), providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"embedded": embedded})[0])


def test_a_normalisation_in_steps_gives_the_same_numbers(tmp_path: Path) -> None:
    graph = _normed_product(tmp_path)
    embedded = np.random.default_rng(1).normal(size=(3, 5, 16)).astype(np.float32)
    whole = _run(graph, embedded)
    onnx_export.with_plain_norms(graph)
    np.testing.assert_allclose(_run(graph, embedded), whole, rtol=1e-4, atol=1e-4)


def test_eight_bits_lose_less_when_the_places_that_reach_far_are_evened_out(tmp_path: Path) -> None:
    graph = _normed_product(tmp_path)
    chance = np.random.default_rng(2)
    fitted, asked = (chance.normal(size=(4, 6, 16)).astype(np.float32) for _ in range(2))
    reach = quantisation.activation_ranges(graph, [{"embedded": fitted}])
    assert set(np.argsort(reach["normed"])[-2:].tolist()) == {4, 11}
    lost = []
    for known in ({}, reach):
        quantisation.quantise(graph, tmp_path / "eight.onnx", known)
        lost.append(float(np.abs(_run(tmp_path / "eight.onnx", asked) - _run(graph, asked)).mean()))
    assert lost[1] < 0.7 * lost[0]
