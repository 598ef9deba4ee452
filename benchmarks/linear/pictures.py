"""What can be measured of a face by hand: histograms of oriented gradients (Dalal and Triggs 2005)."""

import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from mmer.edge.backends.ort import OrtSettings
from mmer.edge.corpus import Entry
from mmer.edge.faces.mtcnn import Mtcnn
from mmer.edge.media.isolated import IsolatedDecoder
from mmer.training.recording import Inputs, Recorder

Floats = NDArray[np.float32]

SIDE, CELL, TURNS = 48, 8, 9
"""Pixels of a face and of a cell, and directions told apart over half a turn."""
SLICE = 1024
"""Pictures at a time: memory stays below 200 MB."""


def face_features(pictures: NDArray[np.uint8]) -> Floats:
    """Return the histograms of grey faces `[N, 48, 48]`, each block of 2 x 2 cells by itself to length 1, `[N, D]`."""
    return np.concatenate([_histograms(pictures[at : at + SLICE]) for at in range(0, len(pictures), SLICE)])


def clip_features(entries: Sequence[Entry]) -> Iterator[Floats]:
    """Yield what the face of each clip looks like on average and how it moves, `[2 D]`; zeros without a face."""
    with IsolatedDecoder() as decoder:
        recorder = Recorder(decoder, Mtcnn.open(OrtSettings()), Inputs())
        for entry in entries:
            crops = recorder.take(entry).crops
            grey = [cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY) for crop in crops]
            each = face_features(np.stack(grey) if grey else np.zeros((1, SIDE, SIDE), np.uint8))
            yield np.concatenate([each.mean(axis=0), each.std(axis=0)])


def tar_pictures(path: Path) -> tuple[NDArray[np.uint8], list[str], list[str]]:
    """Return the grey pictures `[N, 48, 48]` of a tar, their names, and the folder of each, which is its class."""
    pictures, names = [], []
    with tarfile.open(path) as archive:
        for member in archive:
            if member.isfile() and (file := archive.extractfile(member)):
                pictures.append(cv2.imdecode(np.frombuffer(file.read(), np.uint8), cv2.IMREAD_GRAYSCALE))
                names.append(member.name)
    return np.stack(pictures), names, [Path(name).parent.name for name in names]


def _histograms(pictures: NDArray[np.uint8]) -> Floats:
    grey = pictures.astype(np.float32) / 255
    down, across = np.gradient(grey, axis=(1, 2))
    strength = np.hypot(down, across)
    turn = (np.arctan2(down, across) % np.pi) * (TURNS / np.pi)
    lower = np.floor(turn)
    upper_part = turn - lower
    cells = np.stack([_per_cell(strength * _part(lower, upper_part, direction)) for direction in range(TURNS)], axis=-1)
    blocks = np.concatenate([cells[:, :-1, :-1], cells[:, :-1, 1:], cells[:, 1:, :-1], cells[:, 1:, 1:]], axis=-1)
    blocks /= np.linalg.norm(blocks, axis=-1, keepdims=True) + 1e-3
    return np.asarray(blocks.reshape(len(pictures), -1), np.float32)


def _part(lower: Floats, upper_part: Floats, direction: int) -> Floats:
    """Return how much of each gradient belongs to a direction; it is shared between the two next to it."""
    below, above = lower % TURNS == direction, (lower + 1) % TURNS == direction
    return below * (1 - upper_part) + above * upper_part


def _per_cell(values: Floats) -> Floats:
    count, side = len(values), SIDE // CELL
    sums: Floats = values.reshape(count, side, CELL, side, CELL).sum(axis=(2, 4))
    return sums
