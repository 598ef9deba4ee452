"""What calibration saw of a graph's tensors."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from mmer.calibration.observation.ranges import Range, Seen
from mmer.calibration.observation.statistics import Statistics
from mmer.calibration.observers.methods import METHODS


@dataclass(frozen=True, slots=True)
class Observed:
    """Statistics of every tensor that levels may be made for, and how ranges are read off them."""

    statistics: Mapping[str, Statistics]
    """By channel for what a site reads."""
    method: str = "minmax"
    """One of `METHODS`."""
    chosen: Mapping[str, str] = field(default_factory=dict)
    """Other methods, by tensor."""

    @property
    def seen(self) -> Mapping[str, Seen]:
        """Extremes and means."""
        return {name: kept.seen for name, kept in self.statistics.items()}

    def method_of(self, tensor: str) -> str:
        """Return by which method a tensor has its range."""
        return self.chosen.get(tensor, self.method)

    def by(self, method: str, chosen: Mapping[str, str] | None = None) -> "Observed":
        """Return the same with ranges by another method, and those of single tensors by others."""
        return replace(self, method=method, chosen=chosen or {})

    def range(self, tensor: str, *, centred: bool, method: str | None = None) -> Range:
        """Return the range to cover, of the values or of their distance from their channel's mean."""
        return METHODS[method or self.method_of(tensor)](self.statistics[tensor], centred=centred)
