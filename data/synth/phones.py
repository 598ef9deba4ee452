"""From letters to speech sounds in time: a coarse reading of English spelling."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mmer.data.synth.arrays import Doubles


@dataclass(frozen=True, slots=True)
class Phone:
    """A speech sound as the synthesiser and the mouth need it."""

    formants_hz: tuple[float, float, float]
    voiced: float
    noise: float = 0.0
    noise_hz: float = 2000.0
    """Centre of the friction noise."""
    gap: float = 0.0
    """How far the lips are apart, 0-1."""
    length_ms: float = 70.0
    """In careful speech; see `utter`."""


def _vowel(f1: float, f2: float, f3: float, gap: float, length_ms: float = 105.0) -> Phone:
    return Phone((f1, f2, f3), 1.0, gap=gap, length_ms=length_ms)


# Vowel formants: means of men in Peterson and Barney (1952), table II.
PHONES: Mapping[str, tuple[Phone, ...]] = {
    "a": (_vowel(730, 1090, 2440, 0.9),),
    "e": (_vowel(530, 1840, 2480, 0.6),),
    "i": (_vowel(390, 1990, 2550, 0.4),),
    "o": (_vowel(570, 840, 2410, 0.7),),
    "u": (_vowel(640, 1190, 2390, 0.6),),
    "y": (_vowel(270, 2290, 3010, 0.3, 80),),
    "ee": (_vowel(270, 2290, 3010, 0.35, 130),),
    "ea": (_vowel(270, 2290, 3010, 0.35, 130),),
    "oo": (_vowel(300, 870, 2240, 0.3, 130),),
    "ou": (_vowel(730, 1090, 2440, 0.9, 80), _vowel(440, 1020, 2240, 0.4, 70)),
    "ai": (_vowel(530, 1840, 2480, 0.6, 80), _vowel(390, 1990, 2550, 0.4, 70)),
    "ay": (_vowel(530, 1840, 2480, 0.6, 80), _vowel(390, 1990, 2550, 0.4, 70)),
    "m": (Phone((250, 1100, 2200), 0.35),),
    "n": (Phone((250, 1500, 2500), 0.35, gap=0.15),),
    "ng": (Phone((250, 1900, 2600), 0.35, gap=0.2),),
    "l": (Phone((360, 1200, 2600), 0.55, gap=0.3, length_ms=60),),
    "r": (Phone((420, 1200, 1600), 0.55, gap=0.3, length_ms=60),),
    "w": (Phone((300, 700, 2200), 0.5, gap=0.15, length_ms=60),),
    "b": (Phone((250, 900, 2200), 0.12, length_ms=55), Phone((400, 1000, 2300), 0.6, 0.15, 900, 0.2, 15)),
    "d": (Phone((250, 1700, 2600), 0.12, gap=0.2, length_ms=50), Phone((400, 1700, 2600), 0.6, 0.2, 3500, 0.3, 15)),
    "g": (Phone((250, 1600, 2300), 0.12, gap=0.25, length_ms=50), Phone((400, 1600, 2300), 0.6, 0.2, 2000, 0.3, 20)),
    "p": (Phone((300, 900, 2200), 0.0, length_ms=65), Phone((400, 1000, 2300), 0.1, 0.35, 1000, 0.2, 25)),
    "t": (Phone((300, 1700, 2600), 0.0, gap=0.15, length_ms=55), Phone((400, 1700, 2600), 0.1, 0.5, 4200, 0.3, 30)),
    "k": (Phone((300, 1600, 2300), 0.0, gap=0.25, length_ms=60), Phone((400, 1600, 2300), 0.1, 0.4, 2100, 0.3, 30)),
    "f": (Phone((350, 1100, 2300), 0.0, 0.15, 5500, 0.1, 85),),
    "v": (Phone((350, 1100, 2300), 0.35, 0.1, 5000, 0.1, 60),),
    "s": (Phone((350, 1700, 2600), 0.0, 0.4, 5800, 0.15, 95),),
    "z": (Phone((350, 1700, 2600), 0.3, 0.25, 5600, 0.15, 75),),
    "sh": (Phone((350, 1800, 2500), 0.0, 0.45, 3200, 0.25, 95),),
    "ch": (Phone((300, 1800, 2500), 0.0, gap=0.2, length_ms=45), Phone((350, 1800, 2500), 0.0, 0.45, 3300, 0.25, 60)),
    "j": (Phone((250, 1800, 2500), 0.12, gap=0.2, length_ms=40), Phone((350, 1800, 2500), 0.3, 0.3, 3100, 0.25, 50)),
    "th": (Phone((350, 1400, 2500), 0.1, 0.12, 5200, 0.25, 70),),
    "h": (Phone((500, 1500, 2500), 0.05, 0.15, 1600, 0.4, 55),),
    " ": (Phone((500, 1500, 2500), 0.0, gap=0.1, length_ms=25),),
}
FLUENT = 0.82
"""Length of a phone in running speech, as a share of the careful one."""
SPELLINGS: Mapping[str, str] = {"c": "k", "q": "k", "x": "ks", "ck": "k", "ph": "f", "gh": ""}
"""Letters that read as others."""

_UNIT = re.compile("|".join(sorted((*PHONES, *SPELLINGS), key=len, reverse=True)))


@dataclass(frozen=True, slots=True)
class Utterance:
    """Phones one after another."""

    phones: tuple[Phone, ...]
    edges_s: Doubles
    """`[P + 1]` start of each phone, then the end of the last."""

    def at(self, times_s: Doubles, values: Sequence[float], rest: float) -> Doubles:
        """Return the value of the phone that sounds at each time, `rest` before and after the speech."""
        place = np.searchsorted(self.edges_s, times_s, side="right")
        return np.array([rest, *values, rest])[place]


def utter(text: str, rate: float, length_s: float, rng: np.random.Generator) -> Utterance:
    """Return the text spoken at a rate (1 is neutral), hurried where it would not fit into `length_s`."""
    phones = tuple(read(text))
    lengths = FLUENT * np.array([p.length_ms for p in phones]) / 1000 / rate * rng.uniform(0.85, 1.15, len(phones))
    lengths[-3:] *= 1.3
    start = rng.uniform(0.05, 0.1) * length_s
    lengths *= min(1.0, (0.95 * length_s - start) / lengths.sum())
    return Utterance(phones, start + np.concatenate([[0.0], np.cumsum(lengths)]))


def read(text: str) -> Iterator[Phone]:
    """Yield the phones of a text in lower case; a final silent e and doubled letters are not spoken."""
    spoken = re.sub(r"([a-z])e(?= |$)", r"\1", re.sub(r"([b-df-hj-np-tv-z])\1", r"\1", text))
    for unit in _UNIT.findall(spoken):
        for letter in [unit] if unit in PHONES else SPELLINGS[unit]:
            yield from PHONES[letter]
