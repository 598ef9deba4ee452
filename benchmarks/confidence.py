"""Whether the confidence filter of `cafes` helps: none, mixture, network or both of them, over the same seeds.

    python benchmarks/confidence.py --pack DIR [--seeds 1 2 3 4 5] [--set epochs=20] [--json FILE]

The audio branch learns the eight classes of RAVDESS from actors 1 to 14 and is judged by the unseen actors 17 to 20;
actors 15 and 16 choose the epoch. Every form of the filter meets the same seeds and is compared with none in pairs:
the interval draws seeds and, within actors, clips again, the same ones of both.
"""

import argparse
import json
import os
import platform
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path

import numpy as np
import torch

from mmer.edge.bench.folds import Folds
from mmer.edge.bench.judged import Judged
from mmer.edge.bench.metrics import uar
from mmer.edge.bench.paired import mean_difference
from mmer.edge.corpus import Corpus
from mmer.training.checkpoint import versions
from mmer.training.collate import EVERYTHING
from mmer.training.confidence import FORMS
from mmer.training.evaluate import answers
from mmer.training.samples import labels_of, load_samples
from mmer.training.train import train
from mmer.training.usual import Wish, usual


@dataclass(frozen=True, slots=True)
class Study:
    """What is trained with every form and every seed."""

    pack: Path
    preset: str
    changes: tuple[str, ...]

    def answered(self, form: str, seed: int) -> Judged:
        """Train, and answer the clips of the test."""
        torch.set_num_threads(1)
        corpus = Corpus.read([self.pack / "clips.csv"]).where([("set", "ravdess_speech")])
        wish = Wish("cafes", self.preset, (*self.changes, f"seed={seed}"), "none", "audio", (f"confidence={form}",))
        settings = usual(wish, labels_of(corpus))
        samples = load_samples(corpus, settings.labels, settings.inputs)
        checkpoint = train(samples, settings).checkpoint
        judged = answers(checkpoint, [sample for sample in samples if sample.split == "test"], EVERYTHING)
        print(f"{form} seed {seed}: UAR {reached(judged):.3f}", file=sys.stderr, flush=True)
        return judged


def reached(judged: Judged) -> float:
    """Return the UAR over all clips."""
    return uar(judged.counts(np.arange(len(judged.truth))))


def row(plain: Sequence[Judged], found: Sequence[Judged]) -> dict[str, object]:
    """Return what a form reached over its seeds, and how much more than no filter."""
    return {
        "uar": asdict(Folds.of([reached(judged) for judged in found])),
        "against_none": asdict(mean_difference(plain, found, uar)),
    }


def line(form: str, plain: Sequence[Judged], found: Sequence[Judged]) -> str:
    """Return the same as text."""
    over = Folds.of([reached(judged) for judged in found])
    said = f"{form:<5} UAR {over.mean:.3f} (deviation {over.deviation:.3f}, {over.low:.3f} to {over.high:.3f})"
    if form == "none":
        return said
    gap = mean_difference(plain, found, uar)
    verdict = "helps" if gap.low > 0 else "harms" if gap.high < 0 else "makes no difference that can be told"
    return f"{said}; {gap.value:+.1f} points over none ({gap.level:.0%} {gap.low:+.1f} to {gap.high:+.1f}): {verdict}"


def main() -> None:
    """Parse, train, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pack", type=Path, required=True, help="the folder with clips.csv")
    parser.add_argument("--preset", default="small")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--set", dest="changes", action="append", default=[], metavar="PLACE=VALUE")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything there")
    options = parser.parse_args()
    study = Study(options.pack, options.preset, tuple(options.changes))
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        waiting = {cell: pool.submit(study.answered, *cell) for cell in product(FORMS, options.seeds)}
        found = {form: [waiting[form, seed].result() for seed in options.seeds] for form in FORMS}
    print("\n".join(line(form, found["none"], judged) for form, judged in found.items()))
    if options.json:
        document = {
            "schema": "mmer.bench-confidence/1",
            "machine": {"system": platform.platform(), "cores": os.cpu_count()},
            "versions": versions(),
            "preset": study.preset,
            "changes": study.changes,
            "seeds": options.seeds,
            "forms": {form: row(found["none"], judged) for form, judged in found.items()},
        }
        options.json.write_text(json.dumps(document, indent=1))


if __name__ == "__main__":
    main()
