"""How a class looks, sounds and is worded: one entry per class that the corpus can act."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TypeVar

import numpy as np


@dataclass(frozen=True, slots=True)
class Pose:
    """A held expression; 0 everywhere is the neutral face and 1 a full movement."""

    brows: float = 0.0
    """Raised; negative when lowered."""
    inner: float = 0.0
    """Inner ends of the brows raised."""
    frown: float = 0.0
    """Brows drawn together and down."""
    eyes: float = 0.0
    """Opened wide; -1 is closed."""
    corners: float = 0.0
    """Mouth corners up; negative when down."""
    stretch: float = 0.0
    """Mouth wide; negative when narrow."""
    gap: float = 0.0
    """Lips apart."""
    press: float = 0.0
    """Lips thin; negative when full."""


@dataclass(frozen=True, slots=True)
class Prosody:
    """What the voice changes from the speaker's neutral."""

    pitch_st: float = 0.0
    range: float = 0.0
    """Liveliness of the melody, in octaves of its exponent: 1 doubles the swing, -1 halves it."""
    final_st: float = 0.0
    """Movement of the pitch over the last syllables."""
    rate: float = 0.0
    """Syllable rate, in octaves of its exponent."""
    level_db: float = 0.0
    tilt_db: float = 0.0
    """Change of spectral slope per octave; positive is bright and tense."""
    breath: float = 0.0
    tremor: float = 0.0
    """Six-hertz wavering of pitch and level."""


@dataclass(frozen=True, slots=True)
class Words:
    """What fills the places of a sentence."""

    adjectives: tuple[str, ...]
    nouns: tuple[str, ...]
    verbs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Manner:
    """A class in the three modalities."""

    pose: Pose
    prosody: Prosody
    words: Words


MANNERS: Mapping[str, Manner] = {
    "neutral": Manner(
        Pose(),
        Prosody(),
        Words(
            ("ordinary", "usual", "regular", "plain", "typical", "standard"),
            ("schedule", "meeting", "list", "report", "folder", "timetable"),
            ("waited", "read", "counted", "sorted", "noted", "listed"),
        ),
    ),
    "happy": Manner(
        Pose(brows=0.15, eyes=-0.3, corners=1.0, stretch=0.8, gap=0.35),
        Prosody(pitch_st=4.0, range=0.8, final_st=1.5, rate=0.2, level_db=3.0, tilt_db=1.0),
        Words(
            ("wonderful", "lovely", "brilliant", "delightful", "glorious", "sunny"),
            ("party", "gift", "holiday", "wedding", "prize", "birthday"),
            ("laughed", "danced", "smiled", "cheered", "sang", "celebrated"),
        ),
    ),
    "sad": Manner(
        Pose(inner=1.0, frown=0.15, eyes=-0.45, corners=-0.9, stretch=-0.2),
        Prosody(pitch_st=-2.5, range=-1.0, final_st=-3.0, rate=-0.3, level_db=-5.0, tilt_db=-2.0, breath=0.6),
        Words(
            ("lonely", "sorrowful", "gloomy", "hopeless", "mournful", "empty"),
            ("funeral", "farewell", "loss", "grave", "goodbye", "heartache"),
            ("cried", "wept", "mourned", "sobbed", "grieved", "missed her"),
        ),
    ),
    "anger": Manner(
        Pose(brows=-0.3, frown=1.0, eyes=-0.1, corners=-0.45, stretch=0.15, press=1.0),
        Prosody(pitch_st=2.0, range=0.4, final_st=-4.0, rate=0.2, level_db=6.0, tilt_db=3.0),
        Words(
            ("outrageous", "unfair", "insulting", "rude", "stupid", "shameful"),
            ("insult", "lie", "fraud", "quarrel", "betrayal", "nonsense"),
            ("shouted", "argued", "cursed", "fought", "yelled", "complained"),
        ),
    ),
    "fear": Manner(
        Pose(brows=0.45, inner=0.8, eyes=0.9, corners=-0.5, stretch=0.9, gap=0.35),
        Prosody(pitch_st=6.5, range=-0.6, final_st=1.0, rate=0.35, level_db=-2.0, breath=0.5, tremor=1.0),
        Words(
            ("terrifying", "dangerous", "creepy", "deadly", "frightening", "dark"),
            ("danger", "threat", "monster", "nightmare", "shadow", "scream"),
            ("trembled", "hid", "fled", "panicked", "froze", "shivered"),
        ),
    ),
    "surprise": Manner(
        Pose(brows=1.0, eyes=0.9, stretch=-0.5, gap=1.0, press=-0.3),
        Prosody(pitch_st=4.0, range=1.2, final_st=9.0, rate=-0.05, level_db=2.0, breath=0.2),
        Words(
            ("sudden", "unexpected", "incredible", "astonishing", "unbelievable", "strange"),
            ("surprise", "miracle", "mystery", "twist", "shock", "wonder"),
            ("gasped", "stared", "blinked", "marvelled", "stumbled on it", "never guessed"),
        ),
    ),
    "disgust": Manner(
        Pose(brows=-0.6, eyes=-0.5, corners=-0.6, stretch=-0.35, gap=0.2, press=-0.6),
        Prosody(pitch_st=-3.0, range=0.4, final_st=-5.0, rate=-0.4, level_db=1.0, tilt_db=-0.5),
        Words(
            ("disgusting", "rotten", "filthy", "revolting", "mouldy", "nasty"),
            ("garbage", "slime", "stench", "vomit", "sewage", "dirt"),
            ("gagged", "spat", "choked", "sickened", "recoiled", "retched"),
        ),
    ),
}
"""Every class that the corpus can act; the first six are the default."""

T = TypeVar("T", Pose, Prosody)


def blend(parts: Sequence[tuple[T, float]]) -> T:
    """Return the weighted sum of poses or of prosodies."""
    kind = type(parts[0][0])
    return kind(*(sum(getattr(p, f.name) * weight for p, weight in parts) for f in fields(kind)))


def jittered(value: T, spread: float, rng: np.random.Generator) -> T:
    """Return a pose or prosody with normal noise; `spread` is a share of the largest movement of any class."""
    noise = (rng.standard_normal(len(fields(value))) * spread).tolist()
    values = {f.name: getattr(value, f.name) + n * _REACH[f.name] for f, n in zip(fields(value), noise, strict=True)}
    return type(value)(**values)


_REACH: Mapping[str, float] = {
    f.name: max(
        abs(getattr(part, f.name)) for m in MANNERS.values() for part in (m.pose, m.prosody) if hasattr(part, f.name)
    )
    for kind in (Pose, Prosody)
    for f in fields(kind)
}
