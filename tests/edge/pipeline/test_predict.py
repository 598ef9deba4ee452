"""From logits to an answer, and the whole way from a window."""

import json
import math
from dataclasses import asdict

import numpy as np
import pytest

from mmer.edge.backends.ort import OrtSession
from mmer.edge.bundle.manifest import Head
from mmer.edge.errors import DeviceError
from mmer.edge.faces.crop import Crop
from mmer.edge.media.stream import Sound
from mmer.edge.pipeline.executor import Executor
from mmer.edge.pipeline.materials import Materials
from mmer.edge.pipeline.predict import nothing_to_look_at, predict
from mmer.edge.pipeline.window import Window

WINDOW = Window(1.0, 5.0, track=3)
HEAD = Head(("happy", "neutral", "sad"))
PRESENT = {"video": True, "audio": False, "text": True}


def outputs(*logits: float, **more) -> dict[str, np.ndarray]:
    return {"logits": np.array([logits], np.float32), **more}


def test_probabilities_are_the_softmax_of_the_logits():
    found = predict(WINDOW, PRESENT, outputs(math.log(3), math.log(6), 0.0), HEAD)
    assert found.probabilities == pytest.approx({"happy": 0.3, "neutral": 0.6, "sad": 0.1})
    assert (found.label, found.track, found.start_s, found.end_s) == ("neutral", 3, 1.0, 5.0)


def test_a_temperature_softens_the_answer():
    warm = predict(WINDOW, PRESENT, outputs(2 * math.log(3), 2 * math.log(6), 0.0), Head(HEAD.labels, temperature=2.0))
    assert warm.probabilities == pytest.approx({"happy": 0.3, "neutral": 0.6, "sad": 0.1})


def test_huge_logits_give_finite_probabilities():
    assert predict(WINDOW, PRESENT, outputs(1e38, -1e38, 0.0), HEAD).probabilities["happy"] == 1.0


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_logits_that_are_not_finite_are_a_failure(value):
    with pytest.raises(DeviceError, match="not finite"):
        predict(WINDOW, PRESENT, outputs(value, 0.0, 0.0), HEAD)


def test_weights_are_named():
    found = predict(WINDOW, PRESENT, outputs(0.0, 1.0, 2.0, weights=np.array([[0.5, 0.0, 0.5]])), HEAD)
    assert found.weights == {"video": 0.5, "audio": 0.0, "text": 0.5}


def test_a_model_without_weights_gives_none():
    assert predict(WINDOW, PRESENT, outputs(0.0, 1.0, 2.0), HEAD).weights == {}


def test_labels_of_a_multilabel_task_are_judged_one_by_one():
    head = Head(HEAD.labels, "multilabel", thresholds=(0.5, 0.5, 0.5))
    found = predict(WINDOW, PRESENT, outputs(0.0, 1000.0, -1000.0), head)
    assert found.probabilities == pytest.approx({"happy": 0.5, "neutral": 1.0, "sad": 0.0})


def test_nothing_to_look_at_has_no_label():
    found = nothing_to_look_at(WINDOW)
    assert (found.label, found.present) == (None, {"video": False, "audio": False, "text": False})


def test_an_answer_is_json():
    found = predict(WINDOW, PRESENT, outputs(0.0, 1.0, 2.0, weights=np.ones((1, 3), np.float32)), HEAD)
    assert json.loads(json.dumps(asdict(found), allow_nan=False))["label"] == "sad"


def test_a_window_goes_all_the_way(bundle):
    manifest = bundle.manifest
    sessions = {name: OrtSession.open(bundle.graph(name, "fp32")) for name in manifest.graphs}
    materials, executor = Materials.of(bundle), Executor(manifest.plan, manifest.graphs, sessions)
    crops = tuple(Crop(t / 5, np.full((4, 4, 3), t, np.uint8)) for t in range(5))
    window = Window(0.0, 1.0, 0, crops, Sound(0.0, 16000, np.ones(16000, np.float32)), "the cat is happy")
    material = materials.of_window(window)
    found = predict(window, material.present, executor.run(material.values), manifest.head)
    assert sum(found.probabilities.values()) == pytest.approx(1.0)
    assert (list(found.weights), all(found.present.values())) == (["video", "audio", "text"], True)
