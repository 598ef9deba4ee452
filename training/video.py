"""From face crops to a sequence (docs/cafes.md 3): one part per frame, the seam for caching, and one per window."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mmer.edge.errors import SettingError
from mmer.edge.inputs.constants import within
from mmer.training.attention import TransformerLayer
from mmer.training.batch import Encoded
from mmer.training.confidence import ConfidenceFilter
from mmer.training.dropout import Dropout
from mmer.training.masked import FrameNorm
from mmer.training.repvgg import RepVggBlock
from mmer.training.settings import divides

_SIDE = 6  # 48 pixels after three pools
_PLACES = _SIDE * _SIDE
_FLAT = 1e-3
"""Added to the variance of a picture, which is near 1 for the published mean and deviation."""


@dataclass(frozen=True, slots=True)
class VideoSettings:
    """Sizes of the video branch."""

    levelled: bool = False
    """Whether each face is brought to mean 0 and deviation 1 first, however bright and flat its picture is."""
    stem: int = 32
    stages: tuple[tuple[int, ...], ...] = ((32, 32, 64), (128,))
    """Output channels of the RepVGG blocks, a pool after each stage."""
    spatial_heads: int = 2
    projection: tuple[int, ...] = (2048, 1024, 512)
    """The last is the width of the sequence that comes out."""
    layers: int = 4
    heads: int = 4
    hidden: int = 2048
    dropout: float = 0.1
    lost: float = 0.0
    """Share of a frame's features that training drops before the projection."""

    def __post_init__(self) -> None:
        if len(self.stages) != 2 or not all(self.stages) or not self.projection:
            raise SettingError("video has two stages of one block or more, and one projection or more")
        for width in (self.stem, *(w for stage in self.stages for w in stage), *self.projection, self.hidden):
            within("a width of video", width, 1, 1 << 16)
        within("video.layers", self.layers, 0, 64)
        within("video.heads", self.heads, 1, 1024)
        within("video.spatial_heads", self.spatial_heads, 1, 1024)
        within("video.dropout", self.dropout, 0.0, 1.0)
        within("video.lost", self.lost, 0.0, 1.0)
        divides("video.spatial_heads", self.spatial_heads, self.stages[-1][-1])
        divides("video.heads", self.heads, self.projection[-1])


class Levelled(nn.Module):
    """Makes pictures of one light and contrast out of any; a flat one stays flat."""

    def forward(self, frames: Tensor) -> Tensor:
        """Return `[N, C, H, W]` with mean 0 and deviation 1 of each picture, over its channels together."""
        centred = frames - frames.mean((1, 2, 3), keepdim=True)
        return centred / (centred.square().mean((1, 2, 3), keepdim=True) + _FLAT).sqrt()


class SpatialAttention(nn.Module):
    """Self-attention among the 36 places of a feature map."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.positions = nn.Parameter(torch.randn(1, _PLACES, channels) * 0.02)
        self.layer = TransformerLayer(channels, heads, 2 * channels)

    def forward(self, x: Tensor) -> Tensor:
        """Return features `[N, C * 36]`, channel by channel, for a map `[N, C, 6, 6]`."""
        places = x.flatten(2).transpose(1, 2) + self.positions
        out: Tensor = self.layer(places).transpose(1, 2).flatten(1)
        return out


class FaceEncoder(nn.Module):
    """The part that sees one frame at a time."""

    def __init__(self, convolutions: nn.Sequential, attention: SpatialAttention) -> None:
        super().__init__()
        self.convolutions = convolutions
        self.attention = attention

    def forward(self, frames: Tensor) -> Tensor:
        """Return features `[N, F]` of normalised crops `[N, 3, 48, 48]`."""
        features: Tensor = self.attention(self.convolutions(frames))
        return features


class VideoSequence(nn.Module):
    """The part that sees a window of frames."""

    def __init__(
        self,
        confidence: ConfidenceFilter | None,
        project: nn.Sequential,
        layers: Sequence[TransformerLayer],
        lost: float = 0.0,
    ) -> None:
        super().__init__()
        self.confidence = confidence
        self.lost = Dropout(lost)
        self.project = project
        self.layers = nn.ModuleList(layers)

    def forward(self, features: Tensor, mask: Tensor | None = None) -> Encoded:
        """Return the sequence `[B, T, D]` of features `[B, T, F]` and mask `[B, T]`."""
        confidence = None
        if self.confidence is not None:
            batch, frames, width = features.shape
            maps = features.reshape(batch, frames, width // _PLACES, _PLACES)
            confidence = self.confidence(maps.mean(3), mask)
            features = (maps * confidence.unsqueeze(3)).flatten(2)
        x = self.project(self.lost(features))
        for layer in self.layers:
            x = layer(x, mask)
        return Encoded(x, mask, confidence)


def face_encoder(settings: VideoSettings) -> FaceEncoder:
    """Return the per-frame part of given sizes."""
    layers: list[nn.Module] = [Levelled()] if settings.levelled else []
    layers += [nn.Conv2d(3, settings.stem, 5, padding=2), FrameNorm(settings.stem), nn.ReLU()]
    width = settings.stem
    for stage in settings.stages:
        layers.append(nn.MaxPool2d(2))
        for wide in stage:
            layers.append(RepVggBlock(width, wide))
            width = wide
    encoder = FaceEncoder(nn.Sequential(*layers, nn.MaxPool2d(2)), SpatialAttention(width, settings.spatial_heads))
    laid: FaceEncoder = encoder.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return laid  # its convolutions are 1.4 times as fast


def video_sequence(settings: VideoSettings, confidence: ConfidenceFilter | None) -> VideoSequence:
    """Return the per-window part of given sizes."""
    width = settings.stages[-1][-1] * _PLACES
    project: list[nn.Module] = []
    for narrow in settings.projection:
        project += [nn.Linear(width, narrow), nn.ReLU()]
        width = narrow
    layers = [
        TransformerLayer(width, settings.heads, settings.hidden, settings.dropout) for _ in range(settings.layers)
    ]
    return VideoSequence(confidence, nn.Sequential(*project), layers, settings.lost)
