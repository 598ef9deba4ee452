"""Clips become what the model sees, hears and reads, once."""

import wave
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from mmer.edge.corpus import Corpus, Entry
from mmer.edge.errors import CorpusError
from mmer.edge.inputs.audio import AudioInput
from mmer.edge.inputs.video import VideoInput
from mmer.training.cache import RecordingCache
from mmer.training.recording import Inputs
from mmer.training.samples import labels_of, lengths, load_samples, present


def tone(path: Path, length_s: float = 1.0) -> Path:
    samples = (np.sin(np.arange(int(8000 * length_s)) * 0.3) * 8000).astype(np.int16)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(samples.tobytes())
    return path


@pytest.fixture
def cache(tmp_path):
    return RecordingCache(tmp_path / "cache")


def loaded(entries, cache, inputs=Inputs()):
    return load_samples(Corpus(tuple(entries)), ("happy", "sad"), inputs, cache=cache)


def test_a_clip_gives_face_crops_with_times_sound_and_words(synth_samples, synth_corpus):
    sample, entry = synth_samples[0], synth_corpus.entries[0]
    recording = sample.recording
    assert recording.crops.shape == (len(recording.crop_times_s), 48, 48, 3)
    assert 8 <= len(recording.crops) <= 10
    assert np.all(np.diff(recording.crop_times_s) > 0)
    assert abs(len(recording.sound) - 16000) < 1000
    assert (sample.text, sample.speaker, sample.split) == (entry.transcript, entry.speaker, entry.split)


def test_sound_alone_has_no_face(tmp_path, cache):
    (sample,) = loaded([Entry(tone(tmp_path / "a.wav"), "sad", "train", "s")], cache)
    assert (present(sample), sample.label, len(sample.recording.sound)) == ((False, True, False), 1, 8000)


def test_samples_are_alike_by_sound_or_by_words_where_nothing_is_ever_heard(tmp_path, cache):
    heard = Entry(tone(tmp_path / "a.wav"), "sad", "train", "s")
    said = [Entry(Path(), "sad", "train", "", transcript=words) for words in ("no", "never")]
    assert lengths(loaded([heard, *said], cache)).tolist() == [8000, 0, 0]
    assert lengths(loaded(said, cache)).tolist() == [2, 5]


def test_a_stretch_of_a_clip_is_only_that_stretch(tmp_path, cache):
    entry = Entry(tone(tmp_path / "a.wav", 2.0), "sad", "train", "s", start_s=0.5, end_s=1.0)
    (sample,) = loaded([entry], cache)
    recording = sample.recording
    assert (recording.start_s, recording.end_s, len(recording.sound)) == (0.5, 1.0, 4000)


def test_a_second_load_decodes_nothing(tmp_path, cache, monkeypatch):
    entries = [Entry(tone(tmp_path / "a.wav"), "sad", "train", "s")]
    (first,) = loaded(entries, cache)
    monkeypatch.setattr("mmer.training.recording.Recorder.take", None)
    (again,) = loaded(entries, cache)
    assert np.array_equal(first.recording.sound, again.recording.sound)


@pytest.mark.parametrize("inputs", [Inputs(audio=AudioInput(rate_hz=16000)), Inputs(video=VideoInput(margin=4))])
def test_other_constants_or_other_bytes_are_another_recording(tmp_path, cache, inputs):
    entry = Entry(tone(tmp_path / "a.wav"), "sad", "train", "s")
    before = cache.path(entry, Inputs())
    other = cache.path(entry, inputs)
    tone(entry.path, 0.5)
    assert len({before, other, cache.path(entry, Inputs()), cache.path(replace(entry, start_s=0.1), Inputs())}) == 4


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 not an archive", "truncated"])
def test_a_damaged_cache_file_is_made_again(tmp_path, cache, content):
    entry = Entry(tone(tmp_path / "a.wav"), "sad", "train", "s")
    loaded([entry], cache)
    kept = cache.path(entry, Inputs())
    kept.write_bytes(kept.read_bytes()[:400] if content == "truncated" else content)
    (sample,) = loaded([entry], cache)
    assert (len(sample.recording.sound), cache.read(kept) is not None) == (8000, True)


def test_a_clip_that_cannot_be_decoded_is_named(tmp_path, cache):
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"nothing")
    with pytest.raises(CorpusError, match=r"broken\.mp4"):
        loaded([Entry(broken, "sad", "train", "s")], cache)


def test_a_missing_clip_is_named(tmp_path, cache):
    with pytest.raises(CorpusError, match=r"gone\.mp4.*no such file"):
        loaded([Entry(tmp_path / "gone.mp4", "sad", "train", "s")], cache)


def test_a_label_that_the_model_does_not_have_is_refused(tmp_path, cache):
    with pytest.raises(CorpusError, match="disgust is none of"):
        loaded([Entry(tone(tmp_path / "a.wav"), "disgust", "train", "s")], cache)


def test_a_clip_of_nothing_is_named(tmp_path, cache):
    with pytest.raises(CorpusError, match=r"blip\.wav.*holds no face"):
        loaded([Entry(tone(tmp_path / "blip.wav", 0.05), "sad", "train", "s")], cache)


def test_labels_come_in_the_canonical_order(tmp_path):
    entries = tuple(Entry(tmp_path, label, "train", "") for label in ("surprise", "neutral", "sad", "neutral"))
    assert labels_of(Corpus(entries)) == ("neutral", "sad", "surprise")


def test_progress_counts_the_clips(tmp_path, cache):
    seen = []
    entries = tuple(Entry(tone(tmp_path / f"{n}.wav"), "sad", "train", "s") for n in range(3))
    load_samples(Corpus(entries), ("sad",), Inputs(), seen.append, cache)
    assert seen == [1, 2, 3]


def test_a_cache_that_cannot_be_written_costs_time_only(tmp_path):
    (tmp_path / "cache").write_text("a file, where a folder would have to be")
    (sample,) = loaded([Entry(tone(tmp_path / "a.wav"), "sad", "train", "s")], RecordingCache(tmp_path / "cache"))
    assert len(sample.recording.sound) == 8000


def test_words_alone_are_a_sample_without_face_and_sound(cache):
    (sample,) = loaded([Entry(Path(), "sad", "train", "", transcript="oh no")], cache)
    assert (present(sample), sample.text) == ((False, False, True), "oh no")


@pytest.mark.parametrize("name", ["a.jpg", "a.png"])
def test_a_picture_that_a_face_fills_is_one_crop(tmp_path, cache, name):
    pixels = np.tile(np.arange(48, dtype=np.uint8) * 5, (48, 1))
    cv2.imwrite(str(tmp_path / name), pixels)
    (sample,) = loaded([Entry(tmp_path / name, "sad", "train", "", extra={"framing": "face"})], cache)
    (crop,) = sample.recording.crops
    assert present(sample) == (True, False, False)
    assert np.abs(crop[..., 0].astype(int) - pixels).max() < 12
    assert not cache.folder.exists()


def test_the_stamp_of_an_index_comes_along(cache):
    (sample,) = loaded([Entry(Path(), "sad", "train", "", transcript="oh", extra={"stamp": "LEAKY"})], cache)
    assert sample.stamp == "LEAKY"
