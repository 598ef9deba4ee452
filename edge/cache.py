"""Where mmer keeps what can be made again."""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path


def cache_folder(environ: Mapping[str, str]) -> Path:
    """Return where mmer caches: `MMER_CACHE`, else a folder in the XDG cache (which must be absolute to count)."""
    if chosen := environ.get("MMER_CACHE"):
        return Path(chosen)
    xdg = Path(environ.get("XDG_CACHE_HOME", ""))
    return xdg / "mmer" if xdg.is_absolute() else _at_home()


def _at_home() -> Path:
    try:
        return Path.home() / ".cache" / "mmer"
    except RuntimeError:  # a user that the system does not know, as in many containers
        return Path(tempfile.gettempdir()) / f"mmer-{os.getuid()}"
