"""Two sets of answers are compared clip by clip."""

import numpy as np
import pytest

from mmer.edge.bench.judged import Judged
from mmer.edge.bench.metrics import uar
from mmer.edge.bench.paired import agreement, compare, difference, mcnemar, mean_difference

SPEAKERS = ["a", "b"] * 20
TRUTH = np.arange(40) // 2 % 2


def answers(predicted):
    return Judged(TRUTH, np.eye(2)[predicted], SPEAKERS)


@pytest.mark.parametrize(
    ("lost", "won", "p"),
    [
        (0, 0, 1.0),
        (5, 0, 2 / 32),
        (0, 5, 2 / 32),
        (1, 8, 2 * (1 + 9) / 512),
        (3, 3, 1.0),
        (2, 4, 2 * (1 + 6 + 15) / 64),
    ],
)
def test_mcnemar_agrees_with_what_is_counted_by_hand(lost, won, p):
    assert mcnemar(lost, won) == p


def test_mcnemar_holds_for_thousands_of_clips():
    assert mcnemar(2000, 1700) == pytest.approx(8.8e-7, rel=0.05)


def test_equal_answers_differ_by_nothing():
    found = compare(answers(TRUTH), answers(TRUTH))
    assert (found.difference.value, found.difference.low, found.difference.high) == (0, 0, 0)
    assert (found.mcnemar_p, found.agreement_clips) == (1.0, 1.0)


def test_the_difference_is_that_of_the_figures_in_points():
    worse = np.where(np.arange(40) < 8, 1 - TRUTH, TRUTH)
    found = difference(answers(TRUTH), answers(worse), uar)
    assert found.value == pytest.approx(100 * (uar(answers(worse).counts()) - 1)) == pytest.approx(-20)
    assert found.low < found.value < found.high <= 0


def test_pairs_make_the_interval_narrower_than_two_of_their_own():
    """Both err on the same half of the clips: which clips are drawn must not show in the difference."""
    wrong = np.where(np.arange(40) < 20, 1 - TRUTH, TRUTH)
    other = wrong.copy()
    other[0] = TRUTH[0]
    found = difference(answers(wrong), answers(other), uar)
    assert found.value == pytest.approx(5 / 2)
    assert found.high - found.low < 10


def test_agreement_is_the_share_of_equal_labels():
    assert agreement([0, 1, 2, 1], [0, 1, 1, 1]) == 0.75


def several(seed, right, runs=3, clips=60):
    """Return trainings whose answers are right with a probability of their own."""
    rng = np.random.default_rng(seed)
    truth = np.arange(clips) % 2
    said = [np.where(rng.random(clips) < share, truth, 1 - truth) for share in right[:runs]]
    return [Judged(truth, np.eye(2)[one], ["a"] * clips) for one in said]


def test_the_same_answers_of_every_training_differ_by_nothing():
    runs = several(0, [0.5, 0.7, 0.9])
    found = mean_difference(runs, runs, uar)
    assert (found.value, found.low, found.high) == (0.0, 0.0, 0.0)


def test_the_mean_over_trainings_is_that_of_their_differences():
    before, after = several(1, [0.5, 0.5, 0.5]), several(2, [0.9, 0.8, 0.7])
    gains = [difference(old, new, uar).value for old, new in zip(before, after, strict=True)]
    found = mean_difference(before, after, uar)
    assert found.value == pytest.approx(np.mean(gains))
    assert found.low < found.value < found.high


def test_trainings_that_differ_make_the_interval_wider():
    before = several(1, [0.5] * 4, 4)
    alike, unlike = several(2, [0.8] * 4, 4), several(2, [1.0, 0.6, 1.0, 0.6], 4)
    narrow, wide = (mean_difference(before, after, uar) for after in (alike, unlike))
    assert wide.high - wide.low > 1.2 * (narrow.high - narrow.low)
