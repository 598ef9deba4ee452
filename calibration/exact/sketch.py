"""A graph that is put together node by node, with a random generator for whatever is not given."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import onnx
from onnx import helper, numpy_helper

from mmer.calibration.graph.network import Array


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
    aliased: bool = False
    """Whether what is shared is read through an Identity."""
    biased: bool = True
    """Whether linear layers have a bias."""
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    weights: dict[str, Array] = field(default_factory=dict)
    _again: list[str] = field(default_factory=list)
    """Constants that the layer being repeated takes in place of new ones."""

    def repeated(self, layer: Callable[["Sketch", Wire], Wire], x: Wire) -> Wire:
        """Return a layer applied twice with the same weights, as ALBERT does, where it keeps the shape."""
        sharing, self.sharing = self.sharing, 0.0  # which would draw differently the second time
        state, before = self.rng.bit_generator.state, len(self.weights)
        made = layer(self, x)
        if made.shape == x.shape:
            self.rng.bit_generator.state, self._again = state, list(self.weights)[before:]
            made = layer(self, made)
        self.sharing = sharing
        return made

    def node(self, operator: str, inputs: Sequence[Wire | str], shape: tuple[int, ...], **attributes: object) -> Wire:
        """Append a node and return what it makes."""
        names = [wire if isinstance(wire, str) else wire.name for wire in inputs]
        output = f"{operator.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, names, [output], name=output, **attributes))  # type: ignore[arg-type]
        return Wire(output, shape)

    def constant(self, array: Array) -> str:
        """Keep a constant and return its name; exporters put an Identity before one that they have already."""
        if self._again:
            return self._read(self._again.pop(0), np.asarray(array))
        name = f"c{len(self.weights)}"
        self.weights[name] = np.asarray(array)
        return name

    def matrix(self, *shape: int, channels: int) -> str:
        """Return a weight with an axis of output channels, each of a size of its own within some orders."""
        if shared := self._shared(shape):
            return shared
        sizes = 10 ** self.rng.uniform(-0.5, 0.5, shape[channels])
        along = [1] * len(shape)
        along[channels] = -1
        fan = np.prod(shape) / shape[channels]
        drawn = self.rng.normal(0, fan**-0.5, shape) * sizes.reshape(along) * self.size(-1.5, 0.5)
        return self.constant(drawn.astype(np.float32))

    def vector(self, length: int) -> str:
        """Return a bias or a gain."""
        return self._shared((length,)) or self.constant(self.rng.normal(0, self.size(-2, 0), length).astype(np.float32))

    def _shared(self, shape: tuple[int, ...]) -> str | None:
        """Return a weight that is there already, as it is or through the Identity that exporters put before it."""
        alike = [name for name, array in self.weights.items() if array.shape == shape and array.dtype == np.float32]
        if not alike or not self.sharing or self.rng.random() >= self.sharing:
            return None
        name = str(self.rng.choice(alike))
        return self._read(name, self.weights[name])

    def _read(self, name: str, array: Array) -> str:
        alias = self.aliased and array.ndim > 0 and array.dtype == np.float32
        return self.node("Identity", [name], array.shape).name if alias else name

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
