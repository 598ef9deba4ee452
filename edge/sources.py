"""What a user may name as input: files, folders and patterns."""

import glob
from collections.abc import Iterator, Sequence
from pathlib import Path

from mmer.edge.errors import MediaNotFoundError, SettingError

VIDEO_SUFFIXES = (".mp4", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".m4v", ".3gp", ".ts", ".flv", ".wmv")
SOUND_SUFFIXES = (".wav", ".flac", ".ogg", ".opus", ".mp3", ".m4a", ".aac")
SUFFIXES = VIDEO_SUFFIXES + SOUND_SUFFIXES


def media_below(folder: Path) -> Iterator[Path]:
    """Yield the media files of a folder and the folders in it, in the order of their names."""
    found = (path for path in sorted(folder.rglob("*")) if path.suffix.lower() in SUFFIXES)
    return (path for path in found if path.is_file())


def sources(names: Sequence[str]) -> list[Path]:
    """Return the files that the names stand for, each once; raise when a name stands for nothing.

    A file that is named counts whatever its ending; of folders and patterns only what ends like media.
    """
    return list(dict.fromkeys(path for name in names for path in _expanded(name)))


def _expanded(name: str) -> list[Path]:
    path = Path(name)
    if "://" in name or name.isdecimal() or name.startswith("/dev/"):
        raise SettingError(f"{name}: cameras and streams cannot be watched by this version; name a file or a folder")
    if path.is_dir():
        found = list(media_below(path))
    elif path.exists() or not glob.has_magic(name):
        return [path]  # that it is missing is that source's error and does not stop the others
    else:
        matched = sorted(map(Path, glob.glob(name, recursive=True)))
        found = [p for p in matched if p.is_file() and p.suffix.lower() in SUFFIXES]
    if not found:
        raise MediaNotFoundError(name)
    return found
