"""CAFES: confidence-guided features of video, audio and text (docs/cafes.md)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType

import torch
from torch import Tensor, nn

from mmer.edge.inputs.constants import among, within
from mmer.training.attention import CrossAttention, TransformerLayer
from mmer.training.audio import AudioEncoder, AudioSettings, audio_encoder
from mmer.training.batch import Batch, Confidence, Encoded, Output
from mmer.training.confidence import FORMS, ConfidenceFilter, confidence_filter
from mmer.training.fusion import Fusion
from mmer.training.model import Attending, EmotionModel
from mmer.training.phrases import PhraseEncoder
from mmer.training.ranks import anywhere
from mmer.training.settings import divides
from mmer.training.text import TextEncoder, TextSettings, text_encoder
from mmer.training.video import FaceEncoder, VideoSequence, VideoSettings, face_encoder, video_sequence


@dataclass(frozen=True, slots=True)
class CafesSettings:
    """Sizes of the model; the defaults are the published ones."""

    classes: int = 4
    confidence: str = "both"
    """One of `confidence.FORMS`."""
    components: int = 4
    """Of the mixture in the confidence filter."""
    video: VideoSettings = field(default_factory=VideoSettings)
    audio: AudioSettings = field(default_factory=AudioSettings)
    text: TextSettings = field(default_factory=TextSettings)
    fusion_width: int = 256
    fusion_heads: int = 4
    fusion_dropout: float = 0.1

    def __post_init__(self) -> None:
        within("classes", self.classes, 1, 1 << 16)
        among("confidence", self.confidence, FORMS)
        within("components", self.components, 1, 1024)
        within("fusion_width", self.fusion_width, 1, 1 << 16)
        within("fusion_heads", self.fusion_heads, 1, 1024)
        within("fusion_dropout", self.fusion_dropout, 0.0, 1.0)
        divides("fusion_heads", self.fusion_heads, self.fusion_width)


_HEADS: Mapping[str, tuple[int, ...]] = {"video": (0,), "text": (1, 2), "audio": (3,)}
"""The heads through which a modality votes, by their places in the fusion."""

_BRANCHES: Mapping[str, tuple[str, ...]] = {
    "video": ("face.", "video.", "fusion.video_audio."),
    "audio": ("audio.", "fusion.audio_video."),
    "text": ("text.", "fusion.text_video.", "fusion.text_audio."),
}
"""How the names of a modality's parameters begin, but for its heads."""


