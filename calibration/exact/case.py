"""A graph with what it is given, and how another one is made of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import onnx
from onnx import helper

from mmer.calibration.exact.reference import Reference
from mmer.calibration.exact.value import Value
from mmer.calibration.graph.network import Array
from mmer.edge.errors import DataError
from mmer.edge.tensors import Tensors


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """A graph and what it is given."""

    model: onnx.ModelProto
    inputs: Tensors

    @property
    def size(self) -> int:
        """How large it is, in bytes."""
        return int(self.model.ByteSize()) + sum(array.nbytes for array in self.inputs.values())


@dataclass(frozen=True, slots=True, eq=False)
class Edit:
    """What takes the place of parts of a graph; `None` leaves a part as it is."""

    nodes: Sequence[onnx.NodeProto] | None = None
    weights: Sequence[onnx.TensorProto] | None = None
    outputs: Sequence[onnx.ValueInfoProto] | None = None
    notes: Sequence[onnx.ValueInfoProto] | None = None
    """Inner shapes."""
    given: Tensors = field(default_factory=dict)
    """Inputs beside those there are, or in place of them."""


def computed(case: Case) -> Mapping[str, Value]:
    """Return what every tensor of a graph holds; nothing for a graph that cannot be computed."""
    try:
        return Reference(case.model).run(case.inputs)
    except (DataError, ValueError, IndexError, TypeError):
        return {}


def edited(case: Case, edit: Edit) -> Case:
    """Return a case with some parts in place of others, reduced to what its outputs depend on."""
    graph = case.model.graph
    outputs = graph.output if edit.outputs is None else edit.outputs
    nodes, wanted = _needed(graph.node if edit.nodes is None else edit.nodes, outputs)
    made = {name for node in nodes for name in node.output}
    inputs = {**case.inputs, **edit.given}
    used = {name: array for name, array in inputs.items() if name in wanted and name not in made}
    smaller = helper.make_graph(
        nodes,
        graph.name,
        [_declared(graph, name, array) for name, array in used.items()],
        [_free(value) if edit.given else value for value in outputs],
        [t for t in (graph.initializer if edit.weights is None else edit.weights) if t.name in wanted],
        value_info=[v for v in (graph.value_info if edit.notes is None else edit.notes) if v.name in wanted],
    )
    opsets, version = case.model.opset_import, case.model.ir_version
    return Case(helper.make_model(smaller, opset_imports=opsets, ir_version=version), used)


def _needed(
    nodes: Sequence[onnx.NodeProto], outputs: Sequence[onnx.ValueInfoProto]
) -> tuple[list[onnx.NodeProto], set[str]]:
    wanted, kept = {value.name for value in outputs}, []
    for node in reversed(list(nodes)):
        if wanted.intersection(node.output):
            wanted.update(node.input)
            kept.append(node)
    return kept[::-1], wanted


def _declared(graph: onnx.GraphProto, name: str, array: Array) -> onnx.ValueInfoProto:
    """Return an input with the sizes of its array; those that were free stay so."""
    named = {value.name: [dim.dim_param for dim in value.type.tensor_type.shape.dim] for value in graph.input}
    names = named.get(name) or [""] * array.ndim
    shape = [title or size for title, size in zip(names, array.shape, strict=True)]
    return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), shape)


def _free(value: onnx.ValueInfoProto) -> onnx.ValueInfoProto:
    """Return an output that may have any sizes."""
    names = [f"{value.name}.{axis}" for axis in range(len(value.type.tensor_type.shape.dim))]
    return helper.make_tensor_value_info(value.name, value.type.tensor_type.elem_type, names)
