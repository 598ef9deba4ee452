"""From labelled samples to a checkpoint."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import torch
from tokenizers import Tokenizer

from mmer.edge.bench.stamps import LEAKY, stamped
from mmer.edge.errors import SettingError
from mmer.edge.leaks import leaking
from mmer.training.audio import refuse_unheard
from mmer.training.branch import WHOLE
from mmer.training.cafes import CafesSettings
from mmer.training.checkpoint import Checkpoint, Facts, versions
from mmer.training.compute import device_of
from mmer.training.feed import TrainData
from mmer.training.fitsettings import FitSettings
from mmer.training.history import Epoch
from mmer.training.identity import identity
from mmer.training.loop import SILENT, Leg, Listener, TrainResult, fit_stages
from mmer.training.met import met
from mmer.training.progress import UNKEPT, Keeper, ProgressFile
from mmer.training.recording import Inputs
from mmer.training.samples import Sample
from mmer.training.stages import Stage, recorded
from mmer.training.start import Start
from mmer.training.teacher import taught
from mmer.training.text import pretrained_tokenizer
from mmer.training.tokenizer import train_tokenizer
from mmer.training.zoo import ZOO, known


@dataclass(frozen=True, slots=True)
class TrainSettings:
    """Which model to train, and how."""

    labels: tuple[str, ...]
    """In the order of the logits."""
    model: str = "cafes"
    preset: str = "small"
    fit: FitSettings = field(default_factory=FitSettings)
    inputs: Inputs = field(default_factory=Inputs)
    text_weights: str | None = None
    """A folder with ALBERT's weights and its `tokenizer.json`, or a hub id; else both are made from the corpus."""
    modality: str = WHOLE
    """`all`, or the one whose branch is trained by itself."""
    sizes: CafesSettings | None = None
    """Of the model, but for its classes and its vocabulary; else those of the preset."""
    device: str = "cpu"
    """One of `compute.DEVICES`."""
    stages: tuple[Stage, ...] = ()
    """Take the place of `fit` and `modality`, which make one stage."""

    @property
    def course(self) -> tuple[Stage, ...]:
        """The stages, one or more."""
        return self.stages or (Stage(modality=self.modality, fit=self.fit),)

    @property
    def recorded(self) -> "TrainSettings":
        """The settings as records tell of them: where a folder or an index lies is nobody's business."""
        return replace(self, text_weights=_named(self.text_weights), stages=tuple(map(recorded, self.stages)))


@dataclass(frozen=True, slots=True)
class Beginning:
    """Where a training begins."""

    start: Start | None = None
    """A checkpoint to fine-tune."""
    progress: Path | None = None
    """A file that keeps what is needed to go on after an interruption."""
    resume: bool = False
    """Whether to go on from that file, where it is there."""
    corpora: tuple[str, ...] = ()
    """Digests of the corpora that the whole consists of, where stages have clips of their own."""


FRESH = Beginning()


@dataclass(frozen=True, slots=True)
class Trained:
    """A checkpoint and how it came about."""

    checkpoint: Checkpoint
    result: TrainResult


