"""What tensors hold over many samples: a few tensors in each pass, and nothing of a sample is kept."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from mmer.calibration.network import Array, Network, tensors, watched
from mmer.calibration.observed import Observed
from mmer.calibration.ranges import Range, Seen, Wide
from mmer.calibration.sites import readings, sites
from mmer.edge.backends.ort import OrtSession
from mmer.edge.tensors import Tensors

Again = Callable[[], Iterable[Tensors]]
"""Gives a graph's inputs from the first to the last each time it is called; their shapes may differ."""

_TOGETHER = 16
"""Tensors watched in one pass: one graph with two hundred outputs would need the memory of all of them at once."""
_BINS = 4096


def observe(network: Network, inputs: Again, inside: float) -> Observed:
    """Return what emission needs, whichever sites it takes; ranges hold the share `inside` of all values, 1 for all."""
    found = sites(network)
    axes = readings(network, found)
    seen = extremes(network, axes, inputs)
    if inside == 1:
        return Observed(seen, {})
    shifts = {site.input: seen[site.input].mean for site in found.values() if site.last}
    plain = percentiles(network, {name: seen[name].range(centred=False) for name in axes}, {}, inputs, inside)
    shifted = percentiles(network, {name: seen[name].range(centred=True) for name in shifts}, shifts, inputs, inside)
    cuts = {(name, False): cut for name, cut in plain.items()} | {(name, True): cut for name, cut in shifted.items()}
    return Observed(seen, cuts)


def extremes(network: Network, axes: Mapping[str, int | None], inputs: Again) -> Mapping[str, Seen]:
    """Return what was seen of tensors, each by the channels along its axis."""
    found: dict[str, Seen] = {}
    for name, array in values(network, axes, inputs):
        seen = Seen.of(array, axes[name])
        found[name] = found[name] | seen if name in found else seen
    return found


def percentiles(
    network: Network, known: Mapping[str, Range], shifts: Mapping[str, Wide], inputs: Again, inside: float
) -> Mapping[str, Range]:
    """Return ranges that hold the share `inside` of all values; the rest is cut off evenly on both sides."""
    counts = {name: np.zeros(_BINS, np.int64) for name in known}
    for name, array in values(network, known, inputs):
        shifted = array - shifts.get(name, 0.0)
        counts[name] += np.histogram(shifted, _BINS, (known[name].low, known[name].high))[0]
    return {name: _cut(known[name], counted, inside) for name, counted in counts.items()}


def values(network: Network, wanted: Collection[str], inputs: Again) -> Iterator[tuple[str, Array]]:
    """Yield every tensor of every sample, in passes over all samples."""
    given = [value.name for value in network.model.graph.input if value.name in wanted]
    if given:
        yield from ((name, sample[name]) for sample in inputs() for name in given)
    for group in _groups([name for name in tensors(network) if name in wanted]):
        session = OrtSession.open(watched(network, group))
        for sample in inputs():
            yield from session.run({spec.name: sample[spec.name] for spec in session.inputs}).items()


def _groups(names: Sequence[str]) -> Iterator[Sequence[str]]:
    return (names[start : start + _TOGETHER] for start in range(0, len(names), _TOGETHER))


def _cut(seen: Range, counted: NDArray[np.int64], inside: float) -> Range:
    """Return the part of a range between two quantiles of its histogram."""
    edges = np.linspace(seen.low, seen.high, _BINS + 1)
    shares = np.concatenate([[0.0], np.cumsum(counted) / max(counted.sum(), 1)])
    tail = (1 - inside) / 2
    low, high = np.interp([tail, 1 - tail], shares, edges)
    return Range(float(low), float(high))
