"""A checkpoint explains the answer that it gives."""

import pytest

from mmer import cli
from mmer.edge.errors import SettingError
from mmer.edge.explain.folder import write_explanation
from mmer.edge.explain.scene import Moment
from mmer.edge.shipped import EXAMPLE
from mmer.training.explain.checkpoint import explain_checkpoint
from mmer.training.train import TrainSettings, untrained


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    folder = tmp_path_factory.mktemp("explained") / "checkpoint"
    untrained(TrainSettings(("happy", "sad", "anger"), preset="tiny"), ["that plain folder"]).save(folder)
    return folder


@pytest.fixture(scope="module")
def found(checkpoint):
    return explain_checkpoint(checkpoint, Moment(EXAMPLE))


def test_a_checkpoint_and_its_bundle_explain_alike(checkpoint, found, tmp_path):
    pytest.importorskip("onnxscript", reason="the extra export is not installed")
    from mmer.edge.bundle.bundle import Bundle
    from mmer.edge.explain.graphs import explain_bundle
    from mmer.export.writer import export_checkpoint
    from mmer.training.checkpoint import Checkpoint

    export_checkpoint(Checkpoint.open(checkpoint), tmp_path / "bundle")
    graphs = explain_bundle(Bundle.open(tmp_path / "bundle"), Moment(EXAMPLE))
    assert graphs.label == found.label
    assert dict(graphs.ablation.shapley) == pytest.approx(dict(found.ablation.shapley), abs=1e-4)
    assert dict(graphs.weights) == pytest.approx(dict(found.weights), abs=1e-4)


def test_every_figure_over_time_lies_in_the_window(found):
    kinds = {(trace.kind, trace.modality) for trace in found.insight.traces}
    assert kinds == {(k, m) for k in ("attention", "confidence", "gradients") for m in ("video", "audio")}
    for trace in found.insight.traces:
        assert len(trace.times_s) == len(trace.values)
        assert all(0.0 <= time_s <= 4.0 for time_s in trace.times_s)


def test_times_are_those_of_the_recording(checkpoint):
    later = explain_checkpoint(checkpoint, Moment(EXAMPLE, start_s=2.0, length_s=1.5))
    for trace in later.insight.traces:
        assert all(2.0 <= time_s <= 3.5 for time_s in trace.times_s)
        assert max(trace.times_s) > 3.0


def test_gradients_over_time_sum_to_their_modality(found):
    for trace in (t for t in found.insight.traces if t.kind == "gradients"):
        assert sum(trace.values) == pytest.approx(found.insight.gradients.sums[trace.modality])


def test_words_stand_beside_what_they_account_for(found):
    words = [word for word, _ in found.insight.gradients.words]
    assert (words[0], words[-1]) == ("[CLS]", "[SEP]")


def test_every_measure_says_what_it_means(found):
    document = found.to_json()
    assert document["meaning"].keys() == {"ablation", "shapley", "weights", "gradients", "attention", "confidence"}
    assert document["model"]["kind"] == "checkpoint"


def test_an_unknown_label_is_refused_before_the_recording_is_read(checkpoint, tmp_path):
    with pytest.raises(SettingError, match="fear"):
        explain_checkpoint(checkpoint, Moment(tmp_path / "none.mp4"), "fear")


def test_the_pictures_are_drawn(found, tmp_path):
    pytest.importorskip("matplotlib", reason="the extra report is not installed")
    write_explanation(tmp_path / "why", found)
    assert {path.suffix for path in (tmp_path / "why").iterdir()} == {".json", ".png"}
    assert (tmp_path / "why" / "over_time.png").stat().st_size > 10_000


def test_the_command_takes_a_checkpoint(checkpoint, capsys):
    cli.explain(EXAMPLE, model=checkpoint)
    assert "integrated gradients" in capsys.readouterr().out
