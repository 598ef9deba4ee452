"""Each form of a network on the same test stills: one row of the table."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from collapses.halves import halved_logits
from collapses.network import INPUT, OUTPUT, Float, spelled
from collapses.ours import ours
from collapses.quantisers import Maker
from collapses.stills import Stills
from numpy.typing import NDArray
from torch import nn

from mmer.calibration.judgement.check import centred_cosine
from mmer.edge.backends.ort import OrtSession, OrtSettings
from mmer.edge.bench.intervals import Interval
from mmer.edge.bench.judged import Judged
from mmer.edge.bench.metrics import accuracy, uar
from mmer.edge.bench.paired import agreement, difference
from mmer.edge.errors import DeviceError

Scores = NDArray[np.float32]

PLAIN = 256
"""Stills that a file answers without optimisation too."""


@dataclass(frozen=True, slots=True)
class Row:
    """What a form of a network gets right."""

    name: str
    accuracy: float
    uar: float
    accuracy_lost: Interval
    """In points, against float on the same stills; negative is worse."""
    uar_lost: Interval
    agreement: float
    """Share of stills with float's label."""
    cosine: float
    """Centred, of the logits; 0 where one is not finite."""
    plain_cosine: float | None
    """The same over the first `PLAIN` stills without any optimisation of the graph, where there is one."""
    size: int | None
    """Of the file, in bytes."""
    note: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Test:
    """Stills that nobody calibrated with, and what float makes of them."""

    stills: Stills
    float_: Scores

    @classmethod
    def of(cls, float_: Float, stills: Stills) -> "Test":
        """Answer them in single precision."""
        return cls(stills, answers(float_.content, stills))

    def row(self, name: str, scores: Scores, content: bytes | None = None, note: str = "") -> Row:
        """Compare a form's scores `[N, K]` with float's."""
        reference, found = self._judged(self.float_), self._judged(scores)
        return Row(
            name,
            accuracy(found.counts()),
            uar(found.counts()),
            difference(reference, found, accuracy),
            difference(reference, found, uar),
            agreement(reference.predicted, found.predicted),
            centred_cosine(self.float_, scores),
            None if content is None else self._plain(content),
            None if content is None else len(content),
            note,
        )

    def _plain(self, content: bytes) -> float:
        return centred_cosine(
            self.float_[:PLAIN], answers(content, self.stills.first(PLAIN), OrtSettings(optimisation="disabled"))
        )

    def _judged(self, scores: Scores) -> Judged:
        finite = np.where(np.isfinite(scores).all(axis=1, keepdims=True), scores, 0.0)
        return Judged(self.stills.classes.astype(np.intp), finite.astype(np.float64), [""] * len(scores))


def answers(content: bytes, stills: Stills, settings: OrtSettings = OrtSettings()) -> Scores:
    """Return what a file says to every still, one at a time, `[N, K]`."""
    session = OrtSession.open(content, settings)
    rows = range(len(stills.classes))
    return np.concatenate([session.run({INPUT: stills.inputs(slice(at, at + 1))})[OUTPUT] for at in rows])


def rows(float_: Float, stills: Stills, makers: Mapping[str, Maker]) -> Iterator[Row]:
    """Yield float, everybody's INT8, half precision and ours."""
    test = Test.of(float_, stills)
    yield test.row("float", test.float_, float_.content)
    for name, make in makers.items():
        yield _made(name, make, float_, test)
    yield test.row("FP16, everything cast", halved_logits(float_.module, stills))
    if any(isinstance(module, nn.LayerNorm) for module in float_.module.modules()):
        yield test.row("FP16, everything cast, norms spelled out", halved_logits(spelled(float_.module), stills))
    yield from _ours(float_, test)


def _made(name: str, make: Maker, float_: Float, test: Test) -> Row:
    content = make(float_)
    try:
        return test.row(name, answers(content, test.stills), content)
    except DeviceError as error:
        return test.row(name, np.zeros_like(test.float_), note=str(error))


def _ours(float_: Float, test: Test) -> Iterator[Row]:
    judgement = ours(float_)
    for form in filter(None, (judgement.int8, judgement.half)):
        note = "; ".join(filter(None, (form.layers, form.fault and f"not kept: {form.fault}")))
        yield test.row(f"mmer, {form.precision}", answers(form.content, test.stills), form.content, note)


def to_json(row: Row) -> Mapping[str, Any]:
    """Return a row as JSON values."""
    lost = {"accuracy": row.accuracy_lost, "uar": row.uar_lost}
    plain: Sequence[str] = ("name", "accuracy", "uar", "agreement", "cosine", "plain_cosine", "size", "note")
    return {name: getattr(row, name) for name in plain} | {
        f"{name}_against_float": [interval.value, interval.low, interval.high] for name, interval in lost.items()
    }
