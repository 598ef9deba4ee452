"""Synthetic people: what stays the same over all clips of one speaker."""

from dataclasses import dataclass

import numpy as np

RGB = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Shape:
    """Departures from the portrait's face, each -1 to 1."""

    width: float
    jaw: float
    length: float
    eye_spacing: float
    eye_size: float
    brow_level: float
    nose_width: float
    nose_length: float
    mouth_level: float


@dataclass(frozen=True, slots=True)
class Looks:
    """A face, its clothes and the room behind it."""

    shape: Shape
    skin: RGB
    """Gains on the portrait's colours."""
    hair: RGB
    cloth: RGB
    """Colour, 0-255."""
    wall: RGB
    mirrored: bool
    size: float
    """Scale of the head in the picture, around 1."""
    expressiveness: float


@dataclass(frozen=True, slots=True)
class Voice:
    """A vocal tract and the habits of its owner."""

    pitch_hz: float
    tract: float
    """Factor on all formants; small is a long vocal tract."""
    range_st: float
    rate: float
    level_db: float
    """Full-scale level of voiced speech."""
    tilt_db: float
    breath: float


@dataclass(frozen=True, slots=True)
class Speaker:
    """One synthetic person."""

    looks: Looks
    voice: Voice

    @classmethod
    def draw(cls, seed: int, number: int) -> "Speaker":
        """Draw the speaker with this number; the others of the same seed do not matter."""
        looks, voice = np.random.SeedSequence((seed, number)).spawn(2)
        return cls(_looks(np.random.default_rng(looks)), _voice(np.random.default_rng(voice)))


def _looks(rng: np.random.Generator) -> Looks:
    dark, red, hair = rng.uniform(0, 1, 3)
    return Looks(
        shape=Shape(*rng.uniform(-1, 1, 9).tolist()),
        skin=(1.03 - 0.34 * dark, 1.0 - 0.48 * dark - 0.05 * red, 1.0 - 0.53 * dark - 0.04 * red),
        hair=_rgb(np.array([1.1, 1.05, 1.1]) - hair * np.array([0.75, 0.8, 0.8]) + np.array([0.25, 0, -0.1]) * red),
        cloth=_rgb(rng.uniform(40, 200, 3)),
        wall=_rgb(rng.uniform(60, 210) + rng.uniform(-35, 35, 3)),
        mirrored=bool(rng.random() < 0.5),
        size=float(rng.uniform(0.88, 1.12)),
        expressiveness=float(rng.uniform(0.85, 1.1)),
    )


def _voice(rng: np.random.Generator) -> Voice:
    high = rng.random() < 0.5
    return Voice(
        pitch_hz=float(rng.uniform(175, 230) if high else rng.uniform(95, 140)),
        tract=float(rng.uniform(1.05, 1.2) if high else rng.uniform(0.9, 1.02)),
        range_st=float(rng.uniform(1.8, 3.0)),
        rate=float(rng.uniform(0.92, 1.1)),
        level_db=float(rng.uniform(-26, -20)),
        tilt_db=float(rng.uniform(-1, 1)),
        breath=float(rng.uniform(0, 0.3)),
    )


def _rgb(values: np.typing.NDArray[np.float64]) -> RGB:
    red, green, blue = values.tolist()
    return red, green, blue
