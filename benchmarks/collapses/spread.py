"""How unlike the channels of a tensor are that share one scale."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import onnx
from collapses.network import INPUT, Float
from numpy.typing import NDArray

from mmer.calibration.network import Network
from mmer.calibration.observe import extremes

_LEVELS = 255


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """One tensor."""

    operator: str
    """That makes it, or whose weight it is, with `weight` behind."""
    peaks: NDArray[np.float64]
    """Largest magnitude of each channel, the largest first."""

    @property
    def levels(self) -> float:
        """How many of the levels that the tensor has are left to a channel in the middle."""
        return float(_LEVELS * np.median(self.peaks) / max(self.peaks[0], 1e-30))


def spreads(float_: Float) -> list[Spread]:
    """Return those of residual additions and of convolutions, in the order of the graph."""
    network = Network.of(onnx.load_from_string(float_.content))
    axes: dict[str, int | None] = {node.output[0]: axis for node, axis in _wanted(network)}
    samples = [{INPUT: still} for still in float_.stills]
    seen = extremes(network, axes, lambda: samples)
    found = []
    for node, _ in _wanted(network):
        of = seen[node.output[0]]
        found.append(_spread(node.op_type, np.maximum(np.abs(of.low), np.abs(of.high))))
        if node.op_type == "Conv":
            weight = np.abs(network.weights[node.input[1]])
            found.append(_spread("Conv weight", weight.max(axis=(1, 2, 3))))
    return found


def _wanted(network: Network) -> Iterator[tuple[onnx.NodeProto, int]]:
    """Yield the nodes whose outputs are looked at, and the axis of their channels."""
    for node in network.nodes:
        if node.op_type == "Conv":
            yield node, 1
        elif node.op_type == "Add" and not network.weights.keys() & set(node.input) and _residual(node, network):
            yield node, -1


def _residual(node: onnx.NodeProto, network: Network) -> bool:
    """Tell whether an addition adds something to what another one made, as blocks do."""
    return any(network.maker(name) == "Add" for name in node.input)


def _spread(operator: str, peaks: NDArray[np.float64]) -> Spread:
    return Spread(operator, np.sort(peaks.astype(np.float64))[::-1])
