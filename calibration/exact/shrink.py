"""The smallest graph in which something still goes wrong: what can be cut, bypassed, shortened or rounded is.

Nothing is shortened to 1: what happens over a single key or channel is a case of its own.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import onnx
from onnx import helper, numpy_helper

from mmer.calibration.exact.reference import Reference
from mmer.calibration.exact.value import Value
from mmer.calibration.network import Array
from mmer.edge.errors import DataError
from mmer.edge.tensors import Tensors

_TRIALS = 400
"""Graphs tried for one finding."""


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """A graph and what it is given."""

    model: onnx.ModelProto
    inputs: Tensors

    @property
    def size(self) -> int:
        """How large it is, in bytes."""
        return self.model.ByteSize() + sum(array.nbytes for array in self.inputs.values())


Fails: TypeAlias = Callable[[Case], bool]
"""Whether a case still shows what is looked for."""

Step: TypeAlias = Callable[[Case, Mapping[str, Value]], Iterator[Case]]
"""Yields cases that are simpler, the largest steps first, from a case and the values of its tensors."""


def shrunk(case: Case, fails: Fails, trials: int = _TRIALS) -> Case:
    """Return a case that fails like the one given, from which no single step takes anything away."""
    left = trials
    while left > 0:
        before = case
        for step in _STEPS:
            case, left = _stepped(case, fails, step, left)
        if case is before:
            break
    return case


def _stepped(case: Case, fails: Fails, step: Step, left: int) -> tuple[Case, int]:
    """Return a case after one kind of step as often as it helps, and the trials that are left."""
    improved = True
    while improved and left > 0:
        improved = False
        for smaller in step(case, computed(case)):
            left -= 1
            if fails(smaller):
                case, improved = smaller, True
                break
            if left <= 0:
                break
    return case, left


def computed(case: Case) -> Mapping[str, Value]:
    """Return what every tensor of a graph holds; nothing for a graph that cannot be computed."""
    try:
        return Reference(case.model).run(case.inputs)
    except (DataError, ValueError, IndexError):
        return {}


def _without_notes(case: Case, values: Mapping[str, Value]) -> Iterator[Case]:
    """Drop inner shapes, all or one."""
    del values
    notes = list(case.model.graph.value_info)
    if notes:
        yield _changed(case, notes=[])
    if len(notes) > 1:
        for place in range(len(notes)):
            yield _changed(case, notes=notes[:place] + notes[place + 1 :])


def _earlier_ends(case: Case, values: Mapping[str, Value]) -> Iterator[Case]:
    """Give away a tensor from further inside."""
    nodes = list(case.model.graph.node)
    for end, node in enumerate(nodes[:-1], start=1):
        for name in node.output:
            if name in values:
                yield _changed(case, nodes=nodes[:end], outputs=[_value(name, values[name])])


def _later_starts(case: Case, values: Mapping[str, Value]) -> Iterator[Case]:
    """Be given what was computed further inside."""
    nodes = list(case.model.graph.node)
    ends = {value.name for value in case.model.graph.output}
    for start in range(len(nodes) - 1, -1, -1):
        for name in nodes[start].output:
            value = values.get(name)
            if value is not None and value.kind == np.float32 and name not in ends:
                kept = [node for node in nodes if name not in node.output]
                yield _changed(case, nodes=kept, given={name: value.centre.astype(np.float32)})


def _bypassed(case: Case, values: Mapping[str, Value]) -> Iterator[Case]:
    """Leave out a node that keeps the shape."""
    nodes = list(case.model.graph.node)
    ends = {value.name for value in case.model.graph.output}
    for place, node in enumerate(nodes):
        source, made = node.input[0] if node.input else "", node.output[0]
        alike = source in values and made in values and values[source].centre.shape == values[made].centre.shape
        if alike and values[source].kind == values[made].kind and made not in ends:
            others = [_reading(other, {made: source}) for other in nodes[:place] + nodes[place + 1 :]]
            yield _changed(case, nodes=others)


def _shorter(case: Case, values: Mapping[str, Value]) -> Iterator[Case]:
    """Cut every axis of one length, wherever it stands, and the numbers that state it."""
    del values
    arrays = [*case.inputs.values(), *map(numpy_helper.to_array, case.model.graph.initializer)]
    lengths = sorted({length for array in arrays for length in array.shape if length > 2}, reverse=True)
    for length in lengths:
        for shorter in dict.fromkeys((2, length // 2, length - 1)):
            weights = [_tensor(_cut(numpy_helper.to_array(t), length, shorter), t.name) for t in _weights(case)]
            inputs = {name: _cut(array, length, shorter) for name, array in case.inputs.items()}
            yield _changed(case, weights=weights, given=inputs)


def _rounder(case: Case, values: Mapping[str, Value]) -> Iterator[Case]:
    """Take plainer numbers for one constant or input."""
    del values
    for place, tensor in enumerate(case.model.graph.initializer):
        array = numpy_helper.to_array(tensor)
        for plain in _plainer(array):
            weights = _weights(case)
            weights[place] = _tensor(plain, tensor.name)
            yield _changed(case, weights=weights)
    for name, array in case.inputs.items():
        for plain in _plainer(array):
            yield _changed(case, given={name: plain})


def _plainer(array: Array) -> Iterator[Array]:
    if array.dtype.kind == "f":
        digits = np.array([float(f"{number:.1g}") for number in array.ravel()])
        found = (np.full(array.shape, digits.max(initial=0)), np.sign(array), digits.reshape(array.shape))
    elif array.dtype.itemsize == 8:  # shapes and axes
        return
    else:
        found = (np.zeros(array.shape), np.sign(array.astype(int)))
    for plain in found:
        if plain.tobytes() != array.tobytes() and not np.array_equal(plain.astype(array.dtype), array):
            yield plain.astype(array.dtype)


def _cut(array: Array, length: int, shorter: int) -> Array:
    if array.dtype == np.int64:
        return np.where(array == length, shorter, array)
    return array[tuple(slice(shorter) if size == length else slice(None) for size in array.shape)]


def _weights(case: Case) -> list[onnx.TensorProto]:
    return list(case.model.graph.initializer)


def _tensor(array: Array, name: str) -> onnx.TensorProto:
    return numpy_helper.from_array(np.asarray(array, order="C"), name)


def _value(name: str, value: Value) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(value.kind), value.centre.shape)


def _reading(node: onnx.NodeProto, names: dict[str, str]) -> onnx.NodeProto:
    copy = onnx.NodeProto()
    copy.CopyFrom(node)
    copy.input[:] = [names.get(name, name) for name in node.input]
    return copy


def _changed(
    case: Case,
    *,
    nodes: list[onnx.NodeProto] | None = None,
    weights: list[onnx.TensorProto] | None = None,
    outputs: list[onnx.ValueInfoProto] | None = None,
    notes: list[onnx.ValueInfoProto] | None = None,
    given: Tensors | None = None,
) -> Case:
    """Return a case with something else in place, reduced to what its outputs depend on."""
    graph = case.model.graph
    outputs = list(graph.output) if outputs is None else outputs
    inputs = {**case.inputs, **(given or {})}
    wanted, kept = {value.name for value in outputs}, []
    for node in reversed(list(graph.node) if nodes is None else nodes):
        if wanted.intersection(node.output):
            wanted.update(node.input)
            kept.append(node)
    made = {name for node in kept for name in node.output}
    used = {name: array for name, array in inputs.items() if name in wanted and name not in made}
    smaller = helper.make_graph(
        kept[::-1],
        graph.name,
        [_declared(graph, name, array) for name, array in used.items()],
        [_undeclared(value) if given else value for value in outputs],
        [t for t in (_weights(case) if weights is None else weights) if t.name in wanted],
        value_info=[v for v in (graph.value_info if notes is None else notes) if v.name in wanted],
    )
    opsets = case.model.opset_import
    return Case(helper.make_model(smaller, opset_imports=opsets, ir_version=case.model.ir_version), used)


def _declared(graph: onnx.GraphProto, name: str, array: Array) -> onnx.ValueInfoProto:
    """Return an input with the sizes of its array; those that were free stay so."""
    free = {
        value.name: [dim.dim_param for dim in value.type.tensor_type.shape.dim]
        for value in graph.input
        if value.type.tensor_type.shape.dim
    }
    names = free.get(name, [""] * array.ndim)
    shape = [title or size for title, size in zip(names, array.shape, strict=True)]
    return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), shape)


def _undeclared(value: onnx.ValueInfoProto) -> onnx.ValueInfoProto:
    """Return an output that may have any sizes."""
    free = [f"{value.name}.{axis}" for axis in range(len(value.type.tensor_type.shape.dim))]
    return helper.make_tensor_value_info(value.name, value.type.tensor_type.elem_type, free)


_STEPS: tuple[Step, ...] = (_without_notes, _earlier_ends, _later_starts, _bypassed, _shorter, _rounder)
