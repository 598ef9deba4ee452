"""Freed memory handed back to the system, which the C library otherwise keeps for later."""

import ctypes
from contextlib import suppress


def trim() -> None:
    """Hand back what is free; only glibc can, elsewhere nothing happens.

    Opening a graph takes three times its size for a moment and leaves the heap full of holes: of six graphs, 70 MB.
    """
    with suppress(OSError, AttributeError, TypeError):  # Windows has no library called `None`, musl and macOS no trim
        ctypes.CDLL(None).malloc_trim(0)
