"""Whether the rivals' detector finds what ours finds, in the same full-size frames."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rivals.eager import MIN_FACE_PX
from rivals.torch_faces import TorchMtcnn

from mmer.edge.faces.box import Boxes, iou, pairs
from mmer.edge.faces.mtcnn import Mtcnn, MtcnnSettings
from mmer.edge.media.clip import Clip
from mmer.edge.media.request import FrameRequest

_SAME = 0.5


@dataclass(frozen=True, slots=True)
class SameFaces:
    """Both detectors over a few frames."""

    frames: int
    ours: int
    """Faces found."""
    theirs: int
    both: int
    least_iou: float | None
    """Of the faces that both found."""


def same_faces(clip: Path, networks: Path, frames: int = 8) -> SameFaces:
    """Compare the detectors."""
    settings = MtcnnSettings(min_face_px=MIN_FACE_PX)
    theirs, ours = TorchMtcnn.open(networks, settings), Mtcnn.open(settings=settings)
    found: list[tuple[Boxes, Boxes]] = []
    for frame in Clip.open(clip).frames(FrameRequest(rate_hz=1.0, long_side=10_000), end_s=frames):
        boxes = [face.box for face in ours.detect(frame.pixels)]
        found.append((np.array(boxes, np.float32).reshape(-1, 4), theirs.detect(frame.pixels)[0]))
    overlaps = [float(iou(a[[i]], b[[j]]).item()) for a, b in found for i, j in pairs(a, b, _SAME)]
    counts = (sum(len(side[number]) for side in found) for number in range(2))
    return SameFaces(len(found), *counts, len(overlaps), round(min(overlaps), 3) if overlaps else None)
