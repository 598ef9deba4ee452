"""Float training: epochs over shuffled, varied samples, and the best of them kept."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from mmer.edge.bench import metrics
from mmer.edge.errors import SettingError
from mmer.training.collate import Arrays, Reader, collate, dropped
from mmer.training.curriculum import Curriculum
from mmer.training.fitsettings import FitSettings
from mmer.training.history import Epoch, best_of, worth
from mmer.training.memory import within_memory
from mmer.training.mixup import mixed
from mmer.training.model import EmotionModel
from mmer.training.objective import Objective
from mmer.training.optimiser import Schedule, make_optimiser
from mmer.training.predict import predict
from mmer.training.progress import UNKEPT, Keeper, Progress
from mmer.training.sampler import batches, drawn
from mmer.training.samples import Sample


@dataclass(frozen=True, slots=True)
class TrainData:
    """Samples of disjoint speakers and the way to read them."""

    train: Sequence[Sample]
    val: Sequence[Sample]
    reader: Reader
    classes: int


@dataclass(frozen=True, slots=True)
class TrainResult:
    """What happened; the model holds the weights of the best epoch."""

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
    """Train a model and leave it with the weights of its best epoch, going on from what `keeper` has.

    Equal arguments give equal results on one machine with one number of threads, however often the training was
    interrupted. Raises `SettingError` when there is nothing to train on or to choose by, or when the loss stops being
    finite, and `DeviceMemoryError` when memory runs out.
    """
    if not data.train or not data.val:
        raise SettingError(f"{len(data.train)} training and {len(data.val)} validation clips; both are needed")
    with (
        torch.random.fork_rng(devices=_devices(model)),
        within_memory(settings.batch_size, settings.accumulation),
    ):
        torch.manual_seed(settings.seed)
        return _Run(model, data, settings, listener).result(keeper)


def steps_per_epoch(samples: int, settings: FitSettings) -> int:
    """Return how many steps an epoch has."""
    return math.ceil(samples / settings.batch_size)


class _Run:
    """The state of one training."""

    def __init__(self, model: EmotionModel, data: TrainData, settings: FitSettings, listener: Listener) -> None:
        self._model, self._data, self._settings, self._listener = model, data, settings, listener
        self._device = next(model.parameters()).device
        self._optimiser = make_optimiser(model, settings.optimiser)
        self._steps = steps_per_epoch(len(data.train), settings)
        self._schedule = Schedule(self._optimiser, settings.optimiser, self._steps * settings.epochs)
        self._labels = np.array([sample.label for sample in data.train])
        counts = torch.from_numpy(np.bincount(self._labels, minlength=data.classes)).to(self._device)
        self._objective = Objective(settings.loss, counts, settings.beta)
        self._curriculum = Curriculum(settings.curriculum, data.train)
        self._lengths = np.array([len(sample.recording.sound) for sample in data.train])
        self._epochs: list[Epoch] = []
        self._best: dict[str, Tensor] = {}
        self._done = 0

    def result(self, keeper: Keeper) -> TrainResult:
        if found := keeper.load():
            self._restore(found)
        while len(self._epochs) < self._settings.epochs and not self._patience_is_over():
            self._epochs.append(self._epoch(len(self._epochs) + 1))
            if self._kept() == len(self._epochs) - 1:
                self._best = {name: value.detach().clone() for name, value in self._model.state_dict().items()}
            progress = Progress.of(self._epochs, self._model, self._best, self._optimiser)
            keeper.store(progress.plus(_DIFFICULTY, torch.from_numpy(self._curriculum.difficulty)))
            self._listener.epoch(self._epochs[-1])
        self._model.load_state_dict(self._best)
        self._model.eval()
        return TrainResult(tuple(self._epochs), self._kept() + 1)

    def _restore(self, progress: Progress) -> None:
        self._epochs, self._best = list(progress.epochs), dict(progress.best)
        self._done = self._steps * len(self._epochs)
        progress.restore(self._model, self._optimiser)
        self._curriculum.difficulty = progress.tensors[_DIFFICULTY].numpy().copy()
        self._listener.step(self._done)

    def _kept(self) -> int:
        return best_of(self._epochs, self._settings.keep)

    def _patience_is_over(self) -> bool:
        patience = self._settings.patience
        return bool(patience and self._epochs) and len(self._epochs) - 1 - self._kept() >= patience

    def _epoch(self, number: int) -> Epoch:
        started = time.monotonic()
        rng = np.random.default_rng((self._settings.seed, number))  # owed to the number alone, so never to be kept
        worths = [worth(epoch, self._settings.keep) for epoch in self._epochs]
        losses = []
        self._model.train()
        with self._model.epoch():
            pool = self._curriculum.pool(number)
            shown = pool[drawn(self._labels[pool], self._settings.sampler, rng)]
            together = self._settings.sampler.sorted_batches
            for batch in batches(self._lengths[shown], self._settings.batch_size, rng, together):
                self._schedule.at(self._done, worths)
                losses.append(self._step(shown[batch].tolist(), rng))
                self._done += 1
                self._listener.step(self._done)
        loss = float(np.mean(losses))
        if not math.isfinite(loss):
            lr = self._settings.optimiser.lr
            raise SettingError(
                f"the loss is {loss} in epoch {number}; lower the learning rate ({lr:g}) or clip gradients"
            )
        return Epoch(number, loss, *self._validated(), time.monotonic() - started)

    def _step(self, places: list[int], rng: np.random.Generator) -> float:
        settings = self._settings
        self._optimiser.zero_grad()
        rows, truth = self._varied(places, rng), torch.from_numpy(self._labels[places])
        if settings.mixup:
            rows, shares = mixed(
                rows, np.eye(self._data.classes, dtype=np.float32)[self._labels[places]], settings.mixup, rng
            )
            truth = torch.from_numpy(shares)
        size = math.ceil(len(rows) / settings.accumulation)
        cuts = [slice(first, first + size) for first in range(0, len(rows), size)]
        loss = sum(self._backward(places[cut], rows[cut], truth[cut], len(rows[cut]) / len(rows)) for cut in cuts)
        if settings.optimiser.clip_norm:
            nn.utils.clip_grad_norm_(self._model.parameters(), settings.optimiser.clip_norm)
        self._optimiser.step()
        return loss

    def _backward(self, places: list[int], rows: Sequence[Arrays], truth: Tensor, share: float) -> float:
        """Add the gradients of a part of a batch and return what it adds to the loss."""
        batch = collate(rows, self._data.reader.inputs.video.size)
        output, truth = self._model(batch.to(self._device)), truth.to(self._device)
        loss = share * self._objective(output, truth)
        if self._curriculum.watches:
            each = functional.cross_entropy(output.logits.detach(), truth, reduction="none")
            self._curriculum.hear(places, each.double().cpu().numpy())
        loss.backward()  # type: ignore[no-untyped-call]
        return loss.item()

    def _varied(self, places: list[int], rng: np.random.Generator) -> list[Arrays]:
        settings, reader = self._settings, self._data.reader
        varied = [reader.vary(self._data.train[place], settings.augmentation, rng) for place in places]
        return [dropped(arrays, settings.dropout, rng) for arrays in varied]

    def _validated(self) -> tuple[float, float, float, float]:
        answers = predict(self._model, self._data.reader, self._data.val)
        truth = np.array([sample.label for sample in self._data.val])[answers.places]
        counts = metrics.confusion(truth, answers.probabilities.argmax(axis=1), self._data.classes)
        return metrics.accuracy(counts), metrics.uar(counts), metrics.macro_f1(counts), metrics.ovr_accuracy(counts)


def _devices(model: nn.Module) -> list[torch.device]:
    device = next(model.parameters()).device
    return [] if device.type == "cpu" else [device]
