"""What a user may choose about calibration."""

from dataclasses import dataclass

from mmer.calibration.observers.methods import METHODS
from mmer.edge.errors import SettingError
from mmer.edge.inputs.constants import among, within

EACH = "each"
"""For each tensor the method that suits what reads it."""


@dataclass(frozen=True, slots=True)
class CalibrationSettings:
    """Which windows are looked at, and what a quantised graph must reach; raises `SettingError`."""

    split: str = "train"
    samples: int = 128
    """Windows that ranges are taken from."""
    fresh: int = 32
    """Windows of other clips, by which the graphs are judged."""
    method: str = "minmax"
    """One of `METHODS`, or `EACH`."""
    seed: int = 0
    window_s: float = 4.0
    int8_cosine: float = 0.999
    """Least centred cosine between an INT8 graph and its float form."""
    fp16_cosine: float = 0.9999
    """The same for FP16."""
    targets: tuple[str, ...] = ()
    """Names of `calibration.targets`; none stands for the one that suits this processor."""

    clip: bool = False
    """Whether the largest weights are cut off where that lets the others be rounded better."""

    def __post_init__(self) -> None:
        within("samples", self.samples, 1, 100_000)
        within("fresh", self.fresh, 1, 4096)
        within("int8_cosine", self.int8_cosine, 0.0, 1.0)
        within("fp16_cosine", self.fp16_cosine, 0.0, 1.0)
        among("method", self.method, (*METHODS, EACH))
        if self.seed < 0:
            raise SettingError(f"seed is {self.seed}, take 0 or more")

    @property
    def taken(self) -> str:
        """By which method ranges are taken where nothing else was found to be better."""
        return "minmax" if self.method == EACH else self.method
