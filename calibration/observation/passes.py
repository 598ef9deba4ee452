"""What a graph's tensors hold for every sample: a few tensors in each pass, as many as memory allows."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import onnx
from onnx import helper

from mmer.calibration.graph.network import Array, Network, reduced, tensors
from mmer.edge.backends.ort import OrtSession, OrtSettings
from mmer.edge.heap import trim
from mmer.edge.tensors import Tensors

Again = Callable[[], Iterable[Tensors]]
"""Gives a graph's inputs from the first to the last each time it is called; their shapes may differ."""

TOGETHER = 80 << 20
"""Bytes of the tensors of the longest sample that one pass watches; a larger one has a pass of its own."""

Values = Iterator[tuple[str, Array]]


@dataclass(frozen=True, slots=True)
class Pass:
    """Tensors that are watched together."""

    names: tuple[str, ...]
    session: OrtSession | None
    """`None` for inputs of the graph, which come with the samples."""

    def values(self, sample: Tensors) -> Values:
        """Yield what each tensor holds for a sample; once the next is asked for, the last is gone."""
        if self.session is None:
            yield from ((name, sample[name]) for name in self.names)
            return
        made = dict(self.session.run({spec.name: sample[spec.name] for spec in self.session.inputs}))
        yield from ((name, made.pop(name)) for name in self.names)


def values(network: Network, wanted: Collection[str], inputs: Again) -> Values:
    """Yield every tensor of every sample, in passes over all samples."""
    for names in groups(network, wanted, inputs):
        watching = watch(network, names)
        for sample in inputs():
            yield from watching.values(sample)


def groups(network: Network, wanted: Collection[str], inputs: Again, most: int | None = None) -> list[tuple[str, ...]]:
    """Return which tensors to watch together: inputs of the graph first, then in the order in which they are made."""
    given = tuple(value.name for value in network.model.graph.input if value.name in wanted)
    sizes = _sizes(network, [name for name in tensors(network) if name in wanted], inputs)
    places = grouped(list(sizes.values()), TOGETHER if most is None else most)
    names = list(sizes)
    return [group for group in (given, *(tuple(names[place] for place in group) for group in places)) if group]


def grouped(sizes: Sequence[int], most: int) -> list[list[int]]:
    """Return the places of sizes in order, in groups that add up to no more; a larger one stands alone."""
    found: list[list[int]] = []
    left = 0
    for place, taken in enumerate(sizes):
        if not found or taken > left:
            found.append([])
            left = most
        found[-1].append(place)
        left -= taken
    return found


def watch(network: Network, names: tuple[str, ...]) -> Pass:
    """Return a pass over some tensors of one of the `groups`."""
    if names[0] not in network.producers:
        return Pass(names, None)
    trim()  # of the session before
    outputs = [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in names]
    return Pass(names, _opened(network, network.nodes, outputs))


def _sizes(network: Network, names: Sequence[str], inputs: Again) -> Mapping[str, int]:
    """Return the bytes of tensors, of each the most in the samples that are largest in some input."""
    longest: dict[str, Tensors] = {}
    for sample in inputs() if names else ():
        for name, array in sample.items():
            if name not in longest or array.size > longest[name][name].size:
                longest[name] = sample
    shapes = {name: f"{name}.size" for name in names}
    nodes = [helper.make_node("Shape", [name], [shape]) for name, shape in reversed(shapes.items())]  # so run at once
    outputs = [helper.make_tensor_value_info(shape, onnx.TensorProto.INT64, None) for shape in shapes.values()]
    found = dict.fromkeys(names, 0)
    if not longest:
        return found
    session = _opened(network, [*network.nodes, *nodes], outputs)
    for sample in {id(sample): sample for sample in longest.values()}.values():
        made = session.run({spec.name: sample[spec.name] for spec in session.inputs})
        found = {name: max(size, 4 * int(np.prod(made[shapes[name]]))) for name, size in found.items()}
    return found


def _opened(network: Network, nodes: Sequence[onnx.NodeProto], outputs: Sequence[onnx.ValueInfoProto]) -> OrtSession:
    model = reduced(network.model, nodes, network.model.graph.initializer, outputs)
    return OrtSession.open(model.SerializeToString(), OrtSettings(patterns=False, weights=network.folder))
