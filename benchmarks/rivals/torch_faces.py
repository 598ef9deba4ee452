"""MTCNN as the usual packages write it: three torch modules run eagerly, with pyramid and suppression around them.

Pictures are scaled by OpenCV, the crops of the second and the third network go through in one batch.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mmer.edge.faces.box import Boxes, containment, nms, regress, square
from mmer.edge.faces.mtcnn import CELL, STRIDE, MtcnnSettings
from mmer.edge.faces.resize import patches

Pixels = NDArray[np.uint8]
Scores = NDArray[np.float32]

NETWORKS = ("pnet", "rnet", "onet")


class Network(nn.Module):
    """Layers in a row, then heads side by side; the last head is the logit of a face."""

    def __init__(self, trunk: nn.Sequential, heads: list[nn.Module]) -> None:
        super().__init__()
        self.trunk = trunk
        self.heads = nn.ModuleList(heads)

    def forward(self, pixels: Tensor) -> tuple[Tensor, ...]:
        """Return the answers for `[N, 3, H, W]` in 0..255, which the first layer's weights bring to -1..1."""
        x = self.trunk(pixels)
        return tuple(head(x) for head in self.heads)


class Flat(nn.Module):
    """A map as a row, in the order in which Keras counts: width, height, channels."""

    def forward(self, x: Tensor) -> Tensor:
        """Return `[N, W * H * C]`."""
        return x.permute(0, 3, 2, 1).flatten(1)


@dataclass(frozen=True, slots=True)
class TorchMtcnn:
    """The cascade."""

    proposer: Network
    rejecter: Network
    decider: Network
    settings: MtcnnSettings

    @classmethod
    def open(cls, weights: Path, settings: MtcnnSettings) -> "TorchMtcnn":
        """Read what `networks.save_networks` wrote."""
        networks = torch.load(weights, weights_only=False)  # written by this benchmark a minute ago
        return cls(*(networks[name] for name in NETWORKS), settings)

    def detect(self, pixels: Pixels) -> tuple[Boxes, Scores]:
        """Return boxes `[N, 4]` and scores `[N]` of the faces in `[H, W, 3]`, the best first."""
        boxes = self._propose(pixels)
        boxes, _ = self._look(self.rejecter, pixels, boxes, 24, self.settings.candidate_score)
        boxes, scores = self._look(self.decider, pixels, boxes, 48, self.settings.face_score)
        kept = nms(boxes, scores, 0.7, containment)
        return boxes[kept], scores[kept]

    def _propose(self, pixels: Pixels) -> Boxes:
        levels = [self._level(pixels, scale) for scale in self._scales(pixels)]
        boxes, scores = (np.concatenate(part) for part in zip(*levels, strict=True))
        return square(boxes[nms(boxes, scores, 0.7)])

    def _scales(self, pixels: Pixels) -> Iterator[float]:
        scale = CELL / self.settings.min_face_px
        while min(pixels.shape[:2]) * scale >= CELL:
            yield scale
            scale *= self.settings.factor

    def _level(self, pixels: Pixels, scale: float) -> tuple[Boxes, Scores]:
        size = (round(pixels.shape[1] * scale), round(pixels.shape[0] * scale))
        scaled = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
        offsets, scores = _run(self.proposer, scaled[None])
        rows, columns = np.nonzero(scores[0, 0] >= self.settings.proposal_score)
        corners = STRIDE * np.stack([columns, rows, columns, rows], axis=1) + np.array([0, 0, CELL, CELL])
        boxes = regress(corners.astype(np.float32), offsets[0][:, rows, columns].T) / np.float32(scale)
        found = scores[0, 0, rows, columns]
        kept = nms(boxes, found, 0.5)
        return boxes[kept], found[kept]

    def _look(self, network: Network, pixels: Pixels, boxes: Boxes, size: int, least: float) -> tuple[Boxes, Scores]:
        if not len(boxes):
            return boxes, np.zeros(0, np.float32)
        boxes = square(boxes)
        offsets, *_, scores = _run(network, patches(pixels, boxes, size))
        likely = scores[:, 0] >= least
        boxes, found = regress(boxes, offsets)[likely], scores[likely, 0]
        kept = nms(boxes, found, 0.7)
        return boxes[kept], found[kept]


def _run(network: Network, pixels: Pixels) -> list[NDArray[np.float32]]:
    """Return the answers for `[N, H, W, 3]`, the last as probabilities."""
    with torch.inference_mode():
        *answers, logits = network(torch.from_numpy(pixels).permute(0, 3, 1, 2).float())
        return [answer.numpy() for answer in (*answers, torch.sigmoid(logits))]
