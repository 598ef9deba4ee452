"""A training that is killed and goes on ends as one that never was."""

import os
import random
import subprocess
import sys
from dataclasses import replace

import pytest
import torch

from mmer.edge.corpus import write_index
from mmer.edge.errors import SettingError
from mmer.training.augment.settings import Augmentation
from mmer.training.fitsettings import FitSettings
from mmer.training.loop import Listener
from mmer.training.optimiser import OptimiserSettings
from mmer.training.progress import OtherTrainingError, ProgressError, claim_progress, progress_path
from mmer.training.recording import Inputs
from mmer.training.samples import load_samples
from mmer.training.stages import Stage
from mmer.training.start import weights_digest
from mmer.training.train import Beginning, TrainSettings, train

LABELS = ("neutral", "happy", "sad")
FIT = FitSettings(
    epochs=5,
    batch_size=4,
    optimiser=OptimiserSettings("adamw", lr=3e-3, text_lr_share=1.0, warmup=0.1, clip_norm=1.0),
    augmentation=Augmentation(),
    dropout=(0.2, 0.2, 0.2),
)
STEPS = 15

DRIVER = """
import sys
from pathlib import Path
import torch
from mmer.edge.corpus import Corpus
from mmer.training.cache import RecordingCache
from mmer.training.loop import Listener
from mmer.training.train import Beginning, train
from test_resume import settings, some
torch.set_num_threads(1)
index, cache, output = map(Path, sys.argv[1:4])
samples = some(Corpus.read([index]), RecordingCache(cache))
beginning = Beginning(progress=output.with_name("out.progress"), resume=True)
told = Listener(lambda step: print(step, flush=True))
trained = train(samples, settings(sys.argv[4]), listener=told, beginning=beginning)
trained.checkpoint.save(output)
"""


class StoppedError(Exception):
    """Stands for whatever ends a training."""


STAGES = {
    "one": (),
    "three": (
        Stage("words", ("text", "fusion"), "text", fit=replace(FIT, epochs=1)),
        Stage("sequences", ("video.layers", "audio.recurrent"), fit=replace(FIT, epochs=2, rates={"audio": 0.1})),
        Stage("together", fit=replace(FIT, epochs=2, rates={"face": 0})),
    ),
}


def settings(stages="one", **changes):
    return TrainSettings(LABELS, preset="tiny", fit=replace(FIT, **changes), stages=STAGES[stages])


def some(corpus, cache, count=12):
    samples = load_samples(corpus, LABELS, Inputs(), cache=cache)
    return [s for split in ("train", "val") for s in [s for s in samples if s.split == split][:count]]


@pytest.fixture(scope="module")
def samples(synth_corpus, synth_cache):
    return some(synth_corpus, synth_cache)


def stop_after(epochs):
    """A listener that ends the training when so many epochs are kept."""

    def hear(epoch):
        if epoch.number == epochs:
            raise StoppedError

    return Listener(epoch=hear)


def interrupted(samples, path, epochs=2, **changes):
    with pytest.raises(StoppedError):
        train(samples, settings(**changes), listener=stop_after(epochs), beginning=Beginning(progress=path))


