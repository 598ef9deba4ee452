"""The smallest graph in which something still goes wrong: what can be cut, bypassed, shortened or rounded is.

Nothing is shortened to 1: what happens over a single key or channel is a case of its own.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

import numpy as np
import onnx
from onnx import helper, numpy_helper

from mmer.calibration.exact.case import Case, Edit, computed, edited
from mmer.calibration.exact.value import Value
from mmer.calibration.graph.network import Array, rewired

_TRIALS = 400
"""Graphs tried for one finding."""


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


def _without_notes(case: Case, values: Mapping[str, Value]) -> Iterator[Case]:
    """Drop inner shapes, all or one."""
    del values
    notes = list(case.model.graph.value_info)
    if notes:
        yield edited(case, Edit(notes=[]))
    if len(notes) > 1:
        for place in range(len(notes)):
            yield edited(case, Edit(notes=notes[:place] + notes[place + 1 :]))


def _earlier_ends(case: Case, values: Mapping[str, Value]) -> Iterator[Case]:
    """Give away a tensor from further inside."""
    nodes = list(case.model.graph.node)
    for end, node in enumerate(nodes[:-1], start=1):
        for name in node.output:
            if name in values:
                yield edited(case, Edit(nodes=nodes[:end], outputs=[_value(name, values[name])]))


def _later_starts(case: Case, values: Mapping[str, Value]) -> Iterator[Case]:
    """Be given what was computed further inside."""
    nodes = list(case.model.graph.node)
    ends = {value.name for value in case.model.graph.output}
    for start in range(len(nodes) - 1, -1, -1):
        for name in nodes[start].output:
            value = values.get(name)
            if value is not None and value.kind == np.float32 and name not in ends:
                kept = [node for node in nodes if name not in node.output]
                yield edited(case, Edit(nodes=kept, given={name: value.centre.astype(np.float32)}))


def _bypassed(case: Case, values: Mapping[str, Value]) -> Iterator[Case]:
    """Leave out a node that keeps the shape."""
    nodes = list(case.model.graph.node)
    ends = {value.name for value in case.model.graph.output}
    for place, node in enumerate(nodes):
        source, made = node.input[0] if node.input else "", node.output[0]
        alike = source in values and made in values and values[source].centre.shape == values[made].centre.shape
        if alike and values[source].kind == values[made].kind and made not in ends:
            others = [rewired(other, {made: source}) for other in nodes[:place] + nodes[place + 1 :]]
            yield edited(case, Edit(nodes=others))


def _shorter(case: Case, values: Mapping[str, Value]) -> Iterator[Case]:
    """Cut every axis of one length, wherever it stands, and the numbers that state it."""
    del values
    arrays = [*case.inputs.values(), *map(numpy_helper.to_array, case.model.graph.initializer)]
    lengths = sorted({length for array in arrays for length in array.shape if length > 2}, reverse=True)
    for length in lengths:
        for shorter in dict.fromkeys((2, length // 2, length - 1)):
            weights = [_tensor(_cut(numpy_helper.to_array(t), length, shorter), t.name) for t in _weights(case)]
            inputs = {name: _cut(array, length, shorter) for name, array in case.inputs.items()}
            yield edited(case, Edit(weights=weights, given=inputs))


def _rounder(case: Case, values: Mapping[str, Value]) -> Iterator[Case]:
    """Take plainer numbers for one constant or input."""
    del values
    for place, tensor in enumerate(case.model.graph.initializer):
        array = numpy_helper.to_array(tensor)
        for plain in _plainer(array):
            weights = _weights(case)
            weights[place] = _tensor(plain, tensor.name)
            yield edited(case, Edit(weights=weights))
    for name, array in case.inputs.items():
        for plain in _plainer(array):
            yield edited(case, Edit(given={name: plain}))


def _plainer(array: Array) -> Iterator[Array]:
    if array.dtype.kind == "f":
        digits = np.array([float(f"{number:.1g}") for number in array.ravel()])
        found: list[Array] = [np.full(array.shape, digits.max(initial=0)), np.sign(array), digits.reshape(array.shape)]
    elif array.dtype.itemsize == 8:  # shapes and axes
        return
    else:
        found = [np.zeros(array.shape), np.sign(array.astype(int))]
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


_STEPS: tuple[Step, ...] = (_without_notes, _earlier_ends, _later_starts, _bypassed, _shorter, _rounder)
