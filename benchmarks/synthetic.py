"""What `cafes` learns from a synthetic corpus, by modality, for people it has never met.

    mmer data synth -o synth --speakers 16 --difficulty 0.5 --seed 1
    python benchmarks/synthetic.py synth/corpus.csv [--preset small] [--set epochs=30] [--labels shuffled] [--json]

One model is trained for each of video, audio and text alone and one for all three. Each modality of a clip tells its
class with a clarity of its own, so that the fused model can do better than any of the three.
"""

import argparse
import json
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from mmer.edge.bench.verdict import ALL, SUBSETS, Report, report_json, report_lines
from mmer.edge.corpus import Corpus
from mmer.training.checkpoint import versions
from mmer.training.collate import Presence
from mmer.training.evaluate import evaluate
from mmer.training.history import Epoch
from mmer.training.loop import Listener
from mmer.training.samples import Sample, labels_of, load_samples
from mmer.training.train import train
from mmer.training.usual import Wish, usual

TRAINED = ("video", "audio", "text", ALL)


def only(sample: Sample, kept: Presence) -> Sample:
    """Return the sample without the modalities that are not kept."""
    video, audio, text = kept
    recording = sample.recording
    if not video:
        recording = replace(recording, crops=recording.crops[:0], crop_times_s=recording.crop_times_s[:0])
    if not audio:
        recording = replace(recording, sound=recording.sound[:0])
    return replace(sample, recording=recording, text=sample.text if text else "")


def shuffled(samples: Sequence[Sample], seed: int) -> list[Sample]:
    """Return the samples with the labels of training and validation dealt out anew."""
    learned = [place for place, sample in enumerate(samples) if sample.split != "test"]
    dealt = np.random.default_rng(seed).permutation(learned)
    labels = {place: samples[other].label for place, other in zip(learned, dealt, strict=True)}
    return [replace(sample, label=labels.get(place, sample.label)) for place, sample in enumerate(samples)]


def measure(index: Path, wish: Wish, *, chance: bool) -> dict[str, Report]:
    """Train and test each of `TRAINED`."""
    corpus = Corpus.read([index])
    settings = usual(wish, labels_of(corpus))
    samples: Sequence[Sample] = load_samples(corpus, settings.labels, settings.inputs)
    if chance:
        samples = shuffled(samples, settings.fit.seed)
    found = {}
    for name in TRAINED:
        print(f"training on {name}", file=sys.stderr)
        kept = [only(sample, SUBSETS[name]) for sample in samples]
        checkpoint = train(kept, settings, corpus.digest, Listener(epoch=_say)).checkpoint
        found[name] = evaluate(checkpoint, kept, "test", corpus.digest)
    return found


def _say(epoch: Epoch) -> None:
    print(f"  epoch {epoch.number}: loss {epoch.loss:.3f}, validation UAR {epoch.uar:.3f}", file=sys.stderr)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("index", type=Path, help="the corpus.csv of `mmer data synth`")
    parser.add_argument("--preset", default="small")
    parser.add_argument("--set", dest="changes", action="append", default=[], metavar="PLACE=VALUE")
    parser.add_argument("--labels", choices=("true", "shuffled"), default="true", help="shuffled shows chance")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    chosen = parser.parse_args()
    wanted = Wish("cafes", chosen.preset, tuple(chosen.changes))
    reports = measure(chosen.index, wanted, chance=chosen.labels == "shuffled")
    if chosen.json:
        document = {
            "schema": "mmer.bench-synthetic/1",
            "machine": {"system": platform.platform(), "cores": os.cpu_count()},
            "versions": versions(),
            "labels": chosen.labels,
            "wish": asdict(wanted),
            "trained": {name: report_json(report) for name, report in reports.items()},
        }
        print(json.dumps(document))
    else:
        for name, report in reports.items():
            print(f"trained on {name}", *report_lines(report), sep="\n  ")
