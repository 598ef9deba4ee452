"""What ships with mmer: a bundle to start with and a clip to try it on."""

from importlib.resources import files
from pathlib import Path

_ASSETS = Path(str(files("mmer.edge.assets")))

BUNDLE = _ASSETS / "bundle.zip"
"""A zip, because a folder is refused once anything, a file browser say, leaves a file in it."""
EXAMPLE = _ASSETS / "example" / "example.mp4"
