"""An ONNX graph with its edges at hand, and the steps by which a new one is written."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from mmer.calibration.graph.stored import Weights, assembled, contained
from mmer.edge.errors import DataError

Array = NDArray[Any]


class NameTakenError(DataError):
    """A graph has a weight of a name that calibration gives to one of its own."""

    def __init__(self, name: str) -> None:
        super().__init__(f"weight {name}: calibration needs this name itself; export the graph with another")


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """A graph as it was read; it is not changed."""

    model: onnx.ModelProto
    weights: Mapping[str, Array]
    producers: Mapping[str, onnx.NodeProto]
    """The node that makes each tensor."""
    consumers: Mapping[str, Sequence[onnx.NodeProto]]
    outputs: frozenset[str]
    folder: Path | None = None
    """Where weights lie that the model only refers to."""

    @classmethod
    def of(cls, model: onnx.ModelProto, folder: Path | None = None) -> "Network":
        """Look at a model, whose weights may lie in files of a folder; those are read when they are needed."""
        nodes = list(model.graph.node)
        consumers: dict[str, list[onnx.NodeProto]] = {}
        for node in nodes:
            for name in dict.fromkeys(taken(node)):
                consumers.setdefault(name, []).append(node)
        return cls(
            model,
            Weights.of(model.graph.initializer, folder),
            {name: node for node in nodes for name in node.output},
            consumers,
            frozenset(value.name for value in model.graph.output),
            folder,
        )

    @property
    def nodes(self) -> Sequence[onnx.NodeProto]:
        """Return the nodes, each after those that it reads from."""
        return list(self.model.graph.node)

    def contained(self) -> bytes:
        """Return the whole model, weights included."""
        copy = onnx.ModelProto()
        copy.CopyFrom(self.model)
        content: bytes = contained(copy, self.folder).SerializeToString()
        return content

    def readers(self, tensor: str) -> Sequence[onnx.NodeProto]:
        """Return the nodes that read a tensor."""
        return self.consumers.get(tensor, ())

    def only_reader(self, tensor: str) -> onnx.NodeProto | None:
        """Return the one node that reads a tensor, `None` when several do or the graph gives it away."""
        readers = self.readers(tensor)
        return readers[0] if len(readers) == 1 and tensor not in self.outputs else None

    def maker(self, tensor: str) -> str | None:
        """Return the operator that makes a tensor, `None` for inputs and weights."""
        node = self.producers.get(tensor)
        return node.op_type if node else None


@dataclass(slots=True)
class Draft:
    """Nodes and initialisers of a graph that is being written."""

    nodes: list[onnx.NodeProto] = field(default_factory=list)
    weights: dict[str, onnx.TensorProto] = field(default_factory=dict)

    def add(self, operator: str, inputs: Iterable[str], output: str, **attributes: object) -> str:
        """Append a node, named like its output, and return the output."""
        self.nodes.append(helper.make_node(operator, list(inputs), [output], name=output, **attributes))  # type: ignore[arg-type]
        return output

    def weight(self, name: str, array: Array) -> str:
        """Keep an initialiser, once for each name, and return the name."""
        if name not in self.weights:
            self.weights[name] = numpy_helper.from_array(np.asarray(array, order="C"), name)  # a scale stays a scalar
        return name

    def finished(self, network: Network) -> onnx.ModelProto:
        """Return a network's model with those of these nodes, and those weights, that its outputs depend on."""
        return contained(self._reduced(network), network.folder)

    def rewritten(self, network: Network) -> Network:
        """Return the same as a network, its weights where they were."""
        return Network.of(self._reduced(network), network.folder)

    def _reduced(self, network: Network) -> onnx.ModelProto:
        if taken_names := network.weights.keys() & self.weights.keys():
            raise NameTakenError(min(taken_names))
        weights = [*network.model.graph.initializer, *self.weights.values()]
        return reduced(network.model, self.nodes, weights, network.model.graph.output)


def rewired(node: onnx.NodeProto, names: Mapping[str, str]) -> onnx.NodeProto:
    """Return a copy of a node that reads other tensors."""
    copy = onnx.NodeProto()
    copy.CopyFrom(node)
    copy.input[:] = [names.get(name, name) for name in node.input]
    return copy


def attributes(node: onnx.NodeProto) -> Mapping[str, Any]:
    """Return what the node states about itself."""
    return {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}


def taken(node: onnx.NodeProto) -> Iterator[str]:
    """Yield the tensors that a node reads, those that the graphs inside it take from around them too."""
    yield from node.input
    for attribute in node.attribute:
        for graph in (attribute.g, *attribute.graphs):
            inner = (*graph.input, *graph.initializer)
            made = {value.name for value in inner} | {name for one in graph.node for name in one.output}
            found = [name for one in graph.node for name in taken(one)] + [value.name for value in graph.output]
            yield from (name for name in found if name not in made)


def tensors(network: Network) -> Iterator[str]:
    """Yield every tensor that a node makes."""
    return (name for node in network.nodes for name in node.output if name)


def reduced(
    model: onnx.ModelProto,
    nodes: Sequence[onnx.NodeProto],
    weights: Sequence[onnx.TensorProto],
    outputs: Sequence[onnx.ValueInfoProto],
) -> onnx.ModelProto:
    """Return a model of what the outputs depend on, without value_info, which states shapes that no longer hold."""
    wanted, kept = {value.name for value in outputs}, []
    for node in reversed(nodes):
        if wanted.intersection(node.output):
            wanted.update(taken(node))
            kept.append(node)
    read = [tensor for tensor in weights if tensor.name in wanted]
    return assembled(model, kept[::-1], read, outputs)
