"""A corpus dealt out anew: by speaker, so that nobody is judged by a voice or a face that was trained on."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mmer.edge.bench.stamps import LEAKY
from mmer.edge.corpus import STAMP, Corpus, Entry
from mmer.edge.errors import SettingError

SPLITS = ("train", "val", "test")


@dataclass(frozen=True, slots=True)
class Dealing:
    """How to deal."""

    seed: int = 0
    allow_leaky: bool = False
    """By clip and not by speaker; every entry is stamped for it."""


def parse_ratios(text: str) -> tuple[float, ...]:
    """Return the shares of train, val and test out of `80/10/10`; two numbers leave out val.

    Raises `SettingError` for anything else.
    """
    try:
        parts = [float(part) for part in text.split("/")]
    except ValueError:
        parts = []
    if len(parts) not in {2, 3} or not all(0 < part < 1e6 for part in parts):
        raise SettingError(f"--ratios {text} is not like 80/10/10 (train, val, test) or 80/20 (train, test)")
    return tuple(part / sum(parts) for part in parts)


def split(corpus: Corpus, shares: Sequence[float], dealing: Dealing) -> Corpus:
    """Return the corpus with new splits; raise `SettingError` when there are too few speakers for them."""
    names = SPLITS if len(shares) == len(SPLITS) else ("train", "test")
    dealt = _deal(corpus, shares, dealing)
    return _named(corpus, [names[part] for part in dealt], dealing)


def folds(corpus: Corpus, count: int, dealing: Dealing) -> tuple[Corpus, ...]:
    """Return one corpus for each fold: it is `test`, the next one `val`, the others `train`.

    Raises `SettingError` for fewer than three folds, or fewer speakers than folds.
    """
    if count < len(SPLITS):
        raise SettingError(f"--folds {count} is too few: one each for train, val and test are needed")
    dealt = _deal(corpus, [1 / count] * count, dealing)
    names = {0: "test", 1: "val"}
    return tuple(
        _named(corpus, [names.get((part - fold) % count, "train") for part in dealt], dealing) for fold in range(count)
    )


def _named(corpus: Corpus, splits: Sequence[str], dealing: Dealing) -> Corpus:
    stamp = {STAMP: LEAKY} if dealing.allow_leaky else {}
    pairs = zip(corpus.entries, splits, strict=True)
    return Corpus(tuple(replace(entry, split=name, extra={**entry.extra, **stamp}) for entry, name in pairs))


def _deal(corpus: Corpus, shares: Sequence[float], dealing: Dealing) -> list[int]:
    """Return the part of every entry: group after group, large ones first, goes where its labels are needed most."""
    groups = _groups(corpus.entries, dealing)
    if len(groups) < len(shares):
        raise SettingError(
            f"{len(groups)} speakers cannot be dealt to {len(shares)} splits; ask for fewer, or add --allow-leaky-split"
        )
    total = Counter(entry.label for entry in corpus.entries)
    held: list[Counter[str]] = [Counter() for _ in shares]
    parts = [0] * len(corpus.entries)
    order = np.random.default_rng(dealing.seed).permutation(len(groups))
    queue = sorted((groups[at] for at in order), key=len, reverse=True)
    for left, group in zip(range(len(queue), 0, -1), queue, strict=True):
        labels = Counter(corpus.entries[place].label for place in group)
        empty = [part for part in range(len(shares)) if not held[part]]
        allowed = empty if len(empty) >= left else range(len(shares))
        part = max(allowed, key=lambda part: _need(labels, held[part], total, shares[part]))
        held[part] += labels
        for place in group:
            parts[place] = part
    return parts


def _need(labels: Mapping[str, int], held: Mapping[str, int], total: Mapping[str, int], share: float) -> float:
    """Return how much of its share, on average over the group's clips, a part still lacks of their labels."""
    lack = [n * (1 - (held.get(label, 0) + n / 2) / (total[label] * share)) for label, n in labels.items()]
    return sum(lack) / sum(labels.values())


def _groups(entries: Sequence[Entry], dealing: Dealing) -> list[list[int]]:
    """Return the places of entries that must stay together: of one speaker, or of one text without media."""
    if dealing.allow_leaky:
        return [[place] for place in range(len(entries))]
    if unknown := next((entry for entry in entries if entry.has_media and not entry.speaker), None):
        raise SettingError(f"{unknown.path} has no speaker to split by; name them, or add --allow-leaky-split")
    groups: dict[tuple[str, str], list[int]] = defaultdict(list)
    for place, entry in enumerate(entries):
        words = "" if entry.speaker else " ".join(entry.transcript.casefold().split())
        groups[entry.speaker, words].append(place)
    return list(groups.values())
