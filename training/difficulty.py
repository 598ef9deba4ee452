"""How difficult a clip is, as its index tells."""

from collections.abc import Mapping

from mmer.edge.corpus import Entry
from mmer.edge.errors import CorpusError

DIFFICULTY, INTENSITY = "difficulty", "intensity"
"""Columns of an index; the first counts where both are there."""

OF_INTENSITY: Mapping[str, float] = {
    "01": 1.0,  # RAVDESS: normal, strong
    "02": 0.0,
    "LO": 1.0,  # CREMA-D: low, medium, high, unspecified
    "MD": 0.5,
    "HI": 0.0,
    "XX": 0.5,
}
"""What is acted strongly is easy to recognise."""


def difficulty(entry: Entry) -> float | None:
    """Return how difficult a clip is, `None` where the index does not tell; raise `CorpusError` for what is no number.

    Only the order within a class means anything.
    """
    if told := entry.column(DIFFICULTY):
        try:
            return float(told)
        except ValueError as error:
            raise CorpusError(entry.path, f"its {DIFFICULTY} is {told!r:.40}; write a number") from error
    return OF_INTENSITY.get(entry.column(INTENSITY) or "")
