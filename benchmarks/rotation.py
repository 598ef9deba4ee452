"""How well `cafes` recognises people it has never met: four-fold speaker rotation on Java-SED.

    python benchmarks/rotation.py --pack DIR [--folds 0 1 2 3] [--set epochs=8] [--labels shuffled] [--json FILE]

Every fold tests on two speakers, chooses the epoch by two others and trains on the remaining four; the audio-only
recordings of those four and the speech of RAVDESS (other people, calm taken as neutral, disgust left out) join in,
without video. One model per fold answers with audio alone, with video alone and with both, and the answers on all
192 audio-visual clips are pooled. No text: its words tell nothing in these sets.
"""

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch

from mmer.edge.bench.judged import Evaluation, Judged, judge
from mmer.edge.bench.verdict import ALL, SUBSETS
from mmer.edge.corpus import Corpus
from mmer.training.checkpoint import versions
from mmer.training.evaluate import answers
from mmer.training.history import Epoch
from mmer.training.loop import Listener
from mmer.training.samples import Sample, labels_of, load_samples
from mmer.training.train import Trained, TrainSettings, train
from mmer.training.usual import Wish, usual

PAIRS = (("java03", "java08"), ("java04", "java09"), ("java01", "java06"), ("java02", "java07"))
"""The speakers of each fold, a woman and a man; the first two pairs are the official validation and test speakers."""
FIGURES = {"audio": "audio", "video": "video", "fused": ALL}
CHANGES = ("epochs=8", "optimiser.lr=0.0002")
"""Of the preset's settings; chosen by validation speakers."""
SEEN_AGAIN = 3
"""So often does an audio-visual clip come in an epoch: there are few of them among those without a face."""


@dataclass(frozen=True, slots=True)
class Fold:
    """One training."""

    test: tuple[str, ...]
    val: tuple[str, ...]
    clips: int
    epoch: int
    val_uar: float
    wall_s: float


def collected(pack: Path) -> tuple[list[Corpus], tuple[str, ...]]:
    """Return Java-SED with video, without, and RAVDESS, and the labels that all are read with."""
    index = Corpus.read([pack / "clips.csv"])
    seen, heard, other = (index.where([("set", s)]) for s in ("java_sed_av", "java_sed_audio", "ravdess_speech"))
    calm = {"calm": "neutral"}
    told = [replace(e, label=calm.get(e.label, e.label), transcript="") for e in other.entries if e.label != "disgust"]
    return [seen, heard, Corpus(tuple(told))], labels_of(seen)


def role(speaker: str, fold: int) -> str:
    """Return the split of a speaker in a fold."""
    if speaker in PAIRS[fold]:
        return "test"
    return "val" if speaker in PAIRS[(fold + 1) % len(PAIRS)] else "train"


def rotated(samples: Sequence[Sample], fold: int) -> list[Sample]:
    """Return the samples with the splits of a fold, without the audio-only ones of its validation and test speakers."""
    placed = [replace(sample, split=role(sample.speaker, fold)) for sample in samples]
    again = [s for s in placed if s.split == "train" and len(s.recording.crops)] * (SEEN_AGAIN - 1)
    return [s for s in placed if s.split == "train" or len(s.recording.crops)] + again


def shuffled(samples: Sequence[Sample], seed: int) -> list[Sample]:
    """Return the samples with the labels of training and validation dealt out anew; those of the test stay true."""
    order = np.random.default_rng(seed).permutation(len(samples))
    return [s if s.split == "test" else replace(s, label=samples[o].label) for s, o in zip(samples, order, strict=True)]


