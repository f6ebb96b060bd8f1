"""Makes what ONNX Runtime reads from a sentence-transformers model: the encoder without its word embedding.

The word embedding is most of a multilingual model (384 of 470 MB here) and a lookup, so the graph begins after it and
:mod:`.weights` looks the words up in the model's own file. Pooling and normalisation are some lines of NumPy and stay
out as well: a graph takes ``embedded`` (texts, tokens, width) and ``mask`` (texts, tokens; 1 for a token, 0 for
filling) and gives ``hidden`` (texts, tokens, dimension). Only models of transformer, pooling by mean or first token,
and normalisation are exported; for others :func:`plan` says why not.
"""

from __future__ import annotations

import logging
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kb.runtimes.weights import holds

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

WEIGHTS_FILE = "model.safetensors"
# From 20 on GELU is one step.
OPSET = 20
# The sizes an export is traced with; the graph takes any.
TRACED_TEXTS, TRACED_TOKENS = 2, 9
POOLINGS = ("mean", "cls")
# Eight bits: this many steps either side of zero, which is written as 128 where numbers have no sign.
STEPS, MIDDLE = 127, 128
# In place of zero where it is divided by.
TINY = 1e-30
MICROSOFT = "com.microsoft"


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


def export(model: SentenceTransformer, target: Path) -> None:
    """Write the graph in 32-bit numbers. The model is changed on the way: it is not to be used afterwards."""
    import torch

    encoder = model[0].auto_model.eval()
    # The plain form of attention exports to fewer and quicker steps than PyTorch's own.
    encoder.set_attn_implementation("eager")
    ids = torch.full((TRACED_TEXTS, TRACED_TOKENS), 5)
    mask = torch.ones_like(ids)
    mask[1, TRACED_TOKENS // 2 :] = 0
    sizes = {0: torch.export.Dim("texts"), 1: torch.export.Dim("tokens", max=int(model.max_seq_length or 512))}
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


def quantise(source: Path, target: Path) -> None:
    """Write the graph in ``source`` with its products by fixed weights made in 8 bits.

    The weights are scaled by column once, the tokens' numbers by token as they come. One scale for all tokens, as
    ONNX Runtime's own dynamic quantisation takes, is less exact, and makes a text's vector hang on its neighbours.
    """
    import onnx

    model = onnx.load(source)
    graph = model.graph
    weights = {tensor.name: tensor for tensor in graph.initializer if len(tensor.dims) == 2}
    nodes, scaled = [], set[str]()
    for node in graph.node:
        if node.op_type != "MatMul" or node.input[1] not in weights:
            nodes.append(node)
            continue
        tokens = node.input[0]
        if tokens not in scaled:
            nodes.extend(_scaled_tokens(tokens))
            scaled.add(tokens)
        weight = weights[node.input[1]]
        nodes.extend(_product(tokens, weight.name, node.output[0]))
        if weight.name in {tensor.name for tensor in graph.initializer}:
            graph.initializer.remove(weight)
            graph.initializer.extend(_scaled_weight(weight))
    graph.initializer.extend(_constants())
    del graph.node[:]
    graph.node.extend(nodes)
    model.opset_import.append(onnx.helper.make_opsetid(MICROSOFT, 1))
    onnx.save(model, target)


def _scaled_tokens(tokens: str) -> list[Any]:
    """``<tokens>.q``: the numbers as 8 bits around ``MIDDLE``; ``<tokens>.s``: what each token's are to be times."""
    from onnx.helper import make_node

    return [
        make_node("ReduceMax", [tokens, "kb.last"], [f"{tokens}.most"], keepdims=1),
        make_node("ReduceMin", [tokens, "kb.last"], [f"{tokens}.least"], keepdims=1),
        make_node("Neg", [f"{tokens}.least"], [f"{tokens}.minus"]),
        make_node("Max", [f"{tokens}.most", f"{tokens}.minus", "kb.tiny"], [f"{tokens}.max"]),
        make_node("Mul", [f"{tokens}.max", "kb.step"], [f"{tokens}.s"]),
        make_node("Div", [tokens, f"{tokens}.s"], [f"{tokens}.steps"]),
        make_node("QuantizeLinear", [f"{tokens}.steps", "kb.one", "kb.middle"], [f"{tokens}.q"]),
    ]


def _product(tokens: str, weight: str, output: str) -> list[Any]:
    from onnx.helper import make_node

    inputs = [f"{tokens}.q", f"{weight}.q", "kb.one", f"{weight}.s", "kb.middle"]
    return [
        make_node("MatMulIntegerToFloat", inputs, [f"{output}.p"], domain=MICROSOFT),
        make_node("Mul", [f"{output}.p", f"{tokens}.s"], [output]),
    ]


def _scaled_weight(weight: Any) -> list[Any]:
    """A weight's 8-bit numbers, ``<name>.q``, and what each column's are to be times, ``<name>.s``."""
    from onnx.numpy_helper import from_array, to_array

    values = to_array(weight)
    scales = np.maximum(np.abs(values).max(axis=0) / STEPS, TINY).astype(np.float32)
    steps = np.rint(values / scales).astype(np.int8)
    return [from_array(steps, f"{weight.name}.q"), from_array(scales, f"{weight.name}.s")]


def _constants() -> list[Any]:
    from onnx.numpy_helper import from_array

    return [
        from_array(np.array([-1], dtype=np.int64), "kb.last"),
        from_array(np.array(TINY, dtype=np.float32), "kb.tiny"),
        from_array(np.array(1 / STEPS, dtype=np.float32), "kb.step"),
        from_array(np.array(1, dtype=np.float32), "kb.one"),
        from_array(np.array(MIDDLE, dtype=np.uint8), "kb.middle"),
    ]


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
