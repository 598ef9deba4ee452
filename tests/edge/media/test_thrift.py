"""Pictures that are left out of decoding are never missed: what is sampled stays the same to the last pixel."""

from fractions import Fraction

import av
import numpy as np
import pytest

from mmer.edge.media import thrift
from mmer.edge.media.clip import Clip
from mmer.edge.media.request import FrameRequest
from mmer.edge.media.ticks import Ticks

STEADY = tuple(i / 30 for i in range(150))
WANDERING = tuple(np.cumsum(np.random.default_rng(1).uniform(1 / 60, 1 / 8, 100)))


CLIPS = {
    "b_frames.mp4": (STEADY, ""),
    "many_b_frames.mp4": (STEADY, "bframes=8:b-adapt=0:b-pyramid=strict"),
    "open_groups.mp4": (STEADY, "open-gop=1:keyint=20:bframes=3:b-adapt=0"),
    "variable.mp4": (WANDERING, ""),
    "variable.mkv": (WANDERING, ""),
    "late.mp4": (tuple(0.55 + t for t in STEADY), ""),
    "fields.mp4": (STEADY, "tff=1"),
}


@pytest.fixture
def spared(monkeypatch):
    """Return a list that grows with every packet that is spared."""
    counted, is_spare = [], thrift.Thrift._is_spare

    def counting(self, packet):
        if found := is_spare(self, packet):
            counted.append(packet.pts)
        return found

    monkeypatch.setattr(thrift.Thrift, "_is_spare", counting)
    return counted


def moving(path, times_s, coding=""):
    """Write a clip in which a bright square moves, so that every frame is another one."""
    base = Fraction(1, 1000)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30, options={"x264-params": coding} if coding else {})
        stream.width, stream.height, stream.pix_fmt, stream.codec_context.time_base = 96, 64, "yuv420p", base
        for number, time_s in enumerate(times_s):
            pixels = np.full((64, 96, 3), 40, np.uint8)
            pixels[number % 48 : number % 48 + 16, number % 80 : number % 80 + 16] = 200
            frame = av.VideoFrame.from_ndarray(pixels, "rgb24")
            frame.pts, frame.time_base = round(time_s / base), base
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


@pytest.fixture(params=CLIPS)
def path(request, tmp_path):
    return moving(tmp_path / request.param, *CLIPS[request.param])


def sampled(path, rate_hz, start_s):
    frames = Clip.open(path).frames(FrameRequest(rate_hz), start_s)
    return [(frame.time_s, frame.pixels.tobytes()) for frame in frames]


@pytest.mark.parametrize(("rate_hz", "start_s"), [(5.0, 0.0), (7.3, 0.0), (12.5, 1.13), (None, 0.0)])
def test_what_is_sampled_is_the_same_as_when_everything_is_decoded(path, rate_hz, start_s, monkeypatch):
    sparing = sampled(path, rate_hz, start_s)
    monkeypatch.setattr(thrift, "_CODECS", set())
    assert sparing == sampled(path, rate_hz, start_s)


def test_pictures_between_two_ticks_are_spared(tmp_path, spared):
    sampled(moving(tmp_path / "plain.mp4", STEADY), 5.0, 0.0)
    assert len(spared) > len(STEADY) / 3


@pytest.mark.parametrize(
    ("name", "coding", "rate_hz"),
    [("fields.mp4", "tff=1", 5.0), ("guessed_times.ts", "", 5.0), ("all_wanted.mp4", "", None)],
)
def test_nothing_is_spared_in_doubt(tmp_path, spared, name, coding, rate_hz):
    sampled(moving(tmp_path / name, STEADY, coding), rate_hz, 0.0)
    assert spared == []


@pytest.fixture
def damaged(tmp_path):
    """Return a clip with a hole in the middle."""
    path = moving(tmp_path / "damaged.mp4", STEADY, "keyint=300")
    raw = bytearray(path.read_bytes())
    middle = (raw.index(b"mdat") + raw.index(b"moov")) // 2
    raw[middle : middle + 200] = b"\xff" * 200
    path.write_bytes(raw)
    return path


def test_nothing_is_spared_after_damage(damaged, spared):
    sampled(damaged, 5.0, 0.0)
    assert 0 < max(spared) / 16000 < 0.8 * STEADY[-1]


def test_damage_costs_no_sample(damaged, monkeypatch):
    sparing = [time_s for time_s, _ in sampled(damaged, 5.0, 0.0)]
    monkeypatch.setattr(thrift, "_CODECS", set())
    assert sparing == [time_s for time_s, _ in sampled(damaged, 5.0, 0.0)]


def test_a_frame_serves_its_tick_until_the_next():
    ticks = Ticks(start_s=1.0, rate_hz=5.0)
    assert [ticks.after(time_s) for time_s in (1.0, 1.1, 1.1996)] == pytest.approx([1.2, 1.2, 1.4])
