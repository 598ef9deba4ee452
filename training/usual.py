"""The settings of a training run as a person gives them: a model, a preset and what is to be different."""

from collections.abc import Sequence
from dataclasses import dataclass

from mmer.training.loop import steps_per_epoch
from mmer.training.overrides import overridden
from mmer.training.presets import FITS, INPUTS
from mmer.training.samples import Sample
from mmer.training.text import pretrained_tokenizer
from mmer.training.train import TrainSettings
from mmer.training.zoo import known


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for."""

    model: str
    preset: str
    changes: tuple[str, ...] = ()
    """Settings of `FitSettings` as `place=value`."""
    text_weights: str = "none"
    """`none`, a folder with ALBERT's weights and its `tokenizer.json`, or a hub id."""


def steps(samples: Sequence[Sample], settings: TrainSettings) -> int:
    """Return how many steps a training will take."""
    train = sum(sample.split == "train" for sample in samples)
    return steps_per_epoch(train, settings.fit) * settings.fit.epochs


def usual(wish: Wish, labels: Sequence[str]) -> TrainSettings:
    """Return the settings that a preset is usually trained with, changed as wished."""
    known(wish.model, wish.preset)
    weights = None if wish.text_weights == "none" else wish.text_weights
    if weights is not None:
        pretrained_tokenizer(weights)  # what cannot be loaded is refused before any clip is decoded
    return TrainSettings(
        tuple(labels),
        wish.model,
        wish.preset,
        overridden(FITS[wish.preset], wish.changes),
        INPUTS[wish.preset],
        weights,
    )
