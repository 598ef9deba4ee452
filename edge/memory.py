"""How much memory this program and its decoder processes took."""

import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path


def peak_rss_mb(decoder_mb: float | None) -> float | None:
    """Return the peak of this process plus that of the decoder process in MB; `None` where the system does not tell.

    Where `high_water_mb` knows nothing, the peak of the largest child that has ended is taken.
    """
    if (own_mb := high_water_mb()) is not None:
        return round(own_mb + (decoder_mb or 0.0), 1)
    try:
        import resource  # POSIX only  # noqa: PLC0415
    except ImportError:
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    peaks = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return round(sum(peaks) * unit / 1e6, 1)


def high_water_mb(process: int | str = "self") -> float | None:
    """Return the largest resident size of a running process since its program began, in MB; Linux only.

    What `getrusage` tells counts the parent's memory as well: Linux hands it down through fork and exec.
    """
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return None
    found = re.search(r"^VmHWM:\s*(\d+) kB", status, re.MULTILINE)
    return round(int(found[1]) * 1024 / 1e6, 1) if found else None


def children() -> Iterator[int]:
    """Yield the processes that this one has started and that still run; Linux only."""
    for thread in Path("/proc/self/task").glob("*/children"):
        with suppress(OSError):  # the thread has ended
            yield from map(int, thread.read_text().split())
