"""The clip: 720p25 H.264 of one talker, with speech and captions, made of a few seconds that go forth and back."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import cycle
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray
from rivals.sentences import CAPTIONS

WIDTH, HEIGHT, RATE_HZ, SOUND_HZ = 1280, 720, 25, 48_000
CAPTION_S = 4
_TOP = 40  # of the 16:9 part of the square picture in which the face is whole
_CODING = {"preset": "medium", "crf": "23"}  # x264's own choice: 1.2 Mbit/s, as many bits per pixel as the source has

SOURCE = "talker_c.mp4"
"""One talker before a plain wall: what detection looks through is little, which suits the rivals."""


@dataclass(frozen=True, slots=True)
class Material:
    """What the clip is made of."""

    pictures: list[NDArray[np.uint8]]
    """`[720, 1280, 3]` each, at `RATE_HZ`."""
    sound: NDArray[np.float32]
    """`[N]`, mono, at `SOUND_HZ`."""


def make_clip(source: Path, path: Path, seconds: int) -> None:
    """Write the clip, and its captions beside it as `.srt`."""
    material = _material(source)
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=RATE_HZ, options=_CODING)
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        voice = container.add_stream("aac", rate=SOUND_HZ, layout="mono")
        for number, pixels in zip(range(seconds * RATE_HZ), _forth_and_back(material.pictures), strict=False):
            picture = av.VideoFrame.from_ndarray(pixels, "rgb24")
            picture.pts, picture.time_base = number, Fraction(1, RATE_HZ)
            container.mux(video.encode(picture))
            if number % RATE_HZ == 0:
                container.mux(voice.encode(_second(material.sound, number // RATE_HZ)))
        container.mux(video.encode(None))
        container.mux(voice.encode(None))
    path.with_suffix(".srt").write_text(_captions(seconds), encoding="utf-8")


def _material(source: Path) -> Material:
    with av.open(str(source)) as container:
        times, pictures = zip(*((frame.time, _framed(frame)) for frame in container.decode(video=0)), strict=True)
    wanted = np.arange(0, times[-1], 1 / RATE_HZ)
    nearest = np.abs(np.array(times)[None] - wanted[:, None]).argmin(axis=1)
    resampler = av.AudioResampler(format="flt", layout="mono", rate=SOUND_HZ)
    with av.open(str(source)) as container:
        parts = [part for frame in container.decode(audio=0) for part in resampler.resample(frame)]
    sound = np.concatenate([part.to_ndarray().reshape(-1) for part in parts])
    return Material([pictures[index] for index in nearest], sound)


def _framed(frame: av.VideoFrame) -> NDArray[np.uint8]:
    height = round(frame.width * HEIGHT / WIDTH) // 2 * 2
    part = frame.to_ndarray(format="rgb24")[_TOP : _TOP + height]
    scaled = av.VideoFrame.from_ndarray(np.ascontiguousarray(part), "rgb24").reformat(WIDTH, HEIGHT)
    return np.asarray(scaled.to_ndarray(format="rgb24"), np.uint8)


def _forth_and_back(pictures: list[NDArray[np.uint8]]) -> Iterator[NDArray[np.uint8]]:
    """Yield pictures without end and without a cut."""
    return cycle([*pictures, *pictures[-2:0:-1]])


def _second(sound: NDArray[np.float32], number: int) -> av.AudioFrame:
    """Return one second of the sound, which begins again when it has ended."""
    first = number * SOUND_HZ
    samples = sound[np.arange(first, first + SOUND_HZ) % len(sound)]
    frame = av.AudioFrame.from_ndarray(samples[None], format="fltp", layout="mono")
    frame.rate, frame.pts, frame.time_base = SOUND_HZ, first, Fraction(1, SOUND_HZ)
    return frame


def _captions(seconds: int) -> str:
    cues = []
    for number, words in zip(range(-(-seconds // CAPTION_S)), cycle(CAPTIONS), strict=False):
        start_s, end_s = number * CAPTION_S, min((number + 1) * CAPTION_S, seconds)
        cues.append(f"{number + 1}\n00:{_clock(start_s)},000 --> 00:{_clock(end_s)},000\n{words}\n")
    return "\n".join(cues)


def _clock(seconds: int) -> str:
    return f"{seconds // 60:02}:{seconds % 60:02}"
