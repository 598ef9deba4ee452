"""What is odd about the clips of a training, said before it begins."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from mmer.edge.bench.stamps import LEAKY, stamped
from mmer.edge.leaks import leaking
from mmer.training.batch import MODALITIES
from mmer.training.branch import WHOLE
from mmer.training.samples import Sample, present

_FEW = 10
"""Fewer training clips of a class than this teach little."""
_WORDS = {"video": "a face", "audio": "sound", "text": "words"}


def remarks(samples: Sequence[Sample], labels: Sequence[str], modality: str) -> tuple[str, ...]:
    """Return what whoever trains should know of the training and validation samples, one sentence each."""
    parts = {split: [s for s in samples if s.split == split] for split in ("train", "val")}
    return (*_leaks(samples), *_absent(parts["train"], modality), *_classes(parts, labels))


def _leaks(samples: Sequence[Sample]) -> Iterator[str]:
    if found := leaking(samples):
        who = next(iter(found))
        yield f"{LEAKY}: {len(found)} speaker(s) stand in two splits, such as {who}; `mmer data split` deals anew"
    elif stamped(samples):
        yield f"{LEAKY}: the index says that its splits share speakers"


def _absent(train: Sequence[Sample], modality: str) -> Iterator[str]:
    having = np.array([present(sample) for sample in train]).reshape(-1, len(MODALITIES)).sum(axis=0)
    for name, count in zip(MODALITIES, having.tolist(), strict=True):
        if modality != WHOLE:
            continue
        if not count:
            yield f"no training clip has {_WORDS[name]}: the {name} branch stays as it is"
        elif count < len(train) / 2:
            yield f"only {count} of {len(train)} training clips have {_WORDS[name]}"


def _classes(parts: Mapping[str, Sequence[Sample]], labels: Sequence[str]) -> Iterator[str]:
    for split, part in parts.items():
        counts = dict(zip(labels, np.bincount([s.label for s in part], minlength=len(labels)).tolist(), strict=True))
        least = _FEW if split == "train" else 1
        if few := [f"{label} ({count})" for label, count in counts.items() if count < least]:
            yield f"few or no clips in {split}: {', '.join(few)}"
