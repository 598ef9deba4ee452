"""A recording is answered with what the model can use of it, and refused where that makes no sense."""

import numpy as np
import pytest
import soundfile

from mmer.edge.bundle.manifest import Head, Inputs
from mmer.edge.errors import SettingError, TranscriptError
from mmer.edge.inputs.audio import AudioInput
from mmer.edge.inputs.video import VideoInput
from mmer.edge.media.isolated import IsolatedDecoder
from mmer.edge.pipeline.materials import Materials
from mmer.edge.pipeline.timeline import WindowSettings
from mmer.edge.recognizer import Recipe, Recognizer


def recognizer(**inputs):
    """Return one whose model is never asked."""
    return Recognizer(Materials(Inputs(**inputs), (), None), None, Head(("happy", "sad")), None)


@pytest.fixture
def heard(tmp_path):
    soundfile.write(tmp_path / "clip.wav", np.zeros(24_000, np.float32), 8000)
    return tmp_path / "clip.wav"


@pytest.fixture
def decoder():
    with IsolatedDecoder() as decoder:
        yield decoder


def test_sound_for_a_model_that_only_sees_is_answered(heard, decoder):
    one, recipe = recognizer(video=VideoInput()), Recipe(WindowSettings(2.0, 1.0))
    watching = one.look(heard, decoder, recipe)
    assert [(p.start_s, p.label) for p in one.watch(watching, decoder, recipe)] == [(0.0, None)]


def test_a_transcript_beside_that_cannot_be_used_is_a_remark(heard, decoder):
    heard.with_suffix(".srt").write_text("no times")
    watching = recognizer(video=VideoInput()).look(heard, decoder, Recipe())
    said = watching.words
    assert (said.source, said.captions) == (f"none ({said.remark})", ())


def test_a_transcript_that_was_asked_for_must_be_usable(heard, decoder, tmp_path):
    with pytest.raises(TranscriptError):
        recognizer(video=VideoInput()).look(heard, decoder, Recipe(transcript=tmp_path / "none.srt"))


def test_a_window_longer_than_the_model_hears_is_refused(heard, decoder):
    one = recognizer(audio=AudioInput(rate_hz=8000, max_samples=16_000))
    with pytest.raises(SettingError, match=r"windows of 4 s .* hears 2 s"):
        one.look(heard, decoder, Recipe())
