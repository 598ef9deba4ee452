"""Every figure equals scikit-learn's, where scikit-learn has it."""

import math

import numpy as np
import pytest

from mmer.edge.bench.metrics import PerClass, Scores, auc, confusion, ece, macro_f1, ovr_accuracy, uar

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


def test_the_published_confusion_matrix_gives_both_published_readings():
    cafes = np.array([[40, 8, 4, 2], [2, 70, 8, 1], [5, 8, 65, 4], [1, 3, 4, 47]])
    assert (np.trace(cafes) / cafes.sum(), ovr_accuracy(cafes)) == pytest.approx((0.8162, 0.9081), abs=5e-5)


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
