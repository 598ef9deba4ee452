"""From crops of a face to the frames that a video encoder reads."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmer.edge.errors import SettingError
from mmer.edge.inputs.constants import within
from mmer.edge.inputs.padded import Padded, padded

_TIE_S = 1e-6  # moves the wanted moments, so that of two crops equally near the earlier wins, however the times round


@dataclass(frozen=True, slots=True)
class VideoInput:
    """How faces are seen. The defaults are those of `cafes` and `bixlstm`."""

    size: int = 48
    """Width and height of a crop in pixels."""
    margin: int = 2
    """Pixels of the crop that lie around the detector's box, both sides together."""
    rate_hz: float = 5.0
    """How often a face is looked at."""
    max_frames: int = 8
    grey: bool = False
    """Whether all three channels carry the luma."""
    scale: float = 1.0
    """What pixels are multiplied with before mean and deviation apply."""
    mean: tuple[float, float, float] = (159.0, 111.0, 102.0)
    std: tuple[float, float, float] = (37.0, 33.0, 32.0)

    def __post_init__(self) -> None:
        within("size", self.size, 1, 512)
        within("margin", self.margin, 0, self.size - 1)
        within("rate_hz", self.rate_hz, 0.01, 240)
        within("max_frames", self.max_frames, 1, 256)
        within("scale", self.scale, 1e-6, 1e6)
        for mean, std in zip(self.mean, self.std, strict=True):
            within("mean", mean, -1e6, 1e6)
            within("std", std, 1e-6, 1e6)

    def choose(self, times_s: Sequence[float], start_s: float, end_s: float) -> list[int]:
        """Return the indices of at most `max_frames` crops in order of time, spread evenly over the window.

        The window is cut into `max_frames` parts and the crop nearest to the middle of each is taken. The middles
        depend on the window alone: windows that hop by whole parts choose the same crops, so that a cache has them.
        """
        order = np.argsort(times_s, kind="stable")
        if len(order) <= self.max_frames:
            return [int(i) for i in order]
        times = np.asarray(times_s, np.float64)[order]
        middles = start_s + (end_s - start_s) * (np.arange(self.max_frames) + 0.5) / self.max_frames - _TIE_S
        chosen: list[int] = []
        first = 0
        for place, middle in enumerate(middles):
            last = len(times) - (self.max_frames - place - 1)  # leaves one crop for each later part
            first += int(np.argmin(np.abs(times[first:last] - middle)))
            chosen.append(int(order[first]))
            first += 1
        return chosen

    def frames(self, crops: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Return `[N, 3, S, S]` normalised frames of one or more `[S, S, 3]` RGB crops."""
        expected = (self.size, self.size, 3)
        if odd := next((crop.shape for crop in crops if crop.shape != expected), None):
            raise SettingError(f"a crop has the shape {odd}, the model reads {expected}: crop with its size and margin")
        pixels = np.stack(crops)
        if self.grey:
            pixels = _grey(pixels)
        return np.stack([np.take(table, pixels[..., c]) for c, table in enumerate(self._tables())], axis=1)

    def arrays(self, crops: Sequence[NDArray[np.uint8]]) -> Padded[np.float32] | None:
        """Return frames `[T, 3, S, S]` and mask `[T]` with `T = max_frames`, or `None` without any crop."""
        if len(crops) > self.max_frames:
            raise SettingError(f"{len(crops)} crops for a model that reads {self.max_frames}: choose among them first")
        return padded(self.frames(crops), self.max_frames) if crops else None

    def _tables(self) -> NDArray[np.float32]:
        """Return what each of the 256 levels becomes, `[3, 256]`, computed in double precision and rounded once."""
        levels = np.arange(256) * self.scale
        return np.array([(levels - mean) / std for mean, std in zip(self.mean, self.std, strict=True)], np.float32)


def _grey(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return `[N, S, S, 3]` with the luma of ITU-R 601 in every channel, rounded as Pillow's mode `L` rounds it."""
    red, green, blue = np.moveaxis(pixels.astype(np.uint32), -1, 0)
    luma = (19595 * red + 38470 * green + 7471 * blue + 0x8000) >> 16
    return np.repeat(luma.astype(np.uint8)[..., np.newaxis], 3, axis=-1)
