"""Operators that look at many numbers for each that they make: softmax, norms, means."""

import math

import numpy as np
import onnx

from mmer.calibration.exact.operators import applied
from mmer.calibration.exact.value import Value, rounded, unit
from mmer.calibration.graph.network import attributes
from mmer.calibration.observation.ranges import Wide

_APPROXIMATED = 32.0
"""Roundings granted to exp and to the inverse square root."""

AVERAGING = frozenset({"ReduceMean", "ReduceSum", "GlobalAveragePool", "AveragePool"})


def softmax(node: onnx.NodeProto, x: Value) -> Value:
    """Return shares; all logits wrong by `d` to the worst side change a share by the factor exp(2 d)."""
    axis = attributes(node).get("axis", -1)
    centre = applied(node, x.centre)[0]
    reach = x.radius.max(axis=axis, keepdims=True) + 2 * unit(x.kind) * x.peak.max(axis=axis, keepdims=True)
    with np.errstate(over="ignore", invalid="ignore"):
        moved = centre * np.expm1(2 * reach)
    radius = np.minimum(np.nan_to_num(moved, nan=1.0), 1.0)  # a share of 0 whose logit may be anything
    return rounded(centre, radius, x.kind, _APPROXIMATED + centre.shape[axis])


def averaged(node: onnx.NodeProto, x: Value, *axes: Value) -> Value:
    """Return means or sums, which depend on their numbers with weights that are not negative."""
    indices = [axis.centre for axis in axes]
    centre = applied(node, x.centre, *indices)[0]
    length = max(1, x.centre.size // max(1, centre.size))
    lost = (length + 2) * unit(x.kind) * applied(node, x.peak, *indices)[0]
    return rounded(centre, applied(node, x.radius, *indices)[0] + lost, x.kind)


def normalised(node: onnx.NodeProto, x: Value, gain: Value, *bias: Value) -> Value:
    """Return a layer norm; a deviation moves by no more than the root mean square of what moves the numbers."""
    stated = attributes(node)
    axes = tuple(range(stated.get("axis", -1) % x.centre.ndim, x.centre.ndim))
    length = math.prod(x.centre.shape[axis] for axis in axes)
    centre = applied(node, x.centre, gain.centre, *(b.centre for b in bias))[0]
    each = x.radius + (length + 2) * unit(x.kind) * x.peak.max(axis=axes, keepdims=True)
    moved = each + each.mean(axis=axes, keepdims=True)
    spread, least = _deviation(x.centre, each, axes, stated.get("epsilon", 1e-5), unit(x.kind) * length)
    from_mean = np.abs(x.centre - x.centre.mean(axis=axes, keepdims=True))
    radius = (moved / least + from_mean * (1 / least - 1 / spread)) * np.abs(gain.centre)
    return rounded(centre, radius, x.kind, _APPROXIMATED)


def _deviation(x: Wide, each: Wide, axes: tuple[int, ...], epsilon: float, lost: float) -> tuple[Wide, Wide]:
    """Return the deviation and the least that it may be, for kernels that take the squares' mean in one pass too."""
    spread = np.sqrt(x.var(axis=axes, keepdims=True) + epsilon)
    squares = (np.square(x)).mean(axis=axes, keepdims=True)
    moved = np.sqrt(np.square(each).mean(axis=axes, keepdims=True)) + lost * squares / spread
    return spread, np.maximum(spread - moved, 0.5 * math.sqrt(epsilon))
