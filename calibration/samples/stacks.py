"""Arrays in an `.npz` as `numpy.savez` writes it, read a row at a time: no pickles, nothing kept in memory."""

import struct
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmer.edge.bundle.arrays import DAMAGE, MOST_ARRAYS, layout

_LOCAL = struct.Struct("<26xHH")
"""A zip member's own header: lengths of its name and of what else precedes its content."""
_HEADER_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Stack:
    """One array on disk."""

    path: Path
    start: int
    dtype: np.dtype[Any]
    shape: tuple[int, ...]

    def row(self, place: int) -> NDArray[Any]:
        """Return what stands at a place along the first axis."""
        count = int(np.prod(self.shape[1:], dtype=np.int64))
        found = np.fromfile(self.path, self.dtype, count, offset=self.start + place * count * self.dtype.itemsize)
        return found.reshape(self.shape[1:])


def stacks(path: Path) -> Mapping[str, Stack]:
    """Return the arrays by name; raise `ValueError` for anything that is not plain, whole and uncompressed."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
        if len(members) > MOST_ARRAYS:
            raise ValueError(f"more than {MOST_ARRAYS} arrays")
        return {member.filename.removesuffix(".npy"): _stack(path, member) for member in members}
    except (*DAMAGE, struct.error, OSError) as error:
        raise ValueError(str(error)) from error


def _stack(path: Path, member: zipfile.ZipInfo) -> Stack:
    if member.compress_type != zipfile.ZIP_STORED:
        raise ValueError(f"{member.filename} is compressed; write it with numpy.savez")
    with path.open("rb") as file:
        file.seek(member.header_offset)
        start = member.header_offset + _LOCAL.size + sum(_LOCAL.unpack(file.read(_LOCAL.size)))
        file.seek(start)
        dtype, order, shape, header = layout(file.read(min(_HEADER_BYTES, member.file_size)))
    if order != "C" or not shape:
        raise ValueError(f"{member.filename} does not lie sample by sample; make it numpy.ascontiguousarray")
    if header + int(np.prod(shape, dtype=object)) * dtype.itemsize != member.file_size:
        raise ValueError(f"{member.filename} is not as long as it says")
    if start + member.file_size > path.stat().st_size:
        raise ValueError(f"{member.filename} is longer than the file")
    return Stack(path, start + header, dtype, shape)
