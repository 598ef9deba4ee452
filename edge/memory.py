"""How much memory this program and its decoder processes took."""

import sys


def peak_rss_mb() -> float | None:
    """Return the peak of this process plus that of its largest child in MB; `None` where the system does not tell."""
    try:
        import resource  # POSIX only  # noqa: PLC0415
    except ImportError:
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    peaks = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return round(sum(peaks) * unit / 1e6, 1)
