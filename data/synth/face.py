"""A speaker's face taking a pose, as displacement fields on the portrait.

A displacement says where a pixel's colour comes from, so lifting a brow looks further down. All positions and
distances are in portrait pixels.
"""

from functools import cache, lru_cache

import cv2
import numpy as np

from mmer.data.synth import mouth
from mmer.data.synth.arrays import Bytes, Floats
from mmer.data.synth.emotion import Pose
from mmer.data.synth.portrait import CENTRE, EYES, FOLDS, FROWN, SCALE, bump, lines, offsets, portrait
from mmer.data.synth.speaker import Looks

Area = tuple[slice, slice]

AREA = (slice(56 * SCALE, 196 * SCALE), slice(104 * SCALE, 226 * SCALE))
"""Rows and columns of the picture that a pose can change; ends where the mouth's area does."""
FROWN_AREA = (slice(76 * SCALE, 102 * SCALE), slice(146 * SCALE, 178 * SCALE))
FOLDS_AREA = (slice(116 * SCALE, 152 * SCALE), slice(128 * SCALE, 196 * SCALE))
BLACK, CAVITY = (0, 0, 0, 255), (58, 22, 24, 255)


@lru_cache(maxsize=4)
def plate(looks: Looks) -> Bytes:
    """Return the portrait in the speaker's colours, `[H, W, 4]` RGB and matte."""
    source = portrait()
    pixels = source.pixels
    for region, gain in ((source.skin, looks.skin), (source.hair, looks.hair)):
        pixels = pixels * (1 + region[..., None] * (np.array(gain, np.float32) - 1))
    shade = pixels.max(axis=2, keepdims=True) / 220
    share = source.cloth[..., None]
    pixels = pixels * (1 - share) + shade * np.array(looks.cloth, np.float32) * share
    return np.dstack([np.clip(pixels, 0, 255), 255 * source.matte]).astype(np.uint8)


@lru_cache(maxsize=4)
def shape_field(looks: Looks) -> Floats:
    """Return the displacement `[2, H, W]` that makes the portrait's face the speaker's."""
    shape = looks.shape
    x, y = offsets(CENTRE)
    head, jaw, nose = bump((163, 125), (65, 75)), bump((163, 168), (60, 22)), bump((164, 123), (14, 13))
    left, right = (bump(eye, (13, 9)) for eye in EYES)
    dx = -x * (0.09 * shape.width * head + 0.09 * shape.jaw * jaw + 0.22 * shape.nose_width * nose)
    dx += 2.2 * shape.eye_spacing * (left - right)
    dy = -y * 0.07 * shape.length * head - 2.0 * shape.nose_length * bump((164, 127), (18, 9))
    dy += 2.0 * shape.mouth_level * bump((162, 147), (30, 11)) + 0.8 * shape.brow_level * bump((163, 91), (40, 6))
    dy -= 0.1 * shape.eye_size * _towards_eyes(5.0)
    return np.stack([dx, dy])


def posed(clean: Bytes, pose: Pose) -> Bytes:
    """Return the plate with the face in the pose."""
    field, lips = _upper(pose), mouth.mouth(pose)
    field[:, mouth.AREA[0].start - AREA[0].start :] += lips.field
    field *= SCALE
    field += _pixels()
    result: Bytes = clean.copy()
    result[AREA] = cv2.remap(clean, field[0], field[1], cv2.INTER_LINEAR)
    frown, smile = _creases()
    _paint(result, FROWN_AREA, 0.25 * np.clip(pose.frown, 0, 1) * frown, BLACK)
    _paint(result, FOLDS_AREA, 0.16 * np.clip(pose.corners, 0, 1) * smile, BLACK)
    _paint(result, mouth.INNER, lips.dark, CAVITY)
    return result


def _paint(picture: Bytes, area: Area, share: Floats, colour: tuple[int, int, int, int]) -> None:
    part = picture[area].astype(np.float32)
    picture[area] = part + share[..., None] * (np.array(colour, np.float32) - part)


@cache
def _pixels() -> Floats:
    """Return x and y of each pixel of the area, in pixels of the plate, `[2, H, W]`."""
    rows, columns = np.mgrid[AREA].astype(np.float32)
    return np.stack([columns, rows])


def _towards_eyes(height: float) -> Floats:
    """Return the distance below the middle of the nearer eye, fading away from it, `[H, W]`."""
    left, right = (offsets(eye)[1] * bump(eye, (11, height)) for eye in EYES)
    return left + right


@cache
def _basis() -> Floats:
    """Return the displacements of brows, inner brows, frown, opened and closed eyes, `[5, 2, H, W]`."""
    brows = bump((139, 90.5), (12, 6.5)) + bump((187, 90.5), (12, 6.5))
    left, right = bump((151, 92), (8, 6)), bump((175, 93), (8, 6))
    outer = bump((127, 91), (8, 5)) + bump((199, 95), (8, 5))
    flat = np.zeros_like(brows)
    fields = [
        (flat, 5.0 * brows),
        (2.0 * (left - right), 5.0 * (left + right) - 2.0 * outer),
        (3.0 * (right - left), -4.5 * bump((163, 93), (17, 6.5))),
        (flat, -0.36 * _towards_eyes(5.0)),
        (flat, 1.9 * _towards_eyes(3.2)),
    ]
    return np.asarray(fields, np.float32)[:, :, AREA[0], AREA[1]]


def _upper(pose: Pose) -> Floats:
    """Return what brows and lids do, `[2, H, W]`."""
    opened, closed = max(pose.eyes, 0.0), max(-pose.eyes, 0.0)
    weights = np.array([pose.brows, pose.inner, pose.frown, opened, closed], np.float32)
    # einsum stays clear of BLAS, whose threads would wait for longer than this takes.
    return np.asarray(np.einsum("k,kchw->chw", weights, _basis()), np.float32)


@cache
def _creases() -> tuple[Floats, Floats]:
    """Return the lines that a frown and a smile draw into the skin."""
    return lines(FROWN, 1.8)[FROWN_AREA], lines(FOLDS, 2.2)[FOLDS_AREA]