def train(
    samples: Sequence[Sample],
    settings: TrainSettings,
    digest: str = "",
    listener: Listener = SILENT,
    beginning: Beginning = FRESH,
) -> Trained:
    """Train on the samples of the split `train` and choose the epoch by those of `val`.

    `digest` is that of the corpus, for the record.
    """
    checkpoint = _begun(settings, beginning.start, [s.text for s in samples if s.split == "train"])
    checkpoint.model.to(device_of(settings.device))
    legs = [_leg(stage, samples, checkpoint) for stage in settings.course]
    result = fit_stages(checkpoint.model, legs, listener, _keeper(beginning, checkpoint, legs))
    parts = {"train": [s for leg in legs for s in leg.data.train], "val": [s for leg in legs for s in leg.data.val]}
    provenance: dict[str, object] = {
        "corpus": digest,
        "corpora": sorted({digest, *beginning.corpora} - {""}),
        "speakers": {split: sorted({s.speaker for s in part}) for split, part in parts.items()},
        "clips": _clips(legs[-1]),
        "leaking_speakers": list(leaking(samples)),
        "stamps": [LEAKY] if stamped(samples) or leaking(samples) else [],
        "fit": asdict(settings.fit),
        "text_weights": settings.recorded.text_weights,
        "modality": settings.modality,
        "device": next(checkpoint.model.parameters()).device.type,
        "stages": [
            {**asdict(stage), "clips": _clips(leg)} for stage, leg in zip(settings.recorded.stages, legs, strict=False)
        ],
        "versions": versions(),
    }
    if beginning.start is not None:
        before = beginning.start.checkpoint.facts.provenance
        provenance |= {**met([before, provenance]), "start": beginning.start.record(settings.labels)}
    best = result.epochs[result.best - 1]
    facts = replace(checkpoint.facts, metrics={"val": _measured(best, legs[-1])}, provenance=provenance)
    return Trained(replace(checkpoint, facts=facts), result)


def _begun(settings: TrainSettings, start: Start | None, texts: Sequence[str]) -> Checkpoint:
    if start is not None:
        return start.adapted(settings.labels, settings.fit.seed)
    return untrained(settings, texts)


def _leg(stage: Stage, samples: Sequence[Sample], checkpoint: Checkpoint) -> Leg:
    train, val = (stage.part(samples, split) for split in ("train", "val"))
    classes = len(checkpoint.facts.labels)
    if stage.fit.loss.taught:
        train = taught(train, classes, stage.fit.seed)
    data = TrainData(train, val, checkpoint.reader(), classes)
    return Leg(data, stage.fit, stage.name, stage.trains)


def _clips(leg: Leg) -> dict[str, int]:
    return {"train": len(leg.data.train), "val": len(leg.data.val)}


def _keeper(beginning: Beginning, checkpoint: Checkpoint, legs: Sequence[Leg]) -> Keeper:
    if beginning.progress is None:
        return UNKEPT
    about = identity(checkpoint, legs)
    return ProgressFile(beginning.progress, about, beginning.resume)


def untrained(settings: TrainSettings, texts: Sequence[str]) -> Checkpoint:
    """Return the model as it starts, and its tokenizer, made from `texts` if no weights bring one."""
    sizes = sized(settings)
    weights = settings.text_weights
    tokenizer = train_tokenizer(texts, sizes.text.vocab_size) if weights is None else pretrained_tokenizer(weights)
    pieces = Tokenizer.from_str(tokenizer).get_vocab_size()
    if weights is None:  # an embedding for pieces that do not exist would only make the bundle larger
        sizes = replace(sizes, text=replace(sizes.text, vocab_size=pieces))
    elif pieces > sizes.text.vocab_size:
        raise SettingError(f"the tokenizer of {weights!r} has {pieces} pieces, the model {sizes.text.vocab_size}")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.fit.seed)
        model = ZOO[settings.model].build(sizes, weights)
    return Checkpoint(Facts(settings.model, settings.preset, sizes, settings.labels, settings.inputs), model, tokenizer)


def sized(settings: TrainSettings) -> CafesSettings:
    """Return the sizes of a model that is trained from nothing; raise `SettingError` where sound does not fit them."""
    preset = known(settings.model, settings.preset).presets[settings.preset]
    sizes = replace(settings.sizes or preset, classes=len(settings.labels))
    refuse_unheard(sizes.audio, settings.inputs.audio)
    return sizes


def _named(weights: str | None) -> str | None:
    """Return the name of a folder, or the hub id."""
    return Path(weights).name if weights is not None and Path(weights).is_dir() else weights


def _measured(epoch: Epoch, leg: Leg) -> dict[str, object]:
    """Return the figures with what they rest on."""
    choice = "the last one, chosen by nothing" if leg.settings.keep == "last" else "chosen on them"
    protocol = f"epoch {epoch.number} on {len(leg.data.val)} clips, {choice}; all modalities that a clip has"
    return {"protocol": protocol, **asdict(epoch)}
