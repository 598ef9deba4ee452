"""A sample that is not what a graph takes is refused by name."""

import numpy as np
import pytest

from mmer.calibration.fit import MisfitError, NotFiniteError, require_fit
from mmer.edge.errors import DataError
from mmer.edge.tensors import TensorSpec

SPECS = (TensorSpec("ids", "int64", (1, "T")), TensorSpec("x", "float32", (1, "T", 4)))


def sample(**other):
    return {"ids": np.zeros((1, 5), "i8"), "x": np.ones((1, 5, 4), "f4"), **other}


def test_what_fits_is_accepted_at_any_free_size():
    require_fit(SPECS, sample(), "a")
    require_fit(SPECS, sample(ids=np.zeros((1, 9), "i8")), "a")


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"x": np.ones((1, 5, 3), "f4")}, r"x has the shape \[1, 5, 3\], the graph takes \[1, T, 4\]"),
        ({"x": np.ones((5, 4), "f4")}, r"x has the shape \[5, 4\]"),
        ({"x": np.ones((1, 0, 4), "f4")}, r"x has the shape \[1, 0, 4\]"),
        ({"x": np.ones((1, 5, 4), "f8")}, "x is float64, the graph takes float32"),
        ({"ids": np.zeros((1, 5), "i4")}, "ids is int32, the graph takes int64"),
        ({"y": np.zeros(1)}, "has 'y', which the graph does not read"),
    ],
)
def test_what_does_not_fit_is_told_in_a_line(other, said):
    with pytest.raises(MisfitError, match=rf"^sample 3: {said}") as failure:
        require_fit(SPECS, sample(**other), "sample 3")
    assert "\n" not in str(failure.value)
    assert failure.value.exit_code == 3


def test_a_missing_input_is_told():
    with pytest.raises(DataError, match="has no x, which the graph reads"):
        require_fit(SPECS, {"ids": np.zeros((1, 5), "i8")}, "a")


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_not_finite_is_refused_with_the_name_of_its_sample(wrong):
    broken = np.ones((1, 5, 4), "f4")
    broken[0, 2] = wrong
    with pytest.raises(NotFiniteError, match=r"^clip 7: x holds 4 value\(s\) that are not finite"):
        require_fit(SPECS, sample(x=broken), "clip 7")
