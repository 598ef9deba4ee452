"""Whether a model learns nothing from labels that mean nothing: the control for every figure on a corpus.

    python benchmarks/chance.py --data synth/corpus.csv [--preset small] [--set epochs=20]

Deals the labels of training and validation out anew, trains as `mmer train` does, and measures the true labels of the
test speakers.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from mmer.edge.corpus import Corpus
from mmer.training.evaluate import SUBSETS, evaluate, report_lines
from mmer.training.samples import labels_of, load_samples
from mmer.training.train import train
from mmer.training.usual import Wish, usual


def main() -> None:
    """Parse, train, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, action="append", required=True, help="an index")
    parser.add_argument("--preset", default="small")
    parser.add_argument("--set", dest="changes", action="append", default=[], metavar="PLACE=VALUE")
    options = parser.parse_args()
    corpus = Corpus.read(options.data)
    settings = usual(Wish("cafes", options.preset, tuple(options.changes)), labels_of(corpus))
    samples = load_samples(corpus, settings.labels, settings.inputs)
    dealt = np.random.default_rng(settings.fit.seed).permutation([sample.label for sample in samples]).tolist()
    mixed = [s if s.split == "test" else replace(s, label=k) for s, k in zip(samples, dealt, strict=True)]
    trained = train(mixed, settings, corpus.digest)
    print("\n".join(report_lines(evaluate(trained.checkpoint, mixed, "test", corpus.digest, tuple(SUBSETS)))))


if __name__ == "__main__":
    main()
