"""How each preset of the zoo is looked at and trained, unless somebody says otherwise."""

from collections.abc import Mapping
from dataclasses import replace

from mmer.edge.inputs.audio import AudioInput
from mmer.edge.inputs.video import VideoInput
from mmer.training.augment.settings import UNCHANGED, Augmentation
from mmer.training.augment.words import WordChanges
from mmer.training.fitsettings import FitSettings
from mmer.training.objective import LossSettings
from mmer.training.optimiser import OptimiserSettings
from mmer.training.recording import Inputs

_FROM_NOTHING = OptimiserSettings("adamw", lr=3e-4, text_lr_share=1.0, weight_decay=0.02, warmup=0.1, clip_norm=1.0)
"""For encoders that start from random weights: the published rates are for fine-tuning ALBERT."""

FITS: Mapping[str, FitSettings] = {
    "published": FitSettings(),
    "small": FitSettings(epochs=20, optimiser=_FROM_NOTHING, augmentation=Augmentation(), dropout=(0.2, 0.2, 0.2)),
    "tiny": FitSettings(
        epochs=10, batch_size=8, optimiser=replace(_FROM_NOTHING, lr=1e-3), augmentation=Augmentation()
    ),
}
"""By the name of the preset."""

_WORDS = FitSettings(
    epochs=5,
    batch_size=128,
    keep="last",
    optimiser=OptimiserSettings("adamw", lr=2e-3, text_lr_share=1.0, weight_decay=0.01, warmup=0.05, clip_norm=1.0),
    loss=LossSettings("balanced_softmax", taught=0.5),
    augmentation=replace(UNCHANGED, words=WordChanges(0.1)),
    beta=0.0,
)

ALONE: Mapping[tuple[str, str], FitSettings] = {("small", "text"): _WORDS}
"""By preset and modality: how a branch is trained by itself, where not as the whole."""

_GREY = VideoInput(grey=True, mean=(127.5, 127.5, 127.5), std=(64.0, 64.0, 64.0))
"""The largest set of faces has no colours."""

INPUTS: Mapping[str, Inputs] = {
    "published": Inputs(),
    "small": Inputs(video=_GREY, audio=AudioInput(rate_hz=16_000, max_samples=166_852, level="rms")),
    "tiny": Inputs(audio=AudioInput(level="rms")),
}
"""By the name of the preset."""
