"""CAFES as five graphs: features of a frame, the video sequence, sound, words, and the fusion."""

from copy import deepcopy
from dataclasses import dataclass

from torch import Tensor, nn

from mmer.edge.bundle.plan import LOGITS, WEIGHTS, Plan, Source
from mmer.edge.tensors import TensorSpec
from mmer.export.albert import TextVector, shared
from mmer.export.fold import FoldedAttention, frozen, replaced
from mmer.export.onnx_graph import traced
from mmer.export.subgraphs import Split, Subgraph, stage
from mmer.training.attention import CrossAttention
from mmer.training.audio import AudioEncoder
from mmer.training.cafes import Cafes
from mmer.training.fusion import Fusion
from mmer.training.mixture import Mixture
from mmer.training.model import EmotionModel
from mmer.training.recording import Inputs
from mmer.training.repvgg import fused
from mmer.training.text import TextEncoder
from mmer.training.video import FaceEncoder, VideoSequence
from mmer.training.waveform import MIN_SAMPLES

SOURCES = (
    Source("crops", "video", "frame"),
    Source("samples", "audio", "window", MIN_SAMPLES),
    Source("ids", "text", "utterance"),
    Source("ids_mask", "text", "utterance"),
    Source("present", None, "window"),
)


class FrameFeatures(nn.Module):
    """Crops `[N, 3, S, S]` to features `[N, F]`."""

    def __init__(self, face: FaceEncoder) -> None:
        super().__init__()
        self.face = fused(face)

    def forward(self, crops: Tensor) -> tuple[Tensor]:
        """Run the encoder, each block fused to one convolution."""
        return (self.face(crops),)


class Sequence(nn.Module):
    """Features or samples of one window, all of them valid, to a sequence `[1, T, D]`."""

    def __init__(self, encoder: VideoSequence | AudioEncoder) -> None:
        super().__init__()
        self.encoder = replaced(encoder, Mixture, frozen)

    def forward(self, values: Tensor) -> tuple[Tensor]:
        """Run the encoder without a mask."""
        return (self.encoder(values).values,)


class Votes(nn.Module):
    """The three modalities and which of them are present, `[1, 3]` of 0 or 1, to logits and weights."""

    def __init__(self, fusion: Fusion) -> None:
        super().__init__()
        self.fusion = deepcopy(fusion).eval()
        for name in ("text_video", "text_audio"):  # what they ask is a single vector
            attention = getattr(self.fusion, name)
            assert isinstance(attention, CrossAttention)
            setattr(self.fusion, name, FoldedAttention(attention))

    def forward(self, video: Tensor, audio: Tensor, text: Tensor, present: Tensor) -> tuple[Tensor, Tensor]:
        """Run the fusion without masks."""
        logits, weights = self.fusion(video, None, audio, None, text, present)
        return logits, weights


@dataclass(frozen=True, slots=True)
class _Values:
    """What the graphs hand to each other."""

    features: int
    video: TensorSpec
    audio: TensorSpec
    text: TensorSpec
    logits: TensorSpec

    @classmethod
    def of(cls, model: Cafes) -> "_Values":
        project, head = model.video.project[0], model.fusion.heads[0]
        assert isinstance(project, nn.Linear)
        assert isinstance(head, nn.Linear)
        video, audio, text = model.fusion.widths()
        return cls(
            project.in_features,
            TensorSpec("video", "float32", (1, "T", video)),
            TensorSpec("audio", "float32", (1, "S", audio)),
            TensorSpec("text", "float32", (1, text)),
            TensorSpec(LOGITS, "float32", (1, head.out_features)),
        )


def split(model: EmotionModel, inputs: Inputs) -> Split:
    """Cut a `Cafes` after the features of a frame, so that they can be cached, and before the fusion."""
    assert isinstance(model, Cafes)
    values = _Values.of(model)
    face, sequence = _frame(model, values, inputs), _sequence(model, values, inputs)
    audio, text, fusion = _audio(model, values, inputs), _text(model, values, inputs), _fusion(model, values, inputs)
    stages = (
        stage(face, "frame", ("video",)),
        stage(sequence, "window", ("video",)),
        stage(audio, "window", ("audio",)),
        stage(text, "utterance", ("text",)),
        stage(fusion, "window", ()),
    )
    return Split((face, sequence, audio, text, fusion), Plan.checked(SOURCES, stages), model.text.vocabulary)


def _frame(model: Cafes, values: _Values, inputs: Inputs) -> Subgraph:
    size = inputs.video.size
    return Subgraph(
        "video_frame",
        FrameFeatures(model.face).eval(),
        (TensorSpec("crops", "float32", ("N", 3, size, size)),),
        (TensorSpec("frame_features", "float32", ("N", values.features)),),
        {"N": _frames(inputs)},
        traced,
    )


def _sequence(model: Cafes, values: _Values, inputs: Inputs) -> Subgraph:
    return Subgraph(
        "video_sequence",
        Sequence(model.video).eval(),
        (TensorSpec("frame_features", "float32", (1, "T", values.features)),),
        (values.video,),
        {"T": _frames(inputs)},
        traced,
    )


def _audio(model: Cafes, values: _Values, inputs: Inputs) -> Subgraph:
    return Subgraph(
        "audio",
        Sequence(model.audio).eval(),
        (TensorSpec("samples", "float32", (1, "N")),),
        (values.audio,),
        {"N": (MIN_SAMPLES, inputs.audio.max_samples)},
        traced,
    )


def _text(model: Cafes, values: _Values, inputs: Inputs) -> Subgraph:
    return Subgraph(
        "text",
        TextVector(model.text).eval(),
        (TensorSpec("ids", "int64", (1, "L")), TensorSpec("ids_mask", "int64", (1, "L"))),
        (values.text,),
        {"L": (1, inputs.text.max_tokens)},
        shared if isinstance(model.text, TextEncoder) else traced,
    )


def _fusion(model: Cafes, values: _Values, inputs: Inputs) -> Subgraph:
    return Subgraph(
        "fusion",
        Votes(model.fusion).eval(),
        (values.video, values.audio, values.text, TensorSpec("present", "float32", (1, 3))),
        (values.logits, TensorSpec(WEIGHTS, "float32", (1, 3))),
        {"T": _frames(inputs), "S": (1, model.audio.attention.positions.shape[1])},
        traced,
    )


def _frames(inputs: Inputs) -> tuple[int, int]:
    return 1, inputs.video.max_frames
