"""Conv, Gemm and MatMul, and their integer forms: sums of products, exact where both sides are whole numbers."""

import math

import numpy as np
import onnx

from mmer.calibration.exact.operators import applied, stripped
from mmer.calibration.exact.value import Grid, Kind, Value, rounded, unit
from mmer.calibration.graph.network import Array, attributes
from mmer.calibration.observation.ranges import Wide

_REORDERED = 2.0
"""Twice the bound of Higham (2002, section 3.1) for a sum in any order: the scales that runtimes fold in count too."""


def product(node: onnx.NodeProto, operands: tuple[Value | None, ...]) -> Value:
    """Return what a Conv, Gemm or MatMul makes."""
    a, b, *rest = operands
    assert a is not None, node.name
    assert b is not None, node.name
    stated = attributes(node)
    made = _multiplied(node, a, b)
    alpha = abs(stated.get("alpha", 1.0))
    centre, radius = stated.get("alpha", 1.0) * made.centre, alpha * made.radius
    if rest and rest[0] is not None:
        bias = _bias(node, rest[0], centre)
        weight = stated.get("beta", 1.0)
        centre, radius = centre + weight * bias.centre, radius + abs(weight) * bias.radius
        radius = radius + 2 * unit(a.kind, b.kind) * (alpha * np.abs(made.centre) + np.abs(weight * bias.centre))
    return rounded(centre, radius, made.kind, 2)


def integer_product(node: onnx.NodeProto, operands: tuple[Value | None, ...]) -> Value:
    """Return what MatMulInteger or ConvInteger makes, which is exact."""
    a, b, a_zero, b_zero, *_ = (*operands, None, None)
    assert a is not None, node.name
    assert b is not None, node.name
    plain = onnx.NodeProto()
    plain.CopyFrom(node)
    plain.op_type = node.op_type.removesuffix("Integer")
    left, right = _counted(a, a_zero, rows=True), _counted(b, b_zero, rows=plain.op_type == "Conv")
    centre, radius = _spread(plain, left, right)
    return Value(centre, radius, np.dtype(np.int32))


def _counted(x: Value, zero: Value | None, *, rows: bool) -> Value:
    """Return integers counted from their zero point, which for weights may be one for each output channel."""
    if zero is None:
        return x
    shape = [1] * x.centre.ndim
    if zero.centre.size > 1:
        shape[0 if rows else -1] = zero.centre.size
    offset, reach = zero.centre.reshape(shape), zero.radius.reshape(shape)
    return Value(x.centre - offset, x.radius + reach, x.kind)


def _multiplied(node: onnx.NodeProto, a: Value, b: Value) -> Value:
    bare = stripped(node, "alpha", "beta")
    kind: Kind = np.result_type(a.kind, b.kind)
    centre, radius = _spread(bare, a, b)
    length = _length(node, b.centre)
    rounding = _REORDERED * (length + 2) * unit(kind) * applied(bare, a.peak, b.peak)[0]
    exact = _exactly(bare, a.grid, b.grid) if a.grid and b.grid else None
    return Value(centre if exact is None else exact, radius + rounding, kind)


def _spread(node: onnx.NodeProto, a: Value, b: Value) -> tuple[Wide, Wide]:
    centre = applied(node, a.centre, b.centre)[0]
    if not (a.radius.any() or b.radius.any()):
        return centre, np.zeros(centre.shape)
    most, least = applied(node, a.peak, b.peak)[0], applied(node, np.abs(a.centre), np.abs(b.centre))[0]
    return centre, np.maximum(most - least, 0.0)


def _exactly(node: onnx.NodeProto, a: Grid, b: Grid) -> Wide | None:
    """Return the product from a sum of integers, `None` where the scales cannot be taken out of it."""
    axis = _channels(node, b.levels.ndim)
    along = b.scale.shape[axis]
    if a.scale.size > 1 or b.scale.size != along:
        return None
    sums = applied(node, a.levels, b.levels)[0]
    shape = [1] * sums.ndim
    shape[1 if node.op_type == "Conv" else -1] = along
    return np.asarray(sums * a.scale.reshape(()) * b.scale.reshape(shape), np.float64)


def _channels(node: onnx.NodeProto, dimensions: int) -> int:
    """Return the axis of a weight along which output channels lie."""
    if node.op_type == "Conv" or attributes(node).get("transB", 0):
        return 0
    return dimensions - 1


def _length(node: onnx.NodeProto, b: Array) -> int:
    """Return how many products are summed."""
    if node.op_type == "Conv":
        return math.prod(b.shape[1:])
    return int(b.shape[-1] if attributes(node).get("transB", 0) else b.shape[-2] if b.ndim > 1 else b.shape[0])


def _bias(node: onnx.NodeProto, bias: Value, like: Wide) -> Value:
    shape = (1, -1, *[1] * (like.ndim - 2)) if node.op_type == "Conv" else bias.centre.shape
    return Value(bias.centre.reshape(shape), bias.radius.reshape(shape), bias.kind)
