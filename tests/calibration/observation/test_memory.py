import numpy as np
import pytest

from mmer.calibration.improve.factors import Factors
from mmer.calibration.observation.memory import PassError, Passes

FOUND = Factors(("a", "b"), np.array([0.5, 2.0, 1 / 3]))


def test_a_later_run_knows_by_what_the_graph_was_changed(tmp_path):
    folder = tmp_path / "faces"
    assert Passes(folder).factors() is None
    Passes(folder).change([FOUND])
    (kept,) = Passes(folder).factors()
    assert kept.tensors == FOUND.tensors
    np.testing.assert_array_equal(kept.values, FOUND.values)
    assert Passes(folder).recall() == {}


def test_a_graph_that_was_left_as_it_is_stays_so(tmp_path):
    Passes(tmp_path / "faces").change([])
    assert Passes(tmp_path / "faces").factors() == ()


def test_what_an_earlier_calibration_did_comes_first(tmp_path):
    Passes(tmp_path / "faces").change([])
    assert Passes(tmp_path / "faces", changed=[FOUND]).factors() == [FOUND]


def test_damaged_factors_are_told(tmp_path):
    (tmp_path / "faces.factors.json").write_text("[{")
    with pytest.raises(PassError, match="remove it and resume again"):
        Passes(tmp_path / "faces").factors()
