"""Clips made by the tests: a flash and a click at known moments, in every kind of container."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest


@dataclass(frozen=True, slots=True)
class Recipe:
    """What to write; all times are on the clip's own clock."""

    frame_times_s: Sequence[float] = ()
    flash_s: float = 1.0
    """White frames from here for 0.2 s."""
    sound_start_s: float = 0.0
    sound_length_s: float = 0.0
    sound_rate_hz: int = 16000
    channels: int = 1
    click_s: float = 1.0
    video_codec: str = "mpeg4"
    audio_codec: str = "aac"
    video_options: dict[str, str] = field(default_factory=dict)
    size: tuple[int, int] = (64, 48)
    bright_corner: bool = False
    """A white patch in the upper left corner of every frame."""


def write(path: Path, recipe: Recipe) -> Path:
    """Write a clip with the recipe's frames and sound."""
    with av.open(str(path), "w") as container:
        video = _video_stream(container, recipe) if recipe.frame_times_s else None
        audio = _audio_stream(container, recipe) if recipe.sound_length_s else None
        for packet in sorted([*_pictures(video, recipe), *_sound(audio, recipe)], key=lambda p: p.dts * p.time_base):
            container.mux(packet)
    return path


def _video_stream(container, recipe):
    stream = container.add_stream(recipe.video_codec, rate=30, options=recipe.video_options)
    stream.width, stream.height = recipe.size
    stream.pix_fmt = "yuv420p"
    stream.codec_context.time_base = Fraction(1, 1000) if recipe.video_codec != "mpeg4" else Fraction(1, 30)
    return stream


def _audio_stream(container, recipe):
    return container.add_stream(
        recipe.audio_codec, rate=recipe.sound_rate_hz, layout={1: "mono", 2: "stereo"}[recipe.channels]
    )


def _pictures(stream, recipe):
    if stream is None:
        return
    width, height = recipe.size
    base = stream.codec_context.time_base
    for time_s in recipe.frame_times_s:
        level = 255 if recipe.flash_s - 1e-6 <= time_s < recipe.flash_s + 0.2 else 16
        pixels = np.full((height, width, 3), level, np.uint8)
        if recipe.bright_corner:
            pixels[: height // 3, : width // 3] = 235
        frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
        frame.pts, frame.time_base = round(time_s / base), base
        yield from stream.encode(frame)
    yield from stream.encode()


def _sound(stream, recipe):
    if stream is None:
        return
    rate_hz = recipe.sound_rate_hz
    samples = np.zeros(round(recipe.sound_length_s * rate_hz), np.float32)
    first = round((recipe.click_s - recipe.sound_start_s) * rate_hz)
    if 0 <= first < len(samples):
        samples[first : first + max(8, rate_hz // 500)] = 0.9
    for start in range(0, len(samples), 1024):
        frame = _audio_frame(samples[start : start + 1024], stream, recipe.channels)
        frame.pts, frame.time_base = round(recipe.sound_start_s * rate_hz) + start, Fraction(1, rate_hz)
        yield from stream.encode(frame)
    yield from stream.encode()


def _audio_frame(block, stream, channels):
    kind = stream.codec_context.format.name
    values = {"flt": block, "s16": (block * 32767).astype(np.int16), "s32": (block * 2147483520).astype(np.int32)}[
        kind[:3]
    ]
    planar = kind.endswith("p")
    data = np.stack([values] * channels) if planar else np.repeat(values, channels)[None]
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(data), format=kind, layout=stream.codec_context.layout.name)
    frame.sample_rate = stream.codec_context.sample_rate
    return frame


@pytest.fixture
def made(tmp_path: Path):
    """Return a function that writes a clip and gives its path."""

    def make(name: str, **recipe: object) -> Path:
        return write(tmp_path / name, Recipe(**recipe))

    return make
