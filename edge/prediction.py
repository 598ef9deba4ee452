"""What the recogniser answers for one window of one person."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Prediction:
    """An emotion between two moments, what it rests on and how sure it is."""

    start_s: float
    end_s: float
    label: str | None
    """`None` when no modality was present: nothing to look at."""
    probabilities: Mapping[str, float]
    present: Mapping[str, bool]
    """Which of `video`, `audio`, `text`, `metadata` the answer rests on."""
    track: int | None = None
    active_speaker: bool | None = None
    weights: Mapping[str, float] = field(default_factory=dict)
    """How much each modality contributed, where the model tells."""
    quality: Mapping[str, float] = field(default_factory=dict)
