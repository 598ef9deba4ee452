"""Arrays in numbered files of a folder, and a journal by which an interrupted recording goes on."""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from mmer.calibration.observation.resume import ProgressError
from mmer.edge.bundle.arrays import pack, unpack
from mmer.edge.tensors import Tensors

_JOURNAL = "journal.jsonl"


class Shelf:
    """A folder that grows."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._size = 0
        self._met: set[bytes] = set()

    @classmethod
    def open(cls, folder: Path) -> "Shelf":
        """Go on with a folder, or begin one."""
        folder.mkdir(parents=True, exist_ok=True)
        shelf = cls(folder)
        shelf._met = {_digest(path.read_bytes()) for path in files(folder)}
        shelf._size = len(files(folder))
        return shelf

    def put(self, tensors: Tensors) -> None:
        """Write arrays into the next file."""
        self._write(pack(tensors))

    def put_once(self, tensors: Tensors) -> None:
        """Write arrays unless a file holds the same."""
        content = pack(tensors)
        if _digest(content) not in self._met:
            self._write(content)

    def _write(self, content: bytes) -> None:
        (self.folder / f"{self._size:06}.npz").write_bytes(content)
        self._met.add(_digest(content))
        self._size += 1

    def __len__(self) -> int:
        """Return how many files there are."""
        return self._size


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


def files(folder: Path) -> list[Path]:
    """Return the files of a shelf in order."""
    return sorted(folder.glob("*.npz"))


def read(path: Path) -> Tensors:
    """Return what a file holds."""
    return unpack(path.read_bytes(), path)


@dataclass(frozen=True, slots=True)
class Line:
    """What one clip gave."""

    ids: tuple[str, ...]
    """Of its windows."""
    sizes: Mapping[str, int]
    """Of every shelf after it."""


@dataclass(frozen=True, slots=True)
class Journal:
    """Clips that are recorded, in their order."""

    folder: Path

    def lines(self) -> Iterator[Line]:
        """Yield the clips; what a kill left of a line is none. Raise `ProgressError` for a damaged one."""
        path = self.folder / _JOURNAL
        for text in path.read_text(encoding="utf-8").splitlines(keepends=True) if path.exists() else ():
            if text.endswith("\n"):
                yield _line(text, path)

    def clear(self, shelves: Mapping[str, Path]) -> None:
        """Remove what shelves hold beyond the last line, and that of a line which is not whole."""
        lines = list(self.lines())
        sizes = lines[-1].sizes if lines else {}
        for name, folder in shelves.items():
            for path in files(folder)[sizes.get(name, 0) :]:
                path.unlink()
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / _JOURNAL).write_text("".join(map(_text, lines)), encoding="utf-8")

    def add(self, line: Line) -> None:
        """Write a line down at once."""
        with (self.folder / _JOURNAL).open("a", encoding="utf-8") as file:
            file.write(_text(line))
            file.flush()
            os.fsync(file.fileno())


def _line(text: str, path: Path) -> Line:
    try:
        found = json.loads(text)
        return Line(tuple(map(str, found["ids"])), {name: int(size) for name, size in found["sizes"].items()})
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ProgressError(path, f"a damaged line: {error}") from error


def _text(line: Line) -> str:
    return json.dumps(asdict(line), ensure_ascii=False) + "\n"
