"""Gradient checkpointing changes memory and nothing else."""

from dataclasses import replace

import torch

from mmer.training.cafes import build_cafes
from mmer.training.collate import collate
from mmer.training.compute import ComputeSettings
from mmer.training.fitsettings import FitSettings
from mmer.training.optimiser import OptimiserSettings
from mmer.training.recompute import recomputed
from mmer.training.start import weights_digest
from mmer.training.train import TrainSettings, train, untrained

LABELS = ("neutral", "happy", "sad")


def after_a_step(entry, batch, *, wanted):
    """Gradients and buffers after one pass forward and backward, dropout included."""
    model = build_cafes(entry.facts.settings)
    model.load_state_dict(entry.model.state_dict())
    model.train()
    torch.manual_seed(1)
    passes = []
    model.face.convolutions.register_forward_hook(lambda *_: passes.append(1))
    with recomputed(model, wanted=wanted):
        model(batch).logits.sum().backward()
    gradients = {name: parameter.grad for name, parameter in model.named_parameters() if parameter.grad is not None}
    return gradients, dict(model.named_buffers()), len(passes)


def test_gradients_and_statistics_are_those_without(synth_samples):
    entry = untrained(TrainSettings(LABELS, preset="tiny"), ["so sad"])
    batch = collate([entry.reader().read(sample) for sample in synth_samples[:4]], 48)
    (gradients, buffers, once), (others, same, twice) = (
        after_a_step(entry, batch, wanted=wanted) for wanted in (False, True)
    )
    assert (once, twice) == (1, 2)
    assert gradients.keys() == others.keys()
    assert all(torch.equal(gradients[name], others[name]) for name in gradients)
    assert all(torch.equal(buffers[name], same[name]) for name in buffers)


def test_a_training_ends_with_the_same_weights(synth_samples):
    few = [s for split in ("train", "val") for s in [s for s in synth_samples if s.split == split][:6]]
    fit = FitSettings(epochs=2, batch_size=3, optimiser=OptimiserSettings(lr=1e-3, clip_norm=1.0))
    settings = [replace(fit, compute=ComputeSettings(recompute=wanted)) for wanted in (False, True)]
    made = [train(few, TrainSettings(LABELS, preset="tiny", fit=each)).checkpoint.model for each in settings]
    assert weights_digest(made[0]) == weights_digest(made[1])


def test_a_model_is_as_before_afterwards():
    model = untrained(TrainSettings(LABELS, preset="tiny"), []).model
    with recomputed(model, wanted=True):
        assert all("forward" in part.__dict__ for part in model.segments())
    assert not any("forward" in part.__dict__ for part in model.modules())