class Cafes(EmotionModel):
    """The model, of its parts."""

    heads = "fusion.heads."
    branches = MappingProxyType({"video": ("face", "video")})

    def __init__(
        self,
        face: FaceEncoder,
        video: VideoSequence,
        audio: AudioEncoder,
        text: TextEncoder | PhraseEncoder,
        fusion: Fusion,
    ) -> None:
        super().__init__()
        self.face = face
        self.video = video
        self.audio = audio
        self.text = text
        self.fusion = fusion

    def forward(self, batch: Batch) -> Output:
        """Return logits; a modality that is present without a single valid step counts as absent."""
        masks = (batch.frames_mask, batch.samples_mask, batch.ids_mask)
        present = batch.present & torch.stack([mask.any(1) for mask in masks], 1)
        seen, heard, told = present.unbind(1)
        widths = self.fusion.widths()
        video = _rows(self._video, seen, (batch.frames, batch.frames_mask), widths[0])
        audio = _rows(self.audio, heard, (batch.samples, batch.samples_mask), widths[1])
        text = _rows(self._text, told, (batch.ids, batch.ids_mask), widths[2])
        logits, weights = self.fusion(video.values, video.mask, audio.values, audio.mask, text.values[:, 0], present)
        confidence = {
            name: Confidence(part.confidence, part.mask)
            for name, part in (("video", video), ("audio", audio))
            if part.confidence is not None and part.mask is not None
        }
        return Output(logits, confidence, weights)

    def segments(self) -> Sequence[nn.Module]:
        """Return the net that sees frames, and every layer of attention over frames or words."""
        return self.face, *self.video.layers, *self.text.segments()

    def adopt(self, modality: str, other: EmotionModel) -> None:
        """Take over a modality's branch, with its share of the vote."""
        assert isinstance(other, Cafes)
        begins = (*_BRANCHES[modality], *(f"{self.heads}{head}." for head in _HEADS[modality]))
        branch = {name: value for name, value in other.state_dict().items() if name.startswith(begins)}
        vote = self.fusion.vote.weight.detach().clone()
        for head in _HEADS[modality]:
            vote[0, head] = other.fusion.vote.weight[0, head]
        self.load_state_dict({**branch, "fusion.vote.weight": vote}, strict=False)

    def part(self) -> None:
        """Make what comes of asking the other modalities nothing; it learns to be something."""
        for module in self.modules():
            if isinstance(module, CrossAttention):
                nn.init.zeros_(module.attention.out.weight)
                nn.init.zeros_(module.attention.out.bias)

    @contextmanager
    def epoch(self) -> Iterator[None]:
        """Fit the mixtures of the confidence filters to the changes seen in an epoch."""
        with ExitStack() as stack:
            for module in self.modules():
                if isinstance(module, ConfidenceFilter):
                    stack.enter_context(module.refitted())
            yield

    def attentions(self) -> Mapping[str, Attending]:
        """Return the last layer over frames, that over sound, and where video and audio look at each other."""
        both = ("video", "audio")
        found = {
            "over time": Attending(self.audio.attention.attention, "audio", ("audio",)),
            "video looks at audio": Attending(self.fusion.video_audio.attention, "audio", both),
            "audio looks at video": Attending(self.fusion.audio_video.attention, "video", both),
        }
        if layers := [layer for layer in self.video.layers if isinstance(layer, TransformerLayer)]:
            found["over frames"] = Attending(layers[-1].attention, "video", ("video",))
        return found

    def word_vectors(self) -> nn.Module:
        """Return the text branch's table of vectors."""
        return self.text.table()

    def _video(self, frames: Tensor, mask: Tensor) -> Encoded:
        """Return the sequence; only real frames pass through the convolutions."""
        features: Tensor = self.face(frames[mask])
        padded = features.new_zeros(*mask.shape, features.shape[1])
        padded[mask] = features
        encoded: Encoded = self.video(padded, mask)
        return encoded

    def _text(self, ids: Tensor, mask: Tensor) -> Encoded:
        """Return the vector as a sequence of one step."""
        return Encoded(self.text(ids, mask).unsqueeze(1), None, None)


def build_cafes(settings: CafesSettings, text_weights: str | None = None) -> Cafes:
    """Return the model of given sizes, its text branch random or from a folder or hub id."""
    video, audio, text = settings.video, settings.audio, settings.text
    form, components = settings.confidence, settings.components
    widths = (video.projection[-1], audio.width, text.hidden_size)
    return Cafes(
        face_encoder(video),
        video_sequence(video, confidence_filter(form, video.stages[-1][-1], components)),
        audio_encoder(audio, confidence_filter(form, 8 * audio.channels, components)),
        text_encoder(text, text_weights),
        _fusion(settings, widths),
    )


def _fusion(settings: CafesSettings, widths: tuple[int, int, int]) -> Fusion:
    video, audio, text = widths
    common = settings.fusion_width
    pairs = ((video, audio), (audio, video), (text, common), (text, common))
    asks = [CrossAttention(pair, common, settings.fusion_heads, settings.fusion_dropout) for pair in pairs]
    return Fusion(settings.classes, *asks)


def _rows(encode: Callable[..., Encoded], rows: Tensor, inputs: tuple[Tensor, Tensor], width: int) -> Encoded:
    """Encode the samples of a batch where `rows` `[B]` is True, and lay zeros where it is not."""
    if not anywhere(rows):
        empty = torch.zeros(len(rows), 1, width, device=rows.device)
        return Encoded(empty, torch.zeros(len(rows), 1, dtype=torch.bool, device=rows.device), None)
    values, mask, confidence = encode(*(tensor[rows] for tensor in inputs))
    return Encoded(
        _laid(values, rows),
        None if mask is None else _laid(mask, rows),
        None if confidence is None else _laid(confidence, rows),
    )


def _laid(values: Tensor, rows: Tensor) -> Tensor:
    out = values.new_zeros(len(rows), *values.shape[1:])
    out[rows] = values
    return out
