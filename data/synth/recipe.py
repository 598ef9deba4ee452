"""What a synthetic corpus is made from; two equal recipes give two equal corpora."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from mmer.data.synth.emotion import MANNERS
from mmer.edge.errors import SettingError
from mmer.edge.labels import LABELS

SPLITS = ("train", "val", "test")
SIX = tuple(MANNERS)[:6]


@dataclass(frozen=True, slots=True)
class SynthRecipe:
    """The settings of a synthetic corpus; raises `SettingError` when they cannot be met."""

    seed: int = 0
    speakers: int = 8
    clips_per_class: int = 4
    """For each speaker."""
    labels: tuple[str, ...] = SIX
    difficulty: float = 0.3
    """0: every modality tells the class; 1: most clips have a modality that does not, in a bad recording."""
    split: tuple[float, float, float] = (0.5, 0.25, 0.25)
    """Shares of the speakers for train, val and test."""
    length_s: float = 3.0
    width: int = 320
    height: int = 240
    rate_hz: int = 15
    black_share: float = 0.125
    """Share of clips that start with one or two black pictures, as recordings do."""

    def __post_init__(self) -> None:
        for name, low, high in _LIMITS:
            if not low <= (value := getattr(self, name)) <= high:
                raise SettingError(f"{name} is {value}; the synthetic corpus takes {low} to {high}")
        if self.width % 2 or self.height % 2 or self.width < self.height:
            raise SettingError(f"pictures are {self.width}x{self.height}; take even numbers, and no portrait format")
        if unknown := [name for name in self.labels if name not in MANNERS]:
            raise SettingError(f"no synthetic speaker can act {', '.join(unknown)} (they can: {', '.join(MANNERS)})")
        if len(set(self.labels)) != len(self.labels) or len(self.labels) < 2:
            raise SettingError(f"labels are {', '.join(self.labels)}; name at least two, each once")
        _counts(self.speakers, self.split)

    @property
    def splits(self) -> tuple[str, ...]:
        """The split of each speaker."""
        counts = _counts(self.speakers, self.split)
        return tuple(name for name, count in zip(SPLITS, counts, strict=True) for _ in range(count))

    @property
    def clips(self) -> tuple[tuple[int, str, int], ...]:
        """Speaker, label and number of every clip, in the order of the index."""
        counted = range(self.clips_per_class)
        return tuple((who, label, n) for who in range(self.speakers) for label in self.labels for n in counted)

    def entropy(self, who: int, label: str, number: int) -> Sequence[int]:
        """Return what a clip's random numbers grow from: nothing that the other clips could change."""
        return self.seed, who, LABELS.index(label), number


_LIMITS: tuple[tuple[str, float, float], ...] = (
    ("seed", 0, 2**63),
    ("speakers", 1, 1000),
    ("clips_per_class", 1, 1000),
    ("difficulty", 0, 1),
    ("length_s", 1, 60),
    ("width", 96, 1920),
    ("height", 96, 1080),
    ("rate_hz", 1, 60),
    ("black_share", 0, 1),
)


def _counts(speakers: int, shares: tuple[float, float, float]) -> list[int]:
    """Return the number of speakers for each split: at least one where the share is not 0."""
    wanted = [share > 0 for share in shares]
    if not all(0 <= share < math.inf for share in shares) or not any(wanted):
        raise SettingError(f"split is {shares}; the shares of train, val and test must be 0 or more, and not all 0")
    if speakers < sum(wanted):
        raise SettingError(f"{speakers} speaker(s) cannot be parted into {sum(wanted)} splits; take more speakers")
    counts = [int(share > 0) for share in shares]
    for _ in range(speakers - sum(counts)):
        short = [share / sum(shares) * speakers - count for share, count in zip(shares, counts, strict=True)]
        counts[short.index(max(short))] += 1
    return counts
