"""RAVDESS: acted English speech of 24 actors, named by seven numbers (Livingstone and Russo, 2018)."""

import re
from collections.abc import Iterator

from mmer.data.sets.source import Source, code
from mmer.edge.corpus import Entry
from mmer.edge.sources import media_below

_NAME = re.compile(r"(0[123])-(0[12])-(\d\d)-(\d\d)-(\d\d)-(\d\d)-(\d\d)")
"""Modality, channel, emotion, intensity, statement, repetition, actor."""
_SPEECH = "01"
_LABELS = {
    "01": "neutral",
    "02": "calm",
    "03": "happy",
    "04": "sad",
    "05": "anger",
    "06": "fear",
    "07": "disgust",
    "08": "surprise",
}
_STATEMENTS = {"01": "Kids are talking by the door.", "02": "Dogs are sitting by the door."}
_SPLITS = {f"{n:02}": "train" if n <= 14 else "val" if n <= 16 else "test" for n in range(1, 25)}
"""The authors give none: actors 1 to 14, 15 and 16, 17 to 24; odd numbers are men, even ones women."""


def ravdess(source: Source) -> Iterator[Entry]:
    """Yield the spoken clips, heard, seen or both, split by actor; songs are left out."""
    for path in media_below(source.path):
        match = _NAME.fullmatch(path.stem)
        if match is None or match[2] != _SPEECH:
            continue
        _, _, emotion, intensity, statement, repetition, actor = match.groups()
        yield Entry(
            path,
            code(_LABELS, emotion, path, "emotion code"),
            code(_SPLITS, actor, path, "actor"),
            f"rav{actor}",
            set="ravdess",
            transcript=code(_STATEMENTS, statement, path, "statement"),
            extra={"sentence": statement, "take": repetition, "intensity": intensity},
        )
