"""Whether a whole model decides the same in another precision."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mmer.calibration.observation.ranges import Wide
from mmer.calibration.samples.samples import Samples
from mmer.edge.backends.session import Session
from mmer.edge.bundle.manifest import Manifest
from mmer.edge.bundle.plan import LOGITS
from mmer.edge.pipeline.executor import Executor


@dataclass(frozen=True, slots=True)
class Agreement:
    """Two plans over the same windows; logits are compared one by one."""

    windows: int
    same_label: float
    """Share of windows for which both name the same label."""
    mean_error: float
    worst_error: float
    spread: float
    """Standard deviation of the float logits over the windows, the least of all classes."""


def agreement(reference: Wide, other: Wide) -> Agreement:
    """Compare the logits `[N, K]` of two plans."""
    errors = np.abs(reference - other)
    same = reference.argmax(axis=1) == other.argmax(axis=1)
    spread = float(reference.std(axis=0).min())
    return Agreement(len(reference), float(same.mean()), float(errors.mean()), float(errors.max()), spread)


def logits(manifest: Manifest, sessions: Mapping[str, Session], samples: Samples) -> Wide:
    """Return the logits `[N, K]` of every window."""
    executor = Executor(manifest.plan, manifest.graphs, sessions)
    answers = [executor.run(values)[LOGITS] for values in samples.windows(manifest.plan)]
    return np.concatenate(answers).astype(np.float64)
