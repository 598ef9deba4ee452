"""Q/DQ put into a float graph at random: which tensors, of what type, from what range."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import onnx

from mmer.calibration.exact.reference import Reference
from mmer.calibration.exact.value import Kind
from mmer.calibration.graph.network import Array, Draft, Network, attributes, rewired
from mmer.edge.tensors import Tensors

_FP16_FROM = 19
"""The opset in which scales may be float16."""
_SIXTEEN_FROM = 21
"""The opset in which levels may have sixteen bits."""


@dataclass(frozen=True, slots=True)
class Habits:
    """What one graph does everywhere."""

    share: float
    """Of activations that are quantised."""
    weights: float
    biases: float
    kind: Kind
    symmetric: bool
    channels: bool
    """Whether weights have a scale for each output channel."""
    half: bool
    powers: bool
    """Whether scales are powers of two."""
    listed: bool
    """Whether scales are lists of one number, as some tools write them, and not scalars as the standard says."""
    headroom: float
    """How far scales stray from what the range asks for, as a power of two."""

    @classmethod
    def drawn(cls, rng: np.random.Generator, opset: int) -> "Habits":
        """Return habits at random."""
        return cls(
            share=float(rng.choice([0.3, 0.7, 1.0])),
            weights=float(rng.choice([0.0, 0.8, 1.0])),
            biases=float(rng.choice([0.0, 0.5, 1.0])),
            kind=np.dtype(str(rng.choice(["uint8", "uint8", "int8", "uint16" if opset >= _SIXTEEN_FROM else "int8"]))),
            symmetric=bool(rng.random() < 0.3),
            channels=bool(rng.random() < 0.6),
            half=bool(opset >= _FP16_FROM and rng.random() < 0.1),
            powers=bool(rng.random() < 0.15),
            listed=bool(rng.random() < 0.1),
            headroom=float(rng.choice([0.0, 0.0, 3.0])),
        )


def levelled(model: onnx.ModelProto, inputs: Tensors, rng: np.random.Generator) -> onnx.ModelProto:
    """Return a float graph with Q/DQ, its ranges taken from what it makes of its inputs."""
    network = Network.of(model)
    seen = {name: value.centre for name, value in Reference(model).run(inputs).items() if value.kind == np.float32}
    habits = Habits.drawn(rng, model.opset_import[0].version)
    chosen = {name for name in seen if name not in network.weights and rng.random() < habits.share}
    writer = _Writer(network, seen, habits, rng, chosen)
    for value in model.graph.input:
        writer.quantise(value.name)
    for node in network.nodes:
        writer.write(node)
    return writer.finished()


@dataclass(slots=True)
class _Writer:
    network: Network
    seen: Mapping[str, Array]
    habits: Habits
    rng: np.random.Generator
    chosen: set[str]
    draft: Draft = field(default_factory=Draft)
    names: dict[str, str] = field(default_factory=dict)
    """What is read in place of a tensor."""
    steps: dict[str, Array] = field(default_factory=dict)
    """Scales by what is read."""

    def write(self, node: onnx.NodeProto) -> None:
        """Write a node that reads levels, where there are any."""
        names = dict(self.names)
        if node.op_type in ("Conv", "Gemm", "MatMul"):
            names |= self._constants(node)
        copy = rewired(node, names)
        self.draft.nodes.append(copy)
        for name in node.output:
            self.quantise(name)

    def quantise(self, tensor: str) -> None:
        """Write Q and DQ behind a tensor, if it was chosen."""
        if tensor not in self.chosen:
            return
        scale, zero = self._range(tensor)
        source = tensor
        if self.habits.half:
            scale = scale.astype(np.float16)
            source = self.draft.add("Cast", (tensor,), f"{tensor}.half", to=onnx.TensorProto.FLOAT16)
        read = self._pair(source, scale, zero)
        if self.habits.half:
            read = self.draft.add("Cast", (read,), f"{tensor}.single", to=onnx.TensorProto.FLOAT)
        self.names[tensor], self.steps[read] = read, scale.astype(np.float32)

    def finished(self) -> onnx.ModelProto:
        """Return the model; a quantised output is given away dequantised."""
        for value in self.network.model.graph.output:
            if value.name in self.names:
                self._given_away(value.name)
        return self.draft.finished(self.network)

    def _given_away(self, name: str) -> None:
        """Let the last node of a quantised output have the output's name, and its maker another one."""
        read = self.names[name]
        for node in self.draft.nodes:
            for names in (node.input, node.output):
                names[:] = [{name: f"{name}.exact", read: name}.get(each, each) for each in names]

    def _range(self, tensor: str) -> tuple[Array, Array]:
        """Return scale and zero point from the least and the largest number seen."""
        values, limits = self.seen[tensor], np.iinfo(self.habits.kind)
        low, high = min(float(values.min()), 0.0), max(float(values.max()), 0.0)
        stray = 2 ** self.rng.uniform(-self.habits.headroom, self.habits.headroom)
        if self.habits.symmetric:
            scale = max(-low, high) / (int(limits.max) - (int(limits.max) + 1) // 2 * (limits.min == 0)) * stray
            zero = (int(limits.max) + 1) // 2 if limits.min == 0 else 0
        else:
            scale = (high - low) / (int(limits.max) - int(limits.min)) * stray
            zero = int(np.clip(round(int(limits.min) - low / (scale or 1.0)), limits.min, limits.max))
        scale = max(scale, 1e-6) if scale else 1.0
        if self.habits.powers:
            scale = 2.0 ** round(np.log2(scale))
        return np.float32(scale)[...], np.array(zero, self.habits.kind)

    def _constants(self, node: onnx.NodeProto) -> dict[str, str]:
        """Return what a layer reads in place of its weight and bias."""
        if node.input[1] not in self.network.weights or self.rng.random() >= self.habits.weights:
            return {}
        axis = 0 if node.op_type == "Conv" or attributes(node).get("transB", 0) else 1
        read = self._weight(node.input[1], axis)
        given = self.names.get(node.input[0], "")
        has_bias = len(node.input) > 2 and node.input[2] in self.network.weights and given in self.steps
        if not has_bias or self.rng.random() >= self.habits.biases:
            return {node.input[1]: read}
        steps = self.steps[read] * self.steps[given]
        return {node.input[1]: read, node.input[2]: self._bias(node.input[2], steps, node.output[0])}

    def _weight(self, name: str, axis: int) -> str:
        read = f"{name}.{axis}.restored"
        if read in self.steps:
            return read
        weight = self.network.weights[name]
        others = tuple(a for a in range(weight.ndim) if a != axis) if self.habits.channels else None
        peak = np.abs(weight).max(axis=others, keepdims=self.habits.channels)
        scale = np.asarray(np.where(peak > 0, peak / 127, 1.0), np.float32)
        values = np.clip(np.rint(weight / scale), -127, 127).astype(np.int8)
        self.steps[read] = scale.reshape(-1) if self.habits.channels else scale
        return self._restored(read, values, self.steps[read], axis)

    def _bias(self, name: str, steps: Array, output: str) -> str:
        """Return a bias in integers of the product's scale, as tools write it, or of a scale of its own."""
        bias = self.network.weights[name]
        if self.rng.random() < 0.15:
            steps = np.asarray(np.abs(bias).max() / 2**20 or 1.0, np.float32)
        values = np.clip(np.rint(bias / steps.astype(np.float64)), -(2**30), 2**30).astype(np.int32)
        return self._restored(f"{output}.bias", values, np.asarray(steps, np.float32), 0)

    def _restored(self, read: str, values: Array, scale: Array, axis: int) -> str:
        parts = (
            self.draft.weight(f"{read}.values", values),
            self.draft.weight(f"{read}.scale", scale),
            self.draft.weight(f"{read}.zero", np.zeros(scale.shape, values.dtype)),
        )
        return self.draft.add("DequantizeLinear", parts, read, axis=axis)

    def _pair(self, tensor: str, scale: Array, zero: Array) -> str:
        if self.habits.listed:
            scale, zero = scale.reshape(1), zero.reshape(1)
        parts = self.draft.weight(f"{tensor}.scale", scale), self.draft.weight(f"{tensor}.zero", zero)
        levels = self.draft.add("QuantizeLinear", (tensor, *parts), f"{tensor}.levels")
        return self.draft.add("DequantizeLinear", (levels, *parts), f"{tensor}.levelled")
