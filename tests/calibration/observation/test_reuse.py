import json
from dataclasses import replace

import pytest

from mmer.calibration.calibrate import Earlier, calibrate
from mmer.calibration.calibrated import RECORD
from mmer.calibration.graph.prepare import prepared
from mmer.calibration.judgement import judge
from mmer.calibration.judgement.race import Race
from mmer.calibration.observation import observe
from mmer.calibration.observation.memory import Known
from mmer.calibration.observation.reuse import RangesError, earlier_ranges
from mmer.calibration.settings import CalibrationSettings
from mmer.edge.bundle.bundle import Bundle

SETTINGS = CalibrationSettings(samples=6, fresh=2, window_s=1.0, int8_cosine=0.9)


@pytest.fixture(autouse=True)
def _same_race(monkeypatch):
    monkeypatch.setattr(judge, "race", lambda *_: Race(2.0, 0.1, 40))


@pytest.fixture(scope="module")
def written(bundle, corpus, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(judge, "race", lambda *_: Race(2.0, 0.1, 40))
        return calibrate(bundle, corpus, SETTINGS).save(tmp_path_factory.mktemp("first") / "bundle")


def test_another_method_needs_no_other_look(written, bundle, corpus, tmp_path, monkeypatch):
    ranges = earlier_ranges(written.path, bundle)

    def looked(*_):
        raise AssertionError

    monkeypatch.setattr(observe, "_looked", looked)
    again = calibrate(bundle, corpus, replace(SETTINGS, method="percentile"), earlier=Earlier(None, ranges))
    record = json.loads(again.save(tmp_path / "again").read(RECORD))
    before = json.loads(written.read(RECORD))
    assert record["ranges_of"] == ranges.digest
    assert record["statistics"]["sequence"] == before["statistics"]["sequence"]
    assert record["ranges"]["sequence"] != before["ranges"]["sequence"]


def test_the_same_method_gives_the_same_graphs(written, bundle, corpus, tmp_path):
    (tmp_path / "ranges.json").write_bytes(written.read(RECORD))
    ranges = earlier_ranges(tmp_path / "ranges.json", bundle)
    again = calibrate(bundle, corpus, SETTINGS, earlier=Earlier(None, ranges)).save(tmp_path / "again")
    made = {name: content for name, content in again.manifest.files.items() if name.endswith(".onnx")}
    assert made == {name: content for name, content in written.manifest.files.items() if name.endswith(".onnx")}


@pytest.fixture
def changed(written, bundle, tmp_path):
    """Reads the record after some of it was changed."""

    def read(change):
        document = json.loads(written.read(RECORD))
        change(document["statistics"])
        path = tmp_path / "ranges.json"
        path.write_text(json.dumps(document))
        return earlier_ranges(path, bundle)

    return read


def test_another_graph_is_refused(changed):
    with pytest.raises(RangesError, match="graph sequence has digest"):
        changed(lambda graphs: graphs["sequence"].update(digest="0" * 64))


def test_a_value_that_is_not_finite_is_refused_by_tensor(changed):
    def change(graphs):
        next(iter(graphs["sequence"]["tensors"].values()))["mean_extremes"] = [float("nan"), 1.0]

    with pytest.raises(RangesError, match="tensor 'features"):
        changed(change)


def test_a_record_of_other_graphs_is_refused(changed):
    with pytest.raises(RangesError, match="none of the graphs"):
        changed(lambda graphs: graphs.clear())


@pytest.mark.parametrize("content", [b"", b"[", b"{}", b"[1]", b'{"statistics": 3}', b"[" * 100_000])
def test_a_damaged_file_is_refused(bundle, tmp_path, content):
    (tmp_path / "ranges.json").write_bytes(content)
    with pytest.raises(RangesError) as caught:
        earlier_ranges(tmp_path / "ranges.json", bundle)
    assert caught.value.exit_code == 3


def test_a_file_that_is_too_large_is_not_read(bundle, tmp_path):
    with (tmp_path / "ranges.json").open("wb") as file:
        file.truncate(65 << 20)
    with pytest.raises(RangesError, match="at most 64 MiB"):
        earlier_ranges(tmp_path / "ranges.json", bundle)


def test_a_bundle_without_a_calibration_is_refused(bundle):
    with pytest.raises(RangesError, match=r"no calibration\.json"):
        earlier_ranges(Bundle.open(bundle.path).path, bundle)


def test_ranges_of_other_channels_are_refused(transformer, draw):
    inputs = draw(4, 1, None, 32)
    network = prepared(transformer)
    known = dict(observe.observe(network, lambda: inputs).statistics)
    widths = {name: len(kept.seen.low) for name, kept in known.items()}
    narrow, wide = (next(name for name, width in widths.items() if width == size) for size in (32, 64))
    known[narrow] = known[wide]
    with pytest.raises(observe.UnfitError, match="32 channels"):
        observe.observe(network, lambda: inputs, memory=Known(known))


def test_a_graph_that_was_not_looked_at_may_still_be_changed(changed):
    ranges = changed(lambda graphs: graphs["sequence"].update(tensors={}))
    assert "sequence" not in ranges.factors
    assert "faces" in ranges.factors
