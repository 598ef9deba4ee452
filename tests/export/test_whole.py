from itertools import product

import numpy as np
import pytest

from mmer.edge.backends.ort import OPTIMISATION_LEVELS, OrtSession, OrtSettings
from mmer.export.parity import SPREAD
from mmer.export.whole import WHOLE, check, check_plan

SUBSETS = [subset for subset in product((False, True), repeat=3) if any(subset)]


def test_every_graph_and_all_together_agree_with_torch_in_each_form_of_confidence(each):
    parity = check(each.model, each.split, each.graphs, each.windows)
    assert max(parity.shares().values()) <= 1
    assert set(parity.shares()) == {*each.graphs, WHOLE}
    assert {d.place.level for d in parity.differences if d.place.graph == "audio"} == set(OPTIMISATION_LEVELS)


def test_the_logits_of_a_lively_model_vary_enough_to_prove_something(each):
    logits = np.concatenate([answer["logits"] for answer in each.expected])
    assert logits.std(axis=0).min() >= SPREAD


@pytest.mark.parametrize("subset", SUBSETS, ids=str)
def test_each_subset_of_the_modalities_runs_like_the_model(lively, subset):
    chosen = [i for i, window in enumerate(lively.windows) if window.arrays.present == subset]
    sessions = {name: OrtSession.open(content) for name, content in lively.graphs.items()}
    windows, expected = [lively.windows[i] for i in chosen], [lively.expected[i] for i in chosen]
    found = check_plan(lively.split, sessions, expected, windows, "all")
    assert len(found) == 2 * len(windows) >= 8
    assert all((answer["weights"][0] > 0).tolist() == list(subset) for answer in expected)


def test_the_windows_reach_every_count_of_frames_and_both_ends_of_every_length(lively):
    frames = {0 if w.arrays.frames is None else len(w.arrays.frames) for w in lively.windows}
    samples = {len(w.arrays.samples) for w in lively.windows if w.arrays.samples is not None}
    tokens = {len(w.arrays.ids) for w in lively.windows if w.arrays.ids is not None}
    assert frames == set(range(9))
    assert {1180, 1181, 2203, 2204, 83_426} <= samples
    assert {1, 2, 99, 100} <= tokens


def test_a_session_at_each_level_answers_for_the_whole_plan(lively):
    for level in OPTIMISATION_LEVELS:
        sessions = {n: OrtSession.open(c, OrtSettings(optimisation=level)) for n, c in lively.graphs.items()}
        check_plan(lively.split, sessions, lively.expected, lively.windows, level)
