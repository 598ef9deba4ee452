import numpy as np
import pytest

from mmer.edge.errors import ParityError
from mmer.export.parity import (
    FlatLogitsError,
    OtherDecisionError,
    Place,
    UnequalError,
    compare,
    refuse_flat,
    spread,
    tolerance,
)
from mmer.export.whole import answers

HERE = Place("fusion", "no face", "all")


def off_by(difference, values):
    return compare({"y": np.float32(values)}, {"y": np.float32(values) + np.float32(difference)}, HERE)


def test_values_within_the_tolerance_pass_and_the_worst_is_told():
    (found,) = off_by([0.0, 5e-5], [0.0, 1.0])
    assert found.worst == pytest.approx(5e-5, rel=0.01)
    assert found.tolerance == pytest.approx(1e-4)


def test_the_tolerance_grows_with_the_range_and_never_shrinks_below_that_of_one():
    assert tolerance(np.float32([0, 30])) == pytest.approx(3e-3)
    assert tolerance(np.float32([7, 7.001])) == pytest.approx(1e-4)


def test_a_value_beyond_the_tolerance_names_graph_output_case_and_values():
    with pytest.raises(UnequalError) as failure:
        off_by([0.0, 0.5], [0.0, 1.0])
    assert failure.value.exit_code == 5
    for part in ("graph fusion", "output y", "case no face", "0.5", "0.0001"):
        assert part in str(failure.value)


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_a_value_that_is_not_finite_fails(wrong):
    with pytest.raises(UnequalError):
        off_by([0.0, wrong], [0.0, 1.0])


def test_another_shape_fails():
    with pytest.raises(UnequalError, match="inf"):
        compare({"y": np.zeros((1, 3))}, {"y": np.zeros((1, 4))}, HERE)


def test_another_decision_is_told_as_such():
    with pytest.raises(OtherDecisionError, match="class 2 instead of 0"):
        compare({"logits": np.float32([[1, 0, 0.9]])}, {"logits": np.float32([[0.9, 0, 1]])}, HERE)


def test_a_decision_that_is_no_clear_one_may_change():
    compare({"logits": np.float32([[1.00003, 1.0, 0]])}, {"logits": np.float32([[1.0, 1.00003, 0]])}, HERE)


def test_a_model_fresh_from_its_constructor_proves_nothing(fresh, lively):
    logits = [answer["logits"] for answer in answers(fresh(), lively.windows)]
    with pytest.raises(FlatLogitsError, match="proves nothing") as failure:
        refuse_flat(spread(logits))
    assert isinstance(failure.value, ParityError)
