"""What every way of running a graph offers: numpy arrays by name in, numpy arrays by name out."""

from typing import Protocol

from mmer.edge.tensors import Tensors, TensorSpec


class Session(Protocol):
    """One graph, loaded and ready; ONNX Runtime, OpenVINO, TensorRT and the float torch model all satisfy it."""

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        """The tensors that `run` needs."""
        ...

    @property
    def outputs(self) -> tuple[TensorSpec, ...]:
        """The tensors that `run` returns."""
        ...

    def run(self, inputs: Tensors) -> Tensors:
        """Compute all outputs."""
        ...
