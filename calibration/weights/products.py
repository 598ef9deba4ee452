"""Products of what a layer reads with itself, summed over rows as they come; the rows are not kept."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mmer.calibration.graph.network import Array
from mmer.calibration.observation.ranges import Wide

TOGETHER = 2048
"""Columns whose products are summed; of more than so many, each part has only its own."""


def size(columns: int) -> int:
    """Return how many bytes the products of so many columns take."""
    return sum(4 * (part.stop - part.start) ** 2 for part in parts(columns))


def parts(columns: int) -> Iterator[slice]:
    """Yield the columns in order, as many as belong together."""
    return (slice(start, min(start + TOGETHER, columns)) for start in range(0, columns, TOGETHER))


@dataclass(slots=True)
class _Read:
    """Rows of one layer, about the mean of the first few: what all rows share would drown what differs."""

    shift: Array
    total: Wide
    count: int = 0


class Products:
    """Sums `[I, I]` in parts, for layers that share a weight; each layer's rows count from its own mean."""

    def __init__(self, columns: int) -> None:
        self._parts = list(parts(columns))
        self._sums = [np.zeros((part.stop - part.start,) * 2, np.float32) for part in self._parts]
        self._read: dict[str, _Read] = {}

    def add(self, layer: str, rows: Array) -> None:
        """Take rows `[R, I]` of a layer in."""
        if layer not in self._read:
            self._read[layer] = _Read(rows.mean(axis=0), np.zeros(rows.shape[1]))
        read = self._read[layer]
        moved = rows - read.shift
        for place, part in enumerate(self._parts):
            self._sums[place] += moved[:, part].T @ moved[:, part]
        read.total += moved.sum(axis=0, dtype=np.float64)
        read.count += len(rows)

    @property
    def count(self) -> int:
        """How many rows there were."""
        return sum(read.count for read in self._read.values())

    def centred(self) -> Iterator[tuple[slice, Wide]]:
        """Yield the sums for parts of the columns, of rows about their mean."""
        for part, total in zip(self._parts, self._sums, strict=True):
            yield part, total.astype(np.float64) - sum(_about(read, part) for read in self._read.values())

    def moments(self) -> Wide:
        """Return the mean square `[I]` of each column, about its mean."""
        sums = [np.einsum("ii->i", total) for _, total in self.centred()]
        return np.asarray(np.concatenate(sums) / max(self.count, 1))


def _about(read: _Read, part: slice) -> Wide:
    return np.outer(read.total[part], read.total[part]) / read.count
