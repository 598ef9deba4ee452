"""Forms are compared with float on recordings, and what is wrong with either is told."""

import json
from itertools import pairwise

import pytest

from mmer.edge.corpus import Entry, write_index
from mmer.edge.errors import AccuracyGateError, DataError, DeviceError, NothingToSeeError, SettingError
from mmer.edge.media.stream import Damage
from mmer.edge.pipeline.timeline import WindowSettings
from mmer.edge.pipeline.watcher import Watcher
from mmer.edge.verify import comparison
from mmer.edge.verify.answers import Jury
from mmer.edge.verify.comparison import Order, compare
from mmer.edge.verify.report import comparison_json, comparison_lines


def run(bundle, *names, progress=lambda *_: None, **options):
    return compare(bundle, Order(tuple(map(str, names)), **options), progress)


@pytest.fixture(scope="module")
def found(bundle, folder):
    return run(bundle, folder)


@pytest.fixture(scope="module")
def agreement(found):
    (only,) = found.agreements
    return only


def test_windows_with_the_label_of_float_are_counted(agreement):
    assert (agreement.windows.count, agreement.windows.of) == (4, 12)  # neutral alone is not mixed up
    assert agreement.windows.low == pytest.approx(0.1229, abs=1e-4)


def test_recordings_are_counted_too(agreement):
    assert (agreement.clips.count, agreement.clips.of) == (4, 12)
    assert (agreement.answers.count, agreement.answers.of) == (4, 12)


def test_the_worst_graph_is_found_by_itself(agreement):
    assert [(swap.graph, swap.precision, swap.changed) for swap in agreement.swaps] == [
        ("votes", "int8.ort", 8),
        ("level", "int8.ort", 0),
    ]
    assert 0 < agreement.swaps[1].probability.worst < 0.05 < agreement.swaps[0].probability.mean


def test_the_worst_windows_have_another_label_and_are_the_furthest_apart(agreement):
    assert all(window.label != window.other for window in agreement.worst)
    assert agreement.worst[0].label == "sad"
    apart = [max(abs(a - b) for a, b in zip(w.probabilities, w.others, strict=True)) for w in agreement.worst]
    assert apart == sorted(apart, reverse=True)
    assert apart[0] == agreement.probability.worst


def test_differences_are_those_of_probabilities_and_logits(agreement):
    assert 0 < agreement.probability.mean < agreement.probability.worst <= 1
    assert agreement.logit.worst > agreement.logit.mean > 0


def test_every_int8_form_can_be_compared_by_itself(bundle, folder):
    mixed, right = run(bundle, folder, precision="int8").agreements
    assert (mixed.form.name, mixed.windows.count) == ("int8.ort", 4)
    assert (right.form.name, right.windows.count, right.form.swapped) == ("int8.ort7", 12, {"votes": "int8.ort7"})


def test_one_graph_that_differs_is_the_form_itself(bundle, folder):
    right = run(bundle, folder, precision="int8").agreements[1]
    assert [(swap.graph, swap.changed, swap.probability) for swap in right.swaps] == [("votes", 0, right.probability)]


def test_overlapping_windows_of_one_clip_name_only_the_worst(bundle, sound, tmp_path):
    found = run(bundle, sound(tmp_path / "a.wav", 0.8, 4.0), windows=WindowSettings(1.0, 0.5))
    (agreement,) = found.agreements
    assert agreement.windows.of == 7
    assert 1 < len(agreement.worst) <= 4
    starts = sorted(window.place.start_s for window in agreement.worst)
    assert all(b - a >= 1 for a, b in pairwise(starts))


def test_a_clip_with_one_other_window_is_no_clip_without_change(bundle, tmp_path):
    import numpy as np
    import soundfile

    signs = np.sign(np.random.default_rng(0).normal(size=32_000))
    loudness = np.repeat([0.05, 0.05, 0.05, 0.3], 8000)
    soundfile.write(tmp_path / "a.wav", (signs * loudness).astype("f4"), 8000)
    (agreement,) = run(bundle, tmp_path / "a.wav", windows=WindowSettings(1.0, 1.0)).agreements
    assert (agreement.windows.count, agreement.windows.of) == (3, 4)
    assert (agreement.clips.count, agreement.answers.count, agreement.clips.of) == (0, 1, 1)


def test_windows_without_anything_are_counted_and_do_not_judge(bundle, folder, sound, tmp_path):
    short = sound(tmp_path / "short.wav", 0.3, 0.05)
    found = run(bundle, folder / "sad0.wav", short)
    assert (found.windows, found.empty, found.answered, len(found.clips)) == (1, 1, 1, 2)
    assert "in 1 more there was nothing to look at" in next(comparison_lines(found))


def test_clips_without_anything_at_all_are_refused(bundle, sound, tmp_path):
    with pytest.raises(NothingToSeeError, match="none of 1 clip"):
        run(bundle, sound(tmp_path / "short.wav", 0.3, 0.05))


def test_one_unreadable_clip_among_many_is_told_and_ends_with_3(bundle, folder, tmp_path):
    (tmp_path / "broken.wav").write_bytes(b"RIFF")
    found = run(bundle, tmp_path / "broken.wav", folder)
    assert (found.windows, found.exit_code, len(found.failures)) == (12, 3, 1)
    assert "broken.wav" in str(found.failures[0].error)


def test_without_any_readable_clip_its_error_is_raised(bundle, tmp_path):
    with pytest.raises(DataError, match=r"missing\.wav: no such file") as failure:
        run(bundle, tmp_path / "missing.wav")
    assert failure.value.exit_code == 3


