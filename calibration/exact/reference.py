"""A graph in real numbers: what its file means, whatever runtime computes it.

Values come from the reference implementation of the `onnx` package, run in float64 operator by operator; products of
dequantised integers are summed as integers. Beside each value stands the radius in which every correct runtime lies:
float arithmetic in any order and fused as it may be, and a rounding that falls to the other side of a half where that
moves a number across it. So a difference is beyond rounding by proof and not by a threshold.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import onnx
from onnx import numpy_helper

from mmer.calibration.exact import elementwise, reductions
from mmer.calibration.exact.operators import applied
from mmer.calibration.exact.products import integer_product, product
from mmer.calibration.exact.rounding import dequantise, dynamic, quantise
from mmer.calibration.exact.value import Grid, Value
from mmer.calibration.graph.network import attributes
from mmer.edge.errors import DataError
from mmer.edge.tensors import Tensors

Operands: TypeAlias = tuple[Value | None, ...]
Rule: TypeAlias = Callable[[onnx.NodeProto, Operands], Sequence[Value]]

_MOVED = frozenset(
    {"Expand", "Flatten", "Gather", "Identity", "MaxPool", "Reshape", "Slice", "Split", "Squeeze", "Transpose"}
    | {"Unsqueeze", "GlobalMaxPool", "DepthToSpace"}
)
"""Operators whose outputs hold nothing but numbers of their first operand."""


class UnknownOperatorError(DataError):
    """The reference has no rule for an operator."""

    def __init__(self, node: onnx.NodeProto) -> None:
        super().__init__(f"{node.op_type} ({node.name}): the exact reference has no rule for it; export without it")


@dataclass(frozen=True, slots=True)
class Reference:
    """What a graph computes, exactly."""

    model: onnx.ModelProto
    slack: float = 0.0
    """Levels by which every quantisation may be off besides, for kernels that round more than once."""

    def run(self, inputs: Tensors) -> Mapping[str, Value]:
        """Return every tensor of the graph by name; raise `UnknownOperatorError` for what has no rule."""
        graph = self.model.graph
        values = {tensor.name: Value.of(numpy_helper.to_array(tensor)) for tensor in graph.initializer}
        values |= {name: Value.of(np.asarray(array)) for name, array in inputs.items()}
        for node in graph.node:
            made = self._made(node, tuple(values[name] if name else None for name in node.input))
            values.update(zip(node.output, made, strict=False))
        return values

    def outputs(self, inputs: Tensors) -> Mapping[str, Value]:
        """Return what the graph gives away."""
        values = self.run(inputs)
        return {value.name: values[value.name] for value in self.model.graph.output}

    def _made(self, node: onnx.NodeProto, operands: Operands) -> Sequence[Value]:
        if node.op_type == "QuantizeLinear":
            return [quantise(node, operands, self.slack)]
        if node.op_type == "DynamicQuantizeLinear":
            return dynamic(_present(operands)[0], self.slack)
        if node.domain not in ("", "ai.onnx") or node.op_type not in _RULES:
            raise UnknownOperatorError(node)
        return _RULES[node.op_type](node, operands)


def _present(operands: Operands) -> list[Value]:
    return [value for value in operands if value is not None]


def _each(rule: Callable[..., Value]) -> Rule:
    """Return a rule for operators that need all their operands and make one thing."""
    return lambda node, operands: [rule(node, *_present(operands))]


def _moved(node: onnx.NodeProto, operands: Operands) -> list[Value]:
    """Return numbers in other places; their grid goes along where all have one scale."""
    x, *where = _present(operands)
    indices = [value.centre for value in where]
    centres = applied(node, x.centre, *indices)
    radii = applied(node, x.radius, *indices)
    grids: Sequence[Grid | None] = [None] * len(centres)
    if x.grid and x.grid.scale.size == 1:
        places = applied(node, x.grid.levels, *indices)
        grids = [Grid(levels, x.grid.scale.reshape([1] * levels.ndim)) for levels in places]
    return [Value(c, r, x.kind, g) for c, r, g in zip(centres, radii, grids, strict=True)]


def _joined(node: onnx.NodeProto, operands: Operands) -> list[Value]:
    given = _present(operands)
    centre = applied(node, *(value.centre for value in given))[0]
    return [Value(centre, applied(node, *(value.radius for value in given))[0], given[0].kind)]


def _padded(node: onnx.NodeProto, operands: Operands) -> list[Value]:
    x, *rest = operands
    assert x is not None, node.name
    where = [value.centre for value in rest if value is not None]
    return [Value(applied(node, x.centre, *where)[0], applied(node, x.radius, *where[:1])[0], x.kind)]


def _counted(node: onnx.NodeProto, operands: Operands) -> list[Value]:
    """Return shapes and other things that are known exactly."""
    return [Value.of(array) for array in applied(node, *(value.centre for value in _present(operands)))]


def _constant(node: onnx.NodeProto, operands: Operands) -> list[Value]:
    del operands
    return [Value.of(numpy_helper.to_array(attributes(node)["value"]))]


_RULES: Mapping[str, Rule] = {
    **dict.fromkeys(_MOVED, _moved),
    **dict.fromkeys(("Conv", "Gemm", "MatMul"), lambda node, operands: [product(node, operands)]),
    **dict.fromkeys(("ConvInteger", "MatMulInteger"), lambda node, operands: [integer_product(node, operands)]),
    **dict.fromkeys(("Add", "Sub"), _each(elementwise.added)),
    **dict.fromkeys(("Max", "Min"), _each(elementwise.chosen)),
    **dict.fromkeys(elementwise.MONOTONE, _each(elementwise.monotone)),
    **dict.fromkeys(elementwise.STEEPEST, _each(elementwise.steep)),
    **dict.fromkeys(reductions.AVERAGING, _each(reductions.averaged)),
    "DequantizeLinear": lambda node, operands: [dequantise(node, operands)],
    "Mul": _each(elementwise.multiplied),
    "Div": _each(elementwise.divided),
    "Pow": _each(elementwise.power),
    "Cast": _each(elementwise.cast),
    "Softmax": _each(reductions.softmax),
    "LayerNormalization": _each(reductions.normalised),
    "Concat": _joined,
    "Pad": _padded,
    "Shape": _counted,
    "Constant": _constant,
}
