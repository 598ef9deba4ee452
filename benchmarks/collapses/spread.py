"""How unlike the channels of a tensor are that share one scale."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import onnx
from collapses.network import INPUT, Float
from numpy.typing import NDArray

from mmer.calibration.graph.network import Network
from mmer.calibration.observation.observe import extremes

_STEPS = 255


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """One tensor."""

    operator: str
    """That makes it, or whose weight it is, with `weight` behind."""
    widths: NDArray[np.float64]
    """From the lowest to the highest value of each channel, the widest first."""
    whole: float
    """What one scale for all of them has to span; 0 is always in it."""

    @property
    def step(self) -> float:
        """The distance between two levels of eight bits."""
        return self.whole / _STEPS

    @property
    def levels(self) -> float:
        """How many levels a channel in the middle has."""
        return float(np.median(self.widths) / self.step)


def spreads(float_: Float) -> list[Spread]:
    """Return those of residual additions and of convolutions, in the order of the graph."""
    network = Network.of(onnx.load_from_string(float_.content))
    axes: dict[str, int | None] = {node.output[0]: axis for node, axis in _wanted(network)}
    samples = [{INPUT: still} for still in float_.stills]
    seen = extremes(network, axes, lambda: samples)
    found = []
    for node, _ in _wanted(network):
        of = seen[node.output[0]]
        found.append(_spread(node.op_type, of.low, of.high))
        if node.op_type == "Conv":
            peaks = np.abs(network.weights[node.input[1]]).max(axis=(1, 2, 3)).astype(np.float64)
            found.append(_spread("Conv weight", -peaks, peaks))
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


def _spread(operator: str, low: NDArray[np.float64], high: NDArray[np.float64]) -> Spread:
    return Spread(operator, np.sort(high - low)[::-1], max(float(high.max()), 0.0) - min(float(low.min()), 0.0))
