"""Windows hold what happened in them, come as early as they can, and nothing is kept that no window needs."""

import math

import numpy as np
import pytest

from mmer.edge.errors import SettingError
from mmer.edge.faces.crop import Crop
from mmer.edge.media.stream import Caption, Sound
from mmer.edge.pipeline.timeline import Timeline, WindowSettings

SETTINGS = WindowSettings(length_s=2.0, hop_s=1.0)
PIXELS = np.zeros((4, 4, 3), np.uint8)


def played(timeline, video_s, audio_s, tracks=(0,)):
    """Feed faces at 5 Hz and sound in halves of a second in order of time; return the windows of every half second."""
    given = []
    for half in range(round(max(video_s, audio_s) * 2)):
        start_s = half / 2
        if start_s < audio_s:
            timeline.hear(Sound(start_s, 1000, np.full(500, half, np.float32)))
        for time_s in np.arange(math.ceil(start_s * 5) / 5, min(start_s + 0.5, video_s) - 1e-6, 0.2):
            timeline.see(time_s, {track: Crop(time_s, PIXELS) for track in tracks})
        given.append(list(timeline.complete()))
    return given, list(timeline.finish())


def flat(given, rest):
    return [window for windows in given for window in windows] + rest


def test_windows_hop_over_the_clip():
    windows = flat(*played(Timeline(SETTINGS, (), ("video", "audio")), 5.0, 5.0))
    assert [(w.start_s, w.end_s) for w in windows] == [(0, 2), (1, 3), (2, 4), (3, 5)]


def test_a_window_holds_the_faces_and_the_sound_of_its_time():
    window = flat(*played(Timeline(SETTINGS, (), ("video", "audio")), 5.0, 5.0))[1]
    assert ([c.time_s for c in window.crops], window.sound.time_s, window.sound.samples[[0, -1]].tolist()) == (
        pytest.approx(np.arange(1, 3, 0.2)),
        1.0,
        [2.0, 5.0],
    )


def test_a_window_comes_as_soon_as_both_streams_have_passed_it():
    given, _ = played(Timeline(SETTINGS, (), ("video", "audio")), 5.0, 5.0)
    assert [len(windows) for windows in given] == [0, 0, 0, 0, 1, 0, 1, 0, 1, 0]


@pytest.mark.parametrize(("video_s", "audio_s"), [(5.0, 2.5), (2.5, 5.0)])
def test_the_longer_stream_decides_where_the_windows_end(video_s, audio_s):
    assert flat(*played(Timeline(SETTINGS, (), ("video", "audio")), video_s, audio_s))[-1].end_s == 5.0


def test_a_stream_that_ended_long_ago_is_not_waited_for():
    given, _ = played(Timeline(SETTINGS, (), ("video", "audio")), 30.0, 1.0)
    assert sum(map(len, given)) > 15


def test_a_window_without_sound_says_so():
    assert flat(*played(Timeline(SETTINGS, (), ("video", "audio")), 5.0, 2.5))[-1].sound is None


def test_every_person_has_a_window_of_their_own():
    windows = flat(*played(Timeline(SETTINGS, (), ("video",)), 2.0, 0.0, tracks=(3, 7)))
    assert [w.track for w in windows] == [3, 7]


def test_nobody_in_sight_is_one_window():
    (window,) = flat(*played(Timeline(SETTINGS, (), ("audio",)), 0.0, 2.0))
    assert (window.track, window.crops) == (None, ())


def test_a_short_clip_gives_one_window_of_its_length():
    (window,) = flat(*played(Timeline(SETTINGS, (), ("audio",)), 0.0, 1.5))
    assert (window.start_s, window.end_s) == (0.0, 1.5)


def test_nothing_at_all_gives_no_window():
    assert flat(*played(Timeline(SETTINGS, (), ("audio",)), 0.0, 0.0)) == []


def test_a_clip_without_streams_is_as_long_as_stated():
    timeline = Timeline(SETTINGS, (Caption(0.0, math.inf, "words"),), ())
    assert [(w.start_s, w.text) for w in timeline.finish(4.0)] == [(0, "words"), (1, "words"), (2, "words")]


def test_a_gap_is_one_window():
    timeline = Timeline(SETTINGS, (Caption(50_000.5, 50_000.7, "words"),), ("video",))
    timeline.see(0.0, {0: Crop(0.0, PIXELS)})
    timeline.see(80_000.0, {0: Crop(80_000.0, PIXELS)})
    assert [w.start_s for w in timeline.finish()] == [0, 1, 49_999, 50_000, 50_001]


def test_what_follows_a_gap_is_in_its_windows():
    timeline = Timeline(SETTINGS, (), ("audio",))
    for start_s in (0.0, 79_999.99999):
        timeline.hear(Sound(start_s, 1000, np.ones(3000, np.float32)))
    windows = list(timeline.finish())
    assert [w.start_s for w in windows if w.sound] == [0, 1, 2, 79_999, 80_000, 80_001]


def test_captions_belong_to_the_windows_they_touch():
    captions = (Caption(0.0, 1.2, "one"), Caption(1.5, 2.5, "two"), Caption(3.5, math.inf, "three"))
    windows = flat(*played(Timeline(SETTINGS, captions, ("audio",)), 0.0, 5.0))
    assert [w.text for w in windows] == ["one two", "one two", "two three", "three"]


def test_what_no_window_needs_is_let_go():
    timeline = Timeline(SETTINGS, (), ("video", "audio"))
    played(timeline, 60.0, 60.0)
    assert len(timeline._sounds) <= 6
    assert len(timeline._crops[0]) <= 15


@pytest.mark.parametrize(("length_s", "hop_s"), [(0.0, 0.5), (4.0, 0.0), (4.0, 5.0), (100.0, 1.0), (math.nan, 1.0)])
def test_windows_that_make_no_sense_are_refused(length_s, hop_s):
    with pytest.raises(SettingError, match="cannot be used"):
        WindowSettings(length_s, hop_s)


def test_a_clip_of_a_single_frame_gives_a_window_of_its_stated_length():
    timeline = Timeline(SETTINGS, (), ("video",))
    timeline.see(0.0, {0: Crop(0.0, PIXELS)})
    assert [(w.start_s, w.end_s, len(w.crops)) for w in timeline.finish(0.1)] == [(0, 0.1, 1)]
