"""What a runtime is known to compute wrongly, or to refuse, told by the structure of a file; each was found by `hunt`.

`docs/runtime-defects.md` shows each with the smallest graph. Versions are the newest in which it was seen.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import onnx
from onnx import shape_inference

from mmer.calibration.graph.network import Array, Network, attributes

ORT, OPENVINO = "onnxruntime 1.31.1", "openvino 2026.4.1"

_MERGED = frozenset({"gemm_input_shape", "gemm_output_shape"})
"""What ONNX Runtime's MatMulAddFusion calls the shapes it adds; it takes these names again in a file that has them."""
_MOVING = ("Reshape", "Slice", "Squeeze", "Transpose", "Unsqueeze")
_STATED_FROM = 21
"""The opset from which a QuantizeLinear may state its output's type."""
_LARGEST_BIAS = 2.0**31 - 1
_RESHAPING = frozenset({"Reshape", "Squeeze", "Unsqueeze", "Flatten"})
_FLOOR_OF_EXP = math.exp(5)
"""QLinearSoftmax fills its table up to FLT_MAX / (keys e^5) and multiplies by the inverse of the output's scale."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """A place that a rule speaks of."""

    rule: str
    runtime: str
    tensor: str
    reason: str

    def __str__(self) -> str:
        return f"{self.tensor}: {self.reason} ({self.runtime}, rule {self.rule})"


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """A network with the sizes that can be told."""

    network: Network
    sizes: Mapping[str, Sequence[int | str]]

    @classmethod
    def of(cls, model: onnx.ModelProto) -> "Sight":
        """Infer sizes anew, whatever the file states inside."""
        bare = onnx.ModelProto()
        bare.CopyFrom(model)
        del bare.graph.value_info[:]
        graph = shape_inference.infer_shapes(bare).graph
        return cls(Network.of(model), {v.name: _sizes(v) for v in (*graph.input, *graph.value_info, *graph.output)})

    def pair(self, tensor: str) -> onnx.NodeProto | None:
        """Return the DequantizeLinear that makes an activation."""
        node = self.network.producers.get(tensor)
        made = node is not None and node.op_type == "DequantizeLinear" and node.input[0] not in self.network.weights
        return node if made else None

    def scale(self, node: onnx.NodeProto) -> Array:
        """Return the scale of a Q or DQ; not a number where it is not constant."""
        return self.network.weights.get(node.input[1], np.array(np.nan))


def suspects(model: onnx.ModelProto) -> Sequence[Suspect]:
    """Return what a file holds that some runtime is known to get wrong, nothing for most files."""
    sight = Sight.of(model)
    return [
        Suspect(rule.__name__.replace("_", "-"), runtime, tensor, reason)
        for rule, runtime in _RULES
        for tensor, reason in rule(sight)
    ]


def quantised_softmax(sight: Sight) -> Iterator[tuple[str, str]]:
    """Find a softmax between DQ and Q whose output scale overflows QLinearSoftmax."""
    for node in _nodes(sight, "Softmax"):
        keys = _length(sight, node.input[0], attributes(node).get("axis", -1))
        for reader in sight.network.readers(node.output[0]):
            fused = reader.op_type == "QuantizeLinear" and sight.pair(node.input[0]) is not None
            scale = float(sight.scale(reader).min()) if fused else math.inf
            if fused and not math.floor(1 / scale) <= (keys or 1) * _FLOOR_OF_EXP:
                yield node.output[0], f"all shares become 0 over {keys or 'one'} key(s); keep the softmax in float"


def long_bias(sight: Sight) -> Iterator[tuple[str, str]]:
    """Find a float bias too large for the int32 that it is turned into."""
    for node in _nodes(sight, "Conv", "Gemm"):
        bias = sight.network.weights.get(node.input[2]) if len(node.input) > 2 else None
        pair = sight.pair(node.input[0])
        if bias is None or pair is None or bias.dtype.kind != "f":
            continue
        step = float(sight.scale(pair).min()) * _weight_step(sight, node.input[1])
        if float(np.abs(bias).max(initial=0)) > _LARGEST_BIAS * step:
            yield node.output[0], "the bias overflows int32 in steps of both scales; widen the input's range"


def mean_over_time(sight: Sight) -> Iterator[tuple[str, str]]:
    """Find a mean over the middle axis of a dequantised `[B, T, D]`."""
    for node in _nodes(sight, "ReduceMean"):
        sizes = sight.sizes.get(node.input[0], ())
        stated = sight.network.weights.get(node.input[1]) if len(node.input) > 1 else attributes(node).get("axes")
        axes = [] if stated is None else [int(axis) % 3 for axis in stated]
        if sight.pair(node.input[0]) is not None and len(sizes) == 3 and sizes[0] != 1 and axes == [1]:
            yield node.output[0], "every item of a batch but the first is wrong; take the mean of float values"


def mean_taken_off(sight: Sight) -> Iterator[tuple[str, str]]:
    """Find a reduction from which a number for each channel is taken off before it is put on levels."""
    for tensor, source in _shifted(sight):
        if source.op_type.startswith("Reduce"):
            yield tensor, "the numbers meet other channels; put a Max that changes nothing behind"


def mean_between_layers(sight: Sight) -> Iterator[tuple[str, str]]:
    """Find a number for each channel taken off what a layer and its ReLU make, where all sizes are fixed."""
    for tensor, source in _shifted(sight):
        layer = sight.network.maker(source.input[0]) in ("Gemm", "MatMul") and source.op_type in ("Relu", "Max")
        if layer and all(isinstance(size, int) for size in sight.sizes.get(tensor, ("?",))):
            yield tensor, "the next layer may be wrong on one thread; put a Max that changes nothing behind"


def joined_for_convolution(sight: Sight) -> Iterator[tuple[str, str]]:
    """Find a Conv that reads a Concat through one Q/DQ."""
    for node in _nodes(sight, "Conv"):
        pair = sight.pair(node.input[0])
        quantise = sight.network.producers.get(pair.input[0]) if pair is not None else None
        weight = sight.network.maker(node.input[1])
        if quantise is not None and weight == "DequantizeLinear" and sight.network.maker(quantise.input[0]) == "Concat":
            yield node.output[0], "numbers beyond the range come out as others; quantise each operand of the Concat"


def quantised_constant(sight: Sight) -> Iterator[tuple[str, str]]:
    """Find an Add of a dequantised tensor and a constant vector that goes through Q/DQ of its own."""
    for node in _nodes(sight, "Add"):
        pairs = [sight.pair(name) for name in node.input]
        sources = [sight.network.producers.get(pair.input[0]) for pair in pairs if pair is not None]
        given = [sight.network.weights.get(source.input[0]) for source in sources if source is not None]
        if len(given) == len(pairs) and any(array is not None and array.ndim == 1 for array in given):
            yield node.output[0], "the file is refused; leave the constant in float"


def sixteen_bits(sight: Sight) -> Iterator[tuple[str, str]]:
    """Find levels of sixteen bits, beyond whose ends OpenVINO does not saturate."""
    for node in _nodes(sight, "QuantizeLinear"):
        zero = sight.network.weights.get(node.input[2]) if len(node.input) > 2 else None
        if zero is not None and zero.dtype.itemsize == 2:
            yield node.output[0], "numbers outside the range are not clipped, or wrap; take eight bits or float"


def listed_scale(sight: Sight) -> Iterator[tuple[str, str]]:
    """Find activations whose scale is a list of one number."""
    for node in _nodes(sight, "QuantizeLinear"):
        if sight.scale(node).shape == (1,):
            yield node.output[0], "the scale has the shape [1] and fused kernels refuse it; write it as a scalar"


def signed_levels_moved(sight: Sight) -> Iterator[tuple[str, str]]:
    """Find int8 levels that are dequantised and then only moved, in a file of opset 21 or later."""
    opset = max(o.version for o in sight.network.model.opset_import if o.domain in ("", "ai.onnx"))
    for node in _nodes(sight, *_MOVING) if opset >= _STATED_FROM else ():
        pair = sight.pair(node.input[0])
        zero = sight.network.weights.get(pair.input[2]) if pair is not None and len(pair.input) > 2 else None
        last = not any(reader.op_type == "QuantizeLinear" for reader in sight.network.readers(node.output[0]))
        if zero is not None and zero.dtype == np.int8 and last:
            yield (
                node.output[0],
                "the file cannot be loaded from EXTENDED on; write it in opset 20, or quantise behind it",
            )


def names_taken(sight: Sight) -> Iterator[tuple[str, str]]:
    """Find a file saved by the optimiser in which there is something left to merge."""
    taken = _MERGED & set(sight.network.weights)
    for node in _nodes(sight, "MatMul"):
        reader = sight.network.only_reader(node.output[0])
        if taken and reader is not None and reader.op_type == "Add" and node.input[1] in sight.network.weights:
            yield node.output[0], f"{min(taken)} will be added a second time and loading fails; rename it"
            return


def stale_shapes(sight: Sight) -> Iterator[tuple[str, str]]:
    """Find inner shapes that the graph does not have."""
    for note in sight.network.model.graph.value_info:
        stated = _sizes(note)
        weight = sight.network.weights.get(note.name)
        real = sight.sizes.get(note.name, stated) if weight is None else weight.shape
        both = list(zip(stated, real, strict=False))
        if len(stated) != len(real) or any(isinstance(a, int) and isinstance(b, int) and a != b for a, b in both):
            yield note.name, f"is said to be {list(stated)} and is {list(real)}; delete value_info"


def described_weight(sight: Sight) -> Iterator[tuple[str, str]]:
    """Find a described weight of a Gemm that `quantize_dynamic` turns over without describing it anew."""
    described = {note.name for note in sight.network.model.graph.value_info}
    for node in _nodes(sight, "Gemm"):
        if attributes(node).get("transB", 0) and node.input[1] in described & set(sight.network.weights):
            yield node.input[1], "quantize_dynamic finds shapes that differ and fails; delete value_info"


def weight_only(sight: Sight) -> Iterator[tuple[str, str]]:
    """Find integer weights multiplied with float, which ONNX Runtime then rounds to 8 bits of its own."""
    for node in _nodes(sight, "MatMul", "Gemm"):
        maker = sight.network.producers.get(node.input[1])
        integers = maker is not None and maker.op_type == "DequantizeLinear" and maker.input[0] in sight.network.weights
        if integers and sight.network.maker(node.input[0]) != "DequantizeLinear":
            yield node.output[0], "the other operand is rounded too, unasked; quantise it with a range that was seen"


_RULES: tuple[tuple[Callable[[Sight], Iterator[tuple[str, str]]], str], ...] = (
    (quantised_softmax, ORT),
    (long_bias, ORT),
    (listed_scale, ORT),
    (signed_levels_moved, ORT),
    (names_taken, ORT),
    (stale_shapes, ORT),
    (described_weight, ORT),
    (weight_only, ORT),
    (mean_over_time, OPENVINO),
    (mean_taken_off, OPENVINO),
    (mean_between_layers, OPENVINO),
    (joined_for_convolution, OPENVINO),
    (quantised_constant, OPENVINO),
    (sixteen_bits, OPENVINO),
)


def _nodes(sight: Sight, *operators: str) -> Iterator[onnx.NodeProto]:
    return (node for node in sight.network.nodes if node.op_type in operators)


def _shifted(sight: Sight) -> Iterator[tuple[str, onnx.NodeProto]]:
    """Yield tensors that are put on levels after a constant for each channel was taken off, and what they come from."""
    network = sight.network
    for node in _nodes(sight, "Sub", "Add"):
        vector = next((network.weights[name] for name in node.input if name in network.weights), None)
        source = next((name for name in node.input if name not in network.weights), "")
        while network.maker(source) in _RESHAPING:
            source = network.producers[source].input[0]
        levels = any(reader.op_type == "QuantizeLinear" for reader in network.readers(node.output[0]))
        if levels and vector is not None and vector.size > 1 and source in network.producers:
            yield node.output[0], network.producers[source]


def _length(sight: Sight, tensor: str, axis: int) -> int | None:
    sizes = sight.sizes.get(tensor, ())
    size = sizes[axis] if sizes else None
    return size if isinstance(size, int) else None


def _weight_step(sight: Sight, name: str) -> float:
    """Return the least scale of a weight; of one in float, that which ONNX Runtime takes for it."""
    weight = sight.network.weights.get(name)
    if weight is not None:
        return float(weight.max(initial=0) - weight.min(initial=0)) / 255
    maker = sight.network.producers.get(name)
    return float(sight.scale(maker).min()) if maker is not None and maker.op_type == "DequantizeLinear" else math.inf


def _sizes(value: onnx.ValueInfoProto) -> Sequence[int | str]:
    return [dim.dim_param or dim.dim_value or "?" for dim in value.type.tensor_type.shape.dim]
