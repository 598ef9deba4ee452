"""How each preset of the zoo is looked at and trained, unless somebody says otherwise."""

from collections.abc import Mapping
from dataclasses import replace

from mmer.edge.inputs.audio import AudioInput
from mmer.training.augment.settings import Augmentation
from mmer.training.fitsettings import FitSettings
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

INPUTS: Mapping[str, Inputs] = {
    "published": Inputs(),
    "small": Inputs(audio=AudioInput(rate_hz=16_000, max_samples=166_852, level="rms")),
    "tiny": Inputs(audio=AudioInput(level="rms")),
}
"""By the name of the preset."""
