"""The settings of a training run as a person gives them: a model, a preset and what is to be different."""

from collections.abc import Sequence
from dataclasses import dataclass

from mmer.edge.errors import SettingError
from mmer.edge.inputs.constants import among
from mmer.training.batch import MODALITIES
from mmer.training.branch import WHOLE, branch
from mmer.training.loop import steps_per_epoch
from mmer.training.overrides import overridden
from mmer.training.presets import ALONE, FITS, INPUTS
from mmer.training.samples import Sample
from mmer.training.start import Start
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
    modality: str = WHOLE
    """`all`, or the one whose branch is trained by itself."""


def steps(samples: Sequence[Sample], settings: TrainSettings) -> int:
    """Return how many steps a training will take."""
    train = sum(sample.split == "train" for sample in branch(samples, settings.modality))
    return steps_per_epoch(train, settings.fit) * settings.fit.epochs


def usual(wish: Wish, labels: Sequence[str], start: Start | None = None) -> TrainSettings:
    """Return the settings that a preset is usually trained with, changed as wished; `start` is to be fine-tuned.

    Raises `SettingError` when the start is of another model or size than wished, or brings its own text weights.
    """
    known(wish.model, wish.preset)
    among("modality", wish.modality, (WHOLE, *MODALITIES))
    weights = None if wish.text_weights == "none" else wish.text_weights
    if start is not None:
        _refuse_other(wish, start)
        labels = start.labels(labels)
    elif weights is not None:
        pretrained_tokenizer(weights)  # what cannot be loaded is refused before any clip is decoded
    return TrainSettings(
        tuple(labels),
        wish.model,
        wish.preset,
        overridden(ALONE.get((wish.preset, wish.modality), FITS[wish.preset]), wish.changes),
        INPUTS[wish.preset] if start is None else start.checkpoint.facts.inputs,
        weights,
        wish.modality,
    )


def _refuse_other(wish: Wish, start: Start) -> None:
    facts = start.checkpoint.facts
    if (wish.model, wish.preset) != (facts.model, facts.preset):
        raise SettingError(
            f"--from {start.name} is a {facts.model} of preset {facts.preset}, not a {wish.model} of preset "
            f"{wish.preset}; ask for {facts.model} and leave --preset out"
        )
    if wish.text_weights != "none":
        raise SettingError(f"--from {start.name} has text weights already; leave --text-weights out")
