"""What a recording sounds like in bits that survive another codec, bit rate and rate of samples.

After Haitsma and Kalker, "A Highly Robust Audio Fingerprinting System" (ISMIR 2002): the sign of the change, over time
and over neighbouring bands from 300 to 2000 Hz, of the energy in long windows that overlap almost wholly.
"""

import numpy as np
from numpy.typing import NDArray

RATE_HZ = 16000
MOST_S = 60.0
"""Of a longer recording the beginning is enough."""
_WINDOW, _HOP, _BANDS = 4096, 256, 33
_EDGES = np.round(np.geomspace(300, 2000, _BANDS + 1) * _WINDOW / RATE_HZ).astype(np.intp)
_AUDIBLE = 1e-3
"""Energy under this part of the loudest window is noise, whose bits each codec makes anew."""
_TAPER = np.hanning(_WINDOW).astype(np.float32)
_BITS = (np.uint32(1) << np.arange(_BANDS - 1, dtype=np.uint32)).astype(np.uint32)
_BLOCK = 128

NOTHING: NDArray[np.uint32] = np.zeros(0, np.uint32)


def soundprint(samples: NDArray[np.float32]) -> NDArray[np.uint32]:
    """Return the print `[T]`, one number every 16 ms, of sound `[N]` at 16 kHz; 0 where there is too little to hear."""
    if len(samples) < _WINDOW + _HOP:
        return NOTHING
    energy = _energies(samples)
    total = energy.sum(axis=1)
    change = np.diff(energy[:, :-1] - energy[:, 1:], axis=0)
    print_: NDArray[np.uint32] = ((change > 0) @ _BITS).astype(np.uint32)
    print_[total[1:] <= max(float(total.max()) * _AUDIBLE, 1e-6)] = 0
    return print_


def _energies(samples: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the energy `[T, 33]` of each window in each band."""
    windows = np.lib.stride_tricks.sliding_window_view(samples, _WINDOW)[::_HOP]
    parts = []
    for start in range(0, len(windows), _BLOCK):  # all windows of a minute at once would take 60 MB and more
        spectrum = np.square(np.abs(np.fft.rfft(windows[start : start + _BLOCK] * _TAPER)))
        parts.append(np.add.reduceat(spectrum, _EDGES, axis=1)[:, :-1])
    return np.concatenate(parts)


def disagreement(one: NDArray[np.uint32], other: NDArray[np.uint32], shift: int) -> tuple[float, int]:
    """Return the share of bits that differ when `other` starts `shift` places into `one`, and over how many places."""
    first, last = max(0, shift), min(len(one), len(other) + shift)
    if last <= first:
        return 1.0, 0
    mine, theirs = one[first:last], other[first - shift : last - shift]
    heard = (mine != 0) & (theirs != 0)
    count = int(heard.sum())
    return float(np.unpackbits((mine ^ theirs)[heard].view(np.uint8)).mean()) if count else 1.0, count
