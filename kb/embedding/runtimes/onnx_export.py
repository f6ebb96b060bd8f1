"""Makes what ONNX Runtime reads from a sentence-transformers model: the encoder without its word embedding.

The word embedding is most of a multilingual model (384 of 470 MB here) and a lookup, so the graph begins after it and
:mod:`.safetensors_rows` looks the words up in the model's own file. Pooling and normalisation are some lines of NumPy
and stay out as well: a graph takes ``embedded`` (texts, tokens, width) and ``mask`` (texts, tokens; 1 for a token, 0
for padding) and gives ``hidden`` (texts, tokens, dimension). Only models of transformer, pooling by mean or first
token, and normalisation are exported; for others :func:`plan` says why not.
"""

from __future__ import annotations

import logging
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kb.embedding.runtimes.safetensors_rows import holds

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

WEIGHTS_FILE = "model.safetensors"
# From 20 on GELU is one step.
OPSET = 20
# The sizes an export is traced with; the graph takes any.
TRACED_TEXTS, TRACED_TOKENS = 2, 9
POOLINGS = ("mean", "cls")
# What a layer normalisation adds to the variance where the graph does not tell (ONNX's own default).
STANDARD_EPSILON = 1e-5


@dataclass(frozen=True, slots=True)
class Plan:
    """How a model is exported: its pooling (one of ``POOLINGS``) and its word embedding's name in ``WEIGHTS_FILE``."""

    pooling: str
    embedding: str


def plan(model: SentenceTransformer, folder: Path) -> Plan | str:
    """How to export ``model``, which is saved in ``folder``; or, in Danish, why it cannot be."""
    names = [type(module).__name__ for module in model]
    if names not in (["Transformer", "Pooling", "Normalize"], ["Transformer", "Pooling"]):
        return f"modellens dele er {', '.join(names)}"
    pooling = model[1]
    if pooling.pooling_mode not in POOLINGS or not pooling.include_prompt:
        return f"modellen samler tokens ved {pooling.pooling_mode}"
    embedding = _embedding_name(model[0].auto_model)
    if not embedding or not holds(folder / WEIGHTS_FILE, embedding):
        return f"ordenes vektorer kan ikke findes i {WEIGHTS_FILE}"
    return Plan(pooling.pooling_mode, embedding)


def export(encoder: Any, max_tokens: int, target: Path) -> None:
    """Write a transformer encoder's graph in 32-bit numbers. It is changed on the way and not to be used afterwards."""
    import torch

    encoder.eval()
    # The plain form of attention exports to fewer and quicker steps than PyTorch's own.
    encoder.set_attn_implementation("eager")
    ids = torch.full((TRACED_TEXTS, TRACED_TOKENS), 5)
    mask = torch.ones_like(ids)
    mask[1, TRACED_TOKENS // 2 :] = 0
    sizes = {0: torch.export.Dim("texts"), 1: torch.export.Dim("tokens", max=max_tokens)}
    # The exporter tells much of its own workings.
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            _body(encoder),
            (encoder.get_input_embeddings()(ids), mask),
            target,
            input_names=["embedded", "mask"],
            output_names=["hidden"],
            dynamic_shapes={"embedded": sizes, "mask": sizes},
            opset_version=OPSET,
            dynamo=True,
            external_data=False,
            verbose=False,
        )
    _without_traces(target)


def _without_traces(graph: Path) -> None:
    """Take out of the graph in a file what the exporter notes of each step: its place in the code, with whole paths."""
    import onnx

    model = onnx.load(graph)
    for part in (*model.graph.node, *model.graph.value_info, *model.graph.input, *model.graph.output):
        part.doc_string = ""
        del part.metadata_props[:]
    del model.graph.metadata_props[:]
    del model.metadata_props[:]
    onnx.save(model, graph)


def with_plain_norms(graph: Path) -> None:
    """Rewrite the graph in a file with every layer normalisation as the steps that it is made of.

    ONNX Runtime does the steps each many numbers at a time, and the whole one number after the other.
    """
    import onnx

    model = onnx.load(graph)
    nodes: list[Any] = []
    for node in model.graph.node:
        nodes.extend(_norm_in_steps(node) if node.op_type == "LayerNormalization" else [node])
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.array([-1], dtype=np.int64), "norm.last"))
    model.graph.initializer.extend(
        onnx.numpy_helper.from_array(np.array(_epsilon(node), dtype=np.float32), f"{node.output[0]}.epsilon")
        for node in model.graph.node
        if node.op_type == "LayerNormalization"
    )
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.save(model, graph)


def _norm_in_steps(node: Any) -> list[Any]:
    from onnx.helper import make_node

    (values, gain, shift), name = node.input, node.output[0]
    return [
        make_node("ReduceMean", [values, "norm.last"], [f"{name}.mean"], keepdims=1),
        make_node("Sub", [values, f"{name}.mean"], [f"{name}.off"]),
        make_node("Mul", [f"{name}.off", f"{name}.off"], [f"{name}.square"]),
        make_node("ReduceMean", [f"{name}.square", "norm.last"], [f"{name}.variance"], keepdims=1),
        make_node("Add", [f"{name}.variance", f"{name}.epsilon"], [f"{name}.positive"]),
        make_node("Sqrt", [f"{name}.positive"], [f"{name}.deviation"]),
        make_node("Div", [f"{name}.off", f"{name}.deviation"], [f"{name}.unit"]),
        make_node("Mul", [f"{name}.unit", gain], [f"{name}.wide"]),
        make_node("Add", [f"{name}.wide", shift], [name]),
    ]


def _epsilon(node: Any) -> float:
    return next((attribute.f for attribute in node.attribute if attribute.name == "epsilon"), STANDARD_EPSILON)


def _embedding_name(encoder: Any) -> str:
    weight = encoder.get_input_embeddings().weight
    return next((name for name, parameter in encoder.named_parameters() if parameter is weight), "")


def _body(encoder: Any) -> Any:
    """The encoder from embedded words on, as a module with the graph's inputs and output."""
    import torch

    class Body(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encoder = encoder

        def forward(self, embedded: Any, mask: Any) -> Any:
            return self.encoder(inputs_embeds=embedded, attention_mask=mask).last_hidden_state

    return Body()
