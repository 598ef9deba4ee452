"""A corpus check finds what would spoil a training or a result."""

import wave

import numpy as np
import pytest

from mmer.data.check import check_corpus, check_json, check_lines, leaks
from mmer.edge.corpus import Corpus, Entry


def sound_file(path, level):
    samples = (np.sin(np.arange(8000) * 0.3) * level * 32767).astype(np.int16)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(samples.tobytes())
    return path


@pytest.fixture
def corpus(tmp_path):
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"nothing")
    return Corpus(
        (
            Entry(sound_file(tmp_path / "good.wav", 0.5), "happy", "train", "s1"),
            Entry(sound_file(tmp_path / "quiet.wav", 0.01), "sad", "train", "s1"),
            Entry(sound_file(tmp_path / "silent.wav", 0.0001), "sad", "val", "s2"),
            Entry(broken, "sad", "test", "s1"),
            Entry(tmp_path / "missing.mp4", "sad", "test", ""),
            Entry(tmp_path / "good.wav", "sad", "test", "s3", end_s=9.0),
        )
    )


def test_every_fault_is_found_once(corpus):
    found = [(f.kind, f.path.name) for f in check_corpus(corpus).findings]
    assert found == [
        ("silent", "silent.wav"),
        ("unreadable", "broken.mp4"),
        ("missing", "missing.mp4"),
        ("short", "good.wav"),
    ]


def test_clips_and_speakers_are_counted(corpus):
    check = check_corpus(corpus)
    assert (check.counts["train"], check.speakers, check.without_speaker) == (
        {"happy": 1, "sad": 1},
        {"test": 2, "train": 1, "val": 1},
        1,
    )


def test_a_speaker_in_two_splits_is_a_leak(corpus):
    (leak,) = leaks(corpus.entries)
    assert (leak.speaker, leak.splits, leak.clips) == ("s1", ("test", "train"), 3)


def test_a_corpus_with_unreadable_clips_is_not_usable(corpus):
    assert not check_corpus(corpus).usable


def test_silence_alone_leaves_a_corpus_usable(corpus):
    assert check_corpus(Corpus(corpus.entries[:3])).usable


def test_every_finding_is_said(corpus):
    said = "\n".join(check_lines(check_corpus(corpus)))
    assert all(
        word in said for word in ("silent.wav", "broken.mp4", "missing.mp4", "leak: s1", "1 clips have no speaker")
    )


def test_a_faultless_corpus_is_said_to_be_one(corpus):
    assert check_lines(check_corpus(Corpus(corpus.entries[:2])))[-1] == "nothing wrong"


def test_progress_reaches_the_number_of_clips(corpus):
    seen = []
    check_corpus(corpus, seen.append)
    assert seen == [1, 2, 3, 4, 5, 6]


def test_the_json_form_has_its_schema_and_paths_as_text(corpus):
    facts = check_json(check_corpus(corpus))
    assert (facts["schema"], type(facts["findings"][0]["path"])) == ("mmer.data.check/1", str)
