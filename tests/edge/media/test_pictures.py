"""Frames arrive upright, with square pixels, at most as large as asked."""

import numpy as np
import pytest

from mmer.edge.media.clip import Clip
from mmer.edge.media.request import FrameRequest

TIMES_S = (0.0, 0.1, 0.2)


def first_frame(path, long_side=640):
    return next(Clip.open(path).frames(FrameRequest(rate_hz=None, long_side=long_side))).pixels


def test_a_wide_frame_is_scaled_down_to_the_asked_side(made):
    path = made("wide.mp4", frame_times_s=TIMES_S, size=(1280, 720))
    assert first_frame(path).shape == (360, 640, 3)


def test_a_tall_frame_is_scaled_by_its_height(made):
    path = made("tall.mp4", frame_times_s=TIMES_S, size=(720, 1280))
    assert first_frame(path).shape == (640, 360, 3)


def test_a_small_frame_is_left_as_it_is(made):
    assert first_frame(made("small.mp4", frame_times_s=TIMES_S, size=(64, 48))).shape == (48, 64, 3)


def test_oblong_pixels_become_square(made):
    path = made(
        "oblong.mp4",
        frame_times_s=TIMES_S,
        size=(64, 48),
        video_codec="libx264",
        video_options={"x264-params": "sar=2/1"},
    )
    assert first_frame(path).shape == (48, 128, 3)


@pytest.mark.parametrize(("turn", "corner"), [(0, (0, 0)), (90, (-1, 0)), (180, (-1, -1)), (270, (0, -1))])
def test_a_turned_recording_comes_out_upright(made, turn, corner):
    """The recorded picture is bright in its upper left corner; `turn` is counter-clockwise, as players apply it."""
    path = made("turned.mp4", frame_times_s=TIMES_S, size=(64, 48), bright_corner=True)
    turned = with_rotation(path, turn)
    pixels = first_frame(turned).astype(int).sum(axis=2)
    bright = pixels[:8, :8], pixels[-8:, :8], pixels[-8:, -8:], pixels[:8, -8:]
    assert int(np.argmax([part.mean() for part in bright])) == [(0, 0), (-1, 0), (-1, -1), (0, -1)].index(corner)


def with_rotation(path, degrees):
    """Rewrite the display matrix in an mp4's track header, the way a phone does."""
    cosine, sine = {0: (1, 0), 90: (0, -1), 180: (-1, 0), 270: (0, 1)}[degrees]
    matrix = b"".join(
        (value << 16 if place < 2 else value << 30).to_bytes(4, "big", signed=True)
        for row in ((cosine, sine, 0), (-sine, cosine, 0), (0, 0, 1))
        for place, value in enumerate(row)
    )
    raw = bytearray(path.read_bytes())
    header = raw.index(b"tkhd")
    raw[header + 44 : header + 80] = matrix
    path.write_bytes(raw)
    return path
