"""MTCNN: three small networks in a cascade that finds faces and their landmarks.

Zhang et al., Joint Face Detection and Alignment using Multi-task Cascaded Convolutional Networks, 2016. The first
network looks at every place of a pyramid of pictures, the second throws most of that out, the third decides, refines
the box and marks eyes, nose and mouth.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mmer.edge.backends.ort import OrtSession, OrtSettings
from mmer.edge.backends.session import Session
from mmer.edge.errors import BundleError
from mmer.edge.faces.box import Boxes, containment, nms, regress, square
from mmer.edge.faces.resize import level, patches

ASSETS = Path(str(files("mmer.edge.assets"))) / "faces"
CELL, STRIDE = 12, 2  # the proposal network's window and the distance between windows, in pixels
MOST_PROPOSALS = 300  # per level; a bound on the work that noise can cause, faces stay far below


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """One face in one frame."""

    box: NDArray[np.float32]
    """`[4]`: left, top, right, bottom in pixels; may reach outside the frame."""
    score: float
    landmarks: NDArray[np.float32]
    """`[5, 2]`: x, y of the eyes, the nose and the corners of the mouth, each pair from left to right as seen."""


@dataclass(frozen=True, slots=True)
class MtcnnSettings:
    """What counts as a face, and how much work one call may do."""

    min_face_px: float = 20.0
    """About the smallest face sought, in pixels of the frame given; half of it costs four times as much."""
    factor: float = 0.709
    """Ratio of one pyramid level to the one above: half the area."""
    proposal_score: float = 0.6
    candidate_score: float = 0.7
    face_score: float = 0.75
    """On Java-SED, GRID and other clips the least certain face of 3321 scores 0.80, the likeliest object without a face
    0.49."""


@dataclass(frozen=True, slots=True)
class Mtcnn:
    """The cascade over three sessions."""

    proposer: Session
    rejecter: Session
    decider: Session
    settings: MtcnnSettings = MtcnnSettings()

    @classmethod
    def open(
        cls,
        ort: OrtSettings = OrtSettings(),
        settings: MtcnnSettings = MtcnnSettings(),
        folder: Path = ASSETS,
    ) -> "Mtcnn":
        """Load the three graphs; raise `BundleError` when their bytes are not those that were made."""
        proposer, rejecter, decider = (OrtSession.open(graph, ort) for graph in _verified(folder))
        return cls(proposer, rejecter, decider, settings)

    def detect(self, pixels: NDArray[np.uint8]) -> tuple[Face, ...]:
        """Return the faces of a frame `[H, W, 3]`, best score first."""
        candidates = self._reject(pixels, self._propose(pixels))
        faces = [face for face in self.refine(pixels, candidates) if face.score >= self.settings.face_score]
        if not faces:
            return ()
        scores = np.array([face.score for face in faces], np.float32)
        kept = nms(np.stack([face.box for face in faces]), scores, 0.7, containment)
        return tuple(faces[index] for index in kept)

    def refine(self, pixels: NDArray[np.uint8], boxes: Boxes) -> tuple[Face, ...]:
        """Look again at boxes `[N, 4]` that a face fills, return for each the better box and its score."""
        found: list[Face] = []
        for looked_at in _parts(square(boxes), 8):
            answer = self.decider.run({"pixels": patches(pixels, looked_at, 48)})
            better = regress(looked_at, answer["offsets"])
            corners, sides = looked_at[:, None, :2], (looked_at[:, 2:] - looked_at[:, :2])[:, None]
            landmarks = corners + answer["landmarks"].reshape(-1, 2, 5).transpose(0, 2, 1) * sides
            found += map(Face, better, map(float, answer["scores"][:, 0]), landmarks)
        return tuple(found)

    def _propose(self, pixels: NDArray[np.uint8]) -> Boxes:
        levels = [self._level(picture, scale) for picture, scale in self._pyramid(pixels)]
        if not levels:
            return np.empty((0, 4), np.float32)
        boxes, scores = (np.concatenate(part) for part in zip(*levels, strict=True))
        return square(boxes[nms(boxes, scores, 0.7)])

    def _pyramid(self, pixels: NDArray[np.uint8]) -> Iterator[tuple[NDArray[np.uint8], float]]:
        height, width, _ = pixels.shape
        scale = CELL / self.settings.min_face_px
        while min(height, width) * scale >= CELL:
            pixels = level(pixels, round(width * scale), round(height * scale))
            yield pixels, scale
            scale *= self.settings.factor

    def _level(self, picture: NDArray[np.uint8], scale: float) -> tuple[Boxes, NDArray[np.float32]]:
        answer = self.proposer.run({"pixels": picture[None]})
        grid = answer["scores"][0, 0]
        rows, columns = np.nonzero(grid >= self.settings.proposal_score)
        best = np.argsort(-grid[rows, columns], kind="stable")[:MOST_PROPOSALS]
        rows, columns = rows[best], columns[best]
        corners = STRIDE * np.stack([columns, rows, columns, rows], axis=1) + np.array([0, 0, CELL, CELL])
        boxes = regress(corners.astype(np.float32), answer["offsets"][0][:, rows, columns].T) / np.float32(scale)
        scores = grid[rows, columns]
        kept = nms(boxes, scores, 0.5)
        return boxes[kept], scores[kept]

    def _reject(self, pixels: NDArray[np.uint8], proposals: Boxes) -> Boxes:
        if not len(proposals):
            return proposals
        answers = [self.rejecter.run({"pixels": patches(pixels, part, 24)}) for part in _parts(proposals, 16)]
        scores, offsets = (np.concatenate([answer[name] for answer in answers]) for name in ("scores", "offsets"))
        likely = scores[:, 0] >= self.settings.candidate_score
        boxes, scores = regress(proposals, offsets)[likely], scores[likely, 0]
        return boxes[nms(boxes, scores, 0.7)]


def _parts(boxes: Boxes, size: int) -> Iterator[Boxes]:
    for start in range(0, len(boxes), size):
        yield boxes[start : start + size]


def _verified(folder: Path) -> list[bytes]:
    try:
        digests = json.loads((folder / "digests.json").read_text(encoding="utf-8"))
        graphs = {name: (folder / name).read_bytes() for name in ("pnet.onnx", "rnet.onnx", "onet.onnx")}
    except (OSError, ValueError) as error:
        raise BundleError(folder, f"the face detector is incomplete: {error}") from error
    for name, graph in graphs.items():
        if hashlib.sha256(graph).hexdigest() != digests.get(name):
            raise BundleError(folder / name, "its bytes are not those that were made")
    return list(graphs.values())
