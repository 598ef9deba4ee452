"""Where mmer keeps what can be made again."""

from collections.abc import Mapping
from pathlib import Path


def cache_folder(environ: Mapping[str, str], home: Path) -> Path:
    """Return where mmer caches: `MMER_CACHE`, else a folder in the XDG cache (which must be absolute to count)."""
    if chosen := environ.get("MMER_CACHE"):
        return Path(chosen)
    xdg = Path(environ.get("XDG_CACHE_HOME", ""))
    return (xdg if xdg.is_absolute() else home / ".cache") / "mmer"
