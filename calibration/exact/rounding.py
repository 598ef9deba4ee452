"""QuantizeLinear, DequantizeLinear and DynamicQuantizeLinear.

The standard's own words: quantising is saturate(round(x / scale) + zero), halves go to the even number; dequantising
is (x - zero) * scale. A runtime may reckon both from the ends of the range instead, as OpenVINO's FakeQuantize does,
and then rounds relative to the range and not to the number.
"""

import numpy as np
import onnx

from mmer.calibration.exact.value import Grid, Kind, Value, rounded, unit
from mmer.calibration.graph.network import Array, attributes
from mmer.calibration.observation.ranges import Wide

BYTE = np.dtype(np.uint8)
_BIAS = 4
"""Bytes of an integer bias."""


def quantise(node: onnx.NodeProto, operands: tuple[Value | None, ...], slack: float) -> Value:
    """Return levels; the radius counts every level that an uncertain input, and `slack`, may lead to."""
    x, scale, zero = _operands(node, operands)
    kind = zero.kind if zero is not None else _stated(node)
    steps = _along(scale.centre, x, node)
    offset = _along(zero.centre, x, node) if zero is not None else np.zeros(())
    reach = x.radius + 2 * unit(scale.kind, x.kind) * (x.peak + _span(kind) * steps)
    return _levels(x.centre / steps, reach / steps, offset, kind, slack)


def dequantise(node: onnx.NodeProto, operands: tuple[Value | None, ...]) -> Value:
    """Return real numbers, with the grid that they lie on."""
    x, scale, zero = _operands(node, operands)
    steps = np.broadcast_to(_along(scale.centre, x, node), _broadcastable(scale.centre, x, node))
    offset = _along(zero.centre, x, node) if zero is not None else np.zeros(())
    levels = x.centre - offset
    ends = 2 * unit(scale.kind) * _span(x.kind) * steps
    made = rounded(levels * steps, x.radius * steps + ends, scale.kind, 2)
    return Value(made.centre, made.radius, made.kind, Grid(levels, steps))


def dynamic(x: Value, slack: float) -> tuple[Value, Value, Value]:
    """Return levels, scale and zero point, all taken from one tensor."""
    low, high = min(float(x.centre.min()), 0.0), max(float(x.centre.max()), 0.0)
    scale = (high - low) / 255
    reach = (2 * float(x.radius.max()) + 2 * unit(x.kind) * (high - low)) / 255
    if scale == 0:
        nothing = np.zeros(())
        return _levels(x.centre, x.radius, nothing, BYTE, 0), Value.of(np.float32(0)[...]), Value.of(np.uint8(0)[...])
    moved = (float(x.radius.max()) - low * reach / scale) / scale + 4 * unit(x.kind) * 255
    zero = _levels(np.asarray(-low / scale), np.asarray(moved), np.zeros(()), BYTE, 0)
    uncertain = (x.radius + 3 * unit(x.kind) * x.peak) / scale + x.peak * reach / scale**2
    levels = _levels(x.centre / scale, uncertain, zero.centre, BYTE, slack + float(zero.radius))
    step = Value(np.asarray(scale), np.asarray(reach), x.kind)
    return levels, step, zero


def _span(kind: Kind) -> float:
    """Return how many levels there are, 0 for biases, whose levels have no ends that are reached."""
    limits = np.iinfo(kind)
    return 0.0 if kind.itemsize >= _BIAS else float(limits.max) - float(limits.min)


def _levels(exact: Wide, reach: Wide, offset: Wide, kind: Kind, slack: float) -> Value:
    limits = np.iinfo(kind)
    low, middle, high = (
        np.clip(np.rint(exact + by) + offset + lax, limits.min, limits.max)
        for by, lax in ((-reach, -slack), (0.0, 0.0), (reach, slack))
    )
    return Value(middle, np.maximum(high - middle, middle - low), kind)


def _operands(node: onnx.NodeProto, operands: tuple[Value | None, ...]) -> tuple[Value, Value, Value | None]:
    x, scale, zero, *_ = (*operands, None)
    assert x is not None, node.name
    assert scale is not None, node.name
    return x, scale, zero


def _stated(node: onnx.NodeProto) -> Kind:
    number = attributes(node).get("output_dtype", 0) or onnx.TensorProto.UINT8
    kind: Kind = onnx.helper.tensor_dtype_to_np_dtype(number)
    return kind


def _along(parameter: Array, x: Value, node: onnx.NodeProto) -> Wide:
    """Return a scale or zero point so that it stands along its axis."""
    return np.asarray(parameter, np.float64).reshape(_broadcastable(parameter, x, node))


def _broadcastable(parameter: Array, x: Value, node: onnx.NodeProto) -> tuple[int, ...]:
    shape = [1] * x.centre.ndim
    if parameter.size > 1:
        shape[attributes(node).get("axis", 1)] = parameter.size
    return tuple(shape)
