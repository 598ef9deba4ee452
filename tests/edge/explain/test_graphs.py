"""A bundle's answer is the one that `mmer run` gives, and its explanation holds together."""

import json

import numpy as np
import pytest

from mmer import cli
from mmer.edge.bundle.bundle import Bundle
from mmer.edge.errors import MediaNotFoundError, NothingToSeeError, SettingError
from mmer.edge.explain.folder import write_explanation
from mmer.edge.explain.graphs import explain_bundle
from mmer.edge.explain.scene import Moment
from mmer.edge.launch import RunOptions, launch
from mmer.edge.shipped import BUNDLE, EXAMPLE


@pytest.fixture(scope="module")
def bundle():
    return Bundle.open(BUNDLE)


@pytest.fixture(scope="module")
def found(bundle):
    return explain_bundle(bundle, Moment(EXAMPLE))


def test_the_answer_is_that_of_a_run(found):
    first = launch([str(EXAMPLE)], RunOptions(), "jsonl", lambda _: None, keep=True).runs[0].predictions[0]
    assert dict(found.probabilities) == pytest.approx(dict(first.probabilities), abs=1e-6)
    assert found.label == first.label


def test_modalities_add_up_to_the_answer(found):
    gained = found.probabilities[found.label] - found.ablation.nothing
    assert sum(found.ablation.shapley.values()) == pytest.approx(gained)
    assert len(found.ablation.subsets) == 7


def test_what_is_left_out_is_as_if_it_had_never_been_there(found):
    left = found.scene.material.only(("audio",))
    assert left.values.keys() == {"samples", "present"}
    assert np.array_equal(left.values["present"][0].make(), [[0, 1, 0]])


def test_it_says_what_it_cannot_tell_and_what_the_model_is_not(found):
    lines = "\n".join(found.lines())
    assert "not in a bundle" in lines
    assert "demonstration, not accurate" in lines
    assert found.to_json()["gradients"] is None
    assert "gradients" not in found.to_json()["meaning"]


def test_times_are_those_of_the_recording(bundle):
    later = explain_bundle(bundle, Moment(EXAMPLE, start_s=2.0, length_s=2.0))
    assert (later.scene.window.start_s, later.scene.window.end_s) == (2.0, 4.0)
    assert all(2.0 <= crop.time_s < 4.0 for crop in later.scene.frames)


def test_another_label_may_be_asked_for(bundle):
    assert explain_bundle(bundle, Moment(EXAMPLE), "fear").label == "fear"
    with pytest.raises(SettingError, match="boredom"):
        explain_bundle(bundle, Moment(EXAMPLE), "boredom")


def test_a_moment_behind_the_end_is_told(bundle, tmp_path):
    (tmp_path / "none.txt").write_text(" ")
    with pytest.raises(NothingToSeeError, match="900 s"):
        explain_bundle(bundle, Moment(EXAMPLE, start_s=900.0))
    with pytest.raises(MediaNotFoundError):
        explain_bundle(bundle, Moment(tmp_path / "none.mp4"))


def test_a_window_longer_than_the_model_hears_is_refused(bundle):
    with pytest.raises(SettingError, match="hears"):
        explain_bundle(bundle, Moment(EXAMPLE, length_s=20.0))


def test_a_folder_holds_the_document_and_a_picture(found, tmp_path):
    pytest.importorskip("matplotlib", reason="the extra report is not installed")
    write_explanation(tmp_path / "why", found)
    assert sorted(path.name for path in (tmp_path / "why").iterdir()) == ["contributions.png", "explanation.json"]
    assert json.loads((tmp_path / "why" / "explanation.json").read_text())["schema"] == "mmer.explain/1"


def test_the_command_explains_the_example(capsys):
    cli.explain(example=True, as_json=True)
    document = json.loads(capsys.readouterr().out)
    assert (document["model"]["kind"], document["window"]["track"]) == ("bundle", 0)


def test_the_command_wants_one_recording():
    with pytest.raises(SettingError, match="--example"):
        cli.explain()


@pytest.mark.parametrize("start_s", [-1.0, float("nan"), float("inf")])
def test_a_window_that_begins_nowhere_is_refused_before_the_recording_is_read(tmp_path, start_s):
    with pytest.raises(SettingError, match="0 or later"):
        cli.explain(tmp_path / "none.mp4", start_s=start_s)
