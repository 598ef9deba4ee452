"""CREMA-D: twelve sentences by 91 actors, named `actor_sentence_emotion_intensity` (Cao and others, 2014)."""

import re
from collections.abc import Iterator

from mmer.data.sets.source import Source, code
from mmer.edge.corpus import Entry
from mmer.edge.sources import media_below

_NAME = re.compile(r"(1\d{3})_([A-Z]{3})_([A-Z]{3})_([A-Z]{1,2})")
_LABELS = {"ANG": "anger", "DIS": "disgust", "FEA": "fear", "HAP": "happy", "NEU": "neutral", "SAD": "sad"}
_SENTENCES = {
    "IEO": "It's eleven o'clock.",
    "TIE": "That is exactly what happened.",
    "IOM": "I'm on my way to the meeting.",
    "IWW": "I wonder what this is about.",
    "TAI": "The airplane is almost full.",
    "MTI": "Maybe tomorrow it will be cold.",
    "IWL": "I would like a new alarm clock.",
    "ITH": "I think I have a doctor's appointment.",
    "DFA": "Don't forget a jacket.",
    "ITS": "I think I've seen this before.",
    "TSI": "The surface is slick.",
    "WSI": "We'll stop in a couple of minutes.",
}


def crema_d(source: Source) -> Iterator[Entry]:
    """Yield the clips, split by actor."""
    for path in media_below(source.path):
        if (match := _NAME.fullmatch(path.stem)) is None:
            continue
        actor, sentence, emotion, intensity = match.groups()
        yield Entry(
            path,
            code(_LABELS, emotion, path, "emotion code"),
            _split(actor),
            f"crema{actor}",
            set="crema_d",
            transcript=code(_SENTENCES, sentence, path, "sentence code"),
            extra={"sentence": sentence, "intensity": intensity},
        )


def _split(actor: str) -> str:
    """Return the split by the actor's last digit, since the authors give none: 8 is val, 9 is test."""
    return {"8": "val", "9": "test"}.get(actor[-1], "train")
