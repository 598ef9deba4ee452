"""What was computed a moment ago is not computed again."""

import numpy as np
import pytest

from mmer.edge.verify.memo import Memo


class Counting:
    inputs = outputs = ()

    def __init__(self):
        self.calls = 0
        self.made = np.zeros(2, "f4")

    def run(self, inputs):
        self.calls += 1
        self.made[:] = inputs["x"].sum()  # a session may use its array again
        return {"y": self.made}


@pytest.fixture
def counting():
    return Counting()


def test_equal_inputs_are_computed_once(counting):
    memo = Memo(counting)
    first = memo.run({"x": np.arange(3)})["y"]
    assert memo.run({"x": np.arange(3)})["y"] is first
    assert (counting.calls, first.tolist()) == (1, [3, 3])


@pytest.mark.parametrize("other", [np.array([0, 1, 3]), np.array([[0, 1, 2]]), np.arange(3, dtype="i4")])
def test_other_values_shapes_and_types_are_computed_anew(counting, other):
    memo = Memo(counting)
    kept = memo.run({"x": np.arange(3)})["y"]
    memo.run({"x": other})
    assert (counting.calls, kept.tolist()) == (2, [3, 3])


def test_names_count_too(counting):
    memo = Memo(counting)
    memo.run({"x": np.arange(3), "a": np.zeros(1)})
    memo.run({"x": np.arange(3), "b": np.zeros(1)})
    assert counting.calls == 2
