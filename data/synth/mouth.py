"""Lips, jaw and what shows between them.

The portrait's lips part along two parabolas from corner to corner, with teeth in between. A pose parts them along
two others: what lies beyond the edges follows them, what lies between shows as much of the teeth as there is room
for, and then the dark. Distances are in portrait pixels from the middle of the closed mouth.
"""

from typing import NamedTuple

import numpy as np

from mmer.data.synth.arrays import Floats
from mmer.data.synth.emotion import Pose
from mmer.data.synth.portrait import SCALE, offsets

MIDDLE = (162.0, 145.0)
AREA = (slice(112 * SCALE, 196 * SCALE), slice(104 * SCALE, 226 * SCALE))
"""Rows and columns of the picture that the mouth can move."""
INNER = (slice(132 * SCALE, 170 * SCALE), slice(134 * SCALE, 190 * SCALE))
"""Where one may look between the lips."""
SMILE_HALF_WIDTH, HALF_WIDTH = 21.5, 18.0
"""Half the width of the portrait's smile, and of the closed mouth made from it."""


class Mouth(NamedTuple):
    """A posed mouth."""

    field: Floats
    """Over `AREA`, `[2, H, W]`: where the colour of each pixel comes from, as the distance in x and y."""
    dark: Floats
    """Over `INNER`, `[H, W]`: 1 where one looks past the teeth."""


class _Edges(NamedTuple):
    """Lower edge of the upper lip, upper edge of the lower; `[1, W]`, each for the portrait and for the pose."""

    smile_upper: Floats
    smile_lower: Floats
    upper: Floats
    lower: Floats


def mouth(pose: Pose) -> Mouth:
    """Return the mouth of a pose."""
    x, y = _within(AREA)
    half = HALF_WIDTH * (1 + 0.22 * pose.stretch)
    edges = _edges(pose, x / half)
    beside = np.exp(-0.5 * (np.maximum(np.abs(x) - half, 0) / 9) ** 2)
    dy = _vertical(y, edges, pose.press) * beside
    dx = x * (SMILE_HALF_WIDTH / half - 1) * beside * np.exp(-0.5 * ((y - edges.upper) / 13) ** 2)
    return Mouth(np.stack([dx, dy]), _dark(pose, half))


def _within(area: tuple[slice, slice]) -> tuple[Floats, Floats]:
    x, y = offsets(MIDDLE)
    return x[:, area[1]], y[area[0]]


def _dark(pose: Pose, half: float) -> Floats:
    x, y = _within(INNER)
    edges = _edges(pose, x / half)
    depth = y - edges.upper
    # A little over the lower lip's edge, where the portrait's teeth would shine through.
    inside = np.clip(np.minimum(depth, edges.lower + 0.8 - y) * SCALE + 0.5, 0, 1) * (np.abs(x) < half)
    teeth = 6.5 - 2.5 * (1 - max(pose.corners, 0.0))
    return np.asarray(inside * np.clip((depth - teeth) / 2, 0, 1), np.float32)


def _edges(pose: Pose, across: Floats) -> _Edges:
    """Return the edges of the lips; `across` is -1 at one corner and 1 at the other."""
    arch = 1 - np.clip(across, -1, 1) ** 2
    gap = 15.0 * max(pose.gap, 0.0) * arch
    line = -(0.3 + 4.5 * pose.corners) * (1 - arch)
    return _Edges(-5.0 + 2.0 * arch, -5.0 + 9.8 * arch, line - 0.25 * gap, line + 0.75 * gap)


def _vertical(y: Floats, edges: _Edges, press: float) -> Floats:
    """Return how far up or down the colour of each pixel comes from."""
    above, below = edges.upper - y, y - edges.lower
    up = (edges.smile_upper - edges.upper) * _hold(above, 3, 8) - press * 1.2 * _thin(above, 3)
    down = (edges.smile_lower - edges.lower) * _hold(below, 6, 16) + press * 2.5 * _thin(below, 5)
    between = np.minimum(edges.smile_upper - edges.upper, edges.smile_lower - y - 0.5)
    return np.where(above > 0, up, np.where(below > 0, down, between))


def _hold(distance: Floats, rigid: float, reach: float) -> Floats:
    """Return 1 up to `rigid` from the lip's edge, then fading."""
    return np.asarray(np.exp(-0.5 * (np.maximum(distance - rigid, 0) / reach) ** 2), np.float32)


def _thin(distance: Floats, lip: float) -> Floats:
    """Return how much of a thinned lip is skipped at a distance from its edge."""
    return np.asarray(np.clip(distance / lip, 0, 1) * _hold(distance, lip, 5), np.float32)
