"""What a user may name as input: files, folders and patterns."""

import glob
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from mmer.edge.errors import SettingError

VIDEO_SUFFIXES = (".mp4", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".m4v", ".3gp", ".ts", ".flv", ".wmv")
SOUND_SUFFIXES = (".wav", ".flac", ".ogg", ".opus", ".mp3", ".m4a", ".aac")
PICTURE_SUFFIXES = (".jpg", ".jpeg", ".png")
"""Named by an index, never found in a folder to watch."""
SUFFIXES = VIDEO_SUFFIXES + SOUND_SUFFIXES


def media_below(folder: Path) -> Iterator[Path]:
    """Yield the media files of a folder and the folders in it, in the order of their names."""
    found = (path for path in sorted(folder.rglob("*")) if path.suffix.lower() in SUFFIXES)
    return (path for path in found if path.is_file())


def sources(names: Sequence[str]) -> list[Path]:
    """Return the files that the names stand for, each once.

    A file that is named counts whatever its ending; of folders and patterns only what ends like media. A name that
    stands for nothing is returned as it is: that is that source's error and does not stop the others. Raises
    `SettingError` without any name.
    """
    if not names:
        raise SettingError("nothing to watch; name a recording or a folder, or try --example")
    found = list(dict.fromkeys(path for name in names for path in _expanded(name)))
    if odd := [ascii(str(path)) for path in found if not _is_utf8(str(path))]:
        raise SettingError(f"{odd[0]}: the name is not UTF-8, so no answer could name it; rename it")
    return found


def _expanded(name: str) -> list[Path]:
    path, exists = Path(name), os.path.exists(name)  # unlike `Path.exists` at peace with any name
    if "://" in name or (name.isdecimal() and not exists) or name.startswith("/dev/"):
        raise SettingError(f"{name}: cameras and streams cannot be watched by this version; name a file or a folder")
    found: list[Path] = []
    if os.path.isdir(name):
        found = list(media_below(path))
    elif not exists and glob.has_magic(name):
        matched = sorted(map(Path, glob.glob(name, recursive=True)))
        found = [p for p in matched if p.is_file() and p.suffix.lower() in SUFFIXES]
    return found or [path]


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
