"""The branch for faces: learned from the stills of FER-2013, then fine-tuned on the clips of Java-SED by rotation.

Changes of a run's settings are about the stills.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from linear.pictures import tar_pictures
from linear.sets import ROTATED, Answered
from rotation import PAIRS, pooled
from trained.run import Run

from mmer.edge.corpus import Corpus
from mmer.edge.labels import canonical
from mmer.training.branch import branch
from mmer.training.checkpoint import FACTS, Checkpoint
from mmer.training.collate import EVERYTHING
from mmer.training.evaluate import answers
from mmer.training.history import Epoch
from mmer.training.loop import Listener
from mmer.training.recording import Recording
from mmer.training.samples import Sample, labels_of, load_samples
from mmer.training.start import Start
from mmer.training.train import Beginning, train
from mmer.training.usual import Wish, usual

SEVEN = ("neutral", "happy", "sad", "anger", "fear", "surprise", "disgust")
"""The labels of FER-2013."""
CAMERA = tuple(
    f"augmentation.pictures.{change}"
    for change in (
        "shift_px=4",
        "brightness=0.1",
        "turn_deg=12",
        "scale=0.12",
        "gamma=0.3",
        "blur_px=0.7",
        "hidden=0.3",
    )
)
PLAIN = ("loss.kind=cross_entropy", "loss.weights=none", "loss.smoothing=0.1")
STILLS = (
    "epochs=15",
    "batch_size=64",
    "keep=last",
    "beta=0",
    "compute.precision=bfloat16",
    "optimiser.lr=0.002",
    "optimiser.weight_decay=0.05",
    "sampler.kind=tempered",
    *CAMERA,
    *PLAIN,
)
"""Changes of the preset's settings; chosen on a tenth of the training pictures."""
WATCHED = 20
"""Of so many training pictures one is held out, to watch by; nothing is chosen by it."""
STILLS_PROTOCOL = "official Training for training, PublicTest judged; recipe chosen on a part of Training"


CLIPS = (
    "epochs=15",
    "batch_size=32",
    "keep=last",
    "rates.face=0",
    "compute.precision=bfloat16",
    "optimiser.lr=0.001",
    "optimiser.weight_decay=0.05",
    *CAMERA,
    *PLAIN,
)
"""Chosen by validation speakers. The encoder of faces stays as the stills made it."""
CLIPS_PROTOCOL = f"{ROTATED}, after the stills of FER-2013; recipe chosen by validation speakers of each fold"


def answered(run: Run) -> Mapping[str, Answered]:
    """Return the answers of the branch."""
    with ExitStack() as stack:
        folder = run.keep or Path(stack.enter_context(TemporaryDirectory()))
        start = folder / _named("fer2013", run)
        if not (start / FACTS).is_file():
            learn_stills(run, start)
        found = {}
        if run.wants("fer2013_faces"):
            found["fer2013_faces"] = judged_stills(run, Start.open(start))
        if run.wants("java_sed_video"):
            found["java_sed_video"] = rotated(run, start)
        return found


def learn_stills(run: Run, path: Path) -> None:
    """Train on the stills of the training tar and keep the checkpoint there; an interrupted training goes on."""
    samples = run.dealt(stills(run.pack, "train"))
    shown = [sample for place, sample in enumerate(samples) if place % WATCHED]
    settings = usual(Wish("cafes", "small", (*STILLS, f"seed={run.seed}", *run.changes), modality="video"), SEVEN)
    progress = path.with_suffix(".progress")
    torch.set_num_threads(1)
    trained = train(
        [*shown, *watched(run.pack, SEVEN)],
        settings,
        listener=heard("stills"),
        beginning=Beginning(None, progress, resume=True),
    )
    trained.checkpoint.save(path)
    progress.unlink(missing_ok=True)


def rotated(run: Run, start: Path) -> Answered:
    """Return the answers to the clips of each pair of speakers by a model fine-tuned on those of the others."""
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        parts = list(pool.map(partial(fold, run, start), range(len(PAIRS))))
    labels, clips = parts[0][0].facts.labels, [s for _, test in parts for s in test]
    judged = pooled([answers(checkpoint, test, EVERYTHING) for checkpoint, test in parts])
    sizes = [learned_from(checkpoint) for checkpoint, _ in parts]
    return Answered(labels, tuple(s.name for s in clips), judged, CLIPS_PROTOCOL, max(sizes))


def fold(run: Run, start: Path, number: int) -> tuple[Checkpoint, list[Sample]]:
    """Return what was learned, or kept, of the speakers who are not the fold's own pair, and the clips of these."""
    faces, seen = Start.open(start), Corpus.read([run.pack / "clips.csv"]).where([("set", "java_sed_av")])
    labels = labels_of(seen)
    samples = branch(load_samples(seen, labels, faces.checkpoint.facts.inputs), "video")
    test = [sample for sample in samples if sample.speaker in PAIRS[number]]
    kept = start.parent / _named(f"java_sed-{number}", run)
    if (kept / FACTS).is_file():
        return Checkpoint.open(kept), test
    others = run.dealt([sample for sample in samples if sample.speaker not in PAIRS[number]])
    placed = [*(replace(sample, split="train") for sample in others), *watched(run.pack, labels)[::8]]
    settings = usual(Wish("cafes", "small", (*CLIPS, f"seed={run.seed}"), modality="video"), labels, faces)
    torch.set_num_threads(1)
    trained = train(placed, settings, listener=heard(f"fold {number}"), beginning=Beginning(faces))
    trained.checkpoint.save(kept)
    return trained.checkpoint, test


def judged_stills(run: Run, start: Start) -> Answered:
    """Return the answers to the stills of the validation tar."""
    samples = stills(run.pack, "val")
    judged = answers(start.checkpoint, samples, EVERYTHING)
    return Answered(SEVEN, tuple(s.name for s in samples), judged, STILLS_PROTOCOL, learned_from(start.checkpoint))


def stills(pack: Path, split: str) -> list[Sample]:
    """Return the pictures of a tar, each a recording of one frame, in an order that is not that of classes."""
    pictures, names, classes = tar_pictures(pack / f"fer2013_{split}.tar")
    samples = []
    for place in np.random.default_rng(0).permutation(len(names)):
        recording = Recording(
            0.0, 0.2, np.zeros(1), np.repeat(pictures[place][None, :, :, None], 3, axis=3), np.zeros(0, np.float32)
        )
        label = SEVEN.index(str(canonical(classes[place])))
        samples.append(Sample(recording, "", label, "", "train", names[place]))
    return samples


def watched(pack: Path, labels: Sequence[str]) -> list[Sample]:
    """Return the stills of the training tar that nothing is learned from, those that have one of the labels."""
    told = [(SEVEN[sample.label], sample) for sample in stills(pack, "train")[::WATCHED]]
    return [replace(sample, label=labels.index(name), split="val") for name, sample in told if name in labels]


def learned_from(checkpoint: Checkpoint) -> int:
    """Return how many clips a checkpoint was trained on."""
    clips = checkpoint.facts.provenance["clips"]
    assert isinstance(clips, dict)
    return int(clips["train"])


def heard(title: str) -> Listener:
    """Return what tells how far a training is."""

    def say(epoch: Epoch) -> None:
        said = f"{title}, epoch {epoch.number}: loss {epoch.loss:.3f}, UAR {epoch.uar:.3f} on what is watched"
        print(f"{said}, {epoch.wall_s:.0f} s", file=sys.stderr, flush=True)

    return Listener(epoch=say)


def _named(what: str, run: Run) -> str:
    return f"{what}-shuffled" if run.chance else what
