"""An ONNX graph with its edges at hand, and the steps by which a new one is written."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

Array = NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """A graph as it was read; it is not changed."""

    model: onnx.ModelProto
    weights: Mapping[str, Array]
    producers: Mapping[str, onnx.NodeProto]
    """The node that makes each tensor."""
    consumers: Mapping[str, Sequence[onnx.NodeProto]]
    outputs: frozenset[str]

    @classmethod
    def of(cls, model: onnx.ModelProto) -> "Network":
        """Look at a model."""
        nodes = list(model.graph.node)
        consumers: dict[str, list[onnx.NodeProto]] = {}
        for node in nodes:
            for name in dict.fromkeys(node.input):
                consumers.setdefault(name, []).append(node)
        return cls(
            model,
            {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer},
            {name: node for node in nodes for name in node.output},
            consumers,
            frozenset(value.name for value in model.graph.output),
        )

    @property
    def nodes(self) -> Sequence[onnx.NodeProto]:
        """Return the nodes, each after those that it reads from."""
        return list(self.model.graph.node)

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
            self.weights[name] = numpy_helper.from_array(np.ascontiguousarray(array), name)
        return name

    def finished(self, network: Network) -> onnx.ModelProto:
        """Return a network's model with those of these nodes, and those weights, that its outputs depend on."""
        nodes = _needed(self.nodes, network.outputs)
        read = {name for node in nodes for name in node.input} | network.outputs
        old = [tensor for tensor in network.model.graph.initializer if tensor.name in read]
        model = _shell(network.model)
        model.graph.node.extend(nodes)
        model.graph.initializer.extend([*old, *(t for name, t in self.weights.items() if name in read)])
        return model


def rewired(node: onnx.NodeProto, names: Mapping[str, str]) -> onnx.NodeProto:
    """Return a copy of a node that reads other tensors."""
    copy = onnx.NodeProto()
    copy.CopyFrom(node)
    copy.input[:] = [names.get(name, name) for name in node.input]
    return copy


def attributes(node: onnx.NodeProto) -> Mapping[str, Any]:
    """Return what the node states about itself."""
    return {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}


def watched(network: Network, tensors: Sequence[str]) -> bytes:
    """Return the model with these float tensors as its only outputs."""
    model = _shell(network.model)
    nodes = _needed(network.nodes, tensors)
    read = {name for node in nodes for name in node.input}
    model.graph.node.extend(nodes)
    model.graph.initializer.extend(t for t in network.model.graph.initializer if t.name in read)
    del model.graph.output[:]
    model.graph.output.extend(helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, None) for n in tensors)
    content: bytes = model.SerializeToString()
    return content


def tensors(network: Network) -> Iterator[str]:
    """Yield every tensor that a node makes."""
    return (name for node in network.nodes for name in node.output if name)


def _needed(nodes: Sequence[onnx.NodeProto], outputs: Iterable[str]) -> list[onnx.NodeProto]:
    """Return the nodes that the outputs depend on, in their order."""
    wanted, kept = set(outputs), []
    for node in reversed(nodes):
        if wanted.intersection(node.output):
            wanted.update(node.input)
            kept.append(node)
    return kept[::-1]


def _shell(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a model without nodes, weights and value_info, which states shapes that no longer hold."""
    graph = helper.make_graph([], model.graph.name, model.graph.input, model.graph.output)
    return helper.make_model(graph, opset_imports=model.opset_import, ir_version=model.ir_version)
