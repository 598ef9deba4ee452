"""Layers as exporters write them, with sizes, attributes and weights at random.

A layer takes a wire `[B, T, D]`, `[B, C, H, W]` or `[B, D]` and returns one of the same kind or a flatter one. Sizes
that copy the batch are written as 0, so a graph holds for any batch.
"""

from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np

from mmer.calibration.exact.sketch import Sketch, Wire

Layer: TypeAlias = Callable[[Sketch, Wire], Wire]

_WIDTHS = (2, 3, 5, 8, 12, 16, 24)


def linear(sketch: Sketch, x: Wire, width: int | None = None) -> Wire:
    """Return a linear layer written as MatMul and Add, the bias on either side, or without one."""
    width = width or int(sketch.rng.choice(_WIDTHS))
    shape = (*x.shape[:-1], width)
    product = sketch.node("MatMul", [x, sketch.matrix(x.width, width, channels=1)], shape)
    if not sketch.biased:
        return product
    operands: list[Wire | str] = [product, sketch.vector(width)]
    return sketch.node("Add", operands[:: sketch.rng.choice([1, -1])], shape)


def gemm(sketch: Sketch, x: Wire) -> Wire:
    """Return a linear layer written as Gemm, on two dimensions."""
    width = int(sketch.rng.choice(_WIDTHS))
    flat = x
    if len(x.shape) > 2:
        rows = int(np.prod(x.shape[:-1]))
        flat = sketch.node("Reshape", [x, sketch.constant(np.array([-1, x.width]))], (rows, x.width))
    turned = sketch.odds(0.5)
    weight = sketch.matrix(*((width, x.width) if turned else (x.width, width)), channels=0 if turned else 1)
    stated: dict[str, object] = {"transB": 1} if turned else {}
    if sketch.odds(0.15):
        stated["alpha"] = float(sketch.rng.choice([0.5, 2.0, 0.125]))
    if sketch.odds(0.15):
        stated["beta"] = float(sketch.rng.choice([0.5, 2.0]))
    bias = [sketch.vector(width)] if sketch.odds(0.8) else []
    made = sketch.node("Gemm", [flat, weight, *bias], (flat.shape[0], width), **stated)
    if len(x.shape) == 2:
        return made
    back = sketch.constant(np.array([-1, *x.shape[1:-1], width]))
    return sketch.node("Reshape", [made, back], (*x.shape[:-1], width))


def activation(sketch: Sketch, x: Wire) -> Wire:
    """Return a function of each number."""
    kind = str(
        sketch.rng.choice(["Relu", "Relu", "LeakyRelu", "Tanh", "Sigmoid", "Clip", "gelu", "silu", "HardSigmoid"])
    )
    if kind == "gelu":
        inner = sketch.node("Div", [x, sketch.constant(np.float32(np.sqrt(2)))], x.shape)
        shifted = sketch.node("Add", [sketch.node("Erf", [inner], x.shape), sketch.constant(np.float32(1))], x.shape)
        halved = sketch.node("Mul", [shifted, sketch.constant(np.float32(0.5))], x.shape)
        return sketch.node("Mul", [x, halved], x.shape)
    if kind == "silu":
        return sketch.node("Mul", [x, sketch.node("Sigmoid", [x], x.shape)], x.shape)
    if kind == "Clip":
        bounds = [sketch.constant(np.float32(bound)) for bound in (0, 6)]
        return sketch.node("Clip", [x, *bounds], x.shape)
    return sketch.node(kind, [x], x.shape)


def softmax(sketch: Sketch, x: Wire) -> Wire:
    """Return shares along some axis, mostly the last."""
    axis = -1 if sketch.odds(0.8) else int(sketch.rng.integers(1, len(x.shape)))
    return sketch.node("Softmax", [x], x.shape, axis=axis)


