"""What a recording amounts to: how long each person showed each emotion, and what followed on what."""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from mmer.edge.prediction import Prediction


def summary(predictions: Sequence[Prediction]) -> dict[str, dict[str, dict[str, object]]]:
    """Return for each track (`nobody` for none) the share of windows by label and the counted transitions."""
    by_track: dict[str, list[str]] = {}
    for prediction in predictions:
        if prediction.label is not None:
            track = "nobody" if prediction.track is None else str(prediction.track)
            by_track.setdefault(track, []).append(prediction.label)
    return {track: {"share": _share(labels), "transitions": _transitions(labels)} for track, labels in by_track.items()}


def _share(labels: Sequence[str]) -> dict[str, object]:
    return {label: round(count / len(labels), 4) for label, count in Counter(labels).most_common()}


def _transitions(labels: Sequence[str]) -> dict[str, object]:
    return dict(Counter(f"{before}>{after}" for before, after in pairwise(labels) if before != after).most_common())
