"""What each process of test_ranks.py runs: a short training whose checkpoint the leader saves."""

import json
import os
import sys
from pathlib import Path

import torch

from mmer.edge.corpus import Corpus
from mmer.edge.inputs.audio import AudioInput
from mmer.training import ranks
from mmer.training.augment.settings import Augmentation
from mmer.training.cache import RecordingCache
from mmer.training.curriculum import CurriculumSettings
from mmer.training.fitsettings import FitSettings
from mmer.training.loop import Listener
from mmer.training.optimiser import OptimiserSettings
from mmer.training.overrides import overridden
from mmer.training.recording import Inputs
from mmer.training.samples import load_samples
from mmer.training.train import Beginning, TrainSettings, train
from mmer.training.world import world
from mmer.training.zoo.cafes import PRESETS

LABELS = ("neutral", "happy", "sad")
FIT = FitSettings(
    epochs=2,
    batch_size=5,  # of 11 clips: shares of 2 and 3, and of 0 and 1
    keep="last",
    optimiser=OptimiserSettings("adamw", lr=1e-3, text_lr_share=1.0, clip_norm=1.0),
    augmentation=Augmentation(),
    dropout=(0.5, 0.5, 0.5),  # shares, and batches, that lack a modality
    curriculum=CurriculumSettings(epochs=1),  # the second epoch shows what was easy in the first, on any rank
    mixup=0.4,
)


INPUTS = {"waveform": Inputs(), "mel": Inputs(audio=AudioInput(rate_hz=16_000))}
"""By what reads the sound."""


def asked(changes: list[str], sizes: list[str]) -> TrainSettings:
    """A tiny model with changes of its training and of its sizes."""
    built = overridden(PRESETS["tiny"], sizes)
    fit, inputs = overridden(FIT, changes), INPUTS[built.audio.front]
    return TrainSettings(LABELS, preset="tiny", fit=fit, inputs=inputs, sizes=built)


def some(corpus: Corpus, inputs: Inputs, cache: RecordingCache) -> list:
    """Eleven clips to train on and four to choose by."""
    few = [e for split, n in (("train", 11), ("val", 4)) for e in [e for e in corpus.entries if e.split == split][:n]]
    return load_samples(Corpus(tuple(few)), LABELS, inputs, cache=cache)


def run(samples: list, settings: TrainSettings, output: Path, stop: int = 0) -> None:
    """Train, going on where an earlier run was stopped, and save."""

    def leave(epoch):
        if epoch.number == stop and ranks.leads():
            os._exit(1)

    beginning = Beginning(progress=output.with_name(f"{output.name}.progress"), resume=True)
    made = train(samples, settings, listener=Listener(epoch=leave), beginning=beginning)
    if ranks.leads():
        made.checkpoint.save(output)
        output.with_suffix(".losses").write_text(json.dumps([epoch.loss for epoch in made.result.epochs]))


if __name__ == "__main__":
    torch.set_num_threads(1)
    index, cache, output, changes, sizes, stop = sys.argv[1:]
    settings = asked(json.loads(changes), json.loads(sizes))
    with world():
        samples = some(Corpus.read([Path(index)]), settings.inputs, RecordingCache(Path(cache)))
        run(samples, settings, Path(output), int(stop))
