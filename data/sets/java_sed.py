"""Java-SED: acted Javanese, named `speaker-sentence-emotion_take`."""

import re
from collections.abc import Iterator

from mmer.data.sets.source import Source, code
from mmer.edge.corpus import Entry
from mmer.edge.sources import media_below

_NAME = re.compile(r"(?P<speaker>\d{2})-(?P<sentence>\d{2})-(?P<emotion>\d{2})_(?P<take>\d{2})")
_LABELS = {"01": "neutral", "02": "sad", "03": "happy", "04": "surprise", "05": "fear", "06": "anger"}
_SPLITS = {
    **dict.fromkeys(("01", "02", "06", "07"), "train"),
    "03": "val",
    "08": "val",
    "04": "test",
    "09": "test",
}
"""Two women and two men, one of each, one of each: no speaker in two splits."""


def java_sed(source: Source) -> Iterator[Entry]:
    """Yield the clips, split by speaker."""
    for path in media_below(source.path):
        if (match := _NAME.fullmatch(path.stem)) is None:
            continue
        label = code(_LABELS, match["emotion"], path, "emotion code")
        split = code(_SPLITS, match["speaker"], path, "speaker")
        extra = {"sentence": match["sentence"], "take": match["take"]}
        yield Entry(path, label, split, f"java{match['speaker']}", set="java_sed", extra=extra)
