"""What a layer multiplies with its weight, as rows: a few of each sample, drawn by seed."""

from collections.abc import Mapping

import numpy as np

from mmer.calibration.graph.network import Array, Network, attributes
from mmer.calibration.graph.sites import Site

_PLAIN: Mapping[str, object] = {"group": 1, "auto_pad": b"NOTSET"}


def readable(site: Site, network: Network) -> bool:
    """Tell whether `rows` knows how to read for a site: no groups, no dilation."""
    stated = attributes(network.producers[site.output])
    plain = all(stated.get(name, usual) == usual for name, usual in _PLAIN.items())
    return plain and set(stated.get("dilations", [1])) == {1}


def rows(values: Array, site: Site, network: Network, most: int, rng: np.random.Generator) -> Array:
    """Return `[R, I]` out of what a site reads, `most` rows at most, with columns in the order of its weight."""
    if site.last:
        flat = values.reshape(-1, values.shape[-1])
        return flat[_drawn(len(flat), most, rng)]
    kernel = network.weights[site.weight].shape[2:]
    axes = tuple(range(2, 2 + len(kernel)))
    stated = attributes(network.producers[site.output])
    pads = stated.get("pads", [0] * (2 * len(kernel)))
    edges = [(pads[axis], pads[axis + len(kernel)]) for axis in range(len(kernel))]
    padded = np.pad(values, [(0, 0), (0, 0), *edges]) if any(pads) else values
    seen = np.lib.stride_tricks.sliding_window_view(padded, kernel, axis=axes)
    strides = [1, 1, *stated.get("strides", [1] * len(kernel))]
    seen = seen[tuple(slice(None, None, stride) for stride in strides)]
    seen = np.moveaxis(seen, 1, 1 + len(kernel))  # [N, *positions, C, *kernel]
    places = seen.shape[: 1 + len(kernel)]
    picked = np.unravel_index(_drawn(int(np.prod(places)), most, rng), places)
    chosen: Array = seen[picked].reshape(len(picked[0]), -1)
    return chosen


def _drawn(count: int, most: int, rng: np.random.Generator) -> Array:
    return np.arange(count) if count <= most else np.sort(rng.choice(count, most, replace=False))
