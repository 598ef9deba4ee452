"""NaN and infinity are refused by the name of their sample."""

import numpy as np
import pytest

from mmer.calibration.samples.finite import NotFiniteError, require_finite


def test_numbers_of_any_type_are_finite():
    require_finite({"x": np.ones((1, 5), "f4"), "half": np.ones(2, "f2"), "ids": np.arange(3)}, "a")


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
def test_what_is_no_number_is_refused_with_the_name_of_its_sample(wrong, dtype):
    broken = np.ones((1, 5, 4), dtype)
    broken[0, 2] = wrong
    with pytest.raises(NotFiniteError, match=r"^clip 7: x holds 4 value\(s\) that are not finite; ") as failure:
        require_finite({"x": broken}, "clip 7")
    assert (failure.value.exit_code, "\n" in str(failure.value)) == (3, False)
