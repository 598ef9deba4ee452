"""Statistics as JSON and back: whole numbers as they are, channels in base64; nothing that is read is trusted."""

import base64
import binascii
import math
from collections.abc import Mapping

import numpy as np

from mmer.calibration.observation.histogram import BINS, Histogram
from mmer.calibration.observation.ranges import Range, Seen, Wide
from mmer.calibration.observation.statistics import Averages, Statistics

_MOST_CHANNELS = 1 << 16
_MOST_COUNT = 1 << 53
_FARTHEST = 1 << 26
_KINDS = {"low": "<f4", "high": "<f4", "total": "<f8"}


class MalformedError(ValueError):
    """A value is missing, of another type or out of range."""


def to_json(statistics: Statistics) -> dict[str, object]:
    """Return the statistics of a tensor."""
    seen, averages = statistics.seen, statistics.averages
    channels = {"low": seen.low, "high": seen.high, "total": seen.total}
    return {
        "count": seen.count,
        **{name: _encoded(values, _KINDS[name]) for name, values in channels.items()},
        "mean_extremes": [averages.mean.low, averages.mean.high],
        "moving_extremes": [averages.moving.low, averages.moving.high],
        "histogram": _histogram(statistics.plain),
        "centred_histogram": statistics.centred and _histogram(statistics.centred),
    }


def from_json(document: object) -> Statistics:
    """Return the statistics; raise `MalformedError` for anything that `to_json` does not write."""
    members = _members(document)
    low, high, total = (_decoded(members.get(name), kind) for name, kind in _KINDS.items())
    if not len(low) == len(high) == len(total) or (low > high).any():
        raise MalformedError("its channels do not fit each other")
    centred = members.get("centred_histogram")
    return Statistics(
        Seen(low, high, total, _whole(members.get("count"), 1, _MOST_COUNT)),
        Averages(_range(members.get("mean_extremes")), _range(members.get("moving_extremes"))),
        _counts(members.get("histogram")),
        None if centred is None else _counts(centred),
    )


def _encoded(values: Wide, kind: str) -> str:
    return base64.b64encode(values.astype(kind).tobytes()).decode("ascii")


def _decoded(text: object, kind: str) -> Wide:
    if not isinstance(text, str) or len(text) > 12 * _MOST_CHANNELS:
        raise MalformedError("its channels are no text, or too many")
    try:
        values = np.frombuffer(base64.b64decode(text, validate=True), kind).astype(np.float64)
    except (binascii.Error, ValueError) as error:
        raise MalformedError("its channels are not numbers in base64") from error
    if not values.size or not np.isfinite(values).all():
        raise MalformedError("its channels are not finite numbers")
    return values


def _histogram(histogram: Histogram) -> dict[str, object]:
    return {"exponent": histogram.exponent, "first": histogram.first, "counts": histogram.counts.tolist()}


def _counts(document: object) -> Histogram:
    members = _members(document)
    counts = members.get("counts")
    if not isinstance(counts, list) or not 0 < len(counts) <= BINS:
        raise MalformedError(f"its histogram has not 1 to {BINS} counts")
    whole = np.array([_whole(count, 0, _MOST_COUNT // BINS) for count in counts], np.int64)
    if not whole.any():
        raise MalformedError("its histogram is empty")
    first = _whole(members.get("first"), -_FARTHEST, _FARTHEST)
    return Histogram(_whole(members.get("exponent"), -126, 127), first, whole)


def _members(document: object) -> Mapping[str, object]:
    if not isinstance(document, dict):
        raise MalformedError("it is no object")
    return document


def _whole(value: object, least: int, most: int) -> int:
    if type(value) is not int or not least <= value <= most:
        raise MalformedError(f"{str(value)[:40]} is no whole number from {least} to {most}")
    return value


def _range(value: object) -> Range:
    if not isinstance(value, list) or len(value) != 2 or not all(type(v) in (int, float) for v in value):
        raise MalformedError("extremes are not two numbers")
    low, high = map(float, value)
    if not (math.isfinite(low) and math.isfinite(high)) or low > high:
        raise MalformedError("extremes are not finite and in order")
    return Range(low, high)