def trained_on(pack: Path, fold: int, settings: TrainSettings, *, chance: bool) -> tuple[Fold, Trained, list[Sample]]:
    """Train on a fold; return what came of it, and the test clips."""
    torch.set_num_threads(1)
    corpora, labels = collected(pack)
    samples = rotated([s for corpus in corpora for s in load_samples(corpus, labels, settings.inputs)], fold)
    started = time.monotonic()
    listener = Listener(epoch=lambda epoch: _say(fold, epoch))
    trained = train(shuffled(samples, settings.fit.seed) if chance else samples, settings, listener=listener)
    best = trained.result.epochs[trained.result.best - 1]
    count = sum(sample.split == "train" for sample in samples)
    pairs = PAIRS[fold], PAIRS[(fold + 1) % len(PAIRS)]
    facts = Fold(*pairs, count, best.number, best.uar, time.monotonic() - started)
    return facts, trained, [sample for sample in samples if sample.split == "test"]


def run(pack: Path, fold: int, settings: TrainSettings, *, chance: bool) -> tuple[Fold, dict[str, Judged]]:
    """Train on a fold and answer its test clips."""
    facts, trained, test = trained_on(pack, fold, settings, chance=chance)
    return facts, {name: answers(trained.checkpoint, test, SUBSETS[subset]) for name, subset in FIGURES.items()}


def pooled(parts: Sequence[Judged]) -> Judged:
    """Return the answers of several models on different clips as one."""
    return Judged(
        np.concatenate([part.truth for part in parts]),
        np.concatenate([part.probabilities for part in parts]),
        [speaker for part in parts for speaker in part.speakers],
    )


def rotate(options: argparse.Namespace) -> dict[str, object]:
    """Run the folds, as many at a time as there are cores."""
    corpora, labels = collected(options.pack)
    settings = usual(Wish("cafes", options.preset, (*CHANGES, *options.changes)), labels)
    chance = options.labels == "shuffled"
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        waiting = [pool.submit(run, options.pack, fold, settings, chance=chance) for fold in options.folds]
        folds, answered = zip(*(one.result() for one in waiting), strict=True)
    found = {name: judge(pooled([part[name] for part in answered]), labels) for name in FIGURES}
    return {
        "schema": "mmer.bench-rotation/1",
        "machine": {"system": platform.platform(), "cores": os.cpu_count()},
        "versions": versions(),
        "corpora": [corpus.digest for corpus in corpora],
        "protocol": "unseen speakers, four folds of two; intervals by clips within speaker",
        "labels": options.labels,
        "settings": asdict(settings),
        "folds": [asdict(fold) for fold in folds],
        "figures": {name: asdict(evaluation) for name, evaluation in found.items()},
        "lines": [_line(name, evaluation) for name, evaluation in found.items()],
    }


def _line(name: str, found: Evaluation) -> str:
    uar, speakers = found.intervals["uar"], found.per_speaker
    each = " ".join(f"{speaker} {values['uar']:.2f}" for speaker, values in speakers.items())
    return (
        f"{name:<6} UAR {uar.value:.3f} ({uar.level:.0%} {uar.low:.3f} to {uar.high:.3f}), accuracy "
        f"{found.scores.accuracy:.3f}, averaged one-vs-rest accuracy {found.scores.ovr_accuracy:.3f}, "
        f"{found.scores.clips} clips; {each}"
    )


def _say(fold: int, epoch: Epoch) -> None:
    said = (
        f"fold {fold} epoch {epoch.number}: loss {epoch.loss:.3f}, validation UAR {epoch.uar:.3f}, {epoch.wall_s:.0f} s"
    )
    print(said, file=sys.stderr, flush=True)


def main() -> None:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pack", type=Path, required=True, help="the folder with clips.csv")
    parser.add_argument("--folds", type=int, nargs="+", default=list(range(len(PAIRS))), choices=range(len(PAIRS)))
    parser.add_argument("--preset", default="small")
    parser.add_argument("--set", dest="changes", action="append", default=[], metavar="PLACE=VALUE")
    parser.add_argument("--labels", choices=("true", "shuffled"), default="true")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything there")
    options = parser.parse_args()
    report = rotate(options)
    if options.json:
        options.json.write_text(json.dumps(report, indent=1))
    lines = report["lines"]
    assert isinstance(lines, list)
    print("\n".join(lines))


if __name__ == "__main__":
    main()
