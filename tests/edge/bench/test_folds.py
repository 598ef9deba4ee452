import math

import numpy as np
import pytest

from mmer.edge.bench.folds import Folds
from mmer.edge.errors import SettingError


def test_folds_are_summed_up_with_the_deviation_of_a_sample():
    found = Folds.of([0.4, 0.5, 0.9])
    assert (found.mean, found.deviation) == pytest.approx((0.6, np.std([0.4, 0.5, 0.9], ddof=1)))
    assert (found.low, found.high, found.count) == (0.4, 0.9, 3)


def test_a_single_fold_has_no_deviation():
    assert math.isnan(Folds.of([0.5]).deviation)


def test_no_fold_is_refused():
    with pytest.raises(SettingError, match="at least one"):
        Folds.of([])
