"""Which way of taking a range suits each tensor: the one with the least error in what its readers give."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mmer.calibration.emit import Basis
from mmer.calibration.graph.network import Network
from mmer.calibration.graph.sites import Scale, Site, scales
from mmer.calibration.improve.loss import by_columns, by_rows, on_levels, read_error
from mmer.calibration.improve.probe import Probe, probes
from mmer.calibration.observation.observed import Observed
from mmer.calibration.observation.passes import Again
from mmer.calibration.observation.ranges import Range, Wide
from mmer.calibration.observers.methods import METHODS
from mmer.calibration.weights.rounding import Levels

Ranges = Callable[[str, bool, str], Range]
"""The range of a tensor, of its distance from the mean where centred, by a method."""

_GAIN = 0.95
"""To what share the squared error must fall before another method than the first is taken."""


@dataclass(frozen=True, slots=True, eq=False)
class Readers:
    """The sites of a network, what they were seen to read, and their weights."""

    network: Network
    sites: Mapping[str, Site]
    probes: Mapping[str, Probe]
    levels: Levels


def by_tensor(basis: Basis, found: Mapping[str, Site], levels: Levels, inputs: Again) -> Observed:
    """Return what was seen, with the method for each tensor that suits what reads it."""
    readers = Readers(basis.network, found, probes(basis.network, found.values(), inputs), levels)
    observed = basis.observed
    chosen = methods_of(readers, lambda t, c, m: observed.range(t, centred=c, method=m), list(METHODS))
    return observed.by(observed.method, chosen)


def methods_of(readers: Readers, ranges: Ranges, methods: Sequence[str]) -> Mapping[str, str]:
    """Return the method for each tensor that sites read the levels of, by its name.

    The first of `methods` is kept unless another is better by a margin.
    """
    found = scales(readers.network, readers.sites)
    grouped: dict[Scale, list[Site]] = {}
    for site in readers.sites.values():
        if site.output in readers.probes[site.input].rows:
            grouped.setdefault(found[site.input], []).append(site)
    return {scale.root: _best(scale, sites, readers, ranges, methods) for scale, sites in grouped.items()}


def _best(scale: Scale, sites: Sequence[Site], readers: Readers, ranges: Ranges, methods: Sequence[str]) -> str:
    errors = {
        method: float(
            np.mean([_error(site, scale, ranges(scale.root, scale.centred, method), readers) for site in sites])
        )
        for method in methods
    }
    best = min(methods, key=lambda method: errors[method])
    return best if errors[best] < _GAIN * errors[methods[0]] else methods[0]


def _error(site: Site, scale: Scale, covered: Range, readers: Readers) -> float:
    weight = by_rows(readers.network.weights[site.weight], site.axis).astype(np.float64)
    levelled = by_rows(readers.levels[site.weight, site.axis].restored(), site.axis)
    exact, shown = shown_rows(readers.probes[site.input], site, scale, covered)
    return read_error(exact, shown, weight, levelled)


def shown_rows(probe: Probe, site: Site, scale: Scale, covered: Range) -> tuple[Wide, Wide]:
    """Return what a site reads `[R, I]` and what it reads on levels, both from the mean of each channel."""
    read = probe.rows[site.output].astype(np.float64)
    mean = by_columns(probe.seen.mean, read.shape[1])
    shown = on_levels(read - mean, covered) if scale.centred else on_levels(read, covered) - mean
    return read - mean, shown
