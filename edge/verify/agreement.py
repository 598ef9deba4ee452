"""How often a form answers as float does, how far it is off, where most, and through which graph."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmer.edge.bench.binomial import Bound
from mmer.edge.verify.answers import Answers, Place, Wide
from mmer.edge.verify.forms import Form
from mmer.edge.verify.rivals import Rival

SHOWN = 5
"""Windows that are named, the worst first."""


@dataclass(frozen=True, slots=True)
class Difference:
    """How far values are apart."""

    mean: float
    worst: float

    @classmethod
    def of(cls, values: Wide) -> "Difference":
        """Measure distances, at least one."""
        return cls(float(values.mean()), float(values.max()))


@dataclass(frozen=True, slots=True)
class WorstWindow:
    """A window in which the two are far apart."""

    place: Place
    label: str
    """What float says."""
    other: str
    probabilities: tuple[float, ...]
    """Of float, in the order of the labels."""
    others: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Swap:
    """What comes of it when one graph alone is not in float."""

    graph: str
    precision: str
    calls: int
    """How often it ran; 0 when no window gave it anything to read."""
    changed: int
    """Windows that get another label."""
    probability: Difference


@dataclass(frozen=True, slots=True)
class Agreement:
    """One form beside float over the same windows."""

    form: Form
    windows: Bound
    """Those with the label that float gives; overlapping windows depend on each other, so the true bound is lower."""
    clips: Bound
    """Recordings of which every window has it."""
    answers: Bound
    """Recordings with the same label by the mean of their windows."""
    probability: Difference
    """By window: that of the label that differs most."""
    logit: Difference
    """By window and label."""
    worst: tuple[WorstWindow, ...]
    swaps: tuple[Swap, ...]
    """The worst graph first."""


def agreements(
    answers: Answers, forms: Sequence[Form], panel: Sequence[Rival], labels: Sequence[str]
) -> tuple[Agreement, ...]:
    """Compare every form with float, which is the first of the panel; some window must have been answered."""
    arrays = np.stack(answers.probabilities), np.stack(answers.logits)
    heard = _Heard(answers.places, *arrays, labels, answers.calls)
    return tuple(_agreement(heard, form, panel) for form in forms)


@dataclass(frozen=True, slots=True, eq=False)
class _Heard:
    """Answers as arrays `[N, R, K]`."""

    places: Sequence[Place]
    probabilities: Wide
    logits: Wide
    labels: Sequence[str]
    calls: Mapping[str, int]

    def said(self, rival: int) -> NDArray[np.intp]:
        """Return a rival's label for every window."""
        likeliest: NDArray[np.intp] = self.probabilities[:, rival].argmax(axis=1)
        return likeliest

    def same(self, rival: int) -> NDArray[np.bool_]:
        """Tell for every window whether a rival says what float says."""
        alike: NDArray[np.bool_] = self.said(rival) == self.said(0)
        return alike

    def apart(self, rival: int) -> Wide:
        """Return the largest difference of a probability in every window."""
        distance: Wide = np.abs(self.probabilities[:, rival] - self.probabilities[:, 0]).max(axis=1)
        return distance

    def clips(self) -> list[NDArray[np.intp]]:
        """Return the windows of every recording."""
        owners = np.unique([place.clip for place in self.places], return_inverse=True)[1]
        return [np.flatnonzero(owners == number) for number in range(owners.max() + 1)]


def _agreement(heard: _Heard, form: Form, panel: Sequence[Rival]) -> Agreement:
    rival = next(n for n, one in enumerate(panel) if one.form == form.name and one.graph is None)
    same, clips = heard.same(rival), heard.clips()
    means = [heard.probabilities[windows].mean(axis=0) for windows in clips]
    kept = [bool(same[windows].all()) for windows in clips]
    answered = [int(mean[rival].argmax()) == int(mean[0].argmax()) for mean in means]
    return Agreement(
        form,
        Bound(int(same.sum()), len(same)),
        Bound(sum(kept), len(clips)),
        Bound(sum(answered), len(clips)),
        Difference.of(heard.apart(rival)),
        Difference.of(np.abs(heard.logits[:, rival] - heard.logits[:, 0])),
        _worst(heard, rival),
        _swaps(heard, form, panel),
    )


def _worst(heard: _Heard, rival: int) -> tuple[WorstWindow, ...]:
    """Return windows with another label first, and of these the ones that are furthest apart.

    None overlaps another: neighbours are bad for one reason.
    """
    order = np.lexsort((-heard.apart(rival), heard.same(rival)))
    chosen: list[int] = []
    for number in order.tolist():
        if len(chosen) < SHOWN and not any(heard.places[number].overlaps(heard.places[other]) for other in chosen):
            chosen.append(number)
    return tuple(_window(heard, rival, number) for number in chosen)


def _window(heard: _Heard, rival: int, number: int) -> WorstWindow:
    told = heard.probabilities[number]
    label, other = (heard.labels[int(told[one].argmax())] for one in (0, rival))
    return WorstWindow(heard.places[number], label, other, tuple(told[0].tolist()), tuple(told[rival].tolist()))


def _swaps(heard: _Heard, form: Form, panel: Sequence[Rival]) -> tuple[Swap, ...]:
    alone = {one.graph: number for number, one in enumerate(panel) if one.form == form.name and one.graph}
    if len(form.swapped) == 1:
        alone = {next(iter(form.swapped)): next(n for n, one in enumerate(panel) if one.form == form.name)}
    found = [_swap(heard, str(graph), form.swapped[str(graph)], number) for graph, number in alone.items()]
    return tuple(sorted(found, key=lambda swap: (-swap.changed, -swap.probability.mean)))


def _swap(heard: _Heard, graph: str, precision: str, rival: int) -> Swap:
    changed = int((~heard.same(rival)).sum())
    return Swap(graph, precision, heard.calls[graph], changed, Difference.of(heard.apart(rival)))