def test_an_index_names_stretches_whose_windows_belong_to_one_recording(bundle, sound, tmp_path):
    sound(tmp_path / "a.wav", 0.8, 4.0)
    stretches = [Entry(tmp_path / "a.wav", "sad", "test", "x", start_s=s, end_s=s + 1) for s in (0.0, 2.0)]
    write_index(tmp_path / "i.csv", [*stretches, Entry(tmp_path / "none.wav", "sad", "train", "y")])
    found = run(bundle, tmp_path / "i.csv", where=[("split", "test")])
    (agreement,) = found.agreements
    assert (agreement.windows.of, agreement.clips.of, found.failures) == (2, 1, ())
    assert sorted(window.place.start_s for window in agreement.worst) == [0.0, 2.0]


def test_progress_is_heard(bundle, folder):
    heard = []
    run(bundle, folder / "sad0.wav", folder / "sad1.wav", progress=lambda *told: heard.append(told))
    assert heard == [("comparing clips", 1, 2), ("comparing clips", 2, 2)]


def test_a_bound_that_is_not_reached_ends_with_6(found):
    with pytest.raises(AccuracyGateError, match=r"auto: 4 of 12 .* at least 12\.29%, and 90\.00% is asked") as failure:
        found.require(0.9)
    assert failure.value.exit_code == 6


def test_too_few_windows_do_not_reach_a_bound_however_alike(bundle, folder):
    (right,) = run(bundle, folder / "neutral0.wav").agreements
    assert (right.windows.share, right.windows.low) == (1.0, pytest.approx(0.05))


def test_a_bound_that_is_reached_says_nothing(found):
    found.require(0.12)
    found.require(None)


@pytest.mark.parametrize("least", [-0.1, 1.5, float("nan")])
def test_a_share_that_is_none_is_refused(least):
    with pytest.raises(SettingError, match="min-agreement"):
        Order(("a.wav",), least=least)


@pytest.mark.parametrize("precision", ["fp32", "int4"])
def test_only_what_can_differ_from_float_is_compared(bundle, folder, precision):
    with pytest.raises(SettingError, match="compare one of auto, int8, fp16 with fp32"):
        run(bundle, folder, precision=precision)


@pytest.fixture(scope="module")
def plain(make_bundle, tmp_path_factory):
    return make_bundle(tmp_path_factory.mktemp("plain") / "loud")


def test_a_bundle_without_int8_says_so_and_decodes_nothing(plain, tmp_path):
    found = run(plain, tmp_path / "missing.wav")
    assert (found.agreements, found.exit_code) == ((), 0)
    assert found.remarks == (
        "auto: the bundle has no INT8 form, everything runs in float here, so there is nothing to compare",
    )


def test_a_form_that_is_not_there_is_refused(plain, folder):
    with pytest.raises(SettingError, match="has no int8 form; make one with `mmer calibrate`"):
        run(plain, folder, precision="int8")


def test_a_bound_on_nothing_is_not_reached(plain, folder):
    with pytest.raises(SettingError, match="--min-agreement: auto: the bundle has no INT8 form"):
        run(plain, folder, least=0.9)


def test_a_form_that_this_machine_computes_wrongly_is_told(make_bundle, quantised, folder, tmp_path):
    import numpy as np

    from mmer.edge.bundle import golden
    from mmer.edge.bundle.writer import write_bundle

    made = make_bundle(tmp_path / "a", **quantised)
    files = {name: made.read(name) for name in made.manifest.files}
    files["golden/votes.int8.ort.npz"] = golden.encode([golden.Case({}, {"logits": np.full((1, 3), 9, "f4")})])
    (agreement,) = (found := run(write_bundle(tmp_path / "b", made.manifest, files), folder)).agreements
    assert agreement.form.swapped == {"level": "int8.ort", "votes": "int8.ort7"}
    assert "graph votes falls back" in found.remarks[0]


def test_a_comparison_is_json(found):
    document = json.loads(json.dumps(comparison_json(found), allow_nan=False))
    form = document["forms"][0]
    assert (document["windows"], document["clips"], document["clips_answered"]) == (12, 12, 12)
    assert (form["form"], form["worst_graph"], form["windows"]["count"]) == ("auto", "votes", 4)
    assert form["graphs"]["level"]["precision"] == "int8.ort"
    assert form["worst_windows"][0]["labels"] == {"float": "sad", "form": "happy"}
    assert form["worst_windows"][0]["probabilities"]["float"].keys() == {"neutral", "happy", "sad"}


def test_the_lines_say_what_the_bounds_are_worth(found):
    text = "\n".join(comparison_lines(found))
    facts = ("33.33% of 12 windows, at least 12.29%", "votes alone: 8 window(s)", "worst: sad", "depend on each other")
    assert [fact for fact in facts if fact not in text] == []


def test_a_form_whose_answers_overflow_fails_with_9(make_bundle, level, folder, tmp_path):
    overflowing = make_bundle(tmp_path / "a", level={"int8.ort": level(1e38)})
    with pytest.raises(DeviceError, match="not finite"):
        run(overflowing, folder)


def test_what_could_not_be_decoded_is_told(bundle, folder, monkeypatch):
    class Lossy(Watcher):
        def watch(self, stretch, course):
            course.damage.append(Damage("audio", 3, "bad packet"))
            yield from super().watch(stretch, course)

    monkeypatch.setattr(comparison, "Watcher", Lossy)
    found = run(bundle, folder / "sad0.wav")
    assert found.remarks == (f"{folder / 'sad0.wav'}: 3 audio packets lost: bad packet",)


def test_a_graph_that_no_window_reaches_is_told(bundle, folder, monkeypatch):
    monkeypatch.setattr(Jury, "_calls", lambda _: {"level": 12, "votes": 0})
    found = run(bundle, folder)
    assert found.remarks == ("auto: no window gave votes anything to read, so this says nothing of it",)
    assert "  votes alone: no window gave it anything to read" in list(comparison_lines(found))
