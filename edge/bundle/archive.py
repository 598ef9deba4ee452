"""The files of a bundle, in a folder or in a zip; nothing is ever unpacked to the disk."""

import os
import stat
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from mmer.edge.bundle.paths import MANIFEST, MOST_FILES, MOST_MANIFEST_BYTES, SEAL
from mmer.edge.bundle.zipform import HEADER_BYTES, SIGNATURE, Member, directory, parsed
from mmer.edge.errors import BundleError

_NO_WAITING = getattr(os, "O_NONBLOCK", 0)  # opening a pipe would wait for a writer for ever
_MOST_ENTRIES = 4 * MOST_FILES  # folders count too


class Archive(Protocol):
    """Files by name; every method raises `BundleError` for what cannot be read."""

    @property
    def sizes(self) -> Mapping[str, int]:
        """Bytes of every file, manifest and seal included."""
        ...

    def read(self, name: str) -> bytes:
        """Return what a file holds now, at most as much as when the archive was opened."""
        ...


def open_archive(path: Path) -> Archive:
    """Return the folder or the zip at a path; raise `BundleError` for one that cannot be a bundle of any version."""
    try:
        archive: Archive = Folder.open(path) if path.is_dir() else Zip.open(path)
    except OSError as error:
        raise BundleError(path, f"cannot be read: {error.strerror}") from error
    for name in (MANIFEST, SEAL):
        if name not in archive.sizes:
            raise BundleError(path, f"there is no {name}")
        if archive.sizes[name] > MOST_MANIFEST_BYTES:
            raise BundleError(path, f"{name} is larger than {MOST_MANIFEST_BYTES >> 20} MiB")
    return archive


@dataclass(frozen=True, slots=True)
class Folder:
    """A bundle that lies open."""

    root: Path
    sizes: Mapping[str, int]

    @classmethod
    def open(cls, root: Path) -> "Folder":
        """List what is in a folder: regular files only."""
        sizes: dict[str, int] = {}
        for number, entry in enumerate(_walk(root)):
            name = Path(entry.path).relative_to(root).as_posix()
            if number >= _MOST_ENTRIES:
                raise BundleError(root, f"more than {_MOST_ENTRIES} files and folders")
            if not entry.is_dir(follow_symlinks=False):
                if not entry.is_file(follow_symlinks=False):
                    raise BundleError(root, f"{name!r:.120} is a link or no regular file")
                sizes[name] = entry.stat(follow_symlinks=False).st_size
        return cls(root, sizes)

    def read(self, name: str) -> bytes:
        """Return what a file holds now."""
        try:
            with _regular(self.root / name) as file:
                return file.read(self.sizes[name] + 1)  # one more shows that it has grown
        except OSError as error:
            raise BundleError(self.root, f"{name} cannot be read: {error.strerror}") from error


def _walk(root: Path) -> Iterator[os.DirEntry[str]]:
    folders = [root]
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                yield entry
                if entry.is_dir(follow_symlinks=False):
                    folders.append(Path(entry.path))


@dataclass(frozen=True, slots=True)
class Zip:
    """A bundle in one file."""

    path: Path
    members: Mapping[str, Member]

    @classmethod
    def open(cls, path: Path) -> "Zip":
        """Walk through an archive and make sure that no byte outside the members' contents can be different."""
        with _regular(path) as file:
            members = tuple(_members(file, path))
            expected = directory(members)
            if file.read(len(expected) + 1) != expected:
                raise _foreign(path)
        return cls(path, {member.name: member for member in members})

    @property
    def sizes(self) -> Mapping[str, int]:
        """Bytes of every member."""
        return {name: member.size for name, member in self.members.items()}

    def read(self, name: str) -> bytes:
        """Return what a member holds now."""
        member = self.members[name]
        try:
            with _regular(self.path) as file:
                file.seek(member.content_start)
                content = file.read(member.size)
        except OSError as error:
            raise BundleError(self.path, f"cannot be read: {error.strerror}") from error
        if zlib.crc32(content) != member.crc:
            raise BundleError(self.path, f"{name} has changed")
        return content


def _regular(path: Path) -> BinaryIO:
    file = open(path, "rb", opener=lambda name, flags: os.open(name, flags | _NO_WAITING))  # noqa: SIM115 - given away
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise BundleError(path, "neither a folder nor a regular file")
    return file


def _members(file: BinaryIO, path: Path) -> Iterator[Member]:
    """Yield the members and leave the file where the directory begins."""
    names: set[str] = set()
    start = 0
    while (head := file.read(HEADER_BYTES)).startswith(SIGNATURE):
        member = parsed(head, start)
        if member is None:
            raise _foreign(path)
        if len(names) >= MOST_FILES + 2 or member.name in names:
            raise BundleError(path, f"more than {MOST_FILES} files in it, or two called {member.name!r:.120}")
        names.add(member.name)
        yield member
        start = file.seek(member.end)
    file.seek(start)


def _foreign(path: Path) -> BundleError:
    return BundleError(
        path, "no zip in the form that mmer writes, but damaged or packed anew; unpack it, use the folder"
    )
