"""Files and folders that are either whole or not there."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import BinaryIO, TextIO

from mmer.edge.errors import OutputExistsError, SettingError


def refuse_existing(path: Path, *, exist_ok: bool) -> None:
    """Raise `OutputExistsError` when something is in the way and may not be replaced."""
    if path.exists() and not exist_ok:
        raise OutputExistsError(path)


@contextmanager
def atomic_text(path: Path) -> Iterator[TextIO]:
    """Open a text file that appears under its name, complete, only when the block ends without an error."""
    with atomic_binary(path) as file:
        text = TextIOWrapper(file, encoding="utf-8", newline="")
        try:
            yield text
        finally:
            text.detach()


@contextmanager
def atomic_binary(path: Path) -> Iterator[BinaryIO]:
    """Open a file of bytes that appears under its name, complete, only when the block ends without an error."""
    if path.is_dir():
        raise SettingError(f"{path} is a folder, where a file is to be written; name another output")
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextmanager
def atomic_folder(path: Path, *, marker: str) -> Iterator[Path]:
    """Give a folder beside `path` that takes its place when the block ends without an error.

    What is there already is replaced only if it is our own work, a folder that holds the file `marker`; else
    `SettingError` is raised, before the block runs.
    """
    _refuse_foreign(path, marker)
    path.parent.mkdir(parents=True, exist_ok=True)
    workshop = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    new, old = workshop / "new", workshop / "old"
    try:
        new.mkdir(mode=0o755)
        yield new
        _refuse_foreign(path, marker)  # somebody may have put something there in the meantime
        if path.exists():
            path.rename(old)
        new.rename(path)
    except BaseException:
        if old.exists() and not path.exists():
            old.rename(path)
        raise
    finally:
        shutil.rmtree(workshop, ignore_errors=True)


def _refuse_foreign(path: Path, marker: str) -> None:
    if (path.exists() or path.is_symlink()) and (path.is_symlink() or not (path / marker).is_file()):
        raise SettingError(f"{path} is there and has no {marker}, so it is not ours to replace; name another output")
