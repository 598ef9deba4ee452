"""The float model runs beside its bundle, and beside no other."""

from dataclasses import replace

import numpy as np
import pytest

from mmer.edge.bench.contender import contenders
from mmer.edge.pipeline.executor import Executor
from mmer.export.reference import OtherModelError, torch_contender
from mmer.export.writer import export_checkpoint
from mmer.training.checkpoint import Checkpoint, Facts
from mmer.training.recording import Inputs
from mmer.training.tokenizer import train_tokenizer
from mmer.training.zoo import ZOO

TOLERANCE = 1e-4
"""Of logits, absolute or relative; measured: 6.4e-5 at worst where they are largest."""


@pytest.fixture(scope="module")
def saved(lively, tmp_path_factory):
    """A checkpoint, where it lies, and its bundle."""
    settings = ZOO["cafes"].presets["tiny"]
    facts = Facts("cafes", "tiny", settings, ("neutral", "happy", "sad", "anger"))
    checkpoint = Checkpoint(facts, lively.model, train_tokenizer([], settings.text.vocab_size))
    folder = tmp_path_factory.mktemp("reference")
    checkpoint.save(folder / "checkpoint")
    return checkpoint, folder / "checkpoint", export_checkpoint(checkpoint, folder / "bundle").bundle


@pytest.fixture(scope="module")
def contender(saved):
    checkpoint, path, bundle = saved
    return torch_contender(path, checkpoint, bundle, 1)


def test_torch_and_the_float_graphs_agree_on_every_window(saved, contender, lively, tmp_path, monkeypatch):
    monkeypatch.setenv("MMER_CACHE", str(tmp_path))
    _, _, bundle = saved
    (graphs,) = contenders(bundle, 1)
    manifest = bundle.manifest
    ours, theirs = (Executor(manifest.plan, manifest.graphs, c.sessions) for c in (contender, graphs))
    for window in lively.windows:
        got, wanted = (executor.run(window.values())["logits"] for executor in (ours, theirs))
        np.testing.assert_allclose(got, wanted, rtol=TOLERANCE, atol=TOLERANCE)


def test_the_row_says_that_torch_computes_it(contender):
    assert (contender.name, contender.precision, contender.backend) == ("torch", "fp32", "torch")
    assert contender.size > 0


def other(checkpoint, **facts):
    return replace(checkpoint, facts=replace(checkpoint.facts, **facts))


def test_other_labels_are_refused(saved):
    checkpoint, path, bundle = saved
    strange = other(checkpoint, labels=("neutral", "happy", "sad", "fear"))
    with pytest.raises(OtherModelError, match="its labels are neutral, happy, sad, fear"):
        torch_contender(path, strange, bundle, 1)


def test_other_preprocessing_is_refused(saved):
    checkpoint, path, bundle = saved
    inputs = Inputs(audio=replace(checkpoint.facts.inputs.audio, level="rms"))
    with pytest.raises(OtherModelError, match="prepares its inputs differently"):
        torch_contender(path, other(checkpoint, inputs=inputs), bundle, 1)


def test_another_plan_is_refused(saved):
    checkpoint, path, bundle = saved
    plan = replace(bundle.manifest.plan, stages=bundle.manifest.plan.stages[::-1])
    changed = replace(bundle, manifest=replace(bundle.manifest, plan=plan))
    with pytest.raises(OtherModelError, match="another plan"):
        torch_contender(path, checkpoint, changed, 1)


def test_other_weights_are_refused(saved, fresh):
    checkpoint, path, bundle = saved
    with pytest.raises(OtherModelError, match="other weights"):
        torch_contender(path, replace(checkpoint, model=fresh().eval()), bundle, 1)
