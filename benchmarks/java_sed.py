"""Java-SED by rotation: eight speakers in four folds of two, a woman and a man."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from mmer.edge.bench.judged import Judged
from mmer.edge.corpus import Corpus
from mmer.training.samples import labels_of

PAIRS = (("java03", "java08"), ("java04", "java09"), ("java01", "java06"), ("java02", "java07"))
"""The speakers of each fold; the first two pairs are the official validation and test speakers."""
ROTATED = "eight speakers in four folds of two unseen ones, all other six trained on"


def collected(pack: Path) -> tuple[list[Corpus], tuple[str, ...]]:
    """Return Java-SED with video, without, and RAVDESS, and the labels that all are read with."""
    index = Corpus.read([pack / "clips.csv"])
    seen, heard, other = (index.where([("set", s)]) for s in ("java_sed_av", "java_sed_audio", "ravdess_speech"))
    calm = {"calm": "neutral"}
    told = [replace(e, label=calm.get(e.label, e.label), transcript="") for e in other.entries if e.label != "disgust"]
    return [seen, heard, Corpus(tuple(told))], labels_of(seen)


def pooled(parts: Sequence[Judged]) -> Judged:
    """Return the answers of several models on different clips as one."""
    return Judged(
        np.concatenate([part.truth for part in parts]),
        np.concatenate([part.probabilities for part in parts]),
        [speaker for part in parts for speaker in part.speakers],
    )
