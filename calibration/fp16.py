"""Weights and the products made with them in half precision; everything delicate stays in single.

Half precision ends at 65504 and holds three digits. Norms, softmax, reductions, powers, the mixture of a confidence
filter and recurrent nets stay in single precision, and so does a layer that was seen near either end of the range or
whose weights would vanish. Inputs and outputs of the graph stay float32.
"""

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field

import numpy as np
import onnx

from mmer.calibration.fits import peak_fits, scale_fits, weight_fits
from mmer.calibration.graph.delicate import ARITHMETIC, preparatory
from mmer.calibration.graph.network import Draft, Network, attributes, rewired, taken
from mmer.calibration.graph.shapes import kinds
from mmer.calibration.graph.sites import PASSING, chain, gates
from mmer.calibration.observation.observe import extremes
from mmer.calibration.observation.passes import Again
from mmer.calibration.recipe import Peaks

_LAYERS = frozenset({"Conv", "Gemm", "MatMul", "Gather"})
"""Operators that are in half precision when one operand is a constant matrix."""

_LEVELS = frozenset({"QuantizeLinear", "DequantizeLinear"})
_BLIND = frozenset({"Shape", "Size"})
"""Operators that look at no value, whatever its type."""

FOLLOWING = PASSING | {"Relu", "LeakyRelu"}
"""Operators that are in half precision when what they read is."""

ELEMENTWISE = FOLLOWING | ARITHMETIC | {"AveragePool", "Concat", "MatMul", "Pad", "Slice"}
"""The same for a runtime that computes most of a graph in half precision."""


def peaks(network: Network, following: Set[str], inputs: Again) -> Peaks:
    """Return the largest magnitudes of all that may be in half precision."""
    known = kinds(network)
    sources: dict[str, str] = {}
    for node in network.nodes:
        if node.op_type in following or _weighted(node, network):
            touched = (name for name in (*node.input, *node.output) if known.get(name) == onnx.TensorProto.FLOAT)
            sources |= {name: chain(name, network)[-1] for name in touched}
    made = dict.fromkeys(source for source in sources.values() if source not in network.weights)
    found = {name: seen.range(centred=False).peak for name, seen in extremes(network, made, inputs).items()}
    constant = {name: network.weights[name] for name in sources.values() if name in network.weights}
    found |= {name: float(np.abs(array).max(initial=0)) for name, array in constant.items()}
    return {name: found[source] for name, source in sources.items()}


def halved(network: Network, following: Set[str], peaks: Peaks) -> onnx.ModelProto:
    """Return the network with all layers that allow it, and what may follow them, in half precision."""
    robust = following | _LAYERS | _LEVELS | _BLIND
    delicate = gates(network) | preparatory(network, robust) | _read_inside(network)
    writer = _Writer(network, following, peaks, kinds(network), delicate)
    for node in network.nodes:
        writer.write(node)
    return writer.draft.finished(network)


def _read_inside(network: Network) -> Set[str]:
    """Return what graphs inside nodes take from around them; their own nodes stay as they are."""
    return {name for node in network.nodes for name in taken(node) if name not in node.input}


def _weighted(node: onnx.NodeProto, network: Network) -> bool:
    """Tell whether a node is a layer with a constant matrix, which may be in integers."""
    if node.op_type not in _LAYERS:
        return False
    name = node.input[0 if node.op_type == "Gather" else 1]
    if network.maker(name) == "DequantizeLinear":
        return network.producers[name].input[0] in network.weights
    return _constant_float(name, network)


def _constant_float(name: str, network: Network) -> bool:
    return name in network.weights and network.weights[name].dtype == np.float32


@dataclass(frozen=True, slots=True)
class _Writer:
    network: Network
    following: Set[str]
    peaks: Peaks
    kinds: Mapping[str, int]
    delicate: Set[str]
    halves: set[str] = field(default_factory=set)
    """Tensors that have been written in half precision."""
    written: dict[tuple[str, bool], str] = field(default_factory=dict)
    """What was written only to be read in one precision, by tensor and whether that is half."""
    draft: Draft = field(default_factory=Draft)

    def write(self, node: onnx.NodeProto) -> None:
        if node.op_type == "DequantizeLinear":  # written where it is read, in the precision of what reads it
            return
        half = self._is_half(node)
        names = {name: self._read(name, half=half) for name in node.input} if node.op_type not in _BLIND else {}
        self.draft.nodes.append(rewired(node, names))
        if not half or node.op_type == "QuantizeLinear":
            return
        self.halves.update(node.output)
        for name in self.network.outputs.intersection(node.output):
            written = self.draft.nodes[-1]
            written.name, written.output[:] = f"{name}.half", [f"{name}.half"]
            self.draft.add("Cast", (f"{name}.half",), name, to=onnx.TensorProto.FLOAT)
            self.halves.remove(name)

    def _is_half(self, node: onnx.NodeProto) -> bool:
        if node.op_type == "QuantizeLinear":
            return node.input[0] in self.halves and scale_fits(self.network.weights[node.input[1]])
        if node.output[0] in self.delicate or not (self._follows(node) or _weighted(node, self.network)):
            return False
        return all(map(self._fits, (*node.input, *node.output)))

    def _follows(self, node: onnx.NodeProto) -> bool:
        """Tell whether what a node reads is in half precision; of a product one operand is enough."""
        if node.op_type not in self.following or not self._is_float(node.output[0]):
            return False
        read = [name for name in node.input if self._is_float(name) and not self._on_levels(name)]
        halves = [name in self.halves for name in read]
        return any(halves) if node.op_type == "MatMul" else all(halves)

    def _fits(self, name: str) -> bool:
        if self._on_levels(name):
            return scale_fits(self.network.weights[self.network.producers[name].input[1]])
        if _constant_float(name, self.network):
            return weight_fits(self.network.weights[name])
        if self._is_float(name):
            return name in self.peaks and peak_fits(self.peaks[name])
        return not name or name in self.kinds or name in self.network.weights

    def _read(self, name: str, *, half: bool) -> str:
        """Return what a node in half or single precision reads in place of one of its inputs."""
        if self._on_levels(name):
            return self._once(name, self._restored, half=half)
        if half and _constant_float(name, self.network):
            return self._constant(name)
        if not self._is_float(name) or half == (name in self.halves):
            return name
        return self._once(name, self._cast, half=half)

    def _is_float(self, name: str) -> bool:
        return self.kinds.get(name) == onnx.TensorProto.FLOAT

    def _on_levels(self, name: str) -> bool:
        return self.network.maker(name) == "DequantizeLinear"

    def _once(self, name: str, write: Callable[[str, bool], str], *, half: bool) -> str:
        if (name, half) not in self.written:
            self.written[name, half] = write(name, half)
        return self.written[name, half]

    def _cast(self, name: str, half: bool) -> str:
        kind = onnx.TensorProto.FLOAT16 if half else onnx.TensorProto.FLOAT
        return self.draft.add("Cast", (name,), f"{name}.cast", to=kind)

    def _restored(self, name: str, half: bool) -> str:
        node = self.network.producers[name]
        if not half:
            self.draft.nodes.append(node)
            return name
        levels, scale, zero = node.input
        operands = (levels, self._constant(scale), zero)
        return self.draft.add("DequantizeLinear", operands, f"{name}.half", **attributes(node))

    def _constant(self, name: str) -> str:
        return self.draft.weight(f"{name}.half", self.network.weights[name].astype(np.float16))
