"""Float training: epochs over shuffled, varied samples, stage by stage, and the best epoch of each kept."""

import math
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from mmer.edge.bench import metrics
from mmer.edge.errors import SettingError
from mmer.training import ranks
from mmer.training.ahead import ahead
from mmer.training.branch import WHOLE
from mmer.training.curriculum import Curriculum
from mmer.training.feed import Feed, Part, TrainData
from mmer.training.fitsettings import FitSettings
from mmer.training.groups import Groups
from mmer.training.history import Epoch, best_of, worth
from mmer.training.memory import within_memory
from mmer.training.model import EmotionModel
from mmer.training.objective import Objective
from mmer.training.optimiser import Schedule, make_optimiser
from mmer.training.predict import predict
from mmer.training.progress import UNKEPT, Keeper, Progress
from mmer.training.recompute import recomputed
from mmer.training.samples import believed


@dataclass(frozen=True, slots=True)
class Leg:
    """A stage with the samples it trains on."""

    data: TrainData
    settings: FitSettings
    name: str = WHOLE
    trains: tuple[str, ...] = ()
    """As in `Groups`."""

    @property
    def steps(self) -> int:
        """How many steps it takes unless patience ends it."""
        return Feed(self.data, self.settings).steps * self.settings.epochs


@dataclass(frozen=True, slots=True)
class TrainResult:
    """What happened; the model holds the weights of the best epoch of the last stage."""

    epochs: tuple[Epoch, ...]
    best: int
    """Number of the epoch whose weights were kept, the first of equals."""


@dataclass(frozen=True, slots=True)
class Listener:
    """Hears how far training is."""

    step: Callable[[int], None] = lambda _: None
    """Is told how many steps are done."""
    epoch: Callable[[Epoch], None] = lambda _: None


SILENT = Listener()

_DIFFICULTY = "curriculum.difficulty"


def fit(
    model: EmotionModel,
    data: TrainData,
    settings: FitSettings,
    listener: Listener = SILENT,
    keeper: Keeper = UNKEPT,
) -> TrainResult:
    """Train a model in one stage, as `fit_stages` does in several."""
    return fit_stages(model, [Leg(data, settings)], listener, keeper)


def fit_stages(
    model: EmotionModel, legs: Sequence[Leg], listener: Listener = SILENT, keeper: Keeper = UNKEPT
) -> TrainResult:
    """Train a model and leave it with the weights of its best epoch, going on from what `keeper` has.

    A stage begins with the best weights of the one before. Equal arguments give equal results on one machine with one
    number of threads, however often the training was interrupted. Raises `SettingError` when there is nothing to train
    on or to choose by, or when the loss stops being finite, and `DeviceMemoryError` when memory runs out.
    """
    for leg in legs:
        _require(leg, model)
    progress = keeper.load()
    epochs = progress.epochs if progress else ()
    reached = [leg.name for leg in legs].index(epochs[-1].stage) if epochs else 0
    for place, leg in enumerate(legs[reached:], start=reached):
        before = tuple(epoch for epoch in epochs if epoch.stage in {earlier.name for earlier in legs[:place]})
        begun = _Begun(before, sum(earlier.steps for earlier in legs[:place]), progress if place == reached else None)
        result = _fit(model, leg, begun, listener, keeper)
        epochs = result.epochs
    return result


@dataclass(frozen=True, slots=True)
class _Begun:
    """What there is before a stage, or the rest of one."""

    epochs: tuple[Epoch, ...]
    """Of earlier stages."""
    steps: int
    """Of earlier stages."""
    progress: Progress | None


def _require(leg: Leg, model: EmotionModel) -> None:
    """Raise `SettingError` for what would end a stage, before any of them has begun."""
    if not leg.data.train or not leg.data.val:
        found = f"{len(leg.data.train)} training and {len(leg.data.val)} validation clips"
        raise SettingError(f"{found} in stage {leg.name!r}; both are needed")
    leg.settings.compute.require(next(model.parameters()).device)
    Groups.of(model, leg.trains, leg.settings.all_rates)


def _fit(model: EmotionModel, leg: Leg, begun: _Begun, listener: Listener, keeper: Keeper) -> TrainResult:
    groups = Groups.of(model, leg.trains, leg.settings.all_rates)
    with (
        torch.random.fork_rng(devices=_devices(model)),
        within_memory(leg.settings.batch_size, leg.settings.accumulation),
        groups.frozen(model),
        recomputed(model, wanted=leg.settings.compute.recompute),
    ):
        torch.manual_seed(leg.settings.seed)
        return _Run(model, leg, groups, begun, listener).result(keeper)