def begun(arguments, step, pause_s):
    """Start the driver and kill it a moment after a step."""
    folder = os.path.dirname(__file__)
    path = os.pathsep.join([folder, os.environ.get("PYTHONPATH", "")])
    with subprocess.Popen(
        [sys.executable, "-c", DRIVER, *map(str, arguments)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    ) as process:
        for line in process.stdout:
            if int(line) >= step:
                break
        try:
            process.wait(pause_s)
        except subprocess.TimeoutExpired:
            process.kill()
        process.stdout.read()
    return process.returncode


@pytest.mark.parametrize("stages", STAGES)
def test_three_kills_leave_no_trace_in_the_weights(samples, synth_corpus, synth_cache, tmp_path, stages):
    train(samples, settings(stages)).checkpoint.save(tmp_path / "whole")
    seed = random.SystemRandom().randrange(1 << 32)
    chance = random.Random(seed)
    index = tmp_path / "corpus.csv"
    write_index(index, synth_corpus.entries)
    arguments = (index, synth_cache.folder, tmp_path / "out", stages)
    moments = [(chance.randint(5 * kill + 1, 5 * kill + 3), chance.uniform(0, 0.03)) for kill in range(3)]
    assert [begun(arguments, *moment) for moment in moments] == [-9, -9, -9], f"seed {seed}"
    assert begun(arguments, STEPS + 1, 60) == 0
    whole, out = (tmp_path / name / "model.safetensors" for name in ("whole", "out"))
    assert whole.read_bytes() == out.read_bytes(), f"seed {seed}"


@pytest.mark.parametrize("epochs", [1, 2, 3])
def test_going_on_in_any_stage_gives_the_same_weights(samples, tmp_path, epochs):
    whole = train(samples, settings("three"))
    interrupted(samples, tmp_path / "p", epochs, stages="three")
    made = train(samples, settings("three"), beginning=Beginning(progress=tmp_path / "p", resume=True))
    assert [e.stage for e in made.result.epochs] == ["words", "sequences", "sequences", "together", "together"]
    assert weights_digest(made.checkpoint.model) == weights_digest(whole.checkpoint.model)


def test_going_on_loses_no_epoch_and_repeats_none(samples, tmp_path):
    interrupted(samples, tmp_path / "p")
    told = []
    made = train(
        samples,
        settings(),
        listener=Listener(epoch=lambda e: told.append(e.number)),
        beginning=Beginning(progress=tmp_path / "p", resume=True),
    )
    whole = train(samples, settings())
    assert told == [3, 4, 5]
    assert [replace(e, wall_s=0) for e in made.result.epochs] == [replace(e, wall_s=0) for e in whole.result.epochs]
    assert made.result.best == whole.result.best
    for name, value in whole.checkpoint.model.state_dict().items():
        assert torch.equal(value, made.checkpoint.model.state_dict()[name]), name


def test_a_finished_training_only_gives_its_best_again(samples, tmp_path):
    path = tmp_path / "p"
    first = train(samples, settings(epochs=1), beginning=Beginning(progress=path))
    again = train(samples, settings(epochs=1), listener=stop_after(1), beginning=Beginning(progress=path, resume=True))
    assert again.result == first.result


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"seed": 7}, "stages.all.settings.seed"),
        ({"optimiser": replace(FIT.optimiser, lr=0.1)}, "settings.optimiser.lr"),
        ({"stages": "three"}, "stages"),
    ],
)
def test_other_settings_are_refused_by_name(samples, tmp_path, changes, place):
    interrupted(samples, tmp_path / "p", epochs=1)
    with pytest.raises(OtherTrainingError, match=f"other .*{place}.*: ask for the same"):
        train(samples, settings(**changes), beginning=Beginning(progress=tmp_path / "p", resume=True))


def test_other_clips_are_refused(samples, tmp_path):
    interrupted(samples, tmp_path / "p", epochs=1)
    with pytest.raises(OtherTrainingError, match="other clips"):
        train(samples[:-1], settings(), beginning=Beginning(progress=tmp_path / "p", resume=True))


def test_a_torn_file_is_refused_in_one_line(samples, tmp_path):
    interrupted(samples, tmp_path / "p", epochs=1)
    content = (tmp_path / "p").read_bytes()
    (tmp_path / "p").write_bytes(content[: len(content) // 2])
    with pytest.raises(ProgressError, match="start again with --exist-ok") as caught:
        train(samples, settings(), beginning=Beginning(progress=tmp_path / "p", resume=True))
    assert "\n" not in str(caught.value)


def test_without_resume_an_interrupted_training_is_not_lost_silently(tmp_path):
    path = progress_path(tmp_path / "checkpoint")
    path.write_bytes(b"hours of work")
    with pytest.raises(SettingError, match="add --resume"):
        claim_progress(path, resume=False, exist_ok=False)
    assert claim_progress(path, resume=True, exist_ok=False)
    assert not claim_progress(path, resume=False, exist_ok=True)


def test_what_a_kill_left_of_a_write_is_cleared_away(tmp_path):
    path = progress_path(tmp_path / "checkpoint")
    (tmp_path / ".checkpoint.progress.x1y2").write_bytes(b"half")
    (tmp_path / ".checkpoint.x1y2").mkdir()
    claim_progress(path, resume=True, exist_ok=False)
    assert [p.name for p in tmp_path.iterdir()] == [".checkpoint.x1y2"]


def test_patience_ends_a_training_and_going_on_keeps_it_ended(samples, tmp_path):
    path, still = tmp_path / "p", {"patience": 1, "optimiser": replace(FIT.optimiser, lr=1e-9)}
    first = train(samples, settings(**still), beginning=Beginning(progress=path))
    again = train(samples, settings(**still), beginning=Beginning(progress=path, resume=True))
    assert len(first.result.epochs) == first.result.best + 1 < FIT.epochs
    assert again.result == first.result
