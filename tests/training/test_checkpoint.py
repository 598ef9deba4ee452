"""A checkpoint gives back the model that was saved, or says what is wrong with it."""

import json
import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from mmer.edge.errors import MmerError, OutputExistsError, SettingError
from mmer.edge.inputs.audio import AudioInput
from mmer.edge.inputs.text import TextInput, Tokeniser
from mmer.training.checkpoint import Checkpoint, CheckpointError
from mmer.training.predict import predict
from mmer.training.recording import Inputs
from mmer.training.train import TrainSettings, untrained

LABELS = ("neutral", "happy", "sad")


@pytest.fixture(scope="module")
def checkpoint():
    settings = TrainSettings(LABELS, preset="tiny", inputs=Inputs(audio=AudioInput(level="rms")))
    made = untrained(settings, ["I am so happy", "so sad"])
    return replace(made, facts=replace(made.facts, metrics={"val": {"uar": 0.5}}, provenance={"seed": 1}))


@pytest.fixture
def saved(checkpoint, tmp_path):
    checkpoint.save(tmp_path / "model")
    return tmp_path / "model"


def rewritten(folder, change):
    """Change checkpoint.json in place."""
    path = folder / "checkpoint.json"
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


def reweighted(folder, change):
    """Change the weights and the digest that names them."""
    import hashlib

    path = folder / "model.safetensors"
    state = load_file(path)
    change(state)
    save_file(state, path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    rewritten(folder, lambda document: document["files"].update({path.name: digest}))


def test_it_comes_back_as_it_was(checkpoint, saved):
    again = Checkpoint.open(saved)
    assert again.facts == checkpoint.facts
    assert again.tokenizer == checkpoint.tokenizer
    ours, theirs = checkpoint.model.state_dict(), again.model.state_dict()
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_it_answers_as_it_did(checkpoint, saved, synth_samples):
    before = predict(checkpoint.model, checkpoint.reader(), synth_samples[:3])
    again = Checkpoint.open(saved)
    after = predict(again.model, again.reader(), synth_samples[:3])
    assert np.array_equal(before.probabilities, after.probabilities)


def test_the_runtime_opens_its_tokenizer(saved):
    read = Tokeniser.open(saved / "tokenizer.json", TextInput()).arrays("so happy")
    assert read is not None


def test_the_vocabulary_is_that_of_the_tokenizer(checkpoint):
    vocabulary = json.loads(checkpoint.tokenizer)["model"]["vocab"]
    assert checkpoint.facts.settings.text.vocab_size == len(vocabulary)


def test_nothing_is_overwritten_unless_asked(checkpoint, saved):
    with pytest.raises(OutputExistsError):
        checkpoint.save(saved)
    checkpoint.save(saved, exist_ok=True)
    assert Checkpoint.open(saved).facts == checkpoint.facts


def test_a_folder_that_is_no_checkpoint_is_never_replaced(checkpoint, tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(SettingError):
        checkpoint.save(tmp_path, exist_ok=True)
    assert (tmp_path / "thesis.txt").exists()


def test_a_save_that_is_stopped_leaves_nothing(checkpoint, tmp_path, monkeypatch):
    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("mmer.training.checkpoint.json.dumps", stopped)
    with pytest.raises(KeyboardInterrupt):
        checkpoint.save(tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: d.update(schema="mmer.checkpoint/2"), "schema"),
        (lambda d: d.update(surprise=1), "surprise"),
        (lambda d: d.pop("labels"), "needed"),
        (lambda d: d.update(model="gpt"), "gpt"),
        (lambda d: d.update(preset="huge"), "huge"),
        (lambda d: d.update(labels=["happy"]), "1 labels for 3 classes"),
        (lambda d: d.update(labels="happy"), "not a list"),
        (lambda d: d["settings"].update(depth=4), "depth"),
        (lambda d: d["settings"]["audio"].update(heads="two"), "audio.heads is 'two'"),
        (lambda d: d["settings"]["audio"].pop("heads"), "needs exactly"),
        (lambda d: d["inputs"].pop("audio"), "inputs"),
        (lambda d: d["inputs"]["audio"].pop("rate_hz"), "rate_hz"),
        (lambda d: d.update(metrics=3), "metrics"),
        (lambda d: d["files"].update({"model.safetensors": "0" * 64}), "bytes"),
    ],
)
def test_facts_that_do_not_hold_are_refused(saved, change, said):
    rewritten(saved, change)
    with pytest.raises(MmerError, match=said) as refused:
        Checkpoint.open(saved)
    assert refused.value.exit_code == 8


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda s: s.pop("fusion.vote.weight"), "lacks fusion.vote.weight"),
        (lambda s: s.update(surprise=torch.zeros(1)), "has besides surprise"),
        (
            lambda s: s.update({"fusion.vote.weight": torch.zeros(1, 5)}),
            r"fusion.vote.weight is torch.float32 \[1, 5\]",
        ),
        (lambda s: s.update({"fusion.vote.weight": torch.zeros(1, 4).half()}), "torch.float16"),
    ],
)
def test_weights_that_do_not_fit_are_refused(saved, change, said):
    reweighted(saved, change)
    with pytest.raises(CheckpointError, match=said):
        Checkpoint.open(saved)


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json"])
def test_a_changed_byte_is_refused(saved, name):
    content = bytearray((saved / name).read_bytes())
    content[len(content) // 2] ^= 1
    (saved / name).write_bytes(content)
    with pytest.raises(CheckpointError, match="its bytes"):
        Checkpoint.open(saved)


@pytest.mark.parametrize("name", ["checkpoint.json", "model.safetensors", "tokenizer.json"])
def test_a_missing_file_is_named(saved, name):
    (saved / name).unlink()
    with pytest.raises(CheckpointError, match=f"{name}.*cannot be read"):
        Checkpoint.open(saved)


def test_a_pickle_is_not_read(saved):
    (saved / "checkpoint.json").write_bytes(pickle.dumps({"schema": "mmer.checkpoint/1"}))
    with pytest.raises(CheckpointError, match="not JSON"):
        Checkpoint.open(saved)


@pytest.mark.parametrize(
    ("branch", "name", "value"),
    [("audio", "max_steps", -1), ("video", "heads", 0), ("audio", "heads", 3), ("video", "stages", [[4]])],
)
def test_sizes_that_no_model_has_are_refused(saved, branch, name, value):
    rewritten(saved, lambda d: d["settings"][branch].update({name: value}))
    with pytest.raises(CheckpointError, match=branch):
        Checkpoint.open(saved)
