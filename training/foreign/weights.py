"""From somebody else's state dict to a checkpoint of ours."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor

from mmer.edge.errors import DataError, SettingError
from mmer.edge.labels import LABELS, canonical
from mmer.training.audio import refuse_unheard
from mmer.training.cafes import CafesSettings
from mmer.training.checkpoint import Checkpoint, Facts, versions
from mmer.training.foreign import SYSTEMS
from mmer.training.foreign.system import ForeignSystem
from mmer.training.foreign.tensors import ForeignFileError, read_tensors
from mmer.training.model import EmotionModel
from mmer.training.text import pretrained_tokenizer
from mmer.training.tokenizer import train_tokenizer
from mmer.training.zoo import ZooEntry, known

_FLOAT8 = (torch.float8_e4m3fn, torch.float8_e4m3fnuz, torch.float8_e5m2, torch.float8_e5m2fnuz)
_REAL = (torch.float64, torch.float32, torch.float16, torch.bfloat16, *_FLOAT8)
_WHOLE = (torch.int64, torch.int32)


class MissingWeightsError(DataError):
    """A file lacks parameters that the model computes with."""

    def __init__(self, path: Path, model: str, lacking: int) -> None:
        super().__init__(
            f"{path}: {lacking} parameter(s) that {model} computes with are missing or of another shape; "
            "check --as and --preset, or let what is missing begin at random with --allow-missing"
        )


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to read a file as."""

    system: str
    preset: str = "published"
    labels: tuple[str, ...] | None = None
    """In the order of the logits; `None` for the authors'."""
    tokenizer: str | None = None
    """A folder with `tokenizer.json` or a hub id."""
    allow_missing: bool = False
    seed: int = 0
    """Of what is missing and begins at random."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of a file."""

    path: Path
    wanted: Wanted
    checkpoint: Checkpoint
    tensors: int
    """That were found in the file."""
    unread: tuple[str, ...]
    """Their names of what no answer depends on."""
    unmapped: tuple[str, ...]
    """Their names of what has no place in our model."""
    missing: tuple[str, ...]
    """Our names of what answers depend on and the file lacks."""
    misshapen: tuple[str, ...]
    """Our names with both shapes."""

    @property
    def usable(self) -> bool:
        """Whether the model is the authors', but for what may be missing."""
        return not self.misshapen and (self.wanted.allow_missing or not self.missing)

    def require(self) -> None:
        """Raise `MissingWeightsError` when the checkpoint cannot be used."""
        if not self.usable:
            raise MissingWeightsError(self.path, self.wanted.system, len(self.misshapen) + len(self.missing))


def import_weights(path: Path, wanted: Wanted) -> Imported:
    """Read a file of weights; raise `ForeignFileError` for one that is none, `SettingError` for what does not fit it.

    Whether enough of the model was found is for `Imported.require` to say.
    """
    if wanted.system not in SYSTEMS:
        raise SettingError(f"no weights of {wanted.system!r} can be read; there are: {', '.join(SYSTEMS)}")
    system, entry = SYSTEMS[wanted.system], known(wanted.system, wanted.preset)
    preset = _preset(system, entry, wanted.preset)
    state = read_tensors(path)
    settings = system.sized(preset, state)
    labels = _labels(wanted.labels or system.labels, settings.classes)
    tokenizer = _tokenizer(wanted.tokenizer, settings.text.vocab_size)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(wanted.seed)
        model = entry.build(settings, None)
    facts = Facts(wanted.system, wanted.preset, settings, labels, system.inputs)
    checkpoint = Checkpoint(facts, model.eval(), tokenizer)
    found = system.keys(settings).translated(state)
    ours = model.state_dict()
    imported = Imported(
        path,
        wanted,
        checkpoint,
        len(state),
        found.unread,
        (*found.unmapped, *(name for name in found.values if name not in ours)),
        tuple(name for name in ours if name not in found.values and not system.spare.fullmatch(name)),
        _fill(model, found.values, path),
    )
    return _recorded(imported, system.source)


def _preset(system: ForeignSystem, entry: ZooEntry, name: str) -> CafesSettings:
    """Return the sizes of a preset; raise `SettingError` for one that is built otherwise than the authors' model."""
    possible = [other for other, sizes in entry.presets.items() if system.alike(sizes)]
    if name not in possible:
        raise SettingError(
            f"--preset {name} is built of other parts than the authors'; there are: {', '.join(possible)}"
        )
    refuse_unheard(entry.presets[name].audio, system.inputs.audio)
    return entry.presets[name]


def _fill(model: EmotionModel, values: Mapping[str, Tensor], path: Path) -> tuple[str, ...]:
    """Load what fits into the model, and return what has another shape."""
    ours = model.state_dict()
    there = {name: value for name, value in values.items() if name in ours}
    fitting = {name: value for name, value in there.items() if value.shape == ours[name].shape}
    if odd := next((name for name, value in fitting.items() if not _like(value, ours[name])), None):
        raise ForeignFileError(path, f"what becomes {odd} is {fitting[odd].dtype}, which cannot be; name another file")
    read = {name: value.to(ours[name].dtype) for name, value in fitting.items()}
    if bad := next((name for name, value in read.items() if not value.isfinite().all()), None):
        raise ForeignFileError(path, f"what becomes {bad} is not finite; name another file")
    model.load_state_dict(ours | read)
    others = sorted(there.keys() - fitting.keys())
    return tuple(f"{name} {[*there[name].shape]}, needed {[*ours[name].shape]}" for name in others)


def _like(theirs: Tensor, ours: Tensor) -> bool:
    """Tell whether values are real numbers for real numbers, or whole ones for whole ones."""
    return theirs.dtype in (_REAL if ours.is_floating_point() else _WHOLE)


def _recorded(imported: Imported, source: str) -> Imported:
    wanted, checkpoint = imported.wanted, imported.checkpoint
    record = {
        "system": wanted.system,
        "names": source,
        "file": imported.path.name,
        "sha256": _digest(imported.path),
        "tensors": imported.tensors,
        "unmapped": list(imported.unmapped),
        "missing": list(imported.missing),
        "seed": wanted.seed if imported.missing else None,
        "tokenizer": Path(wanted.tokenizer).name if wanted.tokenizer else None,
    }
    facts = replace(checkpoint.facts, provenance={"import": record, "versions": versions()})
    return replace(imported, checkpoint=replace(checkpoint, facts=facts))


def _labels(named: Sequence[str], classes: int) -> tuple[str, ...]:
    labels = [canonical(name) or name for name in named]
    if strange := [name for name in labels if name not in LABELS]:
        raise SettingError(f"--labels: {strange[0]!r} is no label; there are: {', '.join(LABELS)}")
    if len(set(labels)) != len(labels):
        raise SettingError(f"--labels {','.join(labels)} names one twice")
    if len(labels) != classes:
        raise SettingError(
            f"the file answers with {classes} classes, {len(labels)} are named ({', '.join(labels)}); "
            "name all with --labels, in the authors' order"
        )
    return tuple(labels)


def _tokenizer(name: str | None, vocabulary: int) -> str:
    """Return a tokenizer that the model has vectors for; without a name one of letters, which only keeps it running."""
    text = train_tokenizer([], vocabulary) if name is None else pretrained_tokenizer(name)
    pieces = Tokenizer.from_str(text).get_vocab_size()
    if pieces > vocabulary:
        raise SettingError(f"the tokenizer of {name!r} has {pieces} pieces, the file {vocabulary}; name another")
    return text


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
