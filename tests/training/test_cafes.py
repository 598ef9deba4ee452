"""The whole model: any subset of modalities, any form of confidence, any padding."""

from dataclasses import replace
from itertools import product

import pytest
import torch
from torch import nn

from mmer.training.batch import Batch
from mmer.training.cafes import build_cafes
from mmer.training.confidence import FORMS
from mmer.training.objective import LossSettings, Objective
from mmer.training.waveform import MIN_SAMPLES
from mmer.training.zoo.cafes import PRESETS

SUBSETS = [subset for subset in product((True, False), repeat=3) if any(subset)]
LENGTHS = ((3, 2500, 6), (1, 4000, 4))
TINY = PRESETS["tiny"]


def batch_of(present=((True,) * 3,) * 2, extra=0, garbage=0.0):
    """Two samples of different lengths, padded by `extra` more steps than they need."""
    generator = torch.Generator().manual_seed(3)
    real = (torch.randn(2, 3, 3, 48, 48, generator=generator), torch.randn(2, 4000, generator=generator))
    words = torch.randint(5, 400, (2, 6), generator=generator)
    steps = (3 + extra, 4000 + 16 * extra, 6 + extra)
    masks = [torch.arange(n) < torch.tensor([[row[i]] for row in LENGTHS]) for i, n in enumerate(steps)]
    inputs = [torch.full((2, steps[0], 3, 48, 48), garbage), torch.full((2, steps[1]), garbage)]
    inputs.append(torch.zeros(2, steps[2], dtype=torch.int64))
    for padded, values in zip(inputs, (*real, words), strict=True):
        padded[:, : values.shape[1]] = values
    frames, samples, ids = inputs
    return Batch(frames, masks[0], samples, masks[1], ids, masks[2], torch.tensor(present))


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    cafes = build_cafes(TINY)
    for norm in cafes.modules():
        if isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d):
            norm.running_mean.normal_(0, 0.3)
            norm.running_var.uniform_(0.5, 2.0)
    return cafes.eval()


@pytest.mark.parametrize("present", SUBSETS)
@pytest.mark.parametrize("form", FORMS)
def test_every_form_trains_on_every_subset(form, present):
    torch.manual_seed(0)
    cafes = build_cafes(replace(TINY, confidence=form))
    output = cafes(batch_of((present, present)))
    loss = Objective(LossSettings(), torch.ones(4), 0.2)(output, torch.tensor([0, 3]))
    loss.backward()
    gradients = [p.grad for p in cafes.parameters() if p.grad is not None]
    assert output.logits.isfinite().all()
    assert all(gradient.isfinite().all() for gradient in gradients)
    assert any(gradient.abs().sum() > 0 for gradient in gradients)


@torch.no_grad()
def test_padding_changes_nothing(model):
    shortest, longest = model(batch_of()), model(batch_of(extra=50))
    torch.testing.assert_close(longest.logits, shortest.logits, atol=1e-5, rtol=0)
    torch.testing.assert_close(longest.weights, shortest.weights, atol=1e-5, rtol=0)


@torch.no_grad()
def test_a_batch_answers_as_its_samples_alone(model):
    batch = batch_of(extra=3)
    together = model(batch).logits
    for row, (frames, samples, ids) in enumerate(LENGTHS):
        one = slice(row, row + 1)
        alone = Batch(
            batch.frames[one, :frames],
            batch.frames_mask[one, :frames],
            batch.samples[one, :samples],
            batch.samples_mask[one, :samples],
            batch.ids[one, :ids],
            batch.ids_mask[one, :ids],
            batch.present[one],
        )
        torch.testing.assert_close(model(alone).logits, together[one], atol=1e-5, rtol=0)


@torch.no_grad()
def test_what_stands_on_padding_is_never_read(model):
    assert torch.equal(model(batch_of(extra=9, garbage=float("nan"))).logits, model(batch_of(extra=9)).logits)


@torch.no_grad()
@pytest.mark.parametrize("present", SUBSETS[1:])
def test_what_stands_in_an_absent_modality_is_never_read(model, present):
    batch = batch_of((present, (True,) * 3))
    spoilt = batch_of((present, (True,) * 3))
    for values, there in zip((spoilt.frames, spoilt.samples), present[:2], strict=True):
        if not there:
            values[0] = float("nan")
    if not present[2]:
        spoilt.ids[0] = -1
    assert torch.equal(model(spoilt).logits, model(batch).logits)


@torch.no_grad()
def test_a_modality_without_a_step_is_absent(model):
    batch = batch_of()
    batch.frames_mask[0] = False
    expected = model(batch_of(((False, True, True), (True,) * 3)))
    assert torch.equal(model(batch).logits, expected.logits)
    assert model(batch).weights[0, 0] == 0


@torch.no_grad()
def test_the_whole_is_what_its_parts_compute_unmasked(model):
    batch = batch_of()
    frames, samples, ids = LENGTHS[0]
    video = model.video(model.face(batch.frames[0, :frames]).unsqueeze(0)).values
    audio = model.audio(batch.samples[:1, :samples]).values
    text = model.text(batch.ids[:1, :ids])
    logits, weights = model.fusion(video, None, audio, None, text, torch.ones(1, 3))
    whole = model(batch)
    torch.testing.assert_close(whole.logits[:1], logits, atol=1e-5, rtol=0)
    torch.testing.assert_close(whole.weights[:1], weights, atol=1e-5, rtol=0)


def test_an_epoch_fits_both_mixtures():
    torch.manual_seed(0)
    cafes = build_cafes(TINY)
    with cafes.epoch():
        for _ in range(3):
            cafes(batch_of())
    mixtures = [part.confidence.view.mixture for part in (cafes.video, cafes.audio)]
    assert all(mixture.fitted for mixture in mixtures)


def test_confidence_is_reported_where_a_modality_is_present():
    output = build_cafes(TINY)(batch_of(((False, True, True),) * 2))
    assert list(output.confidence) == ["audio"]
    assert output.confidence["audio"].mask.sum() == output.confidence["audio"].values[..., 0].count_nonzero()


def test_the_shortest_batch_is_enough():
    full = torch.ones(1, 1, dtype=torch.bool)
    batch = Batch(
        torch.zeros(1, 1, 3, 48, 48),
        full,
        torch.zeros(1, MIN_SAMPLES),
        torch.ones(1, MIN_SAMPLES, dtype=torch.bool),
        torch.ones(1, 1, dtype=torch.int64),
        full,
        torch.ones(1, 3, dtype=torch.bool),
    )
    assert build_cafes(TINY)(batch).logits.isfinite().all()