class _Run:
    """The state of one stage."""

    def __init__(self, model: EmotionModel, leg: Leg, groups: Groups, begun: _Begun, listener: Listener) -> None:
        self._model, self._leg, self._groups, self._begun, self._listener = model, leg, groups, begun, listener
        self._data, self._settings = leg.data, leg.settings
        self._device = next(model.parameters()).device
        self._feed, self._curriculum = Feed(leg.data, leg.settings), Curriculum(leg.settings.curriculum, leg.data.train)
        self._beliefs = believed(leg.data.train)
        self._optimiser = make_optimiser(model, leg.settings.optimiser, groups)
        self._scaler = leg.settings.compute.scaler(self._device)
        self._schedule = Schedule(self._optimiser, leg.settings.optimiser, leg.steps)
        counts = torch.from_numpy(np.bincount(leg.data.labels, minlength=leg.data.classes)).to(self._device)
        self._objective = Objective(leg.settings.loss, counts, leg.settings.beta)
        self._epochs: list[Epoch] = []
        self._best: dict[str, Tensor] = {}
        self._done = 0

    def result(self, keeper: Keeper) -> TrainResult:
        if self._begun.progress:
            self._restore(self._begun.progress)
        while len(self._epochs) < self._settings.epochs and not self._patience_is_over():
            self._epochs.append(self._epoch(len(self._begun.epochs) + len(self._epochs) + 1))
            if self._kept() == len(self._epochs) - 1:
                self._best = {name: value.detach().clone() for name, value in self._model.state_dict().items()}
            if ranks.leads():
                progress = Progress.of(self._all(), self._model, self._best, self._optimiser, self._scaler)
                keeper.store(progress.plus(_DIFFICULTY, torch.from_numpy(self._curriculum.difficulty)))
            self._listener.epoch(self._epochs[-1])
        self._model.load_state_dict(self._best)
        self._model.eval()
        return TrainResult(self._all(), self._epochs[self._kept()].number)

    def _restore(self, progress: Progress) -> None:
        self._epochs, self._best = list(progress.epochs[len(self._begun.epochs) :]), dict(progress.best)
        self._done = self._feed.steps * len(self._epochs)
        progress.restore(self._model, self._optimiser, self._scaler)
        self._curriculum.difficulty = progress.tensors[_DIFFICULTY].numpy().copy()
        self._listener.step(self._begun.steps + self._done)

    def _all(self) -> tuple[Epoch, ...]:
        return (*self._begun.epochs, *self._epochs)

    def _kept(self) -> int:
        return best_of(self._epochs, self._settings.keep)

    def _patience_is_over(self) -> bool:
        patience = self._settings.patience
        return bool(patience and self._epochs) and len(self._epochs) - 1 - self._kept() >= patience

    def _epoch(self, number: int) -> Epoch:
        started = time.monotonic()
        worths = [worth(epoch, self._settings.keep) for epoch in self._epochs]
        losses = []
        self._groups.enter_training(self._model)
        made = self._feed.epoch(number, self._curriculum.pool(len(self._epochs) + 1))
        with self._model.epoch(), closing(ahead(made, self._settings.compute.ahead)) as steps:
            for parts in steps:
                self._schedule.at(self._done, worths)
                losses.append(self._step(parts))
                self._done += 1
                self._listener.step(self._begun.steps + self._done)
        ranks.align(self._model)
        loss = float(ranks.total(torch.tensor(losses, dtype=torch.float64, device=self._device)).mean())
        if not math.isfinite(loss):
            lr = self._settings.optimiser.lr
            raise SettingError(
                f"the loss is {loss} in epoch {number}; lower the learning rate ({lr:g}) or clip gradients"
            )
        accuracy, uar, f1, ovr = ranks.told(self._validated() if ranks.leads() else (0.0,) * 4, self._device)
        return Epoch(number, loss, accuracy, uar, f1, ovr, time.monotonic() - started, self._leg.name)

    def _step(self, parts: Sequence[Part]) -> float:
        self._optimiser.zero_grad()
        loss = sum(self._backward(part) for part in parts)
        ranks.sum_gradients(self._model.parameters())
        if all(parameter.grad is None for parameter in self._model.parameters()):
            return loss  # nothing that trains took part
        self._scaler.unscale_(self._optimiser)
        if self._settings.optimiser.clip_norm:
            nn.utils.clip_grad_norm_(self._model.parameters(), self._settings.optimiser.clip_norm)
        self._scaler.step(self._optimiser)
        self._scaler.update()
        return loss

    def _backward(self, part: Part) -> float:
        """Add the gradients of a part of a batch and return what it adds to the loss."""
        output = self._settings.compute.answer(self._model, part.batch.to(self._device))
        truth = part.truth.to(self._device)
        beliefs = None if self._beliefs is None else torch.from_numpy(self._beliefs[part.places]).to(self._device)
        loss = part.share * self._objective(output, truth, beliefs)
        if self._curriculum.watches:
            each = functional.cross_entropy(output.logits.detach(), truth, reduction="none").double().cpu()
            heard = ranks.gathered(torch.stack([part.places.double(), each], dim=1).to(self._device)).cpu().numpy()
            self._curriculum.hear(heard[:, 0].astype(np.intp), heard[:, 1])
        if loss.requires_grad:
            self._scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        return loss.item()

    def _validated(self) -> tuple[float, float, float, float]:
        answers = predict(self._model, self._data.reader, self._data.val)
        truth = np.array([sample.label for sample in self._data.val])[answers.places]
        counts = metrics.confusion(truth, answers.probabilities.argmax(axis=1), self._data.classes)
        return metrics.accuracy(counts), metrics.uar(counts), metrics.macro_f1(counts), metrics.ovr_accuracy(counts)


def _devices(model: nn.Module) -> list[torch.device]:
    device = next(model.parameters()).device
    return [] if device.type == "cpu" else [device]
