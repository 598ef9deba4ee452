"""From a posed face to the pictures of a clip: where the head is, the light, the lens and the sensor."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from mmer.data.synth.arrays import Bytes, Doubles, Floats
from mmer.data.synth.emotion import Pose
from mmer.data.synth.face import plate, posed, shape_field
from mmer.data.synth.portrait import CENTRE, SCALE
from mmer.data.synth.speaker import Looks

GRAIN = 64
"""How far, in pixels, the grain may be shifted."""
FULL_HEIGHT = 250.0
"""Picture height that the portrait fills at size 1."""


@dataclass(frozen=True, slots=True)
class Shot:
    """How a clip is filmed."""

    width: int
    height: int
    times_s: Doubles
    black: int
    """Number of black pictures at the start."""
    difficulty: float


@dataclass(frozen=True, slots=True)
class _Scene:
    """What stays the same over the pictures of a clip."""

    wall: Floats
    """`[H, W, 3]`, 0-255."""
    light: Floats
    """`[H, W, 3]` gains."""
    blur: float
    grain: Floats
    """`[H + GRAIN, W + GRAIN]`; every picture gets another part of it."""


def film(looks: Looks, poses: Sequence[Pose], shot: Shot, rng: np.random.Generator) -> Bytes:
    """Return the pictures `[T, H, W, 3]` RGB, one for each pose."""
    scene = _scene(looks, shot, rng)
    pictures = np.zeros((len(poses), shot.height, shot.width, 3), np.uint8)
    person, field = plate(looks), shape_field(looks)
    for n, (pose, head) in enumerate(zip(poses, _heads(looks, shot, rng), strict=True)):
        if n >= shot.black:
            layer = _placed(posed(person, pose), field, head, shot)
            pictures[n] = _exposed(layer, scene, rng)
    return pictures


def _scene(looks: Looks, shot: Shot, rng: np.random.Generator) -> _Scene:
    d, unit = shot.difficulty, shot.height / FULL_HEIGHT
    x, y = np.linspace(-1, 1, shot.width)[None, :], np.linspace(-1, 1, shot.height)[:, None]
    angle, exposure = rng.uniform(0, 2 * np.pi), 1 + (0.08 + 0.2 * d) * rng.uniform(-1, 0.6)
    side = exposure * (1 + (0.06 + 0.2 * d) * (x * np.cos(angle) + y * np.sin(angle)))
    tint = 1 + (0.02 + 0.05 * d) * rng.uniform(-1, 1, 3)
    blobs = cv2.resize(rng.uniform(-18, 18, (4, 5)), (shot.width, shot.height), interpolation=cv2.INTER_CUBIC)
    return _Scene(
        wall=(np.array(looks.wall) + blobs[..., None]).astype(np.float32),
        light=(side[..., None] * tint).astype(np.float32),
        blur=float(rng.uniform(0.2, 0.4 + 0.8 * d)) * unit,
        grain=_grain(shot, rng),
    )


def _grain(shot: Shot, rng: np.random.Generator) -> Floats:
    strength = rng.uniform(1.0, 1.5 + 3.5 * shot.difficulty)
    noise = rng.standard_normal((shot.height + GRAIN, shot.width + GRAIN)) * strength
    return noise.astype(np.float32)


def _heads(looks: Looks, shot: Shot, rng: np.random.Generator) -> Iterator[Doubles]:
    """Yield, for each picture, the `[2, 3]` matrix from its pixels to those of the portrait."""
    reach = 0.6 + 0.8 * shot.difficulty
    right, down, roll, zoom = (_sway(shot.times_s, rng) * reach * s for s in (7.0, 4.0, 0.06, 0.03))
    start_x, start_y = rng.uniform(-1, 1, 2) * reach * (10.0, 3.0)
    for x, y, angle, closer in zip(right + start_x, down + start_y, roll, zoom, strict=True):
        grow = looks.size * (1 + closer) * shot.height / FULL_HEIGHT
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) / grow
        if looks.mirrored:
            turn[0] *= -1
        middle = np.array([shot.width / 2, shot.height * 0.53]) + grow * np.array([x, y])
        yield np.column_stack([turn, np.array(CENTRE) - turn @ middle])


def _sway(times_s: Doubles, rng: np.random.Generator) -> Doubles:
    """Return a slow movement within -1 to 1."""
    rates, phases = rng.uniform(0.1, 0.7, 3), rng.uniform(0, 2 * np.pi, 3)
    waves = np.sin(2 * np.pi * rates[:, None] * times_s + phases[:, None])
    return np.asarray(waves.mean(axis=0))


def _placed(face: Bytes, field: Floats, head: Doubles, shot: Shot) -> Bytes:
    """Return the face where the head is, in the speaker's shape, `[H, W, 4]`."""
    size = (shot.width, shot.height)
    x, y = np.arange(shot.width), np.arange(shot.height)[:, None]
    maps = []
    for row, offset in zip(head, field, strict=True):
        moved = cv2.warpAffine(offset, head * SCALE, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
        maps.append(((row[0] * x + row[1] * y + row[2] + moved) * SCALE).astype(np.float32))
    return np.asarray(cv2.remap(face, maps[0], maps[1], cv2.INTER_LINEAR), np.uint8)


def _exposed(layer: Bytes, scene: _Scene, rng: np.random.Generator) -> Bytes:
    colours, share = layer[..., :3].astype(np.float32), layer[..., 3:].astype(np.float32) / 255
    picture = scene.wall + share * (colours - scene.wall)
    blurred = cv2.GaussianBlur(picture * scene.light, (0, 0), scene.blur)
    right, down = rng.integers(GRAIN, size=2)
    grain = scene.grain[down : down + len(picture), right : right + picture.shape[1], None]
    return np.asarray(np.clip(blurred + grain, 0, 255), np.uint8)
