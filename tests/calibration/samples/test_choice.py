from pathlib import Path

import pytest

from mmer.calibration.samples.choice import TooFewClipsError, choose
from mmer.edge.corpus import NO_MEDIA, Corpus, Entry
from mmer.edge.errors import SettingError


@pytest.fixture
def corpus():
    """Three labels, four speakers, five clips each, and a test split; one label is rare."""
    entries = [
        Entry(Path(f"{label}-{speaker}-{n}.mp4"), label, "train", speaker)
        for label in ("happy", "sad", "fear")
        for speaker in "abcd"
        for n in range(1 if label == "fear" else 5)
    ]
    return Corpus((*entries, Entry(Path("other.mp4"), "sad", "test", "e")))


def test_the_first_clips_are_of_every_label_and_speaker(corpus):
    first = choose(corpus, "train", 0.1, 0).calibration[:8]
    assert {entry.label for entry in first} == {"happy", "sad", "fear"}
    assert {entry.speaker for entry in choose(corpus, "train", 0.1, 0).calibration[:12]} == set("abcd")


def test_no_clip_both_calibrates_and_judges(corpus):
    chosen = choose(corpus, "train", 0.25, 0)
    assert {e.path for e in chosen.calibration}.isdisjoint(e.path for e in chosen.fresh)
    assert len(chosen.calibration) + len(chosen.fresh) == 44
    assert len(chosen.fresh) == 11


def test_stretches_of_one_file_stay_together():
    entries = [Entry(Path(f"{n // 4}.mp4"), "sad", "train", "a", start_s=n) for n in range(16)]
    chosen = choose(Corpus(tuple(entries)), "train", 0.5, 0)
    assert {e.path for e in chosen.calibration}.isdisjoint(e.path for e in chosen.fresh)


def test_words_alone_are_told_apart_by_what_they_say():
    entries = [Entry(NO_MEDIA, "sad", "train", "", transcript=f"line {n // 2}") for n in range(16)]
    chosen = choose(Corpus(tuple(entries)), "train", 0.25, 0)
    assert (len(chosen.calibration), len(chosen.fresh)) == (12, 4)
    assert {e.transcript for e in chosen.calibration}.isdisjoint(e.transcript for e in chosen.fresh)


def test_equal_seeds_choose_alike_and_others_do_not(corpus):
    assert choose(corpus, "train", 0.2, 1) == choose(corpus, "train", 0.2, 1)
    assert choose(corpus, "train", 0.2, 1) != choose(corpus, "train", 0.2, 2)


def test_other_splits_are_not_touched(corpus):
    chosen = choose(corpus, "train", 0.2, 0)
    assert {e.split for e in (*chosen.calibration, *chosen.fresh)} == {"train"}


def test_a_single_clip_is_refused(corpus):
    with pytest.raises(TooFewClipsError, match="split test has 1 clip"):
        choose(corpus, "test", 0.2, 0)


def test_an_unknown_split_is_refused(corpus):
    with pytest.raises(SettingError, match="split=val"):
        choose(corpus, "val", 0.2, 0)
