import numpy as np

from mmer.edge.bench.judged import METRICS, Judged, judge

TRUTH = np.array([0, 0, 1, 1])
ALL_FIRST = Judged(TRUTH, np.eye(2)[[0, 0, 0, 0]], ["a", "a", "b", "b"])


def test_values_per_speaker_are_those_of_their_clips():
    found = judge(ALL_FIRST, ("happy", "sad"))
    assert {name: values["accuracy"] for name, values in found.per_speaker.items()} == {"a": 1.0, "b": 0.0}


def test_every_metric_has_an_interval_about_the_figure_of_the_same_name():
    found = judge(ALL_FIRST, ("happy", "sad"))
    assert {name: i.value for name, i in found.intervals.items()} == {n: getattr(found.scores, n) for n in METRICS}
