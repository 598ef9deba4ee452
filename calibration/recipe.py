"""How a target wants a graph to be quantised, as data."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import onnx

from mmer.calibration.graph.network import Network
from mmer.calibration.graph.sites import Scale, Site
from mmer.calibration.weights.levels import Grid

Peaks = Mapping[str, float]
"""The largest magnitude seen of a tensor, by its name."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """One way of quantising; the order of work is the same for all."""

    target: str
    """One of `mmer.edge.backends.targets`."""
    engine: str
    """The runtime that the form is for."""
    grid: Grid
    """Of activations; weights are signed and symmetric, each output channel by a scale of its own."""
    sites: Callable[[Network], Mapping[str, Site]]
    """What is worth quantising."""
    scales: Callable[[Network, Mapping[str, Site]], Mapping[str, Scale]]
    """Where activations are put on levels."""
    weight_bits: int = 8
    integer_bias: bool = False
    """Whether biases are 32-bit integers on the scale of the products; else float."""
    rectifier: str = "Relu"
    """What a ReLU behind a quantised Gemm is written as."""
    centring: float = 0.0
    """Inputs of Gemms are centred where that leaves at most this share of their largest magnitude."""
    finish: Callable[[Network, Peaks], onnx.ModelProto] | None = None
    """What is done to the quantised network in the end."""

    @property
    def name(self) -> str:
        """Under which the files stand in the manifest."""
        return f"int8.{self.target}"

    def to_json(self) -> dict[str, object]:
        """Return what can be written down."""
        bits = {"weight_bits": self.weight_bits, "signed": self.grid.signed, "symmetric": self.grid.symmetric}
        return {"name": self.name, "engine": self.engine, **bits, "half": self.grid.half, "centring": self.centring}
