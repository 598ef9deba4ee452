"""What is said about the clips before a training."""

from dataclasses import replace

import pytest

from mmer.training.watch.remarks import remarks

LABELS = ("neutral", "happy", "sad")


@pytest.fixture
def samples(synth_samples):
    return list(synth_samples)


def test_a_sound_corpus_needs_no_remark(samples):
    assert remarks(samples, LABELS, "all") == ()


def test_a_speaker_in_two_splits_is_named(samples):
    leaky = [replace(sample, speaker="one") for sample in samples]
    assert "LEAKY: 1 speaker(s) stand in two splits, such as one" in remarks(leaky, LABELS, "all")[0]


def test_an_index_that_is_stamped_is_told(samples):
    assert remarks([replace(s, stamp="LEAKY") for s in samples], LABELS, "all")[0].startswith("LEAKY: the index says")


def test_a_modality_that_no_clip_has_or_few_have_is_named(samples):
    silent = [replace(sample, text="") for sample in samples]
    assert remarks(silent, LABELS, "all") == ("no training clip has words: the text branch stays as it is",)
    few = [replace(sample, text=sample.text if place % 3 == 0 else "") for place, sample in enumerate(samples)]
    assert "training clips have words" in remarks(few, LABELS, "all")[0]


def test_one_branch_by_itself_misses_nothing_of_the_others(samples):
    assert remarks([replace(sample, text="") for sample in samples], LABELS, "audio") == ()


def test_rare_and_absent_classes_are_named_with_their_clips(samples):
    kept = [s for s in samples if s.label or s.split != "val"]
    assert remarks(kept, LABELS, "all") == ("few or no clips in val: neutral (0)",)
    one = next(s for s in samples if s.label == 2 and s.split == "train")
    rare = [s for s in samples if s.label != 2 or s.split != "train" or s is one]
    assert remarks(rare, LABELS, "all") == ("few or no clips in train: sad (1)",)
