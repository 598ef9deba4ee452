"""How well `cafes` recognises people it has never met: four-fold speaker rotation on Java-SED.

    python benchmarks/rotation.py --pack DIR [--folds 0 1 2 3] [--epochs N] [--labels shuffled] [--json]

Every fold tests on two speakers, chooses the epoch by two others and trains on the remaining four; the audio-only
recordings of those four join in, without video. One model per fold answers with audio alone, video alone and both,
and the answers on all 192 audio-visual clips are pooled. There is no text in Java-SED. The split is by speaker and
all settings were tuned on the validation speakers of the folds.
"""

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from mmer.edge.corpus import Corpus
from mmer.training.checkpoint import versions
from mmer.training.evaluate import ALL, SUBSETS, Evaluation, Judged, answers, judge
from mmer.training.loop import Epoch, FitSettings, Listener
from mmer.training.presets import FITS
from mmer.training.recording import Inputs
from mmer.training.samples import Sample, labels_of, load_samples
from mmer.training.train import TrainSettings, train

PAIRS = (("java03", "java08"), ("java04", "java09"), ("java01", "java06"), ("java02", "java07"))
"""The speakers of each fold, a woman and a man; those of the first two are the official validation and test pairs."""
FIGURES = {"audio": "audio", "video": "video", "fused": ALL}


@dataclass(frozen=True, slots=True)
class Fold:
    """One training and what came of it."""

    test: tuple[str, str]
    val: tuple[str, str]
    clips: int
    best: int
    val_uar: float
    wall_s: float


def rotated(samples: Sequence[Sample], fold: int) -> list[Sample]:
    """Return the samples with the splits of a fold; audio-only ones of unseen speakers are left out."""
    roles = dict.fromkeys(PAIRS[fold], "test") | dict.fromkeys(PAIRS[(fold + 1) % len(PAIRS)], "val")
    placed = [replace(sample, split=roles.get(sample.speaker, "train")) for sample in samples]
    return [sample for sample in placed if sample.split == "train" or len(sample.recording.crops)]


def shuffled(samples: Sequence[Sample], seed: int) -> list[Sample]:
    """Return the samples with the labels of training and validation dealt out anew; those of the test stay true."""
    order = np.random.default_rng(seed).permutation(len(samples))
    return [s if s.split == "test" else replace(s, label=samples[other].label) for s, other in zip(samples, order)]


def run(samples: Sequence[Sample], fold: int, settings: TrainSettings) -> tuple[Fold, dict[str, Judged]]:
    """Train on a fold and answer its test clips."""
    started = time.monotonic()
    trained = train(samples, settings, listener=Listener(epoch=_say))
    test = [sample for sample in samples if sample.split == "test"]
    answered = {name: answers(trained.checkpoint, test, SUBSETS[subset]) for name, subset in FIGURES.items()}
    best = trained.result.epochs[trained.result.best - 1]
    count = sum(sample.split == "train" for sample in samples)
    pairs = PAIRS[fold], PAIRS[(fold + 1) % len(PAIRS)]
    return Fold(*pairs, count, best.number, best.uar, time.monotonic() - started), answered


def pooled(parts: Sequence[Judged]) -> Judged:
    """Return the answers of several models on different clips as one."""
    return Judged(
        np.concatenate([part.truth for part in parts]),
        np.concatenate([part.probabilities for part in parts]),
        [speaker for part in parts for speaker in part.speakers],
    )


def rotate(pack: Path, folds: Sequence[int], fit: FitSettings, *, chance: bool) -> dict[str, object]:
    """Run the folds; `chance` trains on shuffled labels."""
    corpora = [Corpus.read([pack / "clips.csv"]).where([("set", name)]) for name in ("java_sed_av", "java_sed_audio")]
    labels = labels_of(corpora[0])
    print("preparing the clips ...", file=sys.stderr)
    samples = [sample for corpus in corpora for sample in load_samples(corpus, labels, Inputs())]
    settings = TrainSettings(labels, fit=fit)
    done, answered = [], []
    for fold in folds:
        print(f"fold {fold}: test on {', '.join(PAIRS[fold])}", file=sys.stderr)
        placed = rotated(samples, fold)
        facts, judged = run(shuffled(placed, fit.seed) if chance else placed, fold, settings)
        done.append(facts)
        answered.append(judged)
    found = {name: judge(pooled([part[name] for part in answered]), labels) for name in FIGURES}
    return {
        "schema": "mmer.bench-rotation/1",
        "machine": {"system": platform.platform(), "cores": os.cpu_count()},
        "versions": versions(),
        "corpus": {"audio-visual": corpora[0].digest, "audio": corpora[1].digest},
        "protocol": "unseen speakers, four folds of two; intervals by clips within speaker",
        "labels": "shuffled" if chance else "true",
        "settings": asdict(settings),
        "folds": [asdict(fold) for fold in done],
        "figures": {name: asdict(evaluation) for name, evaluation in found.items()},
    }


def show(report: dict[str, object], found: dict[str, Evaluation]) -> None:
    """Print the figures as text."""


def _say(epoch: Epoch) -> None:
    print(f"  epoch {epoch.number}: loss {epoch.loss:.3f}, validation UAR {epoch.uar:.3f}", file=sys.stderr)
