"""Figures that flatter are stamped."""

from dataclasses import replace
from pathlib import Path

import pytest

from mmer.edge.bench.stamps import CALIBRATED, CHOSEN, LEAKY, names_speakers, stamps
from mmer.edge.corpus import Entry

CLIPS = [Entry(Path("a"), "sad", split, name) for split, name in (("train", "Ann"), ("val", "Bo"), ("test", "Cy"))]
NAMED = {"corpus": "1", "speakers": {"train": ["Ann"], "val": ["Bo"]}}


@pytest.mark.parametrize(
    ("split", "provenance", "due"),
    [
        ("test", NAMED, ()),
        ("train", NAMED, (LEAKY,)),
        ("val", NAMED, (CHOSEN,)),
        ("test", {"speakers": {"train": 7}}, ()),
        ("train", {"corpus": "1", "speakers": {"train": 7}}, (LEAKY,)),
        ("val", {"corpus": "1"}, (CHOSEN,)),
        ("train", {"corpus": "2"}, ()),
        ("train", {"corpus": "2", "corpora": ["1", "2"]}, (LEAKY,)),
        ("val", {"corpus": "2", "corpora": ["1", "2"]}, (CHOSEN,)),
        ("train", {"corpus": "2", "corpora": 7}, ()),
        ("test", {"calibration": {"corpus": "1", "split": "test"}}, (CALIBRATED,)),
        ("test", {"calibration": {"corpus": "1", "split": "train"}}, ()),
    ],
)
def test_speakers_and_splits_of_the_training_are_stamped(split, provenance, due):
    assert stamps(CLIPS, split, provenance, ["1"]) == due


def test_a_speaker_in_two_splits_is_stamped():
    again = Entry(Path("a"), "sad", "train", "Cy")
    assert stamps([*CLIPS, again], "test", {}) == (LEAKY,)


def test_counted_speakers_are_not_named():
    assert (names_speakers(NAMED), names_speakers({"speakers": {"train": 7}})) == (True, False)


def test_an_index_that_was_split_by_clip_is_stamped():
    stamped = [replace(clip, speaker="", extra={"stamp": LEAKY}) for clip in CLIPS]
    assert stamps(stamped, "test", {}) == (LEAKY,)


def test_a_model_that_learned_from_such_an_index_is_stamped_everywhere():
    assert stamps(CLIPS, "test", {"stamps": [LEAKY]}) == (LEAKY,)
