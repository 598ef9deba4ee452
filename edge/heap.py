"""A heap that stays small: what is freed goes back to the system, which the C library otherwise keeps for later.

Only glibc can be told; elsewhere nothing happens.
"""

import ctypes
from contextlib import suppress

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of mallopt in malloc.h
_LARGE = 1 << 20
"""With 4 MB the heap keeps 20 MB more; with less, pictures in which faces are looked for cost fresh pages each time."""


def be_frugal() -> None:
    """Let large blocks go back as soon as they are freed: of six graphs and a face detector at work, 20 MB.

    Left alone, glibc raises its thresholds with the size of what was freed, up to 32 MB.
    """
    with suppress(OSError, AttributeError, TypeError):  # macOS has no mallopt
        libc = ctypes.CDLL(None)
        libc.mallopt(_MMAP_THRESHOLD, _LARGE)
        libc.mallopt(_TRIM_THRESHOLD, 2 * _LARGE)


def trim() -> None:
    """Hand back what is free.

    Opening a graph takes three times its size for a moment and leaves the heap full of holes: of six graphs, 70 MB.
    """
    with suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)
