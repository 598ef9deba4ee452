from pathlib import Path

from mmer.edge.corpus import Entry
from mmer.edge.leaks import leaking


def clips(*pairs):
    return [Entry(Path("a"), "sad", split, speaker) for speaker, split in pairs]


def test_a_speaker_in_two_splits_leaks_with_the_clips_of_each():
    found = leaking(clips(("Ann", "train"), ("Ann", "test"), ("Ann", "test"), ("Bo", "test")))
    assert found == {"Ann": {"train": 1, "test": 2}}


def test_clips_without_a_speaker_cannot_leak():
    assert leaking(clips(("", "train"), ("", "test"))) == {}
