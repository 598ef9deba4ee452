"""Float training: epochs over shuffled, varied samples, and the best of them kept."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mmer.edge.bench import metrics
from mmer.edge.errors import SettingError
from mmer.edge.inputs.constants import among, within
from mmer.training.augment import UNCHANGED, Augmentation
from mmer.training.collate import Reader, collate, dropped
from mmer.training.losses import aligned_focal, balanced_alpha
from mmer.training.model import EmotionModel
from mmer.training.optimiser import OptimiserSettings, cosine, make_optimiser
from mmer.training.predict import predict
from mmer.training.samples import Sample

KEPT_BY = ("uar", "macro_f1")
_SORTED = 8  # so many batches are sorted by length together: less padding, and still a fresh mixture each epoch


@dataclass(frozen=True, slots=True)
class FitSettings:
    """How to train. The defaults are those published for `cafes`."""

    epochs: int = 10
    batch_size: int = 16
    seed: int = 42
    keep: str = "uar"
    """What the best epoch has most of on the validation samples, one of `KEPT_BY`."""
    optimiser: OptimiserSettings = field(default_factory=OptimiserSettings)
    augmentation: Augmentation = UNCHANGED
    dropout: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """How probable it is that video, audio or text is left out of a training sample."""
    beta: float = 0.2
    """Weight of the alignment of confidence and error."""

    def __post_init__(self) -> None:
        within("epochs", self.epochs, 1, 10_000)
        within("batch_size", self.batch_size, 1, 4096)
        within("seed", self.seed, 0, 2**63 - 1)
        among("keep", self.keep, KEPT_BY)
        within("beta", self.beta, 0.0, 100.0)
        for share in self.dropout:
            within("dropout", share, 0.0, 1.0)


@dataclass(frozen=True, slots=True)
class TrainData:
    """Samples of disjoint speakers and the way to read them."""

    train: Sequence[Sample]
    val: Sequence[Sample]
    reader: Reader
    classes: int


@dataclass(frozen=True, slots=True)
class Epoch:
    """One pass over the training samples, then one over those for validation."""

    number: int
    """From 1."""
    loss: float
    accuracy: float
    uar: float
    macro_f1: float
    ovr_accuracy: float
    wall_s: float


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


def fit(model: EmotionModel, data: TrainData, settings: FitSettings, listener: Listener = SILENT) -> TrainResult:
    """Train a model and leave it with the weights of its best epoch.

    Equal arguments give equal results on one machine with one number of threads. Raises `SettingError` when there is
    nothing to train on or to choose by, or when the loss stops being finite.
    """
    if not data.train or not data.val:
        raise SettingError(f"{len(data.train)} training and {len(data.val)} validation clips; both are needed")
    with torch.random.fork_rng(devices=_devices(model)):
        torch.manual_seed(settings.seed)
        return _Run(model, data, settings, listener).result()


def steps_per_epoch(samples: int, settings: FitSettings) -> int:
    """Return how many steps an epoch has."""
    return math.ceil(samples / settings.batch_size)


class _Run:
    """The state of one training."""

    def __init__(self, model: EmotionModel, data: TrainData, settings: FitSettings, listener: Listener) -> None:
        self._model, self._data, self._settings, self._listener = model, data, settings, listener
        self._device = next(model.parameters()).device
        self._optimiser = make_optimiser(model, settings.optimiser)
        steps = steps_per_epoch(len(data.train), settings) * settings.epochs
        self._schedule = cosine(self._optimiser, settings.optimiser, steps)
        self._labels = np.array([sample.label for sample in data.train])
        counts = np.bincount(self._labels, minlength=data.classes)
        self._alpha = balanced_alpha(torch.from_numpy(counts)).to(self._device)
        self._lengths = np.array([len(sample.recording.sound) for sample in data.train])
        self._done = 0

    def result(self) -> TrainResult:
        epochs: list[Epoch] = []
        best: dict[str, Tensor] = {}
        kept = 0
        for number in range(1, self._settings.epochs + 1):
            epochs.append(self._epoch(number))
            self._listener.epoch(epochs[-1])
            if not best or self._worth(epochs[-1]) > self._worth(epochs[kept]):
                kept, best = number - 1, {k: v.detach().clone() for k, v in self._model.state_dict().items()}
        self._model.load_state_dict(best)
        self._model.eval()
        return TrainResult(tuple(epochs), kept + 1)

    def _worth(self, epoch: Epoch) -> float:
        return epoch.uar if self._settings.keep == "uar" else epoch.macro_f1

    def _epoch(self, number: int) -> Epoch:
        started = time.monotonic()
        rng = np.random.default_rng((self._settings.seed, number))
        losses = []
        self._model.train()
        with self._model.epoch():
            for places in batches(self._lengths, self._settings.batch_size, rng):
                losses.append(self._step(places, rng))
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
        settings, reader = self._settings, self._data.reader
        varied = [reader.vary(self._data.train[place], settings.augmentation, rng) for place in places]
        rows = [dropped(arrays, settings.dropout, rng) for arrays in varied]
        output = self._model(collate(rows, reader.inputs.video.size).to(self._device))
        labels = torch.from_numpy(self._labels[places]).to(self._device)
        loss = aligned_focal(output.logits, labels, self._alpha, output.confidence, settings.beta)
        self._optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        if settings.optimiser.clip_norm:
            nn.utils.clip_grad_norm_(self._model.parameters(), settings.optimiser.clip_norm)
        self._optimiser.step()
        self._schedule.step()
        return loss.item()

    def _validated(self) -> tuple[float, float, float, float]:
        answers = predict(self._model, self._data.reader, self._data.val)
        truth = np.array([sample.label for sample in self._data.val])[answers.places]
        counts = metrics.confusion(truth, answers.probabilities.argmax(axis=1), self._data.classes)
        return metrics.accuracy(counts), metrics.uar(counts), metrics.macro_f1(counts), metrics.ovr_accuracy(counts)


def batches(lengths: NDArray[np.int64], size: int, rng: np.random.Generator) -> Iterator[list[int]]:
    """Yield all indices once, in batches of clips of similar length; the last batch may be smaller."""
    order = rng.permutation(len(lengths))
    pools = [order[first : first + size * _SORTED] for first in range(0, len(order), size * _SORTED)]
    alike = [pool[np.argsort(lengths[pool], kind="stable")] for pool in pools]
    cut = [pool[first : first + size].tolist() for pool in alike for first in range(0, len(pool), size)]
    for place in rng.permutation(len(cut)):
        yield cut[place]


def _devices(model: nn.Module) -> list[torch.device]:
    device = next(model.parameters()).device
    return [] if device.type == "cpu" else [device]
