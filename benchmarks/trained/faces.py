"""The branch for faces: learned from the stills of FER-2013, then fine-tuned on the clips of Java-SED by rotation.

Changes of a run's settings are about the stills.
"""

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from java_sed import PAIRS, ROTATED, pooled
from linear.pictures import tar_pictures
from linear.sets import Answered
from trained.run import Run, learned_from

from mmer.edge.corpus import Corpus
from mmer.edge.labels import canonical
from mmer.training.branch import branch
from mmer.training.checkpoint import Checkpoint
from mmer.training.collate import EVERYTHING
from mmer.training.evaluate import answers
from mmer.training.recording import Recording
from mmer.training.samples import Sample, labels_of, load_samples
from mmer.training.start import Start
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
    start = Start("fer2013", of_stills(run))
    found = {}
    if run.wants("fer2013_faces"):
        found["fer2013_faces"] = judged_stills(run, start)
    if run.wants("java_sed_video"):
        found["java_sed_video"] = rotated(run, start)
    return found


def of_stills(run: Run) -> Checkpoint:
    """Return what is learned of the stills of the training tar."""

    def samples() -> list[Sample]:
        torch.set_num_threads(1)
        dealt = run.dealt(stills(run.pack, "train"))
        return [*(one for place, one in enumerate(dealt) if place % WATCHED), *watched(run.pack, SEVEN)]

    changes = (*STILLS, f"seed={run.seed}", *run.changes)
    return run.learned("fer2013", samples, usual(Wish("cafes", "small", changes, modality="video"), SEVEN))


def rotated(run: Run, start: Start) -> Answered:
    """Return the answers to the clips of each pair of speakers by a model fine-tuned on those of the others."""
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        parts = list(pool.map(partial(fold, run, start), range(len(PAIRS))))
    labels, clips = parts[0][0].facts.labels, [s for _, test in parts for s in test]
    judged = pooled([answers(checkpoint, test, EVERYTHING) for checkpoint, test in parts])
    sizes = [learned_from(checkpoint) for checkpoint, _ in parts]
    return Answered(labels, tuple(s.name for s in clips), judged, CLIPS_PROTOCOL, max(sizes))


def fold(run: Run, start: Start, number: int) -> tuple[Checkpoint, list[Sample]]:
    """Return what is learned of the speakers who are not the fold's own pair, and the clips of these."""
    torch.set_num_threads(1)
    seen = Corpus.read([run.pack / "clips.csv"]).where([("set", "java_sed_av")])
    labels = labels_of(seen)
    clips = branch(load_samples(seen, labels, start.checkpoint.facts.inputs), "video")

    def samples() -> list[Sample]:
        others = run.dealt([sample for sample in clips if sample.speaker not in PAIRS[number]])
        return [*(replace(sample, split="train") for sample in others), *watched(run.pack, labels)[::8]]

    settings = usual(Wish("cafes", "small", (*CLIPS, f"seed={run.seed}"), modality="video"), labels, start)
    learned = run.learned(f"java_sed_video-{number}", samples, settings, start)
    return learned, [sample for sample in clips if sample.speaker in PAIRS[number]]


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
