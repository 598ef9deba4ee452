"""The emotion classes and the spellings of the data sets."""

from collections.abc import Mapping

LABELS = (
    "neutral",
    "calm",
    "happy",
    "sad",
    "anger",
    "fear",
    "disgust",
    "surprise",
    "contempt",
    "excited",
    "frustrated",
)
"""Canonical names, in the canonical order."""

SPELLINGS: Mapping[str, str] = {
    **{label: label for label in LABELS},
    "ang": "anger",
    "angry": "anger",
    "contemptuous": "contempt",
    "dis": "disgust",
    "disgusted": "disgust",
    "exc": "excited",
    "excitement": "excited",
    "fea": "fear",
    "fearful": "fear",
    "frustration": "frustrated",
    "fru": "frustrated",
    "hap": "happy",
    "happiness": "happy",
    "joy": "happy",
    "neu": "neutral",
    "no emotion": "neutral",
    "sadness": "sad",
    "sur": "surprise",
    "surprised": "surprise",
}
"""Every spelling met in the data sets we read, lower case, and its canonical name."""


def canonical(spelling: str) -> str | None:
    """Return the canonical name of a label, or `None` for one we do not know."""
    return SPELLINGS.get(spelling.strip().lower())
