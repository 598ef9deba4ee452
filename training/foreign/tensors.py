"""Tensors out of somebody else's file: never code, and never more memory than the file has bytes."""

import pickle
import pickletools
import re
import struct
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from mmer.edge.errors import DataError, MediaNotFoundError

MOST_BYTES = 4 << 30
"""Of a file and of all tensors in it; CAFES with the state of its optimiser is about an eighth of this."""

NESTS = ("state_dict", "model", "model_state_dict")
"""Under which a state dict may lie in a file that holds more."""

LONGEST_NAME = 300
"""Characters of a tensor's name; those of CAFES have at most 83."""

_PARALLEL = "module."  # what DataParallel puts before every name
_SAVE_AGAIN = "save the state dict alone: torch.save(model.state_dict(), FILE)"
_REFIT = "import the weights, and fit it again: mmer train cafes --from CHECKPOINT --data INDEX --set epochs=1"
_HARMLESS = re.compile(
    r"collections OrderedDict|torch Size|torch device|torch \w+Storage|torch\.storage \w+Storage"
    r"|torch\._utils _rebuild_(tensor_v2|parameter)|torch\.nn\.parameter Parameter"
)
"""Of what weights_only allows; the rest can ask for memory that no file holds, as `bytearray` can."""
_DAMAGED = (RuntimeError, ValueError, TypeError, LookupError, AttributeError, OverflowError, AssertionError)
_DAMAGED_FILE = (*_DAMAGED, EOFError, OSError, MemoryError, struct.error, zipfile.BadZipFile)
"""What torch, pickletools and zipfile raise for bytes that are not what they should be."""


class ForeignFileError(DataError):
    """A file of weights cannot be read, or should not be."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Return the state dict in a file of torch or safetensors; raise `ForeignFileError` for anything else in it.

    The tensors may be views of the file on disk: copy them before it changes.
    """
    if not path.is_file():
        raise MediaNotFoundError(path)
    if path.stat().st_size > MOST_BYTES:
        raise ForeignFileError(path, f"is larger than {MOST_BYTES >> 30} GiB; {_SAVE_AGAIN}")
    state = _state(_safe(path) if path.suffix == ".safetensors" else _zipped(path), path)
    if sum(tensor.numel() * tensor.element_size() for tensor in state.values()) > MOST_BYTES:
        raise ForeignFileError(path, f"its tensors declare more than {MOST_BYTES >> 30} GiB; name another file")
    if hollow := next((name for name, tensor in state.items() if not _stored(tensor)), None):
        raise ForeignFileError(path, f"stores fewer values than {hollow} has; {_SAVE_AGAIN}")
    while all(name.startswith(_PARALLEL) for name in state):
        state = {name.removeprefix(_PARALLEL): tensor for name, tensor in state.items()}
    return state


def _safe(path: Path) -> object:
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise ForeignFileError(path, f"is not safetensors ({_first(error)}); name another file") from error


def _zipped(path: Path) -> object:
    with path.open("rb") as file:
        begin = file.read(4096)
    if b"GaussianMixture" in begin:
        raise ForeignFileError(path, f"is a mixture that scikit-learn pickled, and pickles are never read; {_REFIT}")
    if begin[:1] == b"\x80":
        raise ForeignFileError(path, f"is a pickle, or was saved by torch before 1.6, and is not read; {_SAVE_AGAIN}")
    if not begin.startswith(b"PK\x03\x04"):
        raise ForeignFileError(path, "is no file that torch.save or safetensors wrote; name another file")
    try:
        _refuse_code(path)
        return torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except pickle.UnpicklingError as error:
        raise ForeignFileError(path, f"holds more than tensors, and code is never run; {_SAVE_AGAIN}") from error
    except _DAMAGED_FILE as error:
        raise ForeignFileError(path, f"is damaged or cut short ({_first(error)}); fetch it again") from error


def _refuse_code(path: Path) -> None:
    """Raise `ForeignFileError` for an archive that is a program, is compressed, or whose pickle names anything else."""
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        if any(member.filename.endswith("/constants.pkl") for member in members):
            raise ForeignFileError(path, f"is a TorchScript program, and code is never run; {_SAVE_AGAIN}")
        packed = any(member.compress_type != zipfile.ZIP_STORED for member in members)
        if packed or sum(member.file_size for member in members) > path.stat().st_size:
            raise ForeignFileError(path, f"declares more bytes than it has, as torch.save never does; {_SAVE_AGAIN}")
        pickles = [archive.read(member) for member in members if member.filename.endswith(".pkl")]
    named = (name for content in pickles for name in _named(content))
    if odd := next((name for name in named if not _HARMLESS.fullmatch(name)), None):
        raise ForeignFileError(
            path, f"holds {_printable(odd.replace(' ', '.'))}, and nothing but tensors is read; {_SAVE_AGAIN}"
        )


def _named(content: bytes) -> Iterator[str]:
    """Yield module and name of whatever a pickle would import."""
    for code, argument, _ in pickletools.genops(content):
        if code.name in {"GLOBAL", "INST"}:
            yield str(argument)
        elif code.name == "STACK_GLOBAL":
            yield "something by a name that it computes"


def _state(loaded: object, path: Path) -> dict[str, Tensor]:
    if isinstance(loaded, Mapping):
        for held in (loaded, *(loaded.get(nest) for nest in NESTS)):
            if isinstance(held, Mapping) and (found := {k: v for k, v in held.items() if isinstance(v, Tensor)}):
                return _known_by_name(found, path)
    raise ForeignFileError(path, f"holds no state dict, nor one under {', '.join(NESTS)}; {_SAVE_AGAIN}")


def _known_by_name(state: dict[object, Tensor], path: Path) -> dict[str, Tensor]:
    """Return the tensors, all of whose names can be shown on a terminal and written as JSON."""
    named = {k: v for k, v in state.items() if isinstance(k, str) and k.isprintable() and len(k) <= LONGEST_NAME}
    if len(named) < len(state):
        raise ForeignFileError(path, f"has a tensor whose name is no text of up to {LONGEST_NAME} characters to print")
    return named


def _stored(tensor: Tensor) -> bool:
    """Tell whether the file has every value, rather than one that is repeated."""
    return tensor.numel() * tensor.element_size() <= tensor.untyped_storage().nbytes()


def _first(error: BaseException) -> str:
    return _printable((str(error).strip() or type(error).__name__).partition("\n")[0])


def _printable(text: str) -> str:
    """Return the beginning of somebody else's text, without what a terminal would obey."""
    return "".join(letter if letter.isprintable() else "?" for letter in text[:120])
