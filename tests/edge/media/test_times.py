"""Every moment that a clip yields is the moment at which it was recorded."""

import numpy as np
import pytest

from mmer.edge.media.clip import Clip
from mmer.edge.media.request import FrameRequest

STEADY = tuple(i / 30 for i in range(60))
WANDERING = tuple(round(t, 3) for t in np.cumsum(np.random.default_rng(0).uniform(1 / 30, 1 / 2, 30)) - 0.05)
"""2 to 30 frames per second."""

WITH_PICTURES = {
    "steady.mp4": {"frame_times_s": STEADY, "sound_length_s": 2.0},
    "stereo_44100.mp4": {"frame_times_s": STEADY, "sound_length_s": 2.0, "sound_rate_hz": 44100, "channels": 2},
    "variable.mp4": {"frame_times_s": WANDERING, "flash_s": WANDERING[6], "video_codec": "libx264"},
    "variable.mkv": {
        "frame_times_s": WANDERING,
        "flash_s": WANDERING[6],
        "click_s": WANDERING[6],
        "video_codec": "libx264",
        "audio_codec": "libopus",
        "sound_rate_hz": 48000,
        "sound_length_s": 8.0,
    },
    "b_frames.mp4": {
        "frame_times_s": STEADY,
        "video_codec": "libx264",
        "video_options": {"bf": "3"},
        "sound_length_s": 2.0,
    },
    "late_video.mp4": {
        "frame_times_s": tuple(0.5 + t for t in STEADY),
        "video_codec": "libx264",
        "sound_length_s": 3.0,
    },
    "late_sound.mp4": {"frame_times_s": STEADY, "video_codec": "libx264", "sound_start_s": 0.7, "sound_length_s": 2.0},
    "late_sound.mkv": {
        "frame_times_s": STEADY,
        "video_codec": "libx264",
        "sound_start_s": 0.7,
        "sound_length_s": 2.0,
        "audio_codec": "flac",
    },
    "both_late.mp4": {
        "frame_times_s": tuple(0.5 + t for t in STEADY),
        "video_codec": "libx264",
        "sound_start_s": 0.5,
        "sound_length_s": 2.0,
    },
    "pictures_only.webm": {"frame_times_s": STEADY, "video_codec": "libvpx-vp9"},
}
SOUND_ONLY = {
    "8k.wav": {"sound_rate_hz": 8000, "audio_codec": "pcm_s16le"},
    "11k.wav": {"sound_rate_hz": 11025, "audio_codec": "pcm_s16le", "channels": 2},
    "22k.mka": {"sound_rate_hz": 22050, "audio_codec": "flac"},
    "44k.m4a": {"sound_rate_hz": 44100},
    "48k.ogg": {"sound_rate_hz": 48000, "audio_codec": "libopus"},
    "44k.mp3": {"sound_rate_hz": 44100, "audio_codec": "libmp3lame"},
    "96k.flac": {"sound_rate_hz": 96000, "audio_codec": "flac"},
}
WITH_SOUND = {name: r for name, r in WITH_PICTURES.items() if "sound_length_s" in r} | {
    name: {"sound_length_s": 2.0} | r for name, r in SOUND_ONLY.items()
}


def click_s(clip: Clip) -> float:
    sound = clip.sound(8000)
    loud = np.abs(sound.samples)
    return sound.time_s + float(np.argmax(loud > 0.3 * loud.max())) / sound.rate_hz


@pytest.mark.parametrize("name", WITH_PICTURES)
def test_every_frame_comes_once_at_its_recorded_time(made, name):
    recipe = WITH_PICTURES[name]
    times_s = [frame.time_s for frame in Clip.open(made(name, **recipe)).frames(FrameRequest(rate_hz=None))]
    assert times_s == pytest.approx(recipe["frame_times_s"], abs=6e-4)  # Matroska counts in milliseconds


@pytest.mark.parametrize("name", WITH_PICTURES)
def test_a_flash_is_seen_when_it_was_lit(made, name):
    recipe = WITH_PICTURES[name]
    lit = [
        f.time_s for f in Clip.open(made(name, **recipe)).frames(FrameRequest(rate_hz=None)) if f.pixels.mean() > 128
    ]
    assert lit[0] == pytest.approx(recipe.get("flash_s", 1.0), abs=6e-4)


@pytest.mark.parametrize("name", WITH_SOUND)
def test_a_click_is_heard_when_it_was_made(made, name):
    recipe = WITH_SOUND[name]
    assert click_s(Clip.open(made(name, **recipe))) == pytest.approx(recipe.get("click_s", 1.0), abs=0.002)


def test_a_transport_stream_starts_at_zero_with_sound_and_picture_together(made):
    recipe = {"frame_times_s": STEADY, "video_codec": "libx264", "video_options": {"bf": "3"}, "sound_rate_hz": 48000}
    clip = Clip.open(made("free_clock.ts", sound_length_s=2.0, **recipe))
    lit = [f.time_s for f in clip.frames(FrameRequest(rate_hz=None)) if f.pixels.mean() > 128]
    assert (lit[0], click_s(clip)) == (pytest.approx(1.0, abs=0.033), pytest.approx(lit[0], abs=0.002))


def test_sampled_frames_are_the_first_at_or_after_each_tick(made):
    clip = Clip.open(made("variable.mkv", **WITH_PICTURES["variable.mkv"]))
    wanted = [next(t for t in WANDERING if t >= tick - 5e-4) for tick in np.arange(0, WANDERING[-1], 0.2)]
    assert [f.time_s for f in clip.frames(FrameRequest(rate_hz=5.0))] == pytest.approx(sorted(set(wanted)), abs=6e-4)


def test_a_stretch_starts_and_ends_where_it_was_asked_to(made):
    clip = Clip.open(made("long.mp4", frame_times_s=tuple(i / 30 for i in range(300)), sound_length_s=10.0))
    times_s = [f.time_s for f in clip.frames(FrameRequest(rate_hz=None), start_s=4.0, end_s=6.0)]
    sound = clip.sound(8000, start_s=4.0, end_s=6.0)
    assert (times_s[0], times_s[-1], len(times_s)) == (4.0, pytest.approx(179 / 30), 60)
    assert (sound.time_s, sound.end_s) == (pytest.approx(4.0, abs=1e-4), pytest.approx(6.0, abs=1e-4))


def test_a_click_inside_a_stretch_keeps_its_time(made):
    clip = Clip.open(
        made("long.mp4", frame_times_s=tuple(i / 30 for i in range(300)), sound_length_s=10.0, click_s=5.0)
    )
    sound = clip.sound(8000, start_s=4.5, end_s=6.0)
    loud = np.abs(sound.samples)
    assert sound.time_s + np.argmax(loud > 0.3 * loud.max()) / 8000 == pytest.approx(5.0, abs=0.002)
