"""Arrays by name in an `.npz` that nobody trusts: no pickles, nothing larger than it may be."""

import io
import os
import re
import zipfile
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mmer.edge.errors import BundleError
from mmer.edge.tensors import Tensors

MOST_ARRAYS = 1024
MOST_BYTES = 256 << 20
"""Unpacked, all arrays together."""

_HEADER = re.compile(
    rb"\x93NUMPY\x01\x00..\{'descr': '([<>|](?:f[248]|[iu][1248]|b1))', 'fortran_order': (True|False), "
    rb"'shape': \(((?:\d{1,12},? ?){0,16})\), \} *\n",
    re.DOTALL,
)
DAMAGE = (zipfile.BadZipFile, ValueError, EOFError, NotImplementedError, RuntimeError)
"""What reading a broken archive raises."""


def pack(arrays: Tensors) -> bytes:
    """Return an `.npz` of the arrays; equal arrays give equal bytes."""
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **{name: arrays[name] for name in sorted(arrays)})
    return file.getvalue()


def unpack(content: bytes, path: str | os.PathLike[str]) -> Mapping[str, NDArray[Any]]:
    """Return the arrays; raise `BundleError`, naming `path`, when they cannot be read."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            if len(members) > MOST_ARRAYS or sum(member.file_size for member in members) > MOST_BYTES:
                raise BundleError(path, f"more than {MOST_ARRAYS} arrays or {MOST_BYTES >> 20} MiB of them")
            if any(member.compress_type != zipfile.ZIP_STORED for member in members):
                raise BundleError(path, "compressed arrays")
            return {member.filename.removesuffix(".npy"): _array(archive.read(member)) for member in members}
    except DAMAGE as error:
        raise BundleError(path, f"arrays that cannot be read: {error}") from error


def layout(content: bytes) -> tuple[np.dtype[Any], Literal["C", "F"], tuple[int, ...], int]:
    """Return element type, order and shape of a `.npy` as `pack` writes it, and where its numbers begin.

    numpy's own reader asks for the memory of whatever shape a header states, and takes the header for Python code.
    """
    head = _HEADER.match(content)
    if head is None:
        raise ValueError("not an array of plain numbers")
    kind, fortran, sizes = (group.decode("ascii") for group in head.groups())
    shape = tuple(int(size) for size in sizes.split(",") if size.strip())
    return np.dtype(kind), "F" if fortran == "True" else "C", shape, head.end()


def _array(content: bytes) -> NDArray[Any]:
    dtype, order, shape, start = layout(content)
    flat: NDArray[Any] = np.frombuffer(content, dtype, offset=start)
    return np.array(flat.reshape(shape, order=order), order="C")
