"""Every set of modalities is asked, and what they achieve together is shared out fairly."""

import numpy as np
import pytest

from mmer.edge.explain.ablation import ablate, shapley, subsets

ALL = ("video", "audio", "text")
LABELS = ("happy", "sad", "anger", "fear")


def asked(kept):
    """Video and audio tell only together; text tells a little by itself."""
    happy = 0.25 + 0.4 * ({"video", "audio"} <= set(kept)) + 0.2 * ("text" in kept)
    return np.array([happy, *[(1 - happy) / 3] * 3])


def test_seven_sets_of_three_the_largest_first():
    assert len(subsets(ALL)) == 7
    assert (subsets(ALL)[0], subsets(("text",))) == (ALL, [("text",)])


def test_each_set_says_how_far_the_answer_moves():
    found = ablate(asked, ALL, LABELS, "happy").subsets
    assert found["video+audio+text"].change == 0
    assert found["audio+text"].probability == pytest.approx(0.45)
    assert found["audio+text"].change == pytest.approx(-0.4)


def test_what_two_achieve_together_is_halved_between_them():
    assert ablate(asked, ALL, LABELS, "happy").shapley == pytest.approx({"video": 0.2, "audio": 0.2, "text": 0.2})


def test_shapley_values_sum_to_what_all_achieve():
    values = {kept: float(np.random.default_rng(len(kept)).random()) for kept in subsets(ALL)} | {(): 0.1}
    assert sum(shapley(values, ALL).values()) == pytest.approx(values[ALL] - 0.1)


def test_a_single_modality_takes_all_the_credit():
    assert ablate(asked, ("text",), LABELS, "happy").shapley == pytest.approx({"text": 0.2})


def test_another_label_than_the_answer_may_be_explained():
    assert ablate(asked, ALL, LABELS, "sad").shapley["text"] == pytest.approx(-0.2 / 3)
