"""The audio branch by itself, judged as `linear/sets.py` judges the baseline.

One training answers both sets: its labels are the eight of RAVDESS, which hold the six of Java-SED. There calm counts
as neutral and disgust is no answer. What is judged never trains and never chooses: the last epoch is kept.
"""

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import torch
from java_sed import PAIRS, ROTATED, pooled
from linear.sets import Answered
from trained.run import Run, learned_from

from mmer.edge.bench.judged import Judged
from mmer.edge.corpus import Corpus, Entry
from mmer.edge.inputs.audio import AudioInput
from mmer.edge.media.clip import Clip
from mmer.training.collate import EVERYTHING
from mmer.training.evaluate import answers
from mmer.training.recording import Recording
from mmer.training.samples import Sample, labels_of
from mmer.training.usual import Wish, usual

CHANGES = (
    "keep=last",
    "epochs=24",
    "batch_size=32",
    "mixup=0.3",
    "sampler.sorted_batches=1",
    "optimiser.lr=0.002",
    "loss.kind=cross_entropy",
    "loss.weights=none",
    "loss.smoothing=0.1",
    "augmentation.sound.gain_db=0",
    "augmentation.sound.speed=0.15",
    "augmentation.sound.gap_s=0.15",
    "augmentation.sound.notch=0.1",
)
"""Of the preset's settings; chosen by validation speakers."""
PROCESSES = 2


@dataclass(frozen=True, slots=True)
class Part:
    """One training and the clips that it is to answer."""

    name: str
    set: str
    """Of the clips, as the index has it."""
    held: tuple[str, ...]
    """Speakers that are judged."""


def _actors(first: int, last: int) -> tuple[str, ...]:
    return tuple(f"ravdess{number:02}" for number in range(first, last + 1))


WATCHED = _actors(15, 16)
"""They are the validation split of RAVDESS; the course of a training is told by them, nothing is chosen by it."""
PARTS: Mapping[str, tuple[Part, ...]] = {
    "java_sed_audio": tuple(Part(f"java_sed_audio-{number}", "java_sed_av", pair) for number, pair in enumerate(PAIRS)),
    "ravdess_audio": (Part("ravdess_audio", "ravdess_speech", _actors(17, 20)),),
}
"""By the name of the set that they are the answers to."""
PROTOCOLS = {
    "java_sed_audio": f"{ROTATED}, the takes without video and RAVDESS too; recipe chosen on other speakers",
    "ravdess_audio": "actors 1-14 and Java-SED train, unseen actors 17-20 test; recipe chosen on actors 13-16",
}


def answered(run: Run) -> Mapping[str, Answered]:
    """Train once for each pair of Java-SED and once for RAVDESS; return the answers by set."""
    names = [name for name in PARTS if run.wants(name)]
    with ProcessPoolExecutor(min(PROCESSES, os.cpu_count() or 1)) as pool:
        waiting = {name: [pool.submit(_answers, run, name, part) for part in PARTS[name]] for name in names}
        return {name: _joined([one.result() for one in parts]) for name, parts in waiting.items()}


def _answers(run: Run, name: str, part: Part) -> Answered:
    """Train without the speakers of a part and answer its clips."""
    torch.set_num_threads(1)
    index = Corpus.read([run.pack / "clips.csv"])
    labels = labels_of(index)
    settings = usual(Wish("cafes", "small", (*CHANGES, f"seed={run.seed}", *run.changes), modality="audio"), labels)
    audio = settings.inputs.audio

    def samples() -> list[Sample]:
        known = [heard(entry, labels, audio) for entry in index.entries if entry.speaker not in part.held]
        return [replace(one, split="val" if one.speaker in WATCHED else "train") for one in run.dealt(known)]

    learned = run.learned(part.name, samples, settings)
    asked = [entry for entry in index.entries if entry.speaker in part.held and entry.set == part.set]
    judged = answers(learned, [heard(entry, labels, audio) for entry in asked], EVERYTHING)
    clips = tuple(entry.path.name for entry in asked)
    found = Answered(labels, clips, judged, PROTOCOLS[name], learned_from(learned))
    return within(found, tuple({entry.label for entry in asked}))


def heard(entry: Entry, labels: Sequence[str], audio: AudioInput) -> Sample:
    """Return the sound of a clip; nobody looks for faces in it."""
    sound = Clip.open(entry.path).sound(audio.rate_hz)
    assert sound is not None
    nobody = np.zeros((0, 48, 48, 3), np.uint8)
    recording = Recording(0.0, len(sound.samples) / audio.rate_hz, np.zeros(0), nobody, sound.samples)
    return Sample(recording, "", labels.index(entry.label), entry.speaker, entry.split, entry.path.name)


def within(found: Answered, labels: Sequence[str]) -> Answered:
    """Return the answers among fewer labels: calm counts as neutral where it is no answer, others are left out."""
    probabilities = found.judged.probabilities.copy()
    if "calm" not in labels:
        calm, neutral = found.labels.index("calm"), found.labels.index("neutral")
        probabilities[:, neutral] += probabilities[:, calm]
    kept = [place for place, label in enumerate(found.labels) if label in labels]
    shares = probabilities[:, kept] / probabilities[:, kept].sum(axis=1, keepdims=True)
    truth = np.array([kept.index(place) for place in found.judged.truth], np.intp)
    return replace(
        found,
        labels=tuple(found.labels[place] for place in kept),
        judged=Judged(truth, shares, found.judged.speakers),
    )


def _joined(parts: Sequence[Answered]) -> Answered:
    clips = tuple(clip for part in parts for clip in part.clips)
    judged = pooled([part.judged for part in parts])
    return replace(parts[0], clips=clips, judged=judged, trained_on=max(part.trained_on for part in parts))
