"""Several labels a clip: figures as scikit-learn has them, thresholds from validation alone."""

import numpy as np
import pytest

from mmer.edge.bench.multilabel import GRID, Marked, MarkedScores, Thresholds
from mmer.edge.errors import SettingError

sklearn = pytest.importorskip("sklearn.metrics")

K = 6
HALF = Thresholds((0.5,) * K)


def marked(seed, split="test", clips=150):
    """A few classes rare, probabilities with ties, some of them on a threshold."""
    rng = np.random.default_rng(seed)
    truth = rng.random((clips, K)) < np.array([0.5, 0.3, 0.2, 0.1, 0.05, 0.4])
    truth[0], truth[1] = True, False
    return Marked(truth, (0.4 * truth + 0.6 * rng.random((clips, K))).round(1), split)


@pytest.mark.parametrize("seed", range(20))
def test_figures_of_each_class_are_those_of_scikit_learn(seed):
    given = marked(seed)
    marks, found = HALF.marks(given.probabilities), MarkedScores.of(given, HALF)
    theirs = sklearn.precision_recall_fscore_support(given.truth, marks, average=None, zero_division=0)
    ours = np.stack([found.precision, found.recall, found.f1, found.support])
    assert ours == pytest.approx(np.stack(theirs), rel=0, abs=1e-9)
    binary = [sklearn.accuracy_score(given.truth[:, k], marks[:, k]) for k in range(K)]
    assert found.accuracy == pytest.approx(binary, rel=0, abs=1e-9)
    areas = sklearn.roc_auc_score(given.truth, given.probabilities, average=None)
    assert found.auc == pytest.approx(areas, rel=0, abs=1e-9)


@pytest.mark.parametrize("seed", range(20))
def test_the_weighted_accuracy_of_mosei_is_the_balanced_accuracy_of_each_class(seed):
    given = marked(seed)
    marks = HALF.marks(given.probabilities)
    theirs = [sklearn.balanced_accuracy_score(given.truth[:, k], marks[:, k]) for k in range(K)]
    assert MarkedScores.of(given, HALF).mosei_weighted_accuracy == pytest.approx(theirs, rel=0, abs=1e-9)


def test_the_published_binary_matrix_gives_the_published_weighted_accuracy():
    happy = np.array([[6019, 3981], [3489, 6511]])  # BiXLSTM-MMER, CMU-MOSEI, happy, shares of each row
    truth = np.repeat([False, False, True, True], happy.ravel())[:, None]
    told = np.repeat([0.0, 1.0, 0.0, 1.0], happy.ravel())[:, None]
    found = MarkedScores.of(Marked(truth, told, "test"), Thresholds((0.5,)))
    assert found.mosei_weighted_accuracy[0] == pytest.approx(0.6265, abs=5e-5)


@pytest.mark.parametrize("mean", ["macro", "weighted"])
def test_means_over_classes_are_those_of_scikit_learn(mean):
    given = marked(3)
    found = MarkedScores.of(given, HALF)
    theirs = sklearn.f1_score(given.truth, HALF.marks(given.probabilities), average=mean)
    assert getattr(found, mean)(found.f1) == pytest.approx(theirs, rel=0, abs=1e-9)


def test_no_other_threshold_of_the_grid_does_better_on_validation():
    given = marked(4, "val")
    fitted = Thresholds.fit(given)
    best = MarkedScores.of(given, fitted).f1
    assert all((MarkedScores.of(given, Thresholds((level,) * K)).f1 <= best + 1e-12).all() for level in GRID)


@pytest.mark.parametrize("split", ["train", "test"])
def test_thresholds_are_not_fitted_on_any_other_split(split):
    with pytest.raises(SettingError, match="fitted on the split 'val'"):
        Thresholds.fit(marked(0, split))


def test_a_class_that_no_clip_has_counts_in_no_mean_and_has_no_area():
    truth = np.array([[True, False], [False, False]])
    found = MarkedScores.of(Marked(truth, np.array([[0.9, 0.1], [0.1, 0.1]]), "test"), Thresholds((0.5, 0.5)))
    assert found.macro(found.f1) == 1.0
    assert np.isnan(found.auc).tolist() == [False, True]
