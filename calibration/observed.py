"""What calibration saw of a graph's tensors."""

from collections.abc import Mapping
from dataclasses import dataclass

from mmer.calibration.ranges import Range, Seen


@dataclass(frozen=True, slots=True)
class Observed:
    """Extremes and means of every tensor that levels may be made for."""

    seen: Mapping[str, Seen]
    """By channel for what a site reads."""
    cuts: Mapping[tuple[str, bool], Range]
    """Narrower ranges, by tensor and whether centred, where rare values are to be left out."""

    def range(self, tensor: str, *, centred: bool) -> Range:
        """Return the range to cover, of the values or of their distance from their channel's mean."""
        return self.cuts.get((tensor, centred)) or self.seen[tensor].range(centred=centred)
