"""A training between two epochs: everything that the next one depends on, in memory and as one file."""

import glob
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn
from torch.optim import Optimizer

from mmer.edge.errors import DataError, SettingError
from mmer.edge.files import atomic_binary
from mmer.training.history import Epoch
from mmer.training.settings import restored
from mmer.training.unwritten import written

SCHEMA = "mmer.training/1"
_EPOCH = Epoch(0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
_HOST, _DEVICE = "random.cpu", "random.cuda"


class ProgressError(DataError):
    """The file of an interrupted training cannot be used."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: not a training to go on with ({reason}); start again with --exist-ok")


class OtherTrainingError(SettingError):
    """An interrupted training is not the one that was asked for."""

    def __init__(self, path: Path, place: str) -> None:
        super().__init__(
            f"{path} is a training with other {place}: ask for the same as then, or start again with --exist-ok"
        )


@dataclass(frozen=True, slots=True, eq=False)
class Progress:
    """What there is after an epoch.

    The order of samples and their changes are drawn from the seed and the number of the epoch, and rates follow from
    the number of steps, so neither has a state.
    """

    epochs: tuple[Epoch, ...]
    tensors: Mapping[str, Tensor]
    """`model.*`, `best.*`, `optimiser.<kind>.<parameter>`, `random.*` and what was added under names of its own."""

    @classmethod
    def of(
        cls, epochs: Sequence[Epoch], model: nn.Module, best: Mapping[str, Tensor], optimiser: Optimizer
    ) -> "Progress":
        """Return what there is now; the tensors are still those of the model."""
        names: dict[Tensor, str] = {parameter: name for name, parameter in model.named_parameters()}
        moments = {
            f"optimiser.{kind}.{names[parameter]}": value
            for parameter, state in optimiser.state.items()
            for kind, value in state.items()
        }
        device = next(model.parameters()).device
        random = {_HOST: torch.random.get_rng_state()}
        if device.type == "cuda":
            random[_DEVICE] = torch.cuda.get_rng_state(device)
        weights = {f"model.{name}": value for name, value in model.state_dict().items()}
        kept = {f"best.{name}": value for name, value in best.items()}
        return cls(tuple(epochs), weights | kept | moments | random)

    def plus(self, name: str, value: Tensor) -> "Progress":
        """Return the same with one tensor more."""
        return replace(self, tensors={**self.tensors, name: value})

    @property
    def best(self) -> dict[str, Tensor]:
        """The weights of the best epoch."""
        return self._under("best.")

    def restore(self, model: nn.Module, optimiser: Optimizer) -> None:
        """Put a model, its optimiser and torch's generators where they were."""
        model.load_state_dict(self._under("model."))
        parameters, device = dict(model.named_parameters()), next(model.parameters()).device
        for place, value in self._under("optimiser.").items():
            kind, _, name = place.partition(".")
            # Adam counts its steps on the host, wherever the parameters are
            optimiser.state[parameters[name]][kind] = value if kind == "step" else value.to(device)
        torch.random.set_rng_state(self.tensors[_HOST])
        if _DEVICE in self.tensors and device.type == "cuda":
            torch.cuda.set_rng_state(self.tensors[_DEVICE], device)

    def _under(self, prefix: str) -> dict[str, Tensor]:
        return {name.removeprefix(prefix): value for name, value in self.tensors.items() if name.startswith(prefix)}


class Keeper(ABC):
    """Remembers how far a training has come."""

    @abstractmethod
    def load(self) -> Progress | None:
        """Return what to go on from, `None` to start at the beginning."""

    @abstractmethod
    def store(self, progress: Progress) -> None:
        """Take the place of what was kept before."""


class _Unkept(Keeper):
    def load(self) -> None:
        return None

    def store(self, progress: Progress) -> None:
        pass


UNKEPT: Keeper = _Unkept()
"""Remembers nothing."""


def progress_path(output: Path) -> Path:
    """Return where the progress towards an output is kept: beside it."""
    return output.with_name(f"{output.name}.progress")


def claim_progress(path: Path, *, resume: bool, exist_ok: bool) -> bool:
    """Say whether there is a training to go on with, and clear away what a kill left of writing it.

    Raises `SettingError` when a new training would replace one that was interrupted.
    """
    found = path.is_file()
    if found and not resume and not exist_ok:
        raise SettingError(f"{path} is an interrupted training: add --resume to go on, or --exist-ok to start again")
    for torn in path.parent.glob(f".{glob.escape(path.name)}.*"):
        torn.unlink(missing_ok=True)
    return found and resume


@dataclass(frozen=True, slots=True)
class ProgressFile(Keeper):
    """One safetensors file, its header with the epochs as JSON; it is replaced whole or not at all."""

    path: Path
    about: Mapping[str, object]
    """Everything that must be the same for a training to go on, as JSON values."""
    resume: bool

    def load(self) -> Progress | None:
        """Return what is kept; raise `ProgressError` or `OtherTrainingError` when it is of no use."""
        if not self.resume or not self.path.exists():
            return None
        try:
            with safe_open(self.path, framework="pt") as file:
                header = json.loads((file.metadata() or {}).get("mmer", "null"))
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no mapping
        except (SafetensorError, OSError, ValueError) as error:
            raise ProgressError(self.path, str(error)) from error
        if not isinstance(header, dict) or header.get("schema") != SCHEMA:
            raise ProgressError(self.path, f"its schema is not {SCHEMA}")
        if place := differing(header.get("about"), json.loads(json.dumps(self.about))):
            raise OtherTrainingError(self.path, place)
        return Progress(tuple(restored(_EPOCH, epoch, "epoch") for epoch in header["epochs"]), tensors)

    def store(self, progress: Progress) -> None:
        """Write the file; a kill at any moment, or a full disk, leaves the one before or this one.

        Raises `UnwrittenError` when it cannot be written.
        """
        header = {"schema": SCHEMA, "about": self.about, "epochs": [asdict(epoch) for epoch in progress.epochs]}
        tensors = {name: value.detach().cpu().contiguous() for name, value in progress.tensors.items()}
        with written(self.path, self.path), atomic_binary(self.path) as file:
            file.write(save(tensors, {"mmer": json.dumps(header, allow_nan=False)}))


def differing(before: object, now: object, place: str = "") -> str:
    """Return the first place where two JSON values differ, empty when they do not."""
    if before == now:
        return ""
    if not isinstance(before, dict) or not isinstance(now, dict):
        return place or "content"
    name = next(name for name in {**before, **now} if before.get(name) != now.get(name))
    return differing(before.get(name), now.get(name), f"{place}.{name}" if place else name)
