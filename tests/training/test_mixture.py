"""The mixture is exact at small deviations, and calibrated once instead of in each batch."""

import numpy as np
import pytest
import torch
from sklearn.mixture import GaussianMixture

from mmer.training.mixture import Mixture


def exact(x, weights, means, variances):
    """The log-likelihood in float64."""
    squares = ((x[:, None] - means) ** 2 / variances).sum(2)
    parts = np.log(weights) - 0.5 * (squares + np.log(2 * np.pi * variances).sum(1))
    highest = parts.max(1, keepdims=True)
    return highest[:, 0] + np.log(np.exp(parts - highest).sum(1))


def changes(rows=400, channels=16):
    return np.abs(np.random.default_rng(0).normal(0, 0.3, (rows, channels))).astype(np.float32)


@pytest.fixture(scope="module")
def fitted():
    mixture = Mixture(16, 4)
    mixture.fit(changes())
    return mixture


@pytest.mark.parametrize("deviation", [0.1, 0.01, 0.001])
def test_the_likelihood_is_within_a_thousandth_of_float64(deviation):
    rng = np.random.default_rng(1)
    means = rng.uniform(0, 0.5, (4, 144)).astype(np.float32)
    variances = (deviation * rng.uniform(0.8, 1.2, (4, 144)) ** 2).astype(np.float32) ** 2
    mixture = Mixture(144, 4)
    mixture.means.copy_(torch.from_numpy(means))
    mixture.variances.copy_(torch.from_numpy(variances))
    x = (means[rng.integers(4, size=200)] + rng.normal(0, deviation, (200, 144))).astype(np.float32)
    expected = exact(x.astype(np.float64), np.full(4, 0.25), means.astype(np.float64), variances.astype(np.float64))
    assert np.abs(mixture.log_likelihood(torch.from_numpy(x)).numpy() - expected).max() < 1e-3


def test_it_trusts_everything_until_it_is_fitted():
    assert (Mixture(16, 4)(torch.rand(2, 3, 16)) == 1).all()


def test_it_is_the_mixture_of_scikit_learn(fitted):
    theirs = GaussianMixture(4, covariance_type="diag", random_state=42, max_iter=300).fit(changes().astype(float))
    x = changes(50)
    np.testing.assert_allclose(fitted.log_likelihood(torch.from_numpy(x)), theirs.score_samples(x), atol=1e-3)


def test_confidence_spans_0_to_1_over_what_was_fitted(fitted):
    confidence = fitted(torch.from_numpy(changes()).unsqueeze(0)).squeeze()
    assert confidence.min() == 0
    assert confidence.max() == 1
    assert (confidence == 0).float().mean() == pytest.approx(0.01, abs=0.005)


def test_confidence_does_not_depend_on_the_batch(fitted):
    x = torch.from_numpy(changes(8)).view(4, 2, 16)
    torch.testing.assert_close(fitted(x)[:1], fitted(x[:1]))


def test_no_gradient_passes(fitted):
    assert not fitted(torch.rand(1, 2, 16, requires_grad=True)).requires_grad


def test_too_few_rows_leave_it_as_it_was():
    mixture = Mixture(16, 4)
    mixture.fit(changes(3))
    assert not mixture.fitted


def test_changes_that_are_all_alike_are_trusted():
    mixture = Mixture(16, 4)
    mixture.fit(np.zeros((50, 16), np.float32))
    assert (mixture(torch.zeros(1, 2, 16)) == 1).all()


def test_a_fit_travels_in_the_state(fitted):
    other = Mixture(16, 4)
    other.load_state_dict(fitted.state_dict())
    x = torch.rand(1, 5, 16)
    assert torch.equal(other(x), fitted(x))
