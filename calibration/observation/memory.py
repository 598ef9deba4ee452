"""What calibration remembers of a graph's tensors from pass to pass, and from run to run."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from mmer.calibration.observation.statistics import Statistics
from mmer.calibration.observation.statistics_json import MalformedError, from_json, to_json
from mmer.edge.errors import DataError
from mmer.edge.files import atomic_text


class Memory(Protocol):
    """Statistics of tensors, by name."""

    def recall(self) -> Mapping[str, Statistics]:
        """Return what is known already and need not be looked at again."""

    def keep(self, found: Mapping[str, Statistics]) -> None:
        """Take what a pass found."""


@dataclass(frozen=True, slots=True)
class Known:
    """Remembers while the program runs."""

    statistics: dict[str, Statistics] = field(default_factory=dict)

    def recall(self) -> Mapping[str, Statistics]:
        """Return what is known."""
        return dict(self.statistics)

    def keep(self, found: Mapping[str, Statistics]) -> None:
        """Take what a pass found."""
        self.statistics.update(found)


class PassError(DataError):
    """What an interrupted calibration left cannot be read."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: damaged ({reason}); remove it and resume again")


@dataclass(frozen=True, slots=True)
class Passes:
    """Remembers in a folder, a file for each pass, each written whole or not at all."""

    folder: Path
    known: Mapping[str, Statistics] = field(default_factory=dict)
    """Of an earlier calibration."""

    def recall(self) -> Mapping[str, Statistics]:
        """Return what is known; raise `PassError` for a damaged file."""
        return {**self.known, **{name: kept for path in self._files() for name, kept in _read(path).items()}}

    def keep(self, found: Mapping[str, Statistics]) -> None:
        """Write down what a pass found."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with atomic_text(self.folder / f"{len(self._files()):04}.json") as file:
            json.dump({name: to_json(kept) for name, kept in found.items()}, file, allow_nan=False)

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob("*.json"))


def _read(path: Path) -> Mapping[str, Statistics]:
    try:
        document = json.loads(path.read_bytes())
        return {name: from_json(kept) for name, kept in document.items()}
    except (ValueError, RecursionError, AttributeError, MalformedError) as error:
        raise PassError(path, str(error)) from error
