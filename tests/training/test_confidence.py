"""Which steps to trust: locally, globally, both or not at all."""

import pytest
import torch

from mmer.edge.errors import SettingError
from mmer.training.confidence import FORMS, changes, confidence_filter


def test_changes_start_at_zero():
    x = torch.tensor([[[1.0], [4.0], [2.0]]])
    assert changes(x).flatten().tolist() == [0, 3, 2]


def test_a_single_step_has_not_changed():
    assert changes(torch.ones(1, 1, 2)).tolist() == [[[0, 0]]]


@pytest.mark.parametrize("form", ["gmm", "ffn", "both"])
def test_confidence_lies_within_0_and_1(form):
    filtered = confidence_filter(form, 8, 2)
    with filtered.refitted():
        filtered(torch.randn(4, 30, 8), None)
    confidence = filtered(torch.randn(2, 5, 8))
    assert confidence.shape == (2, 5, 1 if form == "gmm" else 8)
    assert 0 <= confidence.min() <= confidence.max() <= 1


def test_without_a_view_there_is_no_filter():
    assert confidence_filter("none", 8, 2) is None


def test_an_unknown_form_is_refused():
    with pytest.raises(SettingError, match=f"not one of {', '.join(FORMS)}"):
        confidence_filter("all", 8, 2)


@torch.no_grad()
def test_both_views_are_blended_by_a_learned_weight():
    filtered = confidence_filter("both", 8, 2)
    x = torch.randn(1, 3, 8)
    local, weigh = filtered.view.local(changes(x)), filtered.view.weigh
    weight = (weigh.weight[0, 0] * local + weigh.weight[0, 1] + weigh.bias).sigmoid()
    torch.testing.assert_close(filtered(x), weight * local + (1 - weight))


def test_padded_steps_are_trusted_with_nothing():
    mask = torch.tensor([[True, True, False]])
    assert (confidence_filter("ffn", 8, 2)(torch.randn(1, 3, 8), mask)[0, 2] == 0).all()


def test_an_epoch_refits_to_valid_later_steps_alone():
    filtered = confidence_filter("gmm", 1, 1)
    x, mask = (
        torch.tensor([[[0.0], [2.0], [9.0]], [[0.0], [1.0], [2.0]]]),
        torch.tensor([[True, True, False], [True] * 3]),
    )
    with filtered.refitted():
        filtered(x, mask)
    assert filtered.view.fitted
    assert filtered.view.means.item() == pytest.approx(4 / 3)


def test_evaluation_is_not_watched():
    filtered = confidence_filter("both", 8, 2)
    with filtered.refitted():
        filtered.eval()(torch.randn(4, 30, 8), None)
    assert not filtered.view.mixture.fitted


def test_an_epoch_that_breaks_off_leaves_no_trace():
    filtered = confidence_filter("both", 8, 2)

    def broken():
        with filtered.refitted():
            filtered(torch.randn(4, 30, 8), None)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        broken()
    assert not filtered.view.mixture.fitted
    assert not filtered._forward_pre_hooks
