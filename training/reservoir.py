"""A fair sample of rows that pass by, of bounded size."""

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.float32]


class Reservoir:
    """Gives every row that is added the same chance to be among those kept."""

    def __init__(self, limit: int = 4096, seed: int = 42) -> None:
        self._limit = limit
        self._random = np.random.default_rng(seed)
        self._worst = 1.0
        self._keys: list[NDArray[np.float64]] = []
        self._rows: list[Rows] = []

    def add(self, rows: Rows) -> None:
        """Take rows `[M, C]`."""
        keys = self._random.random(len(rows))
        wanted = keys < self._worst
        self._keys.append(keys[wanted])
        self._rows.append(rows[wanted])
        if sum(map(len, self._keys)) > 2 * self._limit:
            self._shrink()

    def rows(self) -> Rows:
        """Return the sample, `[M, C]` with at most `limit` rows."""
        if not self._rows:
            return np.zeros((0, 0), np.float32)
        self._shrink()
        return self._rows[0]

    def _shrink(self) -> None:
        """Keep the rows that drew the smallest keys, in the order they came."""
        keys, rows = np.concatenate(self._keys), np.concatenate(self._rows)
        if len(keys) > self._limit:
            kept = np.sort(np.argpartition(keys, self._limit)[: self._limit])
            keys, rows = keys[kept], rows[kept]
            self._worst = float(keys.max())
        self._keys, self._rows = [keys], [rows]
