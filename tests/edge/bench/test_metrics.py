"""Every figure equals scikit-learn's, where scikit-learn has it."""

import math

import numpy as np
import pytest

from mmer.edge.bench.metrics import (
    PerClass,
    Scores,
    accuracy,
    auc,
    aucs,
    confusion,
    ece,
    macro_f1,
    mosei_weighted_accuracy,
    ovr_accuracy,
    rare_f1,
    uar,
)

sklearn = pytest.importorskip("sklearn.metrics")

K = 5


def answers(seed, clips=200, classes=K):
    """Class indices and probabilities that tell something about them, with ties."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(classes, size=clips)
    scores = np.exp(rng.normal(size=(clips, K)) + np.eye(K)[truth]).round(1) + 0.01
    return truth, scores / scores.sum(axis=1, keepdims=True)


@pytest.fixture(params=[0, 1, 2])
def answered(request):
    return answers(request.param)


def test_a_confusion_matrix_has_the_truth_in_its_rows(answered):
    truth, probabilities = answered
    ours = confusion(truth, probabilities.argmax(1), K)
    assert (ours == sklearn.confusion_matrix(truth, probabilities.argmax(1))).all()


@pytest.mark.parametrize("mean", ["macro", "weighted"])
def test_precision_recall_and_f1_are_those_of_scikit_learn(answered, mean):
    truth, probabilities = answered
    theirs = sklearn.precision_recall_fscore_support(truth, probabilities.argmax(1), average=mean)[:3]
    ours = Scores.of(truth, probabilities)
    assert [getattr(ours, f"{mean}_{name}") for name in ("precision", "recall", "f1")] == pytest.approx(theirs)


def test_accuracy_and_uar_are_those_of_scikit_learn(answered):
    truth, probabilities = answered
    predicted = probabilities.argmax(1)
    theirs = sklearn.accuracy_score(truth, predicted), sklearn.balanced_accuracy_score(truth, predicted)
    ours = Scores.of(truth, probabilities)
    assert (ours.accuracy, ours.uar) == pytest.approx(theirs)


def test_auc_is_that_of_scikit_learn_with_ties(answered):
    truth, probabilities = answered
    assert auc(truth, probabilities) == pytest.approx(
        sklearn.roc_auc_score(truth, probabilities, multi_class="ovr", average="macro")
    )


def test_averaged_one_vs_rest_accuracy_is_the_mean_of_binary_accuracies(answered):
    truth, probabilities = answered
    predicted = probabilities.argmax(1)
    binary = [sklearn.accuracy_score(truth == k, predicted == k) for k in range(K)]
    assert ovr_accuracy(confusion(truth, predicted, K)) == pytest.approx(np.mean(binary))


PUBLISHED = {
    "cafes": (
        [[40, 8, 4, 2], [2, 70, 8, 1], [5, 8, 65, 4], [1, 3, 4, 47]],
        {"accuracy": 0.8162, "ovr": 0.9081, "precision": 0.8232, "recall": 0.8130, "f1": 0.8169},
    ),
    "bixlstm": (
        [[177, 22, 23, 12], [18, 274, 32, 23], [16, 32, 241, 32], [5, 11, 33, 157]],
        {"accuracy": 0.7662, "ovr": 0.8831, "precision": 0.7653, "recall": 0.7647, "f1": 0.7643},
    ),
}
"""Counts on IEMOCAP (anger, happy, neutral, sad) as the papers' matrices give them, and what they are read as."""


@pytest.mark.parametrize(("counts", "readings"), PUBLISHED.values(), ids=PUBLISHED)
def test_the_published_confusion_matrices_give_every_published_reading(counts, readings):
    matrix = np.array(counts)
    classes = PerClass.of(matrix)
    ours = {"accuracy": accuracy(matrix), "ovr": ovr_accuracy(matrix)} | {
        name: classes.macro(getattr(classes, name)) for name in ("precision", "recall", "f1")
    }
    assert ours == pytest.approx(readings, abs=6e-5)  # rounded to four places there; once the last one is cut


