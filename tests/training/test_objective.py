"""The loss that settings choose, against numbers worked out by hand."""

import math

import pytest
import torch

from mmer.edge.errors import SettingError
from mmer.training.batch import Confidence, Output
from mmer.training.objective import LossSettings, Objective

OUTPUT = Output(torch.tensor([[math.log(3.0), 0.0], [0.0, 0.0]]), {}, torch.ones(2, 3))  # p = 3/4 and 1/2
TRUTH, COUNTS = torch.tensor([0, 1]), torch.tensor([30, 10])  # classes that weigh 2/3 and 2


def loss(output=OUTPUT, beta=0.0, **settings):
    return Objective(LossSettings(**settings), COUNTS, beta)(output, TRUTH).item()


def test_focal_weighs_rare_classes_more():
    expected = (2 / 3 * 0.25**2 * math.log(4 / 3) + 2 * 0.5**2 * math.log(2)) / 2
    assert loss() == pytest.approx(expected, rel=1e-5)


def test_focal_without_weights_or_focus_is_cross_entropy():
    expected = (math.log(4 / 3) + math.log(2)) / 2
    assert loss(weights="none", gamma=0.0) == pytest.approx(expected, rel=1e-5)
    assert loss(weights="none", kind="cross_entropy") == pytest.approx(expected, rel=1e-5)


def test_smoothing_asks_for_a_little_of_every_class():
    first = 0.95 * math.log(4 / 3) + 0.05 * math.log(4)  # of 0.1, half goes to each of two classes
    expected = (2 / 3 * first + 2 * math.log(2)) / 2
    assert loss(kind="cross_entropy", smoothing=0.1) == pytest.approx(expected, rel=1e-5)


def test_focal_bce_asks_for_each_class_by_itself():
    # the ones of class 0 weigh 1/4 and its zeros 3/4, those of class 1 the other way round
    first = 0.25 * 0.25**2 * math.log(4 / 3) + 0.25 * 0.5**2 * math.log(2)
    second = 0.75 * 0.5**2 * math.log(2) + 0.75 * 0.5**2 * math.log(2)
    assert loss(kind="focal_bce") == pytest.approx((first + second) / 4, rel=1e-5)


def test_alignment_is_added_by_its_weight():
    confidence = Confidence(torch.tensor([[[0.3]], [[0.9]]]), torch.ones(2, 1, dtype=torch.bool))
    wrong = Output(torch.tensor([[1.0, 0.0], [1.0, 0.0]]), {"audio": confidence}, torch.ones(2, 3))
    # two values standardise to -1/sqrt(2) and 1/sqrt(2): aligned by 1/2, and the other modality adds 0
    assert loss(wrong, beta=0.2) - loss(wrong) == pytest.approx(0.2 * 0.5 / 2, abs=1e-4)


@pytest.mark.parametrize("wrong", [{"kind": "hinge"}, {"gamma": -1.0}, {"weights": "all"}, {"smoothing": 1.0}])
def test_losses_that_cannot_be_are_refused(wrong):
    with pytest.raises(SettingError, match=r"loss\."):
        LossSettings(**wrong)


MIXED = torch.tensor([[0.7, 0.3], [0.2, 0.8]])


def soft(truth, output=OUTPUT, beta=0.0, **settings):
    return Objective(LossSettings(**settings), COUNTS, beta)(output, truth).item()


@pytest.mark.parametrize("kind", ["focal", "cross_entropy", "focal_bce"])
@pytest.mark.parametrize("weights", ["balanced", "none"])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_shares_that_are_all_of_one_class_say_what_its_index_says(kind, weights, smoothing):
    settings = {"kind": kind, "weights": weights, "smoothing": smoothing}
    assert soft(torch.eye(2), **settings) == pytest.approx(loss(**settings), rel=1e-6)


def test_cross_entropy_of_a_mixture_is_the_mixture_of_cross_entropies():
    first = 0.7 * math.log(4 / 3) + 0.3 * math.log(4)
    plain = soft(MIXED, kind="cross_entropy", weights="none")
    assert plain == pytest.approx((first + math.log(2)) / 2, rel=1e-5)
    weighed = (0.7 * 2 / 3 + 0.3 * 2) * first + (0.2 * 2 / 3 + 0.8 * 2) * math.log(2)
    assert soft(MIXED, kind="cross_entropy") == pytest.approx(weighed / 2, rel=1e-5)


def test_focal_of_a_mixture_is_focused_by_its_cross_entropy():
    first = 0.7 * math.log(4 / 3) + 0.3 * math.log(4)
    expected = ((1 - math.exp(-first)) ** 2 * first + 0.5**2 * math.log(2)) / 2
    assert soft(MIXED, weights="none") == pytest.approx(expected, rel=1e-5)


def test_focal_bce_of_a_mixture_by_hand():
    def ask(share, p):
        entropy = -share * math.log(p) - (1 - share) * math.log(1 - p)
        return 0.5 * (1 - math.exp(-entropy)) ** 2 * entropy  # ones and zeros weigh 1/2 each

    # logits ln 3 and 0 are chances of 3/4 and 1/2, each class by itself
    expected = (ask(0.7, 0.75) + ask(0.3, 0.5) + ask(0.2, 0.5) + ask(0.8, 0.5)) / 4
    assert soft(MIXED, kind="focal_bce", weights="none") == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("kind", ["focal", "cross_entropy"])
def test_the_best_answer_to_a_mixture_is_the_mixture(kind):
    logits = torch.zeros(1, 2, requires_grad=True)
    answer = torch.optim.LBFGS([logits], max_iter=100, tolerance_grad=1e-9, line_search_fn="strong_wolfe")

    def judged():
        answer.zero_grad()
        output = Output(logits, {}, torch.ones(1, 3))
        found = Objective(LossSettings(kind, weights="none"), COUNTS, 0.0)(output, MIXED[:1])
        found.backward()
        return found

    answer.step(judged)
    assert logits.softmax(1)[0, 0].item() == pytest.approx(0.7, abs=1e-3)


def test_a_confident_answer_to_a_mixture_is_as_wrong_as_its_share_is_small():
    confidence = Confidence(torch.tensor([[[0.3]], [[0.9]]]), torch.ones(2, 1, dtype=torch.bool))
    output = Output(torch.tensor([[1.0, 0.0], [1.0, 0.0]]), {"audio": confidence}, torch.ones(2, 3))
    # errors of 0.3 and 0.8 rise with confidence: two values standardise to -1/sqrt(2) and 1/sqrt(2)
    assert soft(MIXED, output, beta=0.2) - soft(MIXED, output) == pytest.approx(0.2 * 0.5 / 2, abs=1e-4)
