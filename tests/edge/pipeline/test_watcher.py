"""A stretch of a recording has its own clock and the words of the index, or else those of the file."""

from math import inf

import cv2
import numpy as np
import pytest
import soundfile

from mmer.edge.backends.ort import OrtSettings
from mmer.edge.bundle.manifest import Inputs
from mmer.edge.corpus import NO_MEDIA, Entry
from mmer.edge.faces.mtcnn import Mtcnn
from mmer.edge.inputs.audio import AudioInput
from mmer.edge.inputs.video import VideoInput
from mmer.edge.media.isolated import IsolatedDecoder
from mmer.edge.media.stream import Caption
from mmer.edge.pipeline.timeline import WindowSettings
from mmer.edge.pipeline.watcher import Course, Stretch, Watcher


@pytest.fixture
def heard(tmp_path):
    soundfile.write(tmp_path / "clip.wav", np.repeat([0.1, 0.5], 16_000), 8000)
    return tmp_path / "clip.wav"


@pytest.fixture
def decoder():
    with IsolatedDecoder() as decoder:
        yield decoder


def watched(stretch, decoder, course=None):
    inputs = Inputs(audio=AudioInput(rate_hz=8000))
    return list(Watcher(decoder, None, inputs, WindowSettings(1.0, 1.0)).watch(stretch, course or Course()))


def test_windows_of_a_stretch_begin_at_its_start(heard, decoder):
    found = watched(Stretch.of(Entry(heard, "sad", "test", "", start_s=2.0), decoder), decoder)
    assert [(w.start_s, w.end_s) for w in found] == [(0.0, 1.0), (1.0, 2.0)]
    assert found[0].sound.samples.min() == pytest.approx(0.5, abs=0.01)


def test_the_words_of_the_index_come_before_those_beside_the_file(heard, decoder):
    heard.with_suffix(".txt").write_text("beside")
    told, untold = (Stretch.of(Entry(heard, "sad", "test", "", transcript=t), decoder) for t in ("told", ""))
    assert (told.captions, untold.captions[0].text) == ((Caption(0.0, inf, "told"),), "beside")


def test_captions_are_moved_to_the_clock_of_the_stretch(heard, decoder):
    heard.with_suffix(".srt").write_text("1\n00:00:02,500 --> 00:00:03,000\nlate\n")
    found = watched(Stretch.of(Entry(heard, "sad", "test", "", start_s=2.0), decoder), decoder)
    assert [w.text for w in found] == ["late", None]


@pytest.mark.parametrize(("start_s", "end_s", "length_s"), [(None, None, 4.0), (1.0, None, 3.0), (1.0, 2.5, 1.5)])
def test_a_stretch_is_as_long_as_file_and_index_say(heard, decoder, start_s, end_s, length_s):
    stretch = Stretch.of(Entry(heard, "sad", "test", "", start_s=start_s, end_s=end_s), decoder)
    assert stretch.length_s == pytest.approx(length_s)


def test_waiting_for_the_decoder_is_timed(heard, decoder):
    course = Course()
    watched(Stretch.of(Entry(heard, "sad", "test", ""), decoder), decoder, course)
    assert course.decoding.to_json()["calls"] > 0


def test_words_alone_are_one_window(decoder):
    entry = Entry(NO_MEDIA, "sad", "test", "", transcript="so sad")
    (found,) = watched(Stretch.of(entry, decoder), decoder)
    assert (found.start_s, found.end_s, found.text, found.sound, found.crops) == (0.0, 1.0, "so sad", None, ())


@pytest.mark.parametrize("extra", [{}, {"framing": "face"}])
def test_a_picture_that_a_face_fills_is_seen_whole_and_nobody_looks_for_it(decoder, tmp_path, extra):
    pixels = np.full((48, 48, 3), 90, np.uint8)
    cv2.imwrite(str(tmp_path / "face.png"), pixels)
    inputs, course = Inputs(video=VideoInput()), Course()
    detector = Mtcnn.open(OrtSettings())
    watcher = Watcher(decoder, detector, inputs, WindowSettings(1.0, 1.0))
    stretch = Stretch.of(Entry(tmp_path / "face.png", "sad", "test", "", extra=extra), decoder)
    (found,) = watcher.watch(stretch, course)
    assert [crop.pixels.tolist() for crop in found.crops] == ([pixels.tolist()] if extra else [])
