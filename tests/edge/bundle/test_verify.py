"""Verification replays every graph and inspection tells what is inside."""

import json

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from mmer.edge.backends.ort import OrtSession
from mmer.edge.bundle import golden
from mmer.edge.bundle.golden import Case, GoldenReplayError
from mmer.edge.bundle.inspect import inspect, lines
from mmer.edge.bundle.verify import verify
from mmer.edge.bundle.writer import write_bundle
from mmer.edge.errors import BundleError, DeviceError


def test_a_right_bundle_passes(bundle):
    found = verify(bundle, OrtSession.open)
    found.require()
    assert [(r.title, r.error) for r in found.replayed] == [("frame.fp32", None), ("window.fp32", None)]


def test_a_graph_that_computes_something_else_fails_with_exit_9(parts, tmp_path):
    graph = onnx.load_from_string(parts.files["graphs/frame.fp32.onnx"])
    graph.graph.initializer[0].CopyFrom(numpy_helper.from_array(np.ones((6, 4), np.float32), "weights"))
    files = {**parts.files, "graphs/frame.fp32.onnx": graph.SerializeToString()}
    found = verify(write_bundle(tmp_path / "a", parts.manifest, files), OrtSession.open)
    assert [r.error is None for r in found.replayed] == [False, True]
    with pytest.raises(GoldenReplayError, match=r"graph frame\.fp32: output features") as failure:
        found.require()
    assert failure.value.exit_code == 9


def test_a_graph_that_does_not_load_fails_with_exit_9(bundle):
    def refuse(_graph):
        raise DeviceError("no such kernel")

    found = verify(bundle, refuse)
    with pytest.raises(DeviceError, match="no such kernel"):
        found.require()
    assert "does not run" in "\n".join(found.lines())


def test_a_graph_with_other_tensors_than_stated_is_refused_with_exit_8(parts, tmp_path):
    files = {**parts.files, "graphs/frame.fp32.onnx": parts.files["graphs/window.fp32.onnx"]}
    with pytest.raises(BundleError, match=r"frame\.fp32\.onnx: .*the manifest says"):
        verify(write_bundle(tmp_path / "a", parts.manifest, files), OrtSession.open)


def test_a_verification_is_json(bundle):
    found = json.loads(json.dumps(verify(bundle, OrtSession.open).to_json(), allow_nan=False))
    assert (found["schema"], found["bundle"]["digest"], found["files"]) == ("mmer.verify/1", bundle.digest, 6)
    assert found["graphs"][0] == {
        "graph": "frame",
        "precision": "fp32",
        "ok": True,
        "tolerance": 1e-3,
        "worst": {"case": 0, "output": "features", "value": 0.0},
        "error": None,
    }


def test_a_failed_verification_is_json_too(parts, tmp_path):
    wrong = golden.encode([Case({"crops": np.zeros((1, 6), np.float32)}, {"features": np.zeros((9, 9), np.float32)})])
    bundle = write_bundle(tmp_path / "a", parts.manifest, {**parts.files, "golden/frame.npz": wrong})
    found = json.loads(json.dumps(verify(bundle, OrtSession.open).to_json(), allow_nan=False))
    assert found["graphs"][0]["worst"]["value"] is None
    assert "output features" in found["graphs"][0]["error"]


def test_the_lines_of_a_verification_show_the_digest(bundle):
    assert bundle.short in next(verify(bundle, OrtSession.open).lines())


def test_an_inspection_is_the_manifest_and_the_digest(bundle):
    found = json.loads(json.dumps(inspect(bundle)))
    assert (found["schema"], found["format"], found["digest"]) == ("mmer.inspect/1", "mmer.bundle/1", bundle.digest)
    assert found["plan"]["stages"][0]["needs"] == ["video"]


def test_the_lines_of_an_inspection_tell_the_facts(bundle):
    text = "\n".join(lines(bundle))
    facts = (
        bundle.short,
        "happy, neutral, sad",
        "looks at   video",
        "crops float32 [N, 6] -> features",
        "uar: 0.5",
        "seed: 1",
    )
    assert [fact for fact in facts if fact not in text] == []
