"""The parts of a model that become one graph each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import onnx
import torch
from torch import Tensor, nn

from mmer.edge.bundle.plan import Modality, Plan, Rate, Stage
from mmer.edge.tensors import Tensors, TensorSpec


@dataclass(frozen=True, slots=True)
class Subgraph:
    """A module that takes the inputs in order and returns a tuple of the outputs in order."""

    name: str
    module: nn.Module
    """In evaluation mode, the outermost module too: the tracer sets every part back to what it finds there."""
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    sizes: Mapping[str, tuple[int, int]]
    """Smallest and largest value of every dimension that the inputs name."""
    convert: Callable[["Subgraph"], onnx.ModelProto]
    """The exporter."""

    def __post_init__(self) -> None:
        assert not any(module.training for module in self.module.modules())

    def example(self) -> tuple[Tensor, ...]:
        """Return inputs to trace with, at sizes inside the ranges."""
        sizes = {name: (low + high) // 2 for name, (low, high) in self.sizes.items()}
        return tuple(_example(spec, sizes) for spec in self.inputs)

    def dynamic_axes(self) -> dict[str, dict[int, str]]:
        """Return the named dimensions of every tensor by axis."""
        return {spec.name: _named(spec) for spec in (*self.inputs, *self.outputs)}


@dataclass(frozen=True, slots=True)
class Split:
    """A model cut into subgraphs, and the plan that puts them together again."""

    subgraphs: tuple[Subgraph, ...]
    plan: Plan
    vocabulary: int
    """How many token ids there are."""


def stage(subgraph: Subgraph, rate: Rate, needs: tuple[Modality, ...]) -> Stage:
    """Return the stage that runs a subgraph, which has its name."""
    inputs, outputs = (tuple(spec.name for spec in specs) for specs in (subgraph.inputs, subgraph.outputs))
    return Stage(subgraph.name, subgraph.name, rate, inputs, outputs, needs)


class TorchSession:
    """A subgraph run by torch: the reference of the gate, offered as a `Session`."""

    def __init__(self, subgraph: Subgraph) -> None:
        self.inputs = subgraph.inputs
        self.outputs = subgraph.outputs
        self._module = subgraph.module

    def run(self, inputs: Tensors) -> Tensors:
        """Compute all outputs."""
        values = [torch.from_numpy(np.array(inputs[spec.name])) for spec in self.inputs]
        with torch.inference_mode():
            results = self._module(*values)
        return {spec.name: value.numpy() for spec, value in zip(self.outputs, results, strict=True)}


def _example(spec: TensorSpec, sizes: Mapping[str, int]) -> Tensor:
    shape = [size if isinstance(size, int) else sizes[size] for size in spec.shape]
    if spec.dtype == "float32":
        return torch.randn(shape, generator=torch.Generator().manual_seed(0))
    return torch.ones(shape, dtype=getattr(torch, spec.dtype))


def _named(spec: TensorSpec) -> dict[int, str]:
    return {axis: size for axis, size in enumerate(spec.shape) if isinstance(size, str)}
