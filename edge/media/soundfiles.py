"""Sound files that libsndfile reads: wav, flac and ogg; anything else, or what it refuses, goes through PyAV."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mmer.edge.errors import MediaLimitError, UnreadableMediaError
from mmer.edge.media.limits import MediaLimits

_SUFFIXES = {".wav", ".flac", ".ogg", ".oga", ".opus"}
_BLOCK = 1 << 16


@dataclass(frozen=True, slots=True)
class SoundFacts:
    """What the header of a sound file says."""

    codec: str
    rate_hz: int
    channels: int
    duration_s: float


def probe(path: Path, limits: MediaLimits) -> SoundFacts | None:
    """Return the facts of a sound file, or `None` when it is not one that libsndfile reads."""
    if path.suffix.lower() not in _SUFFIXES or not path.is_file():
        return None
    import soundfile  # not before a sound file is met: it is no part of a video's start-up  # noqa: PLC0415

    try:
        info = soundfile.info(str(path))
    except soundfile.LibsndfileError:
        return None
    if info.frames <= 0:
        return None
    if info.channels > limits.channels:
        raise MediaLimitError(path, f"{info.channels} sound channels", f"{limits.channels}")
    return SoundFacts(
        str(info.subtype).lower(), int(info.samplerate), int(info.channels), info.frames / info.samplerate
    )


def blocks(path: Path, start_s: float) -> Iterator[tuple[float, int, NDArray[np.float32]]]:
    """Yield time, rate and mono samples `[N]` of consecutive blocks; raise `UnreadableMediaError` where it breaks."""
    import soundfile  # noqa: PLC0415

    try:
        with soundfile.SoundFile(str(path)) as file:
            position = min(int(start_s * file.samplerate), file.frames)
            file.seek(position)
            for block in file.blocks(_BLOCK, dtype="float32", always_2d=True):
                yield position / file.samplerate, file.samplerate, block.mean(axis=1)
                position += len(block)
    except soundfile.LibsndfileError as error:
        raise UnreadableMediaError(path, error.error_string) from error
