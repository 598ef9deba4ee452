"""The global view of confidence: how usual a change is, under a mixture fitted to a whole epoch of changes."""

import math
import warnings

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

_SEED = 42  # docs/cafes.md 5, as are the diagonal covariance and the number of iterations
_ITERATIONS = 300
_PERCENTILES = (1, 99)
_FLAT = 1e-6  # a likelihood that varies less than this says nothing


class Mixture(nn.Module):
    """A diagonal Gaussian mixture as buffers; it trusts everything until it is fitted.

    Its likelihood is scaled with the range seen at the fit, so that a sample's confidence never depends on its batch.
    """

    weights: Tensor
    means: Tensor
    variances: Tensor
    low: Tensor
    high: Tensor
    fitted: Tensor

    def __init__(self, channels: int, components: int) -> None:
        super().__init__()
        self.register_buffer("weights", torch.full((components,), 1 / components))
        self.register_buffer("means", torch.zeros(components, channels))
        self.register_buffer("variances", torch.ones(components, channels))
        self.register_buffer("low", torch.tensor(0.0))
        self.register_buffer("high", torch.tensor(1.0))
        self.register_buffer("fitted", torch.tensor(False))

    @property
    def informative(self) -> Tensor:
        """Whether it was fitted to something that varies; else it trusts everything."""
        return self.fitted & (self.high - self.low > _FLAT)

    def forward(self, deltas: Tensor) -> Tensor:
        """Return confidence `[B, T, 1]` within 0..1 for changes `[B, T, C]`; no gradient passes."""
        place = (self.log_likelihood(deltas.detach()) - self.low) / (self.high - self.low).clamp(min=_FLAT)
        return torch.where(self.informative, place.clamp(0.0, 1.0), 1.0).unsqueeze(-1)

    def log_likelihood(self, deltas: Tensor) -> Tensor:
        """Return the natural logarithm of the density, `[...]` for `[..., C]`.

        The mean is subtracted before squaring: expanding the square into two products cancels at small variances.
        """
        scaled = (deltas.float().unsqueeze(-2) - self.means) * self.variances.rsqrt()
        constant = self.weights.log() - 0.5 * (2 * math.pi * self.variances).log().sum(1)
        return (constant - 0.5 * scaled.square().sum(-1)).logsumexp(-1)

    def fit(self, rows: NDArray[np.float32]) -> None:
        """Fit to changes `[M, C]`; fewer rows than components leave the mixture as it was."""
        from sklearn.exceptions import ConvergenceWarning  # noqa: PLC0415 - a second that only fitting should pay
        from sklearn.mixture import GaussianMixture  # noqa: PLC0415

        components = len(self.weights)
        if len(rows) < components:
            return
        gaussian = GaussianMixture(components, covariance_type="diag", max_iter=_ITERATIONS, random_state=_SEED)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # a mixture that could improve still ranks changes
            gaussian.fit(rows.astype(np.float64))
        self._set(("weights", gaussian.weights_), ("means", gaussian.means_), ("variances", gaussian.covariances_))
        with torch.no_grad():
            likelihood = self.log_likelihood(torch.from_numpy(rows).to(self.means.device)).cpu().numpy()
        low, high = np.percentile(likelihood, _PERCENTILES)
        self._set(("low", low), ("high", high), ("fitted", True))

    def _set(self, *values: tuple[str, object]) -> None:
        for name, value in values:
            self.get_buffer(name).copy_(torch.as_tensor(value))
