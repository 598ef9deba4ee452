"""The settings of a training run as a person gives them: a model, a preset and what is to be different."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mmer.edge.errors import SettingError
from mmer.edge.inputs.constants import among
from mmer.training.batch import MODALITIES
from mmer.training.branch import WHOLE
from mmer.training.cafes import CafesSettings
from mmer.training.compute import device_of
from mmer.training.feed import steps_per_epoch
from mmer.training.fitsettings import FitSettings
from mmer.training.overrides import overridden
from mmer.training.presets import ALONE, FITS, INPUTS
from mmer.training.samples import Sample
from mmer.training.stages import Stage, read_stages
from mmer.training.start import Start
from mmer.training.text import pretrained_tokenizer
from mmer.training.train import TrainSettings
from mmer.training.zoo import ZooEntry, known


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
    sizes: tuple[str, ...] = ()
    """Settings of the model as `place=value`."""
    device: str = "cpu"
    """One of `compute.DEVICES`."""
    stages: Path | None = None
    """A file of stages; without one there is one stage."""


def steps(samples: Sequence[Sample], settings: TrainSettings) -> int:
    """Return how many steps a training will take."""
    return sum(
        steps_per_epoch(len(stage.part(samples, "train")), stage.fit) * stage.fit.epochs for stage in settings.course
    )


def usual(wish: Wish, labels: Sequence[str], start: Start | None = None) -> TrainSettings:
    """Return the settings that a preset is usually trained with, changed as wished; `start` is to be fine-tuned.

    Raises `SettingError` when the start is of another model or size than wished, or brings its own text weights.
    """
    entry = known(wish.model, wish.preset)
    among("modality", wish.modality, (WHOLE, *MODALITIES))
    device_of(wish.device)
    weights = None if wish.text_weights == "none" else wish.text_weights
    sizes = overridden(entry.presets[wish.preset], wish.sizes, "--model-set")
    if start is not None:
        _refuse_other(wish, start)
        labels = start.labels(labels)
    elif weights is not None:
        _refuse_other_text(sizes, wish, entry)
        pretrained_tokenizer(weights)  # what cannot be loaded is refused before any clip is decoded
    if wish.stages and wish.modality != WHOLE:
        raise SettingError(f"--modality {wish.modality} and --stages: say it in the stages, and leave --modality out")
    return TrainSettings(
        tuple(labels),
        wish.model,
        wish.preset,
        wished_fit(wish),
        INPUTS[wish.preset] if start is None else start.checkpoint.facts.inputs,
        weights,
        wish.modality,
        sizes,
        wish.device,
        wished_stages(wish),
    )


def wished_fit(wish: Wish) -> FitSettings:
    """Return how to train where no stage says otherwise."""
    known(wish.model, wish.preset)
    return overridden(ALONE.get((wish.preset, wish.modality), FITS[wish.preset]), wish.changes)


def wished_stages(wish: Wish) -> tuple[Stage, ...]:
    """Return the stages of the file that was named."""
    return read_stages(wish.stages, wished_fit(wish)) if wish.stages else ()


def _refuse_other_text(sizes: CafesSettings, wish: Wish, entry: ZooEntry) -> None:
    """Raise `SettingError` for text weights, which are ALBERT's, where the text branch is another."""
    if sizes.text.kind != "albert":
        (fitting, *_) = [name for name, preset in entry.presets.items() if preset.text.kind == "albert"]
        raise SettingError(
            f"--text-weights {wish.text_weights} are ALBERT's, and the text branch of preset {wish.preset} is "
            f"{sizes.text.kind}; add --preset {fitting}"
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
    if wish.sizes:
        raise SettingError(f"--from {start.name} is built already; leave --model-set {wish.sizes[0]} out")