def attention(sketch: Sketch, x: Wire) -> Wire:
    """Return self-attention with one or more heads over `[B, T, D]`."""
    batch, steps, _ = x.shape
    heads, width = int(sketch.rng.choice([1, 2, 3])), int(sketch.rng.choice([2, 4, 8]))
    if x.width % heads == 0 and sketch.odds(0.7):  # as nets have it, where nothing was pruned
        width = x.width // heads
    split = sketch.constant(np.array([0, steps, heads, width]))
    parts = []
    for order in ([0, 2, 1, 3], [0, 2, 3, 1], [0, 2, 1, 3]):
        flat = linear(sketch, x, heads * width)
        apart = sketch.node("Reshape", [flat, split], (batch, steps, heads, width))
        shape = tuple(apart.shape[axis] for axis in order)
        parts.append(sketch.node("Transpose", [apart], shape, perm=order))
    square = (batch, heads, steps, steps)
    scores = sketch.node("MatMul", parts[:2], square)
    shares = sketch.node("Softmax", [_masked(sketch, _divided(sketch, scores, width))], square, axis=-1)
    mixed = sketch.node("MatMul", [shares, parts[2]], (batch, heads, steps, width))
    turned = sketch.node("Transpose", [mixed], (batch, steps, heads, width), perm=[0, 2, 1, 3])
    join = sketch.constant(np.array([0, steps, heads * width]))
    return linear(sketch, sketch.node("Reshape", [turned, join], (batch, steps, heads * width)), x.width)


def norm(sketch: Sketch, x: Wire) -> Wire:
    """Return a layer norm over the last axis."""
    gain = sketch.constant(sketch.rng.uniform(0.5, 1.5, x.width).astype(np.float32))
    return sketch.node("LayerNormalization", [x, gain, sketch.vector(x.width)], x.shape, axis=-1)


def block(sketch: Sketch, x: Wire) -> Wire:
    """Return a layer of a transformer: attention and a feed-forward part, each with its residual and norm."""
    first = sketch.odds(0.5)
    for part in (attention, _feed_forward):
        read = norm(sketch, x) if first else x
        x = sketch.node("Add", [x, part(sketch, read)], x.shape)
        x = x if first else norm(sketch, x)
    return x


