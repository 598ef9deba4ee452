"""A graph that is put together node by node, with a random generator for whatever is not given."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import onnx
from onnx import helper, numpy_helper

from mmer.calibration.network import Array


@dataclass(frozen=True, slots=True)
class Wire:
    """A tensor by its name, and its sizes for the inputs that are drawn."""

    name: str
    shape: tuple[int, ...]

    @property
    def width(self) -> int:
        """The length of the last axis."""
        return self.shape[-1]


@dataclass(slots=True)
class Sketch:
    """Nodes and weights so far."""

    rng: np.random.Generator
    sharing: float = 0.0
    """How often a layer takes the weight of another one that has the same shape."""
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    weights: dict[str, Array] = field(default_factory=dict)

    def node(self, operator: str, inputs: Sequence[Wire | str], shape: tuple[int, ...], **attributes: object) -> Wire:
        """Append a node and return what it makes."""
        names = [wire if isinstance(wire, str) else wire.name for wire in inputs]
        output = f"{operator.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, names, [output], name=output, **attributes))  # type: ignore[arg-type]
        return Wire(output, shape)

    def constant(self, array: Array) -> str:
        """Keep a constant and return its name."""
        name = f"c{len(self.weights)}"
        self.weights[name] = np.asarray(array)
        return name

    def matrix(self, *shape: int, channels: int) -> str:
        """Return a weight with an axis of output channels, each of a size of its own within some orders."""
        alike = [name for name, array in self.weights.items() if array.shape == shape and array.dtype == np.float32]
        if alike and self.rng.random() < self.sharing:
            return str(self.rng.choice(alike))
        sizes = 10 ** self.rng.uniform(-0.5, 0.5, shape[channels])
        along = [1] * len(shape)
        along[channels] = -1
        fan = np.prod(shape) / shape[channels]
        drawn = self.rng.normal(0, fan**-0.5, shape) * sizes.reshape(along) * self.size(-1.5, 0.5)
        return self.constant(drawn.astype(np.float32))

    def vector(self, length: int) -> str:
        """Return a bias or a gain."""
        alike = [name for name, array in self.weights.items() if array.shape == (length,) and array.dtype == np.float32]
        if alike and self.rng.random() < self.sharing:
            return str(self.rng.choice(alike))
        return self.constant(self.rng.normal(0, self.size(-2, 0), length).astype(np.float32))

    def size(self, low: float, high: float) -> float:
        """Return a number whose logarithm to base 10 is uniform."""
        return float(10 ** self.rng.uniform(low, high))

    def odds(self, share: float) -> bool:
        """Return whether something that happens in this share of graphs happens in this one."""
        return bool(self.rng.random() < share)

    def model(self, given: Sequence[Wire], made: Sequence[Wire], opset: int) -> onnx.ModelProto:
        """Return the model with the sizes that were drawn."""
        graph = helper.make_graph(
            self.nodes,
            "drawn",
            [helper.make_tensor_value_info(w.name, onnx.TensorProto.FLOAT, w.shape) for w in given],
            [helper.make_tensor_value_info(w.name, onnx.TensorProto.FLOAT, w.shape) for w in made],
            [numpy_helper.from_array(array, name) for name, array in self.weights.items()],
        )
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)
