"""Gradients account for the difference that an input makes, and for nothing that is not there."""

from dataclasses import replace

import pytest
import torch

from mmer.training.batch import Batch
from mmer.training.cafes import build_cafes
from mmer.training.explain.attentions import noted
from mmer.training.explain.gradients import integrated
from mmer.training.zoo.cafes import PRESETS


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    cafes = build_cafes(PRESETS["tiny"]).eval()
    with torch.no_grad():
        for parameter in cafes.parameters():
            if parameter.ndim > 1:
                parameter.mul_(1.5)  # answers that inputs move
    return cafes


def batch_of(present=(True, True, True)):
    generator = torch.Generator().manual_seed(3)
    frames, samples = torch.randn(1, 4, 3, 48, 48, generator=generator), torch.randn(1, 8000, generator=generator)
    ids = torch.randint(5, 400, (1, 6), generator=generator)
    masks = [torch.ones(x.shape[:2], dtype=torch.bool) for x in (frames, samples, ids)]
    return Batch(frames, masks[0], samples, masks[1], ids, masks[2], torch.tensor([present]))


def test_the_sums_are_what_the_inputs_change(model):
    accounts = integrated(model, batch_of(), label=1, steps=128)
    summed = accounts.frames.sum() + accounts.samples.sum() + accounts.words.sum()
    change = accounts.probability - accounts.baseline
    assert abs(change) > 1e-3
    assert summed == pytest.approx(change, abs=0.05 * abs(change))


def test_the_probability_is_that_of_the_answer(model):
    with torch.no_grad():
        answer = model(batch_of()).logits.double().softmax(1)[0, 2].item()
    assert integrated(model, batch_of(), label=2, steps=1).probability == pytest.approx(answer)


def test_what_is_absent_accounts_for_nothing(model):
    accounts = integrated(model, batch_of((False, True, False)), label=0, steps=4)
    assert (abs(accounts.frames).sum(), abs(accounts.words).sum()) == (0, 0)
    assert abs(accounts.samples).sum() > 0


def test_padding_accounts_for_nothing(model):
    batch = batch_of()
    mask = batch.frames_mask.clone()
    mask[0, 3] = False
    assert integrated(model, replace(batch, frames_mask=mask), label=0, steps=2).frames[3] == 0


def test_the_model_is_left_as_it_was(model):
    before = [p.grad for p in model.parameters()]
    integrated(model, batch_of(), label=0, steps=1)
    assert [p.grad for p in model.parameters()] == before
    assert not any(module._forward_hooks for module in model.modules())


def test_attention_sums_to_one_over_the_steps_it_looks_at(model):
    with noted(model.attentions()) as found, torch.no_grad():
        model(batch_of())
    assert set(found) == {"over frames", "over time", "video looks at audio", "audio looks at video"}
    assert all(shares.sum() == pytest.approx(1.0) for shares in found.values())
    assert (len(found["over frames"]), len(found["over time"])) == (4, 7)
