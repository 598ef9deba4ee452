"""What samples have in them, at a glance: how many differ, and in how many an input never changes."""

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmer.calibration.samples.finite import require_finite
from mmer.edge.tensors import Tensors

QUIET = 1e-3
"""-60 dB of full scale: sound that never leaves it is silence. The quietest clip of RAVDESS reaches about -45 dB."""
_EQUAL = 1e-6


@dataclass(frozen=True, slots=True)
class Survey:
    """What was found in samples."""

    digests: tuple[bytes, ...]
    """One for each sample."""
    held: dict[str, int]
    """In how many samples there is an input, by name; of floating point only."""
    flat: dict[str, int]
    """In how many of these it never changes: silence, pictures of one colour."""

    @property
    def copies(self) -> int:
        """How many samples equal an earlier one."""
        return len(self.digests) - len(set(self.digests))


def survey(samples: Iterable[tuple[str, Tensors]], sounds: Collection[str] = ()) -> Survey:
    """Look at samples by name; `sounds` are inputs that hold samples of sound.

    Raises `NotFiniteError`, naming the sample, for NaN or infinity.
    """
    digests: list[bytes] = []
    held: dict[str, int] = {}
    flat: dict[str, int] = {}
    for title, tensors in samples:
        require_finite(tensors, title)
        digests.append(_digest(tensors))
        for name, array in tensors.items():
            if array.dtype.kind == "f":
                held[name] = held.get(name, 0) + 1
                flat[name] = flat.get(name, 0) + _is_flat(array, QUIET if name in sounds else _EQUAL)
    return Survey(tuple(digests), held, flat)


def _is_flat(array: NDArray[Any], least: float) -> bool:
    """Tell whether nothing changes along the last axis, or within any channel of pictures `[N, C, H, W]`."""
    return not array.size or float(np.ptp(array, axis=(-2, -1) if array.ndim >= 4 else -1).max()) <= least


def _digest(tensors: Tensors) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    for name, array in sorted(tensors.items()):
        digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.digest()
