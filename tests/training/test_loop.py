"""Training finds what is there, nothing where there is nothing, and the same thing twice."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from mmer.edge.errors import SettingError
from mmer.training.augment.settings import Augmentation
from mmer.training.cafes import build_cafes
from mmer.training.evaluate import evaluate
from mmer.training.feed import TrainData
from mmer.training.fitsettings import FitSettings
from mmer.training.groups import Groups
from mmer.training.loop import Listener, fit
from mmer.training.objective import LossSettings
from mmer.training.optimiser import OptimiserSettings, Schedule, make_optimiser, plateau
from mmer.training.sampler import batches
from mmer.training.samples import Sample
from mmer.training.train import TrainSettings, train, untrained

LABELS = ("neutral", "happy", "sad")
QUICK = FitSettings(
    epochs=12,
    batch_size=8,
    seed=3,
    optimiser=OptimiserSettings("adamw", lr=3e-3, text_lr_share=1.0, warmup=0.1, clip_norm=1.0),
)


def alone(samples, modality):
    """The same samples with one modality."""
    return [replace(only(sample, modality), text=sample.text if modality == "text" else "") for sample in samples]


def only(sample: Sample, modality: str) -> Sample:
    recording = sample.recording
    if modality != "video":
        recording = replace(recording, crops=recording.crops[:0], crop_times_s=recording.crop_times_s[:0])
    if modality != "audio":
        recording = replace(recording, sound=recording.sound[:0])
    return replace(sample, recording=recording)


def few(samples, count=4):
    """A few training and validation samples, for tests of how and not of how well."""
    return [s for split in ("train", "val") for s in [s for s in samples if s.split == split][:count]]


def trained(samples, **changes):
    return train(samples, TrainSettings(LABELS, preset="tiny", fit=replace(QUICK, **changes)))


@pytest.mark.parametrize("modality", ["video", "audio", "text"])
def test_each_modality_is_learned_for_people_never_met(synth_samples, modality):
    samples = alone(synth_samples, modality)
    found = evaluate(trained(samples).checkpoint, samples, "test").subsets["all"]
    assert found.scores.uar > 0.5


def test_shuffled_labels_teach_nothing(synth_samples):
    samples, found = alone(synth_samples, "text"), []
    for deal in range(3):
        labels = np.random.default_rng(deal).permutation([s.label for s in samples]).tolist()
        dealt = [s if s.split == "test" else replace(s, label=k) for s, k in zip(samples, labels, strict=True)]
        found.append(evaluate(trained(dealt).checkpoint, dealt, "test").subsets["all"].scores.uar)
    assert np.mean(found) < 0.5


def test_equal_seeds_give_equal_weights_and_other_seeds_others(synth_samples):
    changes = {"epochs": 2, "augmentation": Augmentation(), "dropout": (0.3, 0.3, 0.3)}
    models = [trained(few(synth_samples), seed=seed, **changes).checkpoint.model for seed in (1, 1, 2)]
    states = [torch.cat([v.flatten().double() for v in model.state_dict().values()]) for model in models]
    assert torch.equal(states[0], states[1])
    assert not torch.equal(states[0], states[2])


def test_training_leaves_the_global_random_state_alone(synth_samples):
    before = torch.random.get_rng_state()
    trained(few(synth_samples), epochs=1)
    assert torch.equal(before, torch.random.get_rng_state())


def test_the_weights_of_the_best_epoch_are_kept(synth_samples):
    samples = few(synth_samples, 9)
    made = trained(samples, epochs=4)
    best = max(made.result.epochs, key=lambda epoch: epoch.uar)
    found = evaluate(made.checkpoint, samples, "val").subsets["all"]
    assert (made.result.best, found.scores.uar) == (best.number, best.uar)


def test_every_sample_is_seen_once_in_an_epoch_and_the_last_batch_stays():
    lengths = np.random.default_rng(0).integers(100, size=70)
    cut = list(batches(lengths, 16, np.random.default_rng(1)))
    assert sorted(place for batch in cut for place in batch) == list(range(70))
    assert sorted(map(len, cut)) == [6, 16, 16, 16, 16]


def test_clips_of_like_length_share_a_batch():
    lengths = np.random.default_rng(0).integers(1000, size=160)
    spans = [np.ptp(lengths[batch]) for batch in batches(lengths, 16, np.random.default_rng(1))]
    assert np.mean(spans) < 300


def test_every_step_and_epoch_is_told(synth_samples):
    steps, epochs = [], []
    settings = TrainSettings(LABELS, preset="tiny", fit=replace(QUICK, epochs=2, batch_size=3))
    train(few(synth_samples), settings, listener=Listener(steps.append, epochs.append))
    assert (steps, [epoch.number for epoch in epochs]) == ([1, 2, 3, 4], [1, 2])


def test_the_record_says_what_was_done(synth_samples):
    facts = trained(few(synth_samples), epochs=1).checkpoint.facts
    assert facts.provenance["clips"] == {"train": 4, "val": 4}
    assert facts.provenance["fit"]["seed"] == 3
    assert "on 4 clips, chosen on them" in facts.metrics["val"]["protocol"]


def test_the_mixture_is_fitted_at_the_end_of_an_epoch(synth_samples):
    model = trained(few(synth_samples), epochs=1).checkpoint.model
    assert [bool(value) for name, value in model.named_buffers() if name.endswith("fitted")] == [True, True]


def test_two_parts_of_four_make_the_step_of_eight(synth_samples):
    # words alone: nothing is normalised over the batch; and no alignment, which is a statistic of the batch too
    samples = alone(few(synth_samples, 8), "text")
    found = []
    for accumulation in (1, 2):
        entry = untrained(TrainSettings(LABELS, preset="tiny"), [s.text for s in samples])
        made = build_cafes(replace(entry.facts.settings, fusion_dropout=0.0))
        made.load_state_dict(entry.model.state_dict())
        data = TrainData(samples[:8], samples[8:], entry.reader(), 3)
        # the loss of the third epoch follows from every step before it
        settings = replace(QUICK, epochs=3, beta=0.0, accumulation=accumulation, augmentation=Augmentation())
        found.append([epoch.loss for epoch in fit(made, data, settings).epochs])
    assert found[0] == pytest.approx(found[1], rel=1e-4)
    assert found[0][0] != pytest.approx(found[0][2], rel=1e-3)


def test_training_without_validation_is_refused(synth_samples):
    with pytest.raises(SettingError, match="0 validation"):
        trained([s for s in synth_samples if s.split == "train"])


def test_a_loss_that_is_no_number_ends_the_training(synth_samples):
    made = untrained(TrainSettings(LABELS, preset="tiny"), ["so sad"])
    torch.nn.init.constant_(made.model.get_parameter("fusion.vote.weight"), math.nan)
    data = TrainData(few(synth_samples)[:4], few(synth_samples)[4:], made.reader(), 3)
    with pytest.raises(SettingError, match="lower the learning rate"):
        fit(made.model, data, replace(QUICK, epochs=1))


@pytest.mark.parametrize("wrong", [{"model": "gpt"}, {"preset": "huge"}])
def test_unknown_models_and_presets_are_refused(wrong):
    with pytest.raises(SettingError, match="there are"):
        untrained(replace(TrainSettings(LABELS), **wrong), [])


@pytest.mark.parametrize(
    "wrong",
    [
        {"epochs": 0},
        {"batch_size": 0},
        {"keep": "luck"},
        {"dropout": (0, 2, 0)},
        {"accumulation": 99},
        {"patience": -1},
        {"dropout": (0.1, 0.1)},
        {"dropout": (0.1, 0.1, 0.1, 0.1)},
    ],
)
def test_settings_that_cannot_be_are_refused(wrong):
    with pytest.raises(SettingError):
        FitSettings(**wrong)


@pytest.mark.parametrize("waits", [{"patience": 2}, {"optimiser": OptimiserSettings(schedule="plateau")}])
def test_waiting_for_a_better_epoch_where_every_one_is_better_is_refused(waits):
    with pytest.raises(SettingError, match="set keep=uar"):
        FitSettings(keep="last", **waits)


def test_a_teacher_of_words_and_mixup_of_the_wordless_exclude_each_other():
    with pytest.raises(SettingError, match="set mixup=0"):
        FitSettings(mixup=0.4, loss=LossSettings(taught=0.5))


@pytest.mark.parametrize(
    "wrong", [{"kind": "sgd"}, {"lr": 0}, {"warmup": 1.0}, {"weight_decay": float("nan")}, {"schedule": "up"}]
)
def test_optimiser_settings_that_cannot_be_are_refused(wrong):
    with pytest.raises(SettingError):
        OptimiserSettings(**wrong)


def test_the_published_text_rate_is_a_hundredth_of_the_others():
    model = untrained(TrainSettings(LABELS, preset="tiny"), []).model
    groups = Groups.of(model, (), FitSettings().all_rates)
    rest, text = make_optimiser(model, OptimiserSettings(), groups).param_groups
    assert (rest["lr"], text["lr"]) == pytest.approx((4e-5, 4e-7))
    assert sum(len(g["params"]) for g in (rest, text)) == len(list(model.parameters()))


def rates(settings, steps, worths=()):
    """The rate at every step, and at the one that comes no more."""
    optimiser = make_optimiser(torch.nn.Linear(1, 1), settings)
    schedule, found = Schedule(optimiser, settings, steps), []
    for step in range(steps + 1):
        schedule.at(step, worths)
        found.append(optimiser.param_groups[0]["lr"])
    return found


def test_the_rate_rises_then_falls_to_nothing():
    found = rates(OptimiserSettings(lr=1.0, warmup=0.2), 10)
    assert found[0] < found[1] < found[2] == 1.0
    assert found[2:] == sorted(found[2:], reverse=True)
    assert found[6] == pytest.approx(0.5)
    assert found[10] == pytest.approx(0.0)


def test_the_rate_falls_along_a_line_or_stays():
    assert rates(OptimiserSettings(lr=1.0, schedule="linear", warmup=0.2), 5)[1:] == [1.0, 0.75, 0.5, 0.25, 0.0]
    assert rates(OptimiserSettings(lr=0.3, schedule="constant"), 3) == [0.3] * 4


def test_the_rate_falls_by_a_factor_for_each_wait_in_vain():
    worths = [0.2, 0.5, 0.5, 0.4, 0.6, 0.1, 0.1, 0.1, 0.1]  # waits of 2, 2 and 2, none after the last
    assert [plateau(worths[:n], 2, 0.5) for n in range(10)] == [1, 1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.125]
    settings = OptimiserSettings(lr=1.0, schedule="plateau", plateau_epochs=2)
    assert rates(settings, 1, worths) == [0.125, 0.125]
