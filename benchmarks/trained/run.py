"""What is asked of a branch's benchmark, and the trainings that it takes."""

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from mmer.edge.errors import SettingError
from mmer.training.checkpoint import FACTS, Checkpoint
from mmer.training.history import Epoch
from mmer.training.loop import Listener
from mmer.training.progress import progress_path
from mmer.training.samples import Sample
from mmer.training.start import Start
from mmer.training.train import Beginning, TrainSettings, train


@dataclass(frozen=True, slots=True)
class Run:
    """One run over the sets of a branch."""

    pack: Path
    keep: Path
    """A folder where the checkpoints are put, and looked for first."""
    changes: tuple[str, ...] = ()
    """Of the training's settings, as `place=value`, after those of the protocol."""
    seed: int = 42
    chance: bool = False
    """Whether the labels of training and validation are dealt out anew; those that are judged stay true."""
    sets: Sequence[str] | None = None
    """By name; all without it."""

    def wants(self, name: str) -> bool:
        """Say whether a set is to be answered."""
        return self.sets is None or name in self.sets

    def path(self, name: str) -> Path:
        """Return where the checkpoint of a training stays."""
        return self.keep / f"{name}{'-shuffled' if self.chance else ''}-{self.seed}"

    def learned(
        self, name: str, samples: Callable[[], Sequence[Sample]], settings: TrainSettings, start: Start | None = None
    ) -> Checkpoint:
        """Return what a training came to: what was kept of it, or else what is learned now, going on where it was."""
        path = self.path(name)
        if (path / FACTS).is_file():
            return _kept(path, settings)
        progress = progress_path(path)
        listener = Listener(epoch=lambda epoch: _say(name, epoch))
        trained = train(samples(), settings, listener=listener, beginning=Beginning(start, progress, resume=True))
        trained.checkpoint.save(path)
        progress.unlink()
        return trained.checkpoint

    def dealt(self, samples: Sequence[Sample]) -> list[Sample]:
        """Return the samples to train on, their labels dealt out anew where that is asked."""
        if not self.chance:
            return list(samples)
        order = np.random.default_rng(self.seed).permutation(len(samples))
        return [replace(sample, label=samples[o].label) for sample, o in zip(samples, order, strict=True)]


def _kept(path: Path, settings: TrainSettings) -> Checkpoint:
    checkpoint = Checkpoint.open(path)
    if checkpoint.facts.provenance["fit"] != json.loads(json.dumps(asdict(settings.fit))):
        raise SettingError(f"{path} was trained with other settings; give --keep another folder")
    return checkpoint


def learned_from(checkpoint: Checkpoint) -> int:
    """Return how many clips a checkpoint was trained on."""
    clips = checkpoint.facts.provenance["clips"]
    assert isinstance(clips, dict)
    return int(clips["train"])


def _say(name: str, epoch: Epoch) -> None:
    said = f"{name} epoch {epoch.number}: loss {epoch.loss:.3f}, watched UAR {epoch.uar:.3f}, {epoch.wall_s:.0f} s"
    print(said, file=sys.stderr, flush=True)
