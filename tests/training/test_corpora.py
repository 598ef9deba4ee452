"""Corpora of faces alone or words alone train a model, and a leaky split is never forgotten."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from mmer.edge.corpus import Corpus, Entry
from mmer.training.cache import RecordingCache
from mmer.training.evaluate import evaluate
from mmer.training.fitsettings import FitSettings
from mmer.training.samples import load_samples
from mmer.training.train import TrainSettings, train

LABELS = ("happy", "sad")


def words(label, number, split, **extra):
    return Entry(Path(), label, split, "", transcript=f"{label} words {number}", extra=extra)


def face(folder, label, number, split):
    path = folder / f"{label}{number}{split}.png"
    bright = 200 if label == "happy" else 60
    cv2.imwrite(str(path), np.random.default_rng(number).integers(bright - 50, bright + 50, (48, 48), np.uint8))
    return Entry(path, label, split, "", extra={"framing": "face"})


def learned(entries, cache):
    samples = load_samples(Corpus(tuple(entries)), LABELS, TrainSettings(LABELS).inputs, cache=cache)
    return samples, train(samples, TrainSettings(LABELS, preset="tiny", fit=FitSettings(epochs=1))).checkpoint


@pytest.mark.parametrize("make", [face, lambda _folder, *what: words(*what)], ids=["faces", "words"])
def test_one_modality_alone_is_learned_and_judged(tmp_path, make):
    entries = [make(tmp_path, lb, n, split) for lb in LABELS for n in range(4) for split in ("train", "val", "test")]
    samples, checkpoint = learned(entries, RecordingCache(tmp_path / "cache"))
    report = evaluate(checkpoint, samples, "test")
    assert (report.clips, report.stamps) == (8, ())


def test_a_leaky_split_is_stamped_in_the_checkpoint_and_in_what_is_said_of_it(tmp_path):
    entries = [words(lb, n, s, stamp="LEAKY") for lb in LABELS for n in range(2) for s in ("train", "val")]
    samples, checkpoint = learned(entries, RecordingCache(tmp_path / "cache"))
    elsewhere = [replace(sample, split="test", stamp="") for sample in samples]
    assert checkpoint.facts.provenance["stamps"] == ["LEAKY"]
    assert evaluate(checkpoint, elsewhere, "test").stamps == ("LEAKY",)
