"""Weights rounded so that their errors cancel over what a layer reads.

One input column after the other is rounded, and the columns that follow make good for the error as far as they are
correlated with it (GPTQ, Frantar et al. 2023, arXiv:2210.17323). Inputs count from their mean, whose share the bias
takes. Of CAFES at its published size with random weights that halves the error that the weights make.
"""

from collections import Counter
from collections.abc import Mapping
from typing import TypeAlias

import numpy as np

from mmer.calibration.improve.clipping import peaks
from mmer.calibration.levels import Channels
from mmer.calibration.network import Array, Network
from mmer.calibration.observe import Again, values
from mmer.calibration.ranges import Wide
from mmer.calibration.reads import readable, rows
from mmer.calibration.sites import Site

Levels: TypeAlias = Mapping[tuple[str, int], Channels]
"""Of every weight, by its name and axis."""

_ROWS = 4096
"""Rows of each layer at most, and of all layers that share a weight; 75 MB for the widest of CAFES, 4608 columns."""
_TOGETHER = 2048
"""Columns that make good for each other; the matrix of their products is inverted."""
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
    kept = _read(network, found, inputs, _SEED)

    def made(name: str, axis: int) -> Channels:
        weight, read = network.weights[name], kept[name, axis]
        ends = peaks(weight, axis, bits, np.square(read).mean(axis=0)) if clipped else None
        return rounded(weight, axis, bits, read, ends)

    return {
        (name, axis): made(name, axis) if (name, axis) in kept else Channels.of(network.weights[name], axis, bits)
        for name, axis in sorted(set(map(_weight, found.values())))
    }


def rounded(weight: Array, axis: int, bits: int, read: Array, ends: Wide | None = None) -> Channels:
    """Return a weight as integers, rounded for rows `[R, I]` that are read about their mean."""
    plain = Channels.of(weight, axis, bits, ends)
    moved = np.moveaxis(weight, axis, 0)
    exact = moved.reshape(len(moved), -1) / plain.scale[:, np.newaxis].astype(np.float64)
    most = 2 ** (bits - 1) - 1
    parts = [slice(start, start + _TOGETHER) for start in range(0, exact.shape[1], _TOGETHER)]
    whole = np.concatenate([_compensated(exact[:, part], read[:, part], most) for part in parts], axis=1)
    return Channels(np.moveaxis(whole.reshape(moved.shape), 0, axis).astype(np.int8), plain.scale, axis)


def _compensated(exact: Wide, read: Array, most: int) -> Wide:
    """Return columns `[O, I]` as whole numbers of at most `most`."""
    upper, left, whole = _factor(read), exact.copy(), np.empty_like(exact)
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


def _factor(read: Array) -> Wide:
    """Return the upper factor of the inverse of the inputs' products `[I, I]`."""
    products = (read.T @ read).astype(np.float64)
    diagonal = np.einsum("ii->i", products)
    diagonal += _DAMPING * diagonal.mean() + np.finfo(np.float32).tiny
    factor: Wide = np.linalg.cholesky(np.linalg.inv(products)).T
    return factor


def _read(network: Network, found: Mapping[str, Site], inputs: Again, seed: int) -> Mapping[tuple[str, int], Array]:
    """Return rows that each weight is multiplied with, every layer's about its own mean."""
    usable = [site for site in found.values() if readable(site, network)]
    uses = Counter(map(_weight, usable))
    count = sum(1 for _ in inputs())
    rng = np.random.default_rng(seed)
    kept: dict[str, list[Array]] = {site.output: [] for site in usable}
    for name, array in values(network, {site.input for site in usable}, inputs):
        for site in usable:
            most = max(1, _ROWS // (count * uses[_weight(site)]))
            if site.input == name and sum(map(len, kept[site.output])) < _ROWS:
                kept[site.output].append(rows(array, site, network, most, rng))
    centred: dict[tuple[str, int], list[Array]] = {}
    for site in usable:
        read = np.concatenate(kept.pop(site.output))
        centred.setdefault(_weight(site), []).append(read - read.mean(axis=0))
    return {weight: np.concatenate(parts) for weight, parts in centred.items()}


def _weight(site: Site) -> tuple[str, int]:
    return site.weight, site.axis
