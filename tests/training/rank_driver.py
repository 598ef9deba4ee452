"""What each process of test_ranks.py runs: a short training whose checkpoint the leader saves."""

import json
import os
import sys
from pathlib import Path

import torch

from mmer.edge.corpus import Corpus
from mmer.training import ranks
from mmer.training.augment.settings import Augmentation
from mmer.training.cache import RecordingCache
from mmer.training.fitsettings import FitSettings
from mmer.training.loop import Listener
from mmer.training.optimiser import OptimiserSettings
from mmer.training.overrides import overridden
from mmer.training.recording import Inputs
from mmer.training.samples import load_samples
from mmer.training.train import Beginning, TrainSettings, train
from mmer.training.world import world

LABELS = ("neutral", "happy", "sad")
FIT = FitSettings(
    epochs=2,
    batch_size=5,  # of 11 clips: shares of 2 and 3, and of 0 and 1
    keep="last",
    optimiser=OptimiserSettings("adamw", lr=1e-3, text_lr_share=1.0, clip_norm=1.0),
    augmentation=Augmentation(),
    dropout=(0.5, 0.5, 0.5),  # shares, and batches, that lack a modality
)


def some(corpus: Corpus, cache: RecordingCache) -> list:
    """Eleven clips to train on and four to choose by."""
    samples = load_samples(corpus, LABELS, Inputs(), cache=cache)
    return [s for split, n in (("train", 11), ("val", 4)) for s in [s for s in samples if s.split == split][:n]]


def run(samples: list, output: Path, changes: list[str], stop: int = 0) -> None:
    """Train, going on where an earlier run was stopped, and save."""

    def leave(epoch):
        if epoch.number == stop and ranks.leads():
            os._exit(1)

    beginning = Beginning(progress=output.with_name(f"{output.name}.progress"), resume=True)
    settings = TrainSettings(LABELS, preset="tiny", fit=overridden(FIT, changes))
    made = train(samples, settings, listener=Listener(epoch=leave), beginning=beginning)
    if ranks.leads():
        made.checkpoint.save(output)
        output.with_suffix(".losses").write_text(json.dumps([epoch.loss for epoch in made.result.epochs]))


if __name__ == "__main__":
    torch.set_num_threads(1)
    index, cache, output, changes, stop = sys.argv[1:]
    with world():
        run(some(Corpus.read([Path(index)]), RecordingCache(Path(cache))), Path(output), json.loads(changes), int(stop))
