"""Quantises a graph's products by fixed weights to 8 bits: a scale for each column of weights and for each token.

The weights are quantised once, the activations as they come. One scale for all tokens, as ONNX Runtime's own dynamic
quantisation takes, is less exact, and makes a text's vector depend on the texts beside it.

The activations after a layer normalisation are large in a few channels and small in the others, which 8 bits of one
scale would lose. So they are divided, channel by channel, by their range over some texts, to the power of
:data:`ALPHA`, and the weights multiplied by the same: the product is as before, and both quantise better
(SmoothQuant: Xiao et al., ICML 2023).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from kb.embedding.runtimes.base import Vectors

# This many steps either side of zero, and the zero point of unsigned numbers.
STEPS, MIDDLE = 127, 128
# After a GELU no activation is below this, so that few steps are needed below zero: the zero point is as many.
LEAST_GELU, LOW = -0.17, 24
# Stands for zero where it is a divisor.
TINY = 1e-30
# SmoothQuant's alpha: how much of the difficulty goes from activations to weights; at .5 and .7 vectors turn more.
ALPHA = 0.6
NORM, GELU, PRODUCT = "LayerNormalization", "Gelu", "MatMul"
QUANTISED_PRODUCT = "MatMulIntegerToFloat"
MICROSOFT = "com.microsoft"

Ranges = Mapping[str, Vectors]


def activation_ranges(graph: Path, inputs: Iterable[Mapping[str, Any]]) -> dict[str, Vectors]:
    """The largest magnitude of every channel after each layer normalisation, over ``inputs`` to the graph."""
    import onnx
    from onnxruntime import InferenceSession, SessionOptions

    model = onnx.load(graph)
    names = [node.output[0] for node in model.graph.node if node.op_type == NORM]
    model.graph.output.extend(onnx.helper.make_empty_tensor_value_info(name) for name in names)
    options = SessionOptions()
    options.log_severity_level = 3
    session = InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    ranges: dict[str, Vectors] = {}
    for texts in inputs:
        for name, values in zip(names, session.run(names, dict(texts)), strict=True):
            most = np.abs(values).reshape(-1, values.shape[-1]).max(axis=0)
            ranges[name] = np.maximum(ranges.get(name, most), most)
    return ranges


def quantise(source: Path, target: Path, ranges: Ranges) -> None:
    """Write the graph in ``source`` with its products by fixed weights quantised to 8 bits."""
    import onnx
    from onnx.numpy_helper import from_array, to_array

    model = onnx.load(source)
    graph = model.graph
    weights = {tensor.name: tensor for tensor in graph.initializer if len(tensor.dims) == 2}
    products = [node for node in graph.node if node.op_type == PRODUCT and node.input[1] in weights]
    bounded = {node.output[0] for node in graph.node if node.op_type == GELU}
    smoothing = _smoothing_factors(
        {node.input[1]: to_array(weights[node.input[1]]) for node in products}, products, ranges
    )
    nodes: list[Any] = []
    scaled = set[str]()
    for node in graph.node:
        if node.op_type != PRODUCT or node.input[1] not in weights:
            nodes.append(node)
            continue
        tokens, weight = node.input[0], node.input[1]
        if tokens not in scaled:
            scaled.add(tokens)
            nodes.extend(
                _scaled_bounded(tokens) if tokens in bounded else _scaled(tokens, is_smoothed=tokens in smoothing)
            )
        nodes.extend(_product(tokens, weight, node.output[0], zero="kb.low" if tokens in bounded else "kb.middle"))
    for node in products:
        factors = smoothing.get(node.input[0], np.ones(1, dtype=np.float32))
        values = to_array(weights[node.input[1]]) * factors[:, None]
        graph.initializer.extend(_scaled_weight(node.input[1], values))
        graph.initializer.remove(weights[node.input[1]])
    graph.initializer.extend(from_array(1 / factors, f"{tokens}.even") for tokens, factors in smoothing.items())
    graph.initializer.extend(_constants())
    del graph.node[:]
    graph.node.extend(nodes)
    model.opset_import.append(onnx.helper.make_opsetid(MICROSOFT, 1))
    onnx.save(model, target)


def product_weights(model: Any) -> Iterator[tuple[str, Vectors]]:
    """What :func:`quantise` made 8 bits of, as it was but for the rounding, by the name of the product's result."""
    from onnx.numpy_helper import to_array

    kept = {tensor.name: tensor for tensor in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == QUANTISED_PRODUCT:
            tokens, weight = (name.removesuffix(".q") for name in node.input[:2])
            values = to_array(kept[f"{weight}.q"]) * to_array(kept[f"{weight}.s"])
            if even := kept.get(f"{tokens}.even"):
                values = values * to_array(even)[:, None]
            yield node.output[0].removesuffix(".p"), values


def _smoothing_factors(weights: Mapping[str, Vectors], products: Iterable[Any], ranges: Ranges) -> dict[str, Vectors]:
    """For the inputs whose ranges are known the divisor of each channel; the divisors' geometric mean is 1."""
    most: dict[str, Vectors] = {}
    for node in products:
        tokens, rows = node.input[0], np.abs(weights[node.input[1]]).max(axis=1)
        most[tokens] = np.maximum(most.get(tokens, rows), rows)
    factors = {}
    for tokens, rows in most.items():
        if tokens in ranges:
            logs = ALPHA * np.log(np.maximum(ranges[tokens], TINY)) - (1 - ALPHA) * np.log(np.maximum(rows, TINY))
            factors[tokens] = np.exp(logs - logs.mean()).astype(np.float32)
    return factors


def _scaled(tokens: str, *, is_smoothed: bool) -> list[Any]:
    """``<tokens>.q``: the activations in 8 bits around ``MIDDLE``; ``<tokens>.s``: the scale of each token."""
    from onnx.helper import make_node

    values = f"{tokens}.evened" if is_smoothed else tokens
    steps = [
        make_node("Abs", [values], [f"{tokens}.size"]),
        make_node("ReduceMax", [f"{tokens}.size", "kb.last"], [f"{tokens}.most"], keepdims=1),
        make_node("Max", [f"{tokens}.most", "kb.tiny"], [f"{tokens}.max"]),
        make_node("Mul", [f"{tokens}.max", "kb.step"], [f"{tokens}.s"]),
        make_node("Div", [values, f"{tokens}.s"], [f"{tokens}.steps"]),
        make_node("QuantizeLinear", [f"{tokens}.steps", "kb.one", "kb.middle"], [f"{tokens}.q"]),
    ]
    return [make_node("Mul", [tokens, f"{tokens}.even"], [values]), *steps] if is_smoothed else steps


def _scaled_bounded(tokens: str) -> list[Any]:
    """The same for activations after a GELU, around ``LOW``."""
    from onnx.helper import make_node

    return [
        make_node("ReduceMax", [tokens, "kb.last"], [f"{tokens}.most"], keepdims=1),
        make_node("Mul", [f"{tokens}.most", "kb.small_step"], [f"{tokens}.wanted"]),
        make_node("Max", [f"{tokens}.wanted", "kb.least_step"], [f"{tokens}.s"]),
        make_node("Div", [tokens, f"{tokens}.s"], [f"{tokens}.steps"]),
        make_node("QuantizeLinear", [f"{tokens}.steps", "kb.one", "kb.low"], [f"{tokens}.q"]),
    ]


def _product(tokens: str, weight: str, output: str, *, zero: str) -> list[Any]:
    from onnx.helper import make_node

    inputs = [f"{tokens}.q", f"{weight}.q", "kb.one", f"{weight}.s", zero]
    return [
        make_node(QUANTISED_PRODUCT, inputs, [f"{output}.p"], domain=MICROSOFT),
        make_node("Mul", [f"{output}.p", f"{tokens}.s"], [output]),
    ]


def _scaled_weight(name: str, values: Vectors) -> list[Any]:
    """A weight in 8 bits, ``<name>.q``, and the scale of each column, ``<name>.s``."""
    from onnx.numpy_helper import from_array

    scales = np.maximum(np.abs(values).max(axis=0) / STEPS, TINY).astype(np.float32)
    steps = np.rint(values / scales).astype(np.int8)
    return [from_array(steps, f"{name}.q"), from_array(scales, f"{name}.s")]


def _constants() -> list[Any]:
    from onnx.numpy_helper import from_array

    return [
        from_array(np.array([-1], dtype=np.int64), "kb.last"),
        from_array(np.array(TINY, dtype=np.float32), "kb.tiny"),
        from_array(np.array(1 / STEPS, dtype=np.float32), "kb.step"),
        from_array(np.array(1, dtype=np.float32), "kb.one"),
        from_array(np.array(MIDDLE, dtype=np.uint8), "kb.middle"),
        from_array(np.array(LOW, dtype=np.uint8), "kb.low"),
        from_array(np.array(1 / (2 * MIDDLE - 1 - LOW), dtype=np.float32), "kb.small_step"),
        from_array(np.array(-LEAST_GELU / LOW, dtype=np.float32), "kb.least_step"),
    ]
