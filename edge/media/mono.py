"""From decoded sound of any kind to mono samples."""

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from numpy.typing import NDArray


class Mono:
    """Converts sample format and mixes to mono; the rate is left alone (soxr is the only resampler)."""

    def __init__(self) -> None:
        self._made_for: tuple[str, str, int] | None = None
        self._converter = AudioResampler(format="flt", layout="mono")

    def samples(self, frame: AudioFrame) -> NDArray[np.float32]:
        """Return the frame's sound as `[N]`."""
        if frame.format.name in ("flt", "fltp") and frame.layout.name == "mono":
            return frame.to_ndarray().reshape(-1).astype(np.float32, copy=False)
        shape = (frame.format.name, frame.layout.name, frame.sample_rate)
        if shape != self._made_for:
            self._made_for = shape
            self._converter = AudioResampler(format="flt", layout="mono", rate=frame.sample_rate)
        parts = [part.to_ndarray().reshape(-1) for part in self._converter.resample(frame)]
        return np.concatenate(parts).astype(np.float32, copy=False) if parts else np.zeros(0, np.float32)
