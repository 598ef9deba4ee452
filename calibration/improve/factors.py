"""By what the channels of some tensors were divided, so that the same can be done again."""

from dataclasses import dataclass

import numpy as np

from mmer.calibration.observation.ranges import Wide
from mmer.edge.errors import DataError

_LEAST, _MOST = 1e-9, 1e9
_CHANNELS = 1 << 20


class FactorsError(DataError):
    """What is written down about factors cannot be used."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"factors of an earlier calibration: {reason}; calibrate without its ranges")


@dataclass(frozen=True, slots=True, eq=False)
class Factors:
    """Of tensors that share them."""

    tensors: tuple[str, ...]
    values: Wide
    """One for each channel `[C]`."""

    def to_json(self) -> dict[str, object]:
        """Return them with every digit."""
        return {"tensors": list(self.tensors), "values": self.values.tolist()}

    @classmethod
    def from_json(cls, document: object) -> "Factors":
        """Return what `to_json` wrote; raise `FactorsError` for anything else."""
        if not isinstance(document, dict) or document.keys() != {"tensors", "values"}:
            raise FactorsError("not an object of tensors and values")
        tensors, values = document["tensors"], document["values"]
        if not isinstance(tensors, list) or not all(isinstance(name, str) for name in tensors):
            raise FactorsError("tensors are no list of names")
        if not isinstance(values, list) or not 0 < len(values) <= _CHANNELS:
            raise FactorsError(f"not 1 to {_CHANNELS} values")
        if not all(isinstance(value, float) and _LEAST < value < _MOST for value in values):
            raise FactorsError(f"a value is not between {_LEAST:g} and {_MOST:g}")
        return cls(tuple(tensors), np.array(values))
