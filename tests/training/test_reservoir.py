"""A bounded sample of everything that passed."""

import numpy as np
import pytest

from mmer.training.reservoir import Reservoir


def filled(batches, limit):
    reservoir = Reservoir(limit)
    for rows in np.array_split(np.arange(10_000, dtype=np.float32)[:, None], batches):
        reservoir.add(rows)
    return reservoir.rows()


def test_few_rows_are_all_kept_in_order():
    assert filled(7, 20_000)[:, 0].tolist() == list(range(10_000))


def test_many_rows_are_a_fair_sample():
    kept = filled(100, 1000)[:, 0]
    assert len(set(kept)) == 1000
    assert kept.mean() == pytest.approx(5000, abs=300)


def test_the_choice_is_always_the_same():
    assert np.array_equal(filled(100, 50), filled(100, 50))


def test_nothing_is_kept_of_nothing():
    assert len(Reservoir().rows()) == 0
