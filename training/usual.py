"""The settings of a training run as a person gives them: a model, a preset and what is to be different."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mmer.edge.errors import SettingError
from mmer.training.loop import steps_per_epoch
from mmer.training.overrides import overridden
from mmer.training.presets import FITS, INPUTS
from mmer.training.samples import Sample
from mmer.training.train import TrainSettings
from mmer.training.zoo import ZOO


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for."""

    model: str
    preset: str
    changes: tuple[str, ...] = ()
    """Settings of `FitSettings` as `place=value`."""
    text_weights: str = "none"
    """`none`, or a folder with ALBERT's weights."""


def steps(samples: Sequence[Sample], settings: TrainSettings) -> int:
    """Return how many steps a training will take."""
    train = sum(sample.split == "train" for sample in samples)
    return steps_per_epoch(train, settings.fit) * settings.fit.epochs


def usual(wish: Wish, labels: Sequence[str]) -> TrainSettings:
    """Return the settings that a preset is usually trained with, changed as wished."""
    if wish.model not in ZOO:
        raise SettingError(f"no model is called {wish.model!r}; there are: {', '.join(ZOO)}")
    if wish.preset not in (presets := ZOO[wish.model].presets):
        raise SettingError(f"{wish.model} has no preset {wish.preset!r}; there are: {', '.join(presets)}")
    return TrainSettings(
        tuple(labels),
        wish.model,
        wish.preset,
        overridden(FITS[wish.preset], wish.changes),
        INPUTS[wish.preset],
        None if wish.text_weights == "none" else Path(wish.text_weights),
    )
