"""Files and folders that are either whole or not there."""

import errno
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import BinaryIO, TextIO

from mmer.edge.errors import OutputError, OutputExistsError, SettingError

_NO_PLACE = {errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENAMETOOLONG, errno.ELOOP}
"""A name that no file can have; a full or read-only disk is another fact."""

UNWRITABLE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO}
"""A place that takes no more, or never took anything."""


def refuse_existing(path: Path, *, exist_ok: bool) -> None:
    """Raise `OutputExistsError` when something is in the way and may not be replaced."""
    if path.exists() and not exist_ok:
        raise OutputExistsError(path)


def refuse_odd(path: Path) -> None:
    """Raise `SettingError` when what lies there is no file, such as a folder, and must not be replaced."""
    if path.is_dir():
        raise SettingError(f"{path} is a folder, where a file is to be written; name another output")
    if path.exists() and not path.is_file():
        raise SettingError(f"{path} is no ordinary file and cannot be replaced; name another output")


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
    refuse_odd(path)
    with creating(path):
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(_usual_mode())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextmanager
def kept_lines(path: Path) -> Iterator[Callable[[str], None]]:
    """Give a function that writes a line; when the block ends, however it ends, the lines appear under the name.

    Until then, and for good when no line is written, what was there before stays untouched.
    """
    refuse_odd(path)
    kept, opened = ExitStack(), list[TextIO]()

    def write(line: str) -> None:
        if not opened:
            opened.append(kept.enter_context(atomic_text(path)))
        opened[0].write(f"{line}\n")

    try:
        yield write
    finally:
        kept.close()  # knows of no error, so the file is kept


@contextmanager
def atomic_folder(path: Path, *, marker: str) -> Iterator[Path]:
    """Give a folder beside `path` that takes its place when the block ends without an error.

    What is there already is replaced only if it is our own work, a folder that holds the file `marker`; else
    `SettingError` is raised, before the block runs.
    """
    _refuse_foreign(path, marker)
    with creating(path):
        workshop = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    new, old = workshop / "new", workshop / "old"
    try:
        new.mkdir()
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


@contextmanager
def creating(path: Path) -> Iterator[None]:
    """Make the folder around an output; raise `OutputError` when no output can have this name."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        if error.errno not in _NO_PLACE:
            raise
        raise OutputError(path, str(error.strerror).lower()) from error


def _usual_mode() -> int:
    """Return the rights of a new file; `mkstemp` gives none to others."""
    mask = os.umask(0o077)  # it can only be read by setting it
    os.umask(mask)
    return 0o666 & ~mask


def _refuse_foreign(path: Path, marker: str) -> None:
    if (path.exists() or path.is_symlink()) and (path.is_symlink() or not (path / marker).is_file()):
        raise SettingError(f"{path} is there and has no {marker}, so it is not ours to replace; name another output")


def claim(path: Path, *, marker: str | None, exist_ok: bool) -> None:
    """Raise now what writing `path` would raise after hours of work; `marker` is that of a folder, `None` for a file.

    Raises `SettingError` of one kind or another, or the `OSError` of a place that cannot be written.
    """
    refuse_existing(path, exist_ok=exist_ok)
    if marker is None:
        refuse_odd(path)
    else:
        _refuse_foreign(path, marker)
    with creating(path):
        Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}.")).rmdir()
