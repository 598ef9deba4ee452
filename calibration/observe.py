"""Ranges of tensors over many samples: a few tensors in each pass, and nothing of a sample is kept."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from mmer.calibration.network import Array, Network, tensors, watched
from mmer.calibration.ranges import Range
from mmer.edge.backends.ort import OrtSession
from mmer.edge.tensors import Tensors

Again = Callable[[], Iterable[Tensors]]
"""Gives a graph's inputs from the first to the last each time it is called; their shapes may differ."""

_TOGETHER = 16
"""Tensors watched in one pass: one graph with two hundred outputs would need the memory of all of them at once."""
_BINS = 4096


def extremes(network: Network, wanted: Collection[str], inputs: Again) -> Mapping[str, Range]:
    """Return the smallest and the largest value of each tensor; the graph's own inputs count as tensors."""
    found: dict[str, Range] = {}
    for name, values in _seen(network, wanted, inputs):
        if values.size:
            found[name] = found[name] | Range.of(values) if name in found else Range.of(values)
    return found


def percentiles(network: Network, known: Mapping[str, Range], inputs: Again, inside: float) -> Mapping[str, Range]:
    """Return ranges that hold the share `inside` of all values; the rest is cut off evenly on both sides."""
    counts = {name: np.zeros(_BINS, np.int64) for name in known}
    for name, values in _seen(network, known, inputs):
        seen = known[name]
        counts[name] += np.histogram(values, _BINS, (seen.low, seen.high))[0]
    return {name: _cut(known[name], counted, inside) for name, counted in counts.items()}


def _seen(network: Network, wanted: Collection[str], inputs: Again) -> Iterator[tuple[str, Array]]:
    """Yield every tensor of every sample, in passes over all samples."""
    made = [name for name in tensors(network) if name in wanted]
    given = [value.name for value in network.model.graph.input if value.name in wanted]
    if given:
        yield from ((name, sample[name]) for sample in inputs() for name in given)
    for group in _groups(made):
        session = OrtSession.open(watched(network, group))
        needed = {spec.name for spec in session.inputs}
        for sample in inputs():
            yield from session.run({name: sample[name] for name in needed}).items()


def _groups(names: Sequence[str]) -> Iterator[Sequence[str]]:
    return (names[start : start + _TOGETHER] for start in range(0, len(names), _TOGETHER))


def _cut(seen: Range, counted: NDArray[np.int64], inside: float) -> Range:
    """Return the part of a range between two quantiles of its histogram."""
    edges = np.linspace(seen.low, seen.high, _BINS + 1)
    shares = np.concatenate([[0.0], np.cumsum(counted) / max(counted.sum(), 1)])
    tail = (1 - inside) / 2
    low, high = np.interp([tail, 1 - tail], shares, edges)
    return Range(float(low), float(high))
