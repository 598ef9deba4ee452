"""The branch for faces: learned from the stills of FER-2013, then fine-tuned on the clips of Java-SED by rotation."""

import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from linear.pictures import tar_pictures
from linear.sets import Answered
from trained.run import Run

from mmer.edge.labels import canonical
from mmer.training.checkpoint import FACTS
from mmer.training.collate import EVERYTHING
from mmer.training.evaluate import answers
from mmer.training.history import Epoch
from mmer.training.loop import Listener
from mmer.training.recording import Recording
from mmer.training.samples import Sample
from mmer.training.start import Start
from mmer.training.train import Beginning, train
from mmer.training.usual import Wish, usual

STILLS = (
    "epochs=15",
    "batch_size=64",
    "keep=last",
    "beta=0",
    "optimiser.lr=0.002",
    "optimiser.weight_decay=0.05",
    "sampler.kind=tempered",
    "loss.kind=cross_entropy",
    "loss.weights=none",
    "loss.smoothing=0.1",
    "augmentation.pictures.shift_px=4",
    "augmentation.pictures.brightness=0.1",
    "augmentation.pictures.turn_deg=12",
    "augmentation.pictures.scale=0.12",
    "augmentation.pictures.gamma=0.3",
    "augmentation.pictures.blur_px=0.7",
    "augmentation.pictures.hidden=0.3",
)
"""Changes of the preset's settings; chosen on a tenth of the training pictures."""
WATCHED = 20
"""Of so many training pictures one is held out, to watch by; nothing is chosen by it."""
STILLS_PROTOCOL = "official Training for training, PublicTest judged; recipe chosen on a part of Training"


def answered(run: Run) -> Mapping[str, Answered]:
    """Return the answers of the branch."""
    stills = learned(run)
    found = {}
    if run.wants("fer2013_faces"):
        found["fer2013_faces"] = judged_stills(run, stills)
    return found


def learned(run: Run) -> Start:
    """Return what was learned from the stills of the training tar, or was kept of it."""
    kept = None if run.keep is None else run.keep / ("fer2013-shuffled" if run.chance else "fer2013")
    if kept is not None and (kept / FACTS).is_file():
        return Start.open(kept)
    samples = run.dealt(stills(run.pack, "train"))
    samples = [replace(s, split="train" if place % WATCHED else "val") for place, s in enumerate(samples)]
    settings = usual(Wish("cafes", "small", (*STILLS, f"seed={run.seed}", *run.changes), modality="video"), labels())
    beginning = Beginning(progress=None if kept is None else kept.with_suffix(".progress"), resume=True)
    with quickly():
        trained = train(samples, settings, listener=Listener(epoch=say), beginning=beginning)
    if kept is not None:
        trained.checkpoint.save(kept)
    return Start("fer2013", trained.checkpoint)


def judged_stills(run: Run, start: Start) -> Answered:
    """Return the answers to the stills of the validation tar."""
    samples = stills(run.pack, "val")
    judged = answers(start.checkpoint, samples, EVERYTHING)
    trained_on = start.checkpoint.facts.provenance["clips"]
    assert isinstance(trained_on, dict)
    return Answered(labels(), tuple(s.name for s in samples), judged, STILLS_PROTOCOL, trained_on["train"])


def stills(pack: Path, split: str) -> list[Sample]:
    """Return the pictures of a tar, each a recording of one frame, in an order that is no order of classes."""
    pictures, names, classes = tar_pictures(pack / f"fer2013_{split}.tar")
    samples = []
    for place in np.random.default_rng(0).permutation(len(names)):
        recording = Recording(
            0.0, 0.2, np.zeros(1), np.repeat(pictures[place][None, :, :, None], 3, axis=3), np.zeros(0, np.float32)
        )
        label = labels().index(str(canonical(classes[place])))
        samples.append(Sample(recording, "", label, "", split, names[place]))
    return samples


def labels() -> tuple[str, ...]:
    """Return the seven of FER-2013."""
    return ("neutral", "happy", "sad", "anger", "fear", "surprise", "disgust")


def quickly() -> AbstractContextManager[object]:
    """Let what follows compute in half precision where that loses nothing; 1.5 to 2 times as fast."""
    torch.set_num_threads(1)
    return torch.autocast("cpu", torch.bfloat16, cache_enabled=False)  # weights that change are not to be cached


def say(epoch: Epoch) -> None:
    """Tell how far it is."""
    said = f"epoch {epoch.number}: loss {epoch.loss:.3f}, accuracy {epoch.accuracy:.3f}, UAR {epoch.uar:.3f}"
    print(f"{said} on validation, {epoch.wall_s:.0f} s", file=sys.stderr, flush=True)
