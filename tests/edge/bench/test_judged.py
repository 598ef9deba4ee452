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


def test_speakers_who_differ_make_the_interval_across_them_the_wider_one():
    always_first = Judged(np.repeat([0, 1], 5), np.eye(2)[[0] * 10], ["a"] * 5 + ["b"] * 5)
    found = judge(always_first, ("happy", "sad"))
    within, across = found.intervals["accuracy"], found.across["accuracy"]
    assert (within.low, within.high) == (0.5, 0.5)
    assert (across.low, across.high) == (0.0, 1.0)


def test_each_class_has_its_area_under_the_curve():
    found = judge(ALL_FIRST, ("happy", "sad"))
    assert {label: values["auc"] for label, values in found.per_class.items()} == {"happy": 0.5, "sad": 0.5}
