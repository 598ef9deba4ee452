"""Losses against numbers worked out by hand."""

import math

import pytest
import torch

from mmer.training.batch import Confidence
from mmer.training.losses import alignment, balanced_alpha, focal, focal_bce, mean_alignment

WRONG = torch.tensor([False, True])


def confident(first, second, steps=2):
    """Two samples of constant confidence, the second with one valid step."""
    mask = torch.tensor([[True] * steps, [True] + [False] * (steps - 1)])
    return Confidence(torch.tensor([first, second])[:, None, None].expand(2, steps, 1).clone(), mask)


def test_a_balanced_class_weighs_one():
    assert balanced_alpha(torch.tensor([30, 10])).tolist() == pytest.approx([2 / 3, 2.0])


def test_a_class_without_samples_has_a_finite_weight():
    assert balanced_alpha(torch.tensor([4, 0])).isfinite().all()


def test_focal_by_hand():
    logits = torch.tensor([[math.log(3.0), 0.0], [0.0, 0.0]])  # p = 3/4 and 1/2
    loss = focal(logits, torch.tensor([0, 1]), torch.tensor([1.0, 2.0]))
    expected = (0.25**2 * math.log(4 / 3) + 2 * 0.5**2 * math.log(2)) / 2
    assert loss.item() == pytest.approx(expected, rel=1e-5)


def test_focal_bce_by_hand():
    logits = torch.tensor([[math.log(3.0), 0.0]])  # p = 3/4 for a one and 1/2 for a zero
    loss = focal_bce(logits, torch.tensor([[1.0, 0.0]]), torch.tensor([0.8, 0.3]))
    expected = (0.8 * 0.25**2 * math.log(4 / 3) + 0.7 * 0.5**2 * math.log(2)) / 2
    assert loss.item() == pytest.approx(expected, rel=1e-5)


def test_confident_mistakes_are_penalised():
    assert alignment(confident(0.2, 0.9), WRONG) > 0
    assert alignment(confident(0.9, 0.2), WRONG) < 0


def test_alignment_by_hand():
    # valid values .3 .3 .9 and errors 0 0 1: both standardise to -1/sqrt(3), -1/sqrt(3), 2/sqrt(3)
    assert alignment(confident(0.3, 0.9), WRONG).item() == pytest.approx(2 / 3, abs=1e-4)


def test_padding_has_no_part_in_alignment():
    confidence = confident(0.3, 0.9)
    confidence.values[1, 1] = 77.0
    assert alignment(confidence, WRONG).item() == pytest.approx(2 / 3, abs=1e-4)


def test_confidence_that_says_nothing_has_finite_gradients():
    confidence = confident(0.5, 0.5)
    confidence.values.requires_grad_()
    loss = alignment(confidence, WRONG)
    loss.backward()
    assert loss == 0
    assert confidence.values.grad.isfinite().all()


def test_an_absent_modality_adds_nothing():
    assert mean_alignment([], WRONG) == 0
    assert mean_alignment([confident(0.3, 0.9)], WRONG).item() == pytest.approx(2 / 3 / 2, abs=1e-4)


def test_a_single_valid_value_adds_nothing():
    confidence = Confidence(torch.ones(1, 1, 1), torch.ones(1, 1, dtype=torch.bool))
    assert alignment(confidence, torch.tensor([True])) == 0
