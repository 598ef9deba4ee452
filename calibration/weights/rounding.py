"""Weights rounded so that their errors cancel over what a layer reads.

One input column after the other is rounded, and the columns that follow make good for the error as far as they are
correlated with it (GPTQ, Frantar et al. 2023, arXiv:2210.17323). Inputs count from their mean, whose share the bias
takes. Of CAFES at its published size with random weights that halves the error that the weights make.
"""

import math
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import TypeAlias

import numpy as np

from mmer.calibration.graph.network import Array, Network
from mmer.calibration.graph.sites import Site
from mmer.calibration.improve.clipping import peaks
from mmer.calibration.observation.passes import Again, grouped, values
from mmer.calibration.observation.ranges import Wide
from mmer.calibration.weights.levels import Channels
from mmer.calibration.weights.products import Products, size
from mmer.calibration.weights.reads import readable, rows

Levels: TypeAlias = Mapping[tuple[str, int], Channels]
"""Of every weight, by its name and axis."""

_ROWS = 4096
"""Rows of each weight at most, over all layers that share it."""
_SAMPLES = 128
"""Samples from which they are drawn, at most."""
_BYTES = 40 << 20
"""Of products that are summed in one pass."""
_STEP = 64
_DAMPING = 0.01
"""Of the mean of the diagonal, as in the paper."""
_SEED = 0


def levels_of(
    network: Network, found: Mapping[str, Site], inputs: Again, bits: int, *, clipped: bool = False
) -> Levels:
    """Return the weights of sites as integers of so many bits; layers that share a weight share its levels.

    Where `clipped`, the levels of a channel end where its error is least, else at its largest number.
    """
    uses: dict[tuple[str, int], list[Site]] = {}
    for site in found.values():
        uses.setdefault((site.weight, site.axis), []).append(site)
    levels: dict[tuple[str, int], Channels] = {}
    read = {weight: own for weight, sites in uses.items() if (own := [s for s in sites if readable(s, network)])}
    weights = list(read)[::-1]  # the last layers need most of the graph in memory, and should find few levels there
    for places in grouped([size(_columns(network, weight)) for weight in weights], _BYTES):
        group = {weights[place]: read[weights[place]] for place in places}
        for (name, axis), products in _products(network, group, inputs, _SEED).items():
            weight = network.weights[name]
            ends = peaks(weight, axis, bits, products.moments()) if clipped else None
            levels[name, axis] = rounded(weight, axis, bits, products, ends)
    return {
        weight: levels.get(weight) or Channels.of(network.weights[weight[0]], weight[1], bits)
        for weight in sorted(uses)
    }


def rounded(weight: Array, axis: int, bits: int, products: Products, ends: Wide | None = None) -> Channels:
    """Return a weight as integers that end at `ends` `[O]`, rounded for what it is multiplied with."""
    plain = Channels.of(weight, axis, bits, ends)
    moved = np.moveaxis(weight, axis, 0)
    exact = moved.reshape(len(moved), -1) / plain.scale[:, np.newaxis].astype(np.float64)
    most = 2 ** (bits - 1) - 1
    whole = np.concatenate([_compensated(exact[:, part], own, most) for part, own in products.centred()], axis=1)
    return Channels(np.moveaxis(whole.reshape(moved.shape), 0, axis).astype(np.int8), plain.scale, axis)


def _compensated(exact: Wide, products: Wide, most: int) -> Wide:
    """Return columns `[O, I]` as whole numbers of at most `most`."""
    upper, left, whole = _factor(products), exact.copy(), np.empty_like(exact)
    for start in range(0, exact.shape[1], _STEP):
        near = slice(start, min(start + _STEP, exact.shape[1]))
        errors = np.empty_like(left[:, near])
        for place in range(near.start, near.stop):
            whole[:, place] = np.clip(np.rint(left[:, place]), -most, most)
            error = (left[:, place] - whole[:, place]) / upper[place, place]
            left[:, place : near.stop] -= np.outer(error, upper[place, place : near.stop])
            errors[:, place - start] = error
        left[:, near.stop :] -= errors @ upper[near, near.stop :]
    return whole


def _factor(products: Wide) -> Wide:
    """Return the upper factor of the inverse of the inputs' products `[I, I]`."""
    diagonal = np.einsum("ii->i", products)
    diagonal += _DAMPING * diagonal.mean() + np.finfo(np.float32).tiny
    factor: Wide = np.linalg.cholesky(np.linalg.inv(products)).T
    return factor


def _products(
    network: Network, group: Mapping[tuple[str, int], Sequence[Site]], inputs: Again, seed: int
) -> Mapping[tuple[str, int], Products]:
    """Return the products of what weights are multiplied with, every layer's about its own mean."""
    count = sum(1 for _ in inputs())
    every = -(-count // _SAMPLES)
    taken = -(-count // every) if count else 1
    rng = np.random.default_rng(seed)
    found = {weight: Products(_columns(network, weight)) for weight in group}
    counts: dict[str, int] = {}
    for tensor, array in values(network, _inputs(group), lambda: islice(inputs(), 0, None, every)):
        for weight, sites in group.items():
            most = max(1, _ROWS // (taken * len(sites)))
            for site in sites:
                if site.input == tensor and counts.get(site.output, 0) < _ROWS:
                    read = rows(array, site, network, most, rng)
                    found[weight].add(site.output, read)
                    counts[site.output] = counts.get(site.output, 0) + len(read)
    return found


def _inputs(group: Mapping[tuple[str, int], Sequence[Site]]) -> set[str]:
    return {site.input for sites in group.values() for site in sites}


def _columns(network: Network, weight: tuple[str, int]) -> int:
    name, axis = weight
    shape = network.weights[name].shape
    return math.prod(shape) // int(shape[axis])
