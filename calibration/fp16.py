"""Weights and the products made with them in half precision; everything delicate stays in single.

Half precision ends at 65504 and holds three digits. Norms, softmax, the mixture of a confidence filter, recurrent
nets and residual additions stay in single precision, and so does a layer that was seen near the limit. Inputs and
outputs of the graph stay float32.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field

import numpy as np
import onnx

from mmer.calibration.network import Draft, Network, rewired
from mmer.calibration.observe import extremes
from mmer.calibration.passes import Again
from mmer.calibration.sites import PASSING, gates

LIMIT = 6e4
"""Largest magnitude that may be seen; a little below 65504, for what was not seen."""

_WEIGHTED = frozenset({"Conv", "Gemm", "MatMul", "Gather"})
_FOLLOWING = PASSING | {"Relu", "LeakyRelu"}
"""Operators that are in half precision if what they read is."""


def halved(network: Network, inputs: Again) -> bytes:
    """Return the network with all layers that allow it in half precision."""
    gated = gates(network)
    layers = [node for node in network.nodes if node.output[0] not in gated and _weighted(node, network)]
    touched = dict.fromkeys(name for node in layers for name in (*_read(node, network), *node.output))
    peaks = {name: seen.range(centred=False).peak for name, seen in extremes(network, touched, inputs).items()}
    writer = _Writer(network, {node.output[0] for node in layers if _fits(node, network, peaks)})
    for node in network.nodes:
        writer.write(node)
    content: bytes = writer.draft.finished(network).SerializeToString(deterministic=True)
    return content


def _weighted(node: onnx.NodeProto, network: Network) -> bool:
    """Tell whether a node is a layer with a float matrix as its weight."""
    if node.op_type not in _WEIGHTED:
        return False
    return _is_float(node.input[0 if node.op_type == "Gather" else 1], network)


def _read(node: onnx.NodeProto, network: Network) -> list[str]:
    """Return the values that a layer reads apart from weights; the indices of a Gather are none."""
    return [] if node.op_type == "Gather" else [name for name in node.input if name and name not in network.weights]


def _fits(node: onnx.NodeProto, network: Network, peaks: Mapping[str, float]) -> bool:
    seen = (peaks[name] for name in (*_read(node, network), *node.output))
    constant = (float(np.abs(network.weights[name]).max()) for name in node.input if _is_float(name, network))
    return max((*seen, *constant)) <= LIMIT


def _is_float(name: str, network: Network) -> bool:
    return name in network.weights and network.weights[name].dtype == np.float32


@dataclass(frozen=True, slots=True)
class _Writer:
    network: Network
    fit: Set[str]
    halves: set[str] = field(default_factory=set)
    """Tensors that have been written in half precision."""
    cast: dict[str, str] = field(default_factory=dict)
    draft: Draft = field(default_factory=Draft)

    def write(self, node: onnx.NodeProto) -> None:
        layer = node.output[0] in self.fit
        half = layer or (node.op_type in _FOLLOWING and node.input[0] in self.halves)
        self.draft.nodes.append(rewired(node, self._halved(node) if layer else {} if half else self._single(node)))
        if half:
            self.halves.update(node.output)
        for name in self.network.outputs.intersection(node.output if half else ()):
            written = self.draft.nodes[-1]
            written.name, written.output[:] = f"{name}.half", [f"{name}.half"]
            self.draft.add("Cast", (f"{name}.half",), name, to=onnx.TensorProto.FLOAT)
            self.halves.remove(name)

    def _halved(self, node: onnx.NodeProto) -> Mapping[str, str]:
        """Return what a layer in half precision reads in place of its inputs."""
        weights = {name: self.network.weights[name] for name in node.input if _is_float(name, self.network)}
        constant = {name: self.draft.weight(f"{name}.half", w.astype(np.float16)) for name, w in weights.items()}
        given = [name for name in _read(node, self.network) if name not in self.halves]
        return constant | {name: self._converted(name, onnx.TensorProto.FLOAT16) for name in given}

    def _single(self, node: onnx.NodeProto) -> Mapping[str, str]:
        """Return what any other node reads in place of tensors in half precision."""
        return {n: self._converted(n, onnx.TensorProto.FLOAT) for n in node.input if n in self.halves}

    def _converted(self, name: str, kind: int) -> str:
        if name not in self.cast:
            self.cast[name] = self.draft.add("Cast", (name,), f"{name}.cast", to=kind)
        return self.cast[name]
