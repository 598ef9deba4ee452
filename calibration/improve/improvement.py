"""A float graph made easier to put on levels, as far as samples that nothing was made from confirm it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from mmer.calibration.check import outputs, worst_cosine
from mmer.calibration.emit import emitted
from mmer.calibration.improve.smooth import Smoothing, smoothed, smoothings
from mmer.calibration.levels import Channels
from mmer.calibration.network import Network
from mmer.calibration.observe import Again, observe
from mmer.calibration.sites import sites
from mmer.edge.errors import DeviceError
from mmer.edge.tensors import Tensors

T = TypeVar("T")

FREE = 0.9
"""To what share the error of the whole graph must fall: a few samples tell no smaller gain from chance."""
_PAID = 0.5
"""The same where multiplications are added."""
_SEEN = 48
"""Samples that the ranges of a trial are taken from."""


@dataclass(frozen=True, slots=True, eq=False)
class Improved:
    """A network that computes what another does, and by which changes."""

    network: Network
    smoothings: tuple[Smoothing, ...] = ()

    def to_json(self) -> list[dict[str, object]]:
        """Return what was done."""
        return [smoothing.to_json() for smoothing in self.smoothings]


def improved(network: Network, inputs: Again, tried: Sequence[Tensors], bits: int) -> Improved:
    """Return the network with the changes, none among them, that lose least on the samples `tried`."""
    every = smoothings(network, sites(network), inputs, bits)
    if not every:
        return Improved(network)
    free = tuple(smoothing for smoothing in every if smoothing.free)
    seen = list(islice(inputs(), _SEEN))
    expected = outputs(network.model.SerializeToString(), tried)

    def error(candidate: Improved) -> float:
        try:
            found = outputs(_roughly(candidate.network, seen, bits), tried)
        except DeviceError:
            return 1.0
        return 1 - worst_cosine(expected, found)

    plans = ([(free, FREE)] if free else []) + ([(every, _PAID)] if len(every) > len(free) else [])
    candidates = [(Improved(smoothed(network, plan), plan), share) for plan, share in plans]
    return confirmed([(Improved(network), 1.0), *candidates], error)


def confirmed(candidates: Sequence[tuple[T, float]], error: Callable[[T], float]) -> T:
    """Return the first candidate, or one after it whose error is below its share of the least so far."""
    best, _ = candidates[0]
    least = error(best)
    for candidate, share in candidates[1:]:
        if (found := error(candidate)) < share * least:
            best, least = candidate, found
    return best


def _roughly(network: Network, inputs: Sequence[Tensors], bits: int) -> bytes:
    """Return the network with all sites quantised from a few samples, weights to the nearest level."""
    found = sites(network)
    places = {(site.weight, site.axis) for site in found.values()}
    levels = {(name, axis): Channels.of(network.weights[name], axis, bits) for name, axis in places}
    return emitted(network, found, observe(network, lambda: inputs, 1.0), levels)
