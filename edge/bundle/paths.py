"""Which files a bundle may hold: nothing executable, nothing outside, nothing absurd."""

import os
import re
from collections.abc import Collection, Mapping
from pathlib import PurePosixPath

from mmer.edge.errors import BundleError

MANIFEST = "manifest.json"
SEAL = "manifest.sha256"
"""The manifest's digest as `sha256sum` writes it, so that `sha256sum -c manifest.sha256` checks it."""

TOKENIZER = "tokenizer/tokenizer.json"
VERIFICATION = "verification.json"
"""What `mmer verify --on --write` found about the graphs that lie beside it."""

MOST_FILES = 256
MOST_BYTES = 1 << 30
"""For one file."""
MOST_BYTES_IN_ALL = (1 << 31) - 1
"""More would need the 64-bit form of zip."""
MOST_MANIFEST_BYTES = 4 << 20

_SEGMENT = "[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}"
_PATH = re.compile(rf"({_SEGMENT}/){{0,3}}{_SEGMENT}")
_SUFFIXES = {".json", ".md", ".npz", ".onnx", ".txt"}
_NAMES = {"LICENSE", "NOTICE"}


def golden_path(graph: str) -> str:
    """Return where the golden inputs of a graph and the outputs of its float form lie."""
    return f"golden/{graph}.npz"


def golden_outputs_path(graph: str, precision: str) -> str:
    """Return where the golden outputs of another form lie, if it has its own."""
    return f"golden/{graph}.{precision}.npz"


def check_paths(paths: Collection[str], path: str | os.PathLike[str]) -> None:
    """Raise `BundleError`, naming `path`, unless these may be the files of a bundle beside manifest and seal."""
    if len(paths) > MOST_FILES:
        raise BundleError(path, f"{len(paths)} files, more than {MOST_FILES}")
    taken = {name: name for name in (MANIFEST, SEAL)}
    for name in paths:
        if not _usable(name):
            raise BundleError(path, f"{name!r:.120} is not a path that a bundle may have")
        if clash := taken.get(name.lower()):
            raise BundleError(path, f"{name} and {clash} would be the same file on some systems")
        taken[name.lower()] = name
    for name in paths:
        if above := [taken[folder] for folder in _folders(name.lower()) if folder in taken]:
            raise BundleError(path, f"{above[0]} is a file, {name} needs a folder of that name")


def check_sizes(sizes: Mapping[str, int], path: str | os.PathLike[str]) -> None:
    """Raise `BundleError`, naming `path`, for a file or a sum of files that is too large."""
    if large := [name for name, size in sizes.items() if size > MOST_BYTES]:
        raise BundleError(path, f"{large[0]} is larger than {MOST_BYTES >> 20} MiB")
    if sum(sizes.values()) > MOST_BYTES_IN_ALL:
        raise BundleError(path, f"its files together are larger than {MOST_BYTES_IN_ALL >> 20} MiB")


def _folders(name: str) -> list[str]:
    return [str(folder) for folder in PurePosixPath(name).parents]


def _usable(name: str) -> bool:
    last = PurePosixPath(name)
    return bool(_PATH.fullmatch(name)) and (last.suffix in _SUFFIXES or last.name in _NAMES)
