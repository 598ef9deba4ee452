"""Lines for clips whose own words tell nothing: somebody else's, of the same label and the same split.

There is no set in the pack with a label carried by sound, face and words. Whatever is measured with these lines is
called "paired text": it says how well a model joins three modalities that agree, not how well it reads Javanese.
"""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from mmer.edge.labels import canonical


def meld(pack: Path, split: str) -> Mapping[str, Sequence[str]]:
    """Return the lines of MELD's `train` or `dev` by label."""
    found: dict[str, list[str]] = {}
    with (pack / "text" / f"meld_{split}.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            label = canonical(row["Emotion"])
            assert label is not None, row["Emotion"]
            found.setdefault(label, []).append(row["Utterance"])
    return found


def paired(labels: Sequence[str], lines: Mapping[str, Sequence[str]], seed: int = 0) -> list[str]:
    """Return a line for each label; none comes again before all of its label were there."""
    rng = np.random.default_rng(seed)
    waiting: dict[str, list[int]] = {}
    said = []
    for label in labels:
        if not waiting.get(label):
            waiting[label] = rng.permutation(len(lines[label])).tolist()
        said.append(lines[label][waiting[label].pop()])
    return said
