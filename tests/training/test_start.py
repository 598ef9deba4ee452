"""Fine-tuning keeps what was learned, and says what it could not keep."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from mmer.edge.errors import SettingError
from mmer.training.checkpoint import Checkpoint
from mmer.training.fitsettings import FitSettings
from mmer.training.report import train_lines
from mmer.training.start import Start, weights_digest
from mmer.training.train import Beginning, TrainSettings, train, untrained
from mmer.training.usual import Wish, usual

LABELS, OTHERS = ("neutral", "happy", "sad"), ("neutral", "happy", "anger", "fear")


@pytest.fixture(scope="module")
def start():
    made = untrained(TrainSettings(LABELS, preset="tiny"), ["so sad", "so happy"])
    facts = replace(
        made.facts, provenance={"corpus": "0", "speakers": {"train": ["old"], "val": []}, "stamps": ["LEAKY"]}
    )
    return Start("before", replace(made, facts=facts))


def fine_tuned(start, samples, labels):
    few = [s for split in ("train", "val") for s in [s for s in samples if s.split == split][:4]]
    asked = TrainSettings(labels, preset="tiny", fit=FitSettings(epochs=1))
    return train(few, asked, "1", beginning=Beginning(start))


def test_equal_labels_keep_every_weight_and_their_order(start):
    labels = start.labels(("sad", "neutral", "happy"))
    assert labels == LABELS
    assert weights_digest(start.adapted(labels, 1).model) == weights_digest(start.checkpoint.model)


def test_other_labels_change_the_heads_and_nothing_else(start):
    before, after = start.checkpoint.model.state_dict(), start.adapted(OTHERS, 1).model.state_dict()
    changed = {name for name, value in after.items() if not torch.equal(value, before[name])}
    assert changed == {f"fusion.heads.{head}.{part}" for head in range(4) for part in ("weight", "bias")}
    assert after["fusion.heads.0.weight"].shape[0] == len(OTHERS)


def test_what_heads_know_of_a_label_follows_it_to_its_new_place(start):
    before, after = (
        start.checkpoint.model.state_dict(),
        start.adapted(("fear", "happy", "neutral"), 1).model.state_dict(),
    )
    for part in ("weight", "bias"):
        old, new = before[f"fusion.heads.2.{part}"], after[f"fusion.heads.2.{part}"]
        assert torch.equal(new[1:], old[[1, 0]])
        assert not torch.equal(new[0], old[2])


def test_what_was_fine_tuned_is_a_checkpoint_and_says_from_what(start, synth_samples, tmp_path):
    made = fine_tuned(start, synth_samples, OTHERS)
    made.checkpoint.save(tmp_path / "after")
    provenance = Checkpoint.open(tmp_path / "after").facts.provenance
    assert provenance["start"]["labels_kept"] == ["neutral", "happy"]
    assert provenance["start"]["weights"] == weights_digest(start.checkpoint.model)
    assert (
        "its heads kept what they knew of neutral, happy and began anew for anger, fear"
        in train_lines(made, Path("after"))[0]
    )


def test_speakers_and_stamps_of_the_start_are_not_forgotten(start, synth_samples):
    provenance = fine_tuned(start, synth_samples, LABELS).checkpoint.facts.provenance
    assert "old" in provenance["speakers"]["train"]
    assert len(provenance["speakers"]["train"]) > 1
    assert provenance["stamps"] == ["LEAKY"]


def test_corpora_of_the_start_are_not_forgotten(start, synth_samples):
    provenance = fine_tuned(start, synth_samples, LABELS).checkpoint.facts.provenance
    assert (provenance["corpus"], provenance["corpora"]) == ("1", ["0", "1"])


def test_the_settings_come_from_the_start(start):
    settings = usual(Wish("cafes", "tiny", ("epochs=2",)), ("sad", "happy", "neutral"), start)
    assert (settings.labels, settings.inputs) == (LABELS, start.checkpoint.facts.inputs)


@pytest.mark.parametrize(
    ("wish", "reason"),
    [
        (Wish("cafes", "small"), "of preset tiny"),
        (Wish("cafes", "tiny", (), "albert"), "leave --text-weights out"),
        (Wish("cafes", "tiny", sizes=("confidence=none",)), "leave --model-set confidence=none out"),
    ],
)
def test_wishes_that_contradict_the_start_are_refused(start, wish, reason):
    with pytest.raises(SettingError, match=reason):
        usual(wish, LABELS, start)
