"""How well `cafes` recognises people it has never met: four-fold speaker rotation on Java-SED.

    python benchmarks/rotation.py --pack DIR [--folds 0 1 2 3] [--epochs N] [--labels shuffled] [--json]

Every fold tests on two speakers, chooses the epoch by two others and trains on the remaining four; the audio-only
recordings of those four join in, without video. One model per fold answers with audio alone, with video alone and
with both, and the answers on all 192 audio-visual clips are pooled. Java-SED has no text. Settings were chosen by
the validation speakers of the folds.
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
from mmer.training.loop import Epoch, Listener
from mmer.training.samples import Sample, labels_of, load_samples
from mmer.training.train import TrainSettings, train
from mmer.training.usual import Wish, usual

PAIRS = (("java03", "java08"), ("java04", "java09"), ("java01", "java06"), ("java02", "java07"))
"""The speakers of each fold, a woman and a man; the first two pairs are the official validation and test speakers."""
FIGURES = {"audio": "audio", "video": "video", "fused": ALL}


@dataclass(frozen=True, slots=True)
class Fold:
    """One training."""

    test: tuple[str, ...]
    val: tuple[str, ...]
    clips: int
    epoch: int
    val_uar: float
    wall_s: float


@dataclass(frozen=True, slots=True)
class Rotation:
    """What the folds say together."""

    settings: TrainSettings
    corpus: tuple[str, str]
    folds: tuple[Fold, ...]
    figures: dict[str, Evaluation]


def rotated(samples: Sequence[Sample], fold: int) -> list[Sample]:
    """Return the samples with the splits of a fold; audio-only ones of unseen speakers are left out."""
    roles = dict.fromkeys(PAIRS[fold], "test") | dict.fromkeys(PAIRS[(fold + 1) % len(PAIRS)], "val")
    placed = [replace(sample, split=roles.get(sample.speaker, "train")) for sample in samples]
    return [sample for sample in placed if sample.split == "train" or len(sample.recording.crops)]


def shuffled(samples: Sequence[Sample], seed: int) -> list[Sample]:
    """Return the samples with the labels of training and validation dealt out anew; those of the test stay true."""
    learned = [place for place, sample in enumerate(samples) if sample.split != "test"]
    dealt = np.random.default_rng(seed).permutation(learned)
    labels = {place: samples[other].label for place, other in zip(learned, dealt, strict=True)}
    return [replace(sample, label=labels.get(place, sample.label)) for place, sample in enumerate(samples)]


def run(samples: Sequence[Sample], fold: int, settings: TrainSettings) -> tuple[Fold, dict[str, Judged]]:
    """Train on a fold and answer its test clips."""
    started = time.monotonic()
    trained = train(samples, settings, listener=Listener(epoch=_say))
    test = [sample for sample in samples if sample.split == "test"]
    answered = {name: answers(trained.checkpoint, test, SUBSETS[subset]) for name, subset in FIGURES.items()}
    best = trained.result.epochs[trained.result.best - 1]
    clips = sum(sample.split == "train" for sample in samples)
    val = PAIRS[(fold + 1) % len(PAIRS)]
    return Fold(PAIRS[fold], val, clips, best.number, best.uar, time.monotonic() - started), answered


def pooled(parts: Sequence[Judged]) -> Judged:
    """Return the answers of several models on different clips as one."""
    truth, probabilities = (np.concatenate([getattr(p, name) for p in parts]) for name in ("truth", "probabilities"))
    return Judged(truth, probabilities, [speaker for part in parts for speaker in part.speakers])


def rotate(pack: Path, folds: Sequence[int], changes: Sequence[str], *, chance: bool) -> Rotation:
    """Train and test every fold; `chance` trains on shuffled labels."""
    index = Corpus.read([pack / "clips.csv"])
    seen, heard = (index.where([("set", name)]) for name in ("java_sed_av", "java_sed_audio"))
    settings = usual(Wish("cafes", "small", tuple(changes)), labels_of(seen))
    print("reading the clips ...", file=sys.stderr)
    samples = [s for corpus in (seen, heard) for s in load_samples(corpus, settings.labels, settings.inputs)]
    done, answered = [], []
    for fold in folds:
        print(f"fold {fold}: test on {' and '.join(PAIRS[fold])}", file=sys.stderr)
        placed = rotated(samples, fold)
        facts, found = run(shuffled(placed, settings.fit.seed) if chance else placed, fold, settings)
        done.append(facts)
        answered.append(found)
    figures = {name: judge(pooled([found[name] for found in answered]), settings.labels) for name in FIGURES}
    return Rotation(settings, (seen.digest, heard.digest), tuple(done), figures)


def as_json(rotation: Rotation, labels: str) -> dict[str, object]:
    """Return everything as JSON values."""
    return {
        "schema": "mmer.bench-rotation/1",
        "machine": {"system": platform.platform(), "cores": os.cpu_count()},
        "versions": versions(),
        "protocol": "speakers unseen; epoch chosen by two further speakers; intervals by clips within speaker",
        "labels": labels,
        **asdict(rotation),
    }


def lines(rotation: Rotation) -> list[str]:
    """Return the figures as text."""
    out = [f"fold {' and '.join(f.test)}: epoch {f.epoch}, {f.clips} clips, {f.wall_s:.0f} s" for f in rotation.folds]
    for name, found in rotation.figures.items():
        uar = found.intervals["uar"]
        out.append(f"{name}: UAR {uar.value:.3f} (95 % {uar.low:.3f} to {uar.high:.3f}), {found.scores.clips} clips")
        out.append("  " + ", ".join(f"{who} {value['uar']:.2f}" for who, value in found.per_speaker.items()))
    return out


def _say(epoch: Epoch) -> None:
    print(
        f"  epoch {epoch.number}: loss {epoch.loss:.3f}, validation UAR {epoch.uar:.3f}, {epoch.wall_s:.0f} s",
        file=sys.stderr,
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pack", type=Path, required=True, help="folder of the data pack")
    parser.add_argument("--folds", type=int, nargs="+", default=[*range(len(PAIRS))], choices=range(len(PAIRS)))
    parser.add_argument("--epochs", type=int, help="instead of the preset's")
    parser.add_argument("--labels", choices=("true", "shuffled"), default="true", help="shuffled shows chance")
    parser.add_argument("--set", action="append", default=[], metavar="PLACE=VALUE", help="as in `mmer train`")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    chosen = parser.parse_args()
    wanted = [*chosen.set, *([f"epochs={chosen.epochs}"] if chosen.epochs else [])]
    result = rotate(chosen.pack, chosen.folds, wanted, chance=chosen.labels == "shuffled")
    print(json.dumps(as_json(result, chosen.labels)) if chosen.json else "\n".join(lines(result)))
