"""What is seen of the tensors that sites read: extremes and means by channel, and a few rows of other samples.

Rows come from samples that the extremes do not know, so that a range which is too narrow for what comes next shows.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mmer.calibration.graph.network import Array, Network
from mmer.calibration.graph.sites import Site
from mmer.calibration.observation.passes import Again, values
from mmer.calibration.observation.ranges import Seen
from mmer.calibration.weights.reads import readable, rows

_ROWS = 256
_EVERY = 4
"""Every so many samples rows are drawn from one; of fewer samples both are made from all."""


@dataclass(frozen=True, slots=True, eq=False)
class Probe:
    """A tensor over all samples."""

    seen: Seen
    rows: Mapping[str, Array]
    """`[R, I]` as each site multiplies them with its weight, by what the site makes; none for grouped convolutions."""


def probes(network: Network, sites: Iterable[Site], inputs: Again, seed: int = 0) -> Mapping[str, Probe]:
    """Return what was seen of everything that sites read."""
    readers: dict[str, list[Site]] = {}
    for site in sites:
        readers.setdefault(site.input, []).append(site)
    count = sum(1 for _ in inputs())
    most = max(1, _ROWS * _EVERY // count)
    rng = np.random.default_rng(seed)
    seen: dict[str, Seen] = {}
    kept: dict[str, list[Array]] = {}
    places: Counter[str] = Counter()
    for name, array in values(network, set(readers), inputs):
        places[name] += 1
        held = places[name] % _EVERY == 0
        if not held or count < _EVERY:
            now = Seen.of(array, readers[name][0].channels)
            seen[name] = seen[name] | now if name in seen else now
        if held or count < _EVERY:
            for site in _distinct(readers[name], network):
                kept.setdefault(site.output, []).append(rows(array, site, network, most, rng))
    joined = {output: np.concatenate(parts)[:_ROWS] for output, parts in kept.items()}
    return {name: Probe(seen[name], _spread(readers[name], joined)) for name in seen}


def _distinct(sites: Sequence[Site], network: Network) -> Sequence[Site]:
    """Return one of the products, which all read alike, or each convolution."""
    return sites[:1] if sites[0].last else [site for site in sites if readable(site, network)]


def _spread(sites: Sequence[Site], joined: Mapping[str, Array]) -> Mapping[str, Array]:
    """Return the rows of each site; products that read alike have the same."""
    if sites[0].last:
        return dict.fromkeys((site.output for site in sites), joined[sites[0].output])
    return {site.output: joined[site.output] for site in sites if site.output in joined}
