"""What was found can be kept in the bundle, which stays whole."""

import json

import numpy as np
import pytest

from mmer.edge.backends.ort import OrtSession
from mmer.edge.bundle import golden
from mmer.edge.bundle.bundle import Bundle
from mmer.edge.bundle.golden import GoldenReplayError
from mmer.edge.bundle.inspect import inspect, lines
from mmer.edge.bundle.paths import VERIFICATION
from mmer.edge.bundle.verify import verify
from mmer.edge.bundle.writer import write_bundle
from mmer.edge.errors import OutputExistsError, SettingError
from mmer.edge.verify.comparison import Order
from mmer.edge.verify.launch import launch


def quiet(*_):
    pass


@pytest.fixture(params=["loud", "loud.zip"], ids=["folder", "zip"])
def made(make_bundle, quantised, tmp_path, request):
    return make_bundle(tmp_path / request.param, **quantised)


@pytest.fixture
def kept(made, folder):
    return launch(made, Order((str(folder),), write=True), quiet)


def test_a_bundle_that_keeps_a_comparison_opens_and_passes(made, kept):
    opened = Bundle.open(made.path)
    assert opened.digest == kept.written.digest != made.digest
    assert [name for name in opened.manifest.files if name not in made.manifest.files] == [VERIFICATION]
    verify(opened, OrtSession.open).require()


def test_the_record_tells_what_it_speaks_of(made, kept):
    record = json.loads(kept.written.read(VERIFICATION))
    assert (record["schema"], record["source"]) == ("mmer.verification/1", made.digest)
    assert (record["windows"], record["forms"][0]["worst_graph"]) == (12, "votes")
    assert record["machine"]["onnxruntime"]


def test_the_record_names_files_but_not_where_they_lay(folder, kept):
    record = kept.written.read(VERIFICATION).decode()
    assert "sad0.wav" in record
    assert str(folder) not in record


def test_a_recording_that_failed_is_named_without_its_folder(made, folder, tmp_path):
    found = launch(made, Order((str(folder), str(tmp_path / "none.wav")), write=True), quiet)
    record = found.written.read(VERIFICATION).decode()
    assert json.loads(record)["failed"] == [{"clip": "none.wav"}]
    assert str(tmp_path) not in record


def test_an_inspection_shows_the_figures(kept):
    assert inspect(kept.written)["metrics"]["agreement"] == {
        "auto": {"windows": 12, "same_label": 0.333333, "lower_bound": 0.122851, "clips": 12, "clips_without_change": 4}
    }
    assert any(line.startswith("metric     agreement: ") for line in lines(kept.written))


def test_a_record_is_replaced_only_when_that_is_said(made, kept, folder):
    with pytest.raises(OutputExistsError, match=VERIFICATION):
        launch(kept.written, Order((str(folder),), write=True), quiet)
    again = launch(kept.written, Order((str(folder / "sad0.wav"),), write=True, exist_ok=True), quiet)
    assert json.loads(Bundle.open(made.path).read(VERIFICATION))["windows"] == 1
    assert again.written.manifest.metrics["agreement"]["auto"]["windows"] == 1


def test_what_is_found_again_is_the_same(kept, folder):
    first = json.loads(kept.written.read(VERIFICATION))
    again = launch(kept.written, Order((str(folder),), write=True, exist_ok=True), quiet)
    assert {**json.loads(again.written.read(VERIFICATION)), "source": first["source"]} == first


def test_nothing_is_written_where_nothing_was_compared(make_bundle, folder, tmp_path):
    plain = make_bundle(tmp_path / "plain")
    found = launch(plain, Order((str(folder),), write=True), quiet)
    assert found.written is None
    assert list(found.lines())[-1].startswith("nothing was compared: auto: the bundle has no INT8 form")
    assert found.notes() == ()
    assert Bundle.open(plain.path).digest == plain.digest


def test_one_file_under_another_name_is_refused_before_the_work(make_bundle, quantised, tmp_path):
    packed = make_bundle(tmp_path / "loud.zip", **quantised).path.rename(tmp_path / "loud.mmer")
    with pytest.raises(SettingError, match="rename it"):
        launch(Bundle.open(packed), Order(("none.wav",), write=True), quiet)


def test_without_a_wish_nothing_is_written(made, folder):
    assert launch(made, Order((str(folder),)), quiet).written is None
    assert Bundle.open(made.path).digest == made.digest


def test_everything_is_one_document(kept, made):
    document = json.loads(json.dumps(kept.to_json(), allow_nan=False))
    assert document["schema"] == "mmer.verify/1"
    assert (document["bundle"]["digest"], document["written"]["digest"]) == (made.digest, kept.written.digest)
    assert document["on"]["windows"] == 12
    assert f"digest {kept.written.short}" in list(kept.lines())[-1]


def test_a_graph_that_is_computed_wrongly_here_ends_with_9_after_the_comparison(made, folder, tmp_path):
    files = {name: made.read(name) for name in made.manifest.files}
    files["golden/votes.int8.ort.npz"] = golden.encode([golden.Case({}, {"logits": np.full((1, 3), 9, "f4")})])
    found = launch(write_bundle(tmp_path / "wrong", made.manifest, files), Order((str(folder),), least=0.9), quiet)
    assert found.comparison.windows == 12
    with pytest.raises(GoldenReplayError, match=r"votes\.int8\.ort"):
        found.require()