@pytest.mark.parametrize("seed", range(40))
def test_every_figure_is_that_of_scikit_learn_to_nine_places_whatever_classes_are_there(seed):
    truth, probabilities = answers(seed, clips=7 + 5 * seed, classes=1 + seed % K)
    predicted = probabilities.argmax(1)
    ours, present = Scores.of(truth, probabilities), np.unique(truth)
    means = {m: _means(truth, predicted, m) for m in ("macro", "weighted")}
    theirs = {f"{m}_{name}": value for m, values in means.items() for name, value in values.items()}
    theirs |= {
        "accuracy": sklearn.accuracy_score(truth, predicted),
        "uar": sklearn.recall_score(truth, predicted, labels=present, average="macro"),
    }
    assert {name: getattr(ours, name) for name in theirs} == pytest.approx(theirs, rel=0, abs=1e-9)


def _means(truth, predicted, mean):
    values = sklearn.precision_recall_fscore_support(truth, predicted, average=mean, zero_division=0)
    return dict(zip(("precision", "recall", "f1"), values[:3], strict=True))


@pytest.mark.parametrize("seed", range(20))
def test_the_auc_of_each_class_is_that_of_scikit_learn_and_none_for_a_class_that_is_absent(seed):
    truth, probabilities = answers(seed, clips=30, classes=2 + seed % 4)
    there = [0 < (truth == k).sum() < len(truth) for k in range(K)]
    theirs = [sklearn.roc_auc_score(truth == k, probabilities[:, k]) if there[k] else math.nan for k in range(K)]
    assert aucs(truth, probabilities) == pytest.approx(theirs, rel=0, abs=1e-9, nan_ok=True)
    assert auc(truth, probabilities) == pytest.approx(np.nanmean(theirs), rel=0, abs=1e-9)


def test_scores_that_are_all_equal_tell_nothing():
    assert aucs(np.array([0, 1, 1]), np.full((3, 2), 0.5)).tolist() == [0.5, 0.5]


@pytest.mark.parametrize("seed", range(20))
def test_the_weighted_accuracy_of_mosei_is_the_mean_balanced_accuracy_of_each_class_against_the_rest(seed):
    truth, probabilities = answers(seed, clips=40, classes=3)
    predicted = probabilities.argmax(1)
    theirs = [sklearn.recall_score(truth == k, predicted == k, average="macro") for k in np.unique(truth)]
    ours = mosei_weighted_accuracy(confusion(truth, predicted, K))
    assert ours == pytest.approx(np.mean(theirs), rel=0, abs=1e-9)


def test_the_weighted_accuracy_of_mosei_is_one_half_for_whoever_says_always_the_same():
    assert mosei_weighted_accuracy(np.array([[90, 0], [10, 0]])) == 0.5


def test_rare_f1_is_the_mean_over_classes_with_less_than_half_an_even_share():
    counts = np.array([[80, 0, 0], [0, 10, 0], [2, 3, 5]])
    f1 = PerClass.of(counts).f1
    assert rare_f1(counts) == pytest.approx((f1[1] + f1[2]) / 2)


def test_rare_f1_of_balanced_classes_is_not_a_number():
    assert math.isnan(rare_f1(np.eye(3, dtype=int) * 5))


def test_classes_that_never_occur_are_left_out_of_means_as_in_scikit_learn():
    truth, probabilities = answers(3, classes=3)
    probabilities[:, 4] = 0
    predicted = probabilities.argmax(1)
    counts = confusion(truth, predicted, K)
    with np.errstate(all="ignore"):
        theirs = sklearn.f1_score(truth, predicted, average="macro", zero_division=0)
    recalls = sklearn.recall_score(truth, predicted, labels=range(3), average=None)
    assert (macro_f1(counts), uar(counts)) == pytest.approx((theirs, np.mean(recalls)))


def test_auc_of_one_class_alone_is_not_a_number():
    assert math.isnan(auc(np.zeros(4, int), np.full((4, 2), 0.5)))


def test_calibration_error_is_the_gap_between_sureness_and_success():
    probabilities = np.array([[0.9, 0.1]] * 10)
    truth = np.array([0] * 6 + [1] * 4)
    assert ece(truth, probabilities) == pytest.approx(0.3)


def test_calibration_error_is_zero_when_sureness_is_earned():
    assert ece(np.array([0, 0, 0, 1]), np.array([[0.75, 0.25]] * 4)) == pytest.approx(0)


def test_values_per_class_hold_for_classes_that_nobody_predicts():
    classes = PerClass.of(np.array([[2, 0, 0], [1, 0, 0], [0, 0, 0]]))
    assert (classes.precision.tolist(), classes.recall.tolist()) == ([2 / 3, 0, 0], [1, 0, 0])
