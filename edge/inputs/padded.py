"""Sequences brought to the length that a graph reads."""

from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

S = TypeVar("S", bound=np.generic)


@dataclass(frozen=True, slots=True)
class Padded(Generic[S]):
    """A sequence of a given length; `values[mask]` is what it was before."""

    values: NDArray[S]
    """`[T, ...]`."""
    mask: NDArray[np.bool_]
    """`[T]`, true where the value is real."""


def padded(values: NDArray[S], length: int, start: int = 0) -> Padded[S]:
    """Lay `[N, ...]` into zeros of the given length, the first value at `start`."""
    real = slice(start, start + len(values))
    out = np.zeros((length, *values.shape[1:]), values.dtype)
    out[real] = values
    mask = np.zeros(length, np.bool_)
    mask[real] = True
    return Padded(out, mask)
