"""What calibration remembers of a graph's tensors from pass to pass, and from run to run."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from mmer.calibration.improve.factors import Factors
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

    def factors(self) -> Sequence[Factors] | None:
        """Return by what the graph was changed before its tensors were looked at, `None` where that is not known."""

    def change(self, factors: Sequence[Factors]) -> None:
        """Take by what the graph is changed before its tensors are looked at."""


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

    def factors(self) -> Sequence[Factors] | None:
        """Return nothing: an earlier run is not known."""
        return None

    def change(self, factors: Sequence[Factors]) -> None:
        """Keep nothing: no later run asks."""


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
    changed: Sequence[Factors] | None = None
    """By what an earlier calibration changed the graph."""

    def factors(self) -> Sequence[Factors] | None:
        """Return by what the graph was changed, in an earlier calibration or in an earlier run of this one."""
        if self.changed is not None or not self._factors.exists():
            return self.changed
        try:
            return tuple(map(Factors.from_json, json.loads(self._factors.read_bytes())))
        except (ValueError, TypeError, RecursionError) as error:
            raise PassError(self._factors, str(error)) from error

    def change(self, factors: Sequence[Factors]) -> None:
        """Write down by what the graph is changed: ranges of its tensors mean nothing without."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with atomic_text(self._factors) as file:
            json.dump([each.to_json() for each in factors], file, allow_nan=False)

    @property
    def _factors(self) -> Path:
        return self.folder.parent / f"{self.folder.name}.factors.json"

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