def convolution(sketch: Sketch, x: Wire) -> Wire:
    """Return a convolution over two dimensions, sometimes grouped, dilated or with strides."""
    batch, given, *sizes = x.shape
    kernel, dilation = int(sketch.rng.choice([1, 2, 3])), int(sketch.rng.choice([1, 1, 1, 2]))
    stride = int(sketch.rng.choice([1, 1, 2]))
    group = given if sketch.odds(0.2) else 1
    made = given * int(sketch.rng.choice([1, 2])) if group > 1 else int(sketch.rng.choice(_WIDTHS))
    span = dilation * (kernel - 1)
    pad = span - span // 2 if sketch.odds(0.7) or min(sizes) <= span else 0
    weight = sketch.matrix(made, given // group, kernel, kernel, channels=0)
    bias = [sketch.vector(made)] if sketch.odds(0.8) else []
    shape = (batch, made, *((size + 2 * pad - span - 1) // stride + 1 for size in sizes))
    stated = {"kernel_shape": [kernel] * 2, "pads": [pad] * 4, "strides": [stride] * 2, "dilations": [dilation] * 2}
    return sketch.node("Conv", [x, weight, *bias], shape, group=group, **stated)


def pool(sketch: Sketch, x: Wire) -> Wire:
    """Return the largest or the mean of two by two numbers."""
    batch, channels, *sizes = x.shape
    if min(sizes) < 2:
        return activation(sketch, x)
    kind = str(sketch.rng.choice(["MaxPool", "AveragePool"]))
    stated: dict[str, object] = {"kernel_shape": [2, 2], "strides": [2, 2]}
    if sketch.odds(0.3):
        stated |= {"strides": [1, 1], "kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}
        return sketch.node(kind, [x], x.shape, **stated)
    return sketch.node(kind, [x], (batch, channels, *(size // 2 for size in sizes)), **stated)


def residual(sketch: Sketch, x: Wire) -> Wire:
    """Return a layer added to what it reads."""
    layer = {3: attention, 4: _same}.get(len(x.shape), _square) if sketch.odds(0.5) else _square
    inner = _same(sketch, x) if len(x.shape) == 4 else layer(sketch, x)
    return sketch.node("Add", [x, inner], x.shape)


def joined(sketch: Sketch, x: Wire) -> Wire:
    """Return a layer's output beside its input, along the channels."""
    other = _same(sketch, x) if len(x.shape) == 4 else linear(sketch, x)
    axis = 1 if len(x.shape) == 4 else len(x.shape) - 1
    shape = list(x.shape)
    shape[axis] += other.shape[axis]
    return sketch.node("Concat", [x, other], tuple(shape), axis=axis)


def scaled(sketch: Sketch, x: Wire) -> Wire:
    """Return a tensor times, or plus, a constant."""
    operator = str(sketch.rng.choice(["Mul", "Add", "Div", "Sub"]))
    return sketch.node(operator, [x, sketch.constant(np.float32(sketch.size(-1, 1)))], x.shape)


def halved(sketch: Sketch, x: Wire) -> Wire:
    """Return the first half along the axis of channels."""
    axis = 1 if len(x.shape) == 4 else len(x.shape) - 1
    half = (x.shape[axis] + 1) // 2
    bounds = [sketch.constant(np.array([number])) for number in (0, half, axis)]
    return sketch.node("Slice", [x, *bounds], tuple(half if a == axis else n for a, n in enumerate(x.shape)))


def flattened(sketch: Sketch, x: Wire) -> Wire:
    """Return `[B, D]`: all numbers of an item, or the mean of each channel."""
    if len(x.shape) == 4 and sketch.odds(0.5):
        x = sketch.node("GlobalAveragePool", [x], (*x.shape[:2], 1, 1))
    elif len(x.shape) == 3 and sketch.odds(0.7):
        axis = sketch.constant(np.array([1]))
        return sketch.node("ReduceMean", [x, axis], (x.shape[0], x.shape[2]), keepdims=0)
    return sketch.node("Flatten", [x], (x.shape[0], int(np.prod(x.shape[1:]))), axis=1)


def _feed_forward(sketch: Sketch, x: Wire) -> Wire:
    return linear(sketch, activation(sketch, linear(sketch, x)), x.width)


def _divided(sketch: Sketch, scores: Wire, width: int) -> Wire:
    """Return scores over the root of the heads' width, in either way in which it is written."""
    if sketch.odds(0.5):
        return sketch.node("Mul", [scores, sketch.constant(np.float32(width**-0.5))], scores.shape)
    return sketch.node("Div", [scores, sketch.constant(np.float32(width**0.5))], scores.shape)


def _masked(sketch: Sketch, scores: Wire) -> Wire:
    """Return scores with a mask that leaves out nothing, or the last keys."""
    if sketch.odds(0.5):
        return scores
    mask = np.zeros((1, 1, 1, scores.width), np.float32)
    mask[..., int(sketch.rng.integers(1, scores.width + 1)) :] = -1e4
    return sketch.node("Add", [scores, sketch.constant(mask)], scores.shape)


def _square(sketch: Sketch, x: Wire) -> Wire:
    return activation(sketch, linear(sketch, x, x.width)) if sketch.odds(0.5) else linear(sketch, x, x.width)


def _same(sketch: Sketch, x: Wire) -> Wire:
    """Return a convolution that keeps all sizes."""
    weight = sketch.matrix(x.shape[1], x.shape[1], 3, 3, channels=0)
    made = sketch.node("Conv", [x, weight, sketch.vector(x.shape[1])], x.shape, kernel_shape=[3, 3], pads=[1] * 4)
    return activation(sketch, made) if sketch.odds(0.5) else made


_ANY: tuple[Layer, ...] = (activation, softmax, residual, joined, scaled, halved)
LAYERS: Mapping[int, tuple[Layer, ...]] = {
    2: (*_ANY, linear, linear, gemm, norm),
    3: (*_ANY, linear, linear, gemm, attention, *[block] * 4, norm, flattened),
    4: (*_ANY, convolution, convolution, convolution, pool, flattened),
}
"""By the number of dimensions that they read; what stands twice is drawn twice as often."""
