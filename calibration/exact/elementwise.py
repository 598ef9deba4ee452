"""Operators that look at one number of each operand."""

import numpy as np
import onnx

from mmer.calibration.exact.operators import applied
from mmer.calibration.exact.value import Value, rounded, unit
from mmer.calibration.graph.network import attributes

_APPROXIMATED = 32.0
"""Roundings granted to exp, tanh, erf and the like: runtimes take polynomials, whose makers state a few ulp."""
_FLOOR = 4.0
"""The same near zero, in roundings of the number 1: there a polynomial's error is absolute."""

MONOTONE = frozenset(
    {"Erf", "Exp", "HardSigmoid", "LeakyRelu", "Relu", "Sigmoid", "Softplus", "Sqrt", "Tanh", "Clip", "Floor", "Round"}
)
_EXACT = frozenset({"Relu", "Clip", "Floor", "Round", "LeakyRelu"})
STEEPEST = {"Gelu": 1.13, "HardSwish": 1.5, "Abs": 1.0, "Neg": 1.0}
"""The largest slope of functions that are not monotone (or are, downwards)."""


def added(node: onnx.NodeProto, *operands: Value) -> Value:
    """Return a sum or difference."""
    a, b = operands
    centre = applied(node, a.centre, b.centre)[0]
    return rounded(centre, a.radius + b.radius, np.result_type(a.kind, b.kind))


def multiplied(node: onnx.NodeProto, *operands: Value) -> Value:
    """Return a product of two numbers each."""
    a, b = operands
    centre = applied(node, a.centre, b.centre)[0]
    return rounded(centre, a.peak * b.peak - np.abs(a.centre * b.centre), np.result_type(a.kind, b.kind), 2)


def divided(node: onnx.NodeProto, *operands: Value) -> Value:
    """Return a quotient; it may be anything where the divisor may be 0."""
    a, b = operands
    with np.errstate(divide="ignore", invalid="ignore"):
        centre = applied(node, a.centre, b.centre)[0]
        least = np.maximum(np.abs(b.centre) - b.radius, 0.0)
        radius = np.where(least > 0, a.peak / least - np.abs(a.centre / b.centre), np.inf)
    return rounded(centre, radius, np.result_type(a.kind, b.kind), 2)


def chosen(node: onnx.NodeProto, *operands: Value) -> Value:
    """Return the larger or the smaller of several numbers."""
    centre = applied(node, *(x.centre for x in operands))[0]
    shapes = [np.broadcast_to(x.radius, centre.shape) for x in operands]
    return Value(centre, np.max(shapes, axis=0), operands[0].kind)


def monotone(node: onnx.NodeProto, x: Value, *bounds: Value) -> Value:
    """Return a function that never falls, from both ends of what its argument may be."""
    limits = [bound.centre for bound in bounds]
    low, centre, high = (applied(node, at, *limits)[0] for at in (x.centre - x.radius, x.centre, x.centre + x.radius))
    radius = np.maximum(high - centre, centre - low)
    return _approximated(node, centre, radius, x)


def steep(node: onnx.NodeProto, x: Value) -> Value:
    """Return a function whose slope is bounded."""
    return _approximated(node, applied(node, x.centre)[0], STEEPEST[node.op_type] * x.radius, x)


def power(node: onnx.NodeProto, x: Value, exponent: Value) -> Value:
    """Return a power by a constant, from its slope at the largest magnitude."""
    centre = applied(node, x.centre, exponent.centre)[0]
    slope = np.abs(exponent.centre) * x.peak ** (np.abs(exponent.centre) - 1)
    return rounded(centre, np.where(x.radius > 0, slope * x.radius, 0.0), x.kind, _APPROXIMATED)


def cast(node: onnx.NodeProto, x: Value) -> Value:
    """Return the same numbers in another element type."""
    kind = onnx.helper.tensor_dtype_to_np_dtype(attributes(node)["to"])
    if kind.kind == "f":
        return rounded(np.asarray(x.centre, np.float64), x.radius, kind)
    return Value.of(x.centre.astype(kind)).widened(x.radius)


def _approximated(node: onnx.NodeProto, centre: np.ndarray, radius: np.ndarray, x: Value) -> Value:
    if node.op_type in _EXACT or node.op_type in ("Abs", "Neg"):
        return rounded(centre, radius, x.kind)
    return rounded(centre, radius + _FLOOR * unit(x.kind), x.kind, _APPROXIMATED)
