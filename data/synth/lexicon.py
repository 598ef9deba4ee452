"""What the speakers say: sentence frames filled with words that tell of a class, or of none."""

import numpy as np

from mmer.data.synth.cue import Cue
from mmer.data.synth.emotion import MANNERS, Words

FRAMES = (
    "that {adjective} {noun} so we {verb}",
    "they {verb} at the {adjective} {noun}",
    "the {noun} was {adjective} and i {verb}",
    "i {verb} then the {adjective} {noun}",
    "my {adjective} {noun} and he {verb}",
    "she {verb} as the {noun} is {adjective}",
)
FILLER = Words(
    ("blue", "little", "wooden", "early", "second", "round", "narrow", "yellow"),
    ("garden", "station", "window", "river", "kitchen", "bottle", "teacher", "corner"),
    ("walked", "turned", "talked", "moved", "called", "looked up", "came back", "sat down"),
)
"""Words that tell of no class."""


def sentence(cue: Cue, rng: np.random.Generator) -> str:
    """Return a sentence whose words are of the cue's class, its decoy or neither, as often as the cue is strong."""
    frame = FRAMES[rng.integers(len(FRAMES))]
    adjective, noun, verb = (_word(kind, cue, rng) for kind in ("adjectives", "nouns", "verbs"))
    return frame.format(adjective=adjective, noun=noun, verb=verb)


def _word(kind: str, cue: Cue, rng: np.random.Generator) -> str:
    # Squared: one telling word among three gives the class away, as a third of a smile does not.
    which, place = rng.random(2)
    source = FILLER
    if which < cue.strength**2:
        source = MANNERS[cue.label].words
    elif which < cue.strength**2 + cue.decoy_strength**2:
        source = MANNERS[cue.decoy].words
    words: tuple[str, ...] = getattr(source, kind)
    return words[int(place * len(words))]
