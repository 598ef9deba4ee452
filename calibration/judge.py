"""One graph: its INT8 and FP16 forms made, compared and timed, and what is kept of them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import onnx

from mmer.calibration.check import Check, check
from mmer.calibration.emit import Observed, emitted
from mmer.calibration.fp16 import halved
from mmer.calibration.network import Network
from mmer.calibration.observe import Again, observe
from mmer.calibration.prepare import prepared
from mmer.calibration.race import Race, race
from mmer.calibration.recipe import Recipe
from mmer.calibration.settings import CalibrationSettings
from mmer.calibration.sites import sites
from mmer.edge.backends.ort import OrtSession
from mmer.edge.bundle.golden import Case, replay
from mmer.edge.bundle.plan import LOGITS
from mmer.edge.tensors import Tensors

HALF = "fp16"

_MARGIN = 1.5
"""How much further than here a graph may be from its golden values on another machine."""
_FLOOR = 1e-3
_LARGEST = 1.0
"""What a manifest can state; golden inputs are made by code, and far from faces and speech INT8 is coarser."""


@dataclass(frozen=True, slots=True)
class Form:
    """One way of writing a graph, and what came of it."""

    precision: str
    content: bytes
    check: Check
    race: Race | None
    tolerance: float
    """For golden values, as `Variant` states it."""
    fault: str | None
    """Why it is not kept."""


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """A float graph and what it is given."""

    name: str
    content: bytes
    golden: Sequence[Case]
    calibration: Again
    fresh: Sequence[Tensors]
    """Of other clips than `calibration`."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was found about a graph."""

    graph: str
    size: int
    """Of the float file, in bytes."""
    int8: Form | None
    half: Form | None
    observed: Observed | None
    excuse: str = ""
    """Why there is no INT8 form at all."""

    @property
    def kept(self) -> tuple[Form, ...]:
        """The forms that go into the bundle."""
        return tuple(form for form in (self.int8, self.half) if form and not form.fault)

    @property
    def precision(self) -> str:
        """In which the graph is to run."""
        return self.int8.precision if self.int8 and not self.int8.fault else "fp32"

    @property
    def reason(self) -> str:
        """Why it runs so."""
        if self.int8 is None:
            return self.excuse
        return self.int8.fault or "right, and faster than float here"


def judge(subject: Subject, recipe: Recipe, settings: CalibrationSettings) -> Judgement:
    """Make and judge all forms of a graph."""
    size = len(subject.content)
    if not subject.fresh or not any(True for _ in subject.calibration()):
        return Judgement(subject.name, size, None, None, None, "no window gave it anything to read")
    network = prepared(onnx.load_from_string(subject.content))
    half = _half(subject, network, settings)
    if LOGITS in network.outputs:
        return Judgement(subject.name, size, None, half, None, "it makes the logits, which stay float")
    if not sites(network):
        return Judgement(subject.name, size, None, half, None, "there is no layer in it to quantise")
    observed = observe(network, subject.calibration, settings.inside)
    return Judgement(subject.name, size, _int8(subject, network, observed, recipe, settings), half, observed)


def _int8(
    subject: Subject, network: Network, observed: Observed, recipe: Recipe, settings: CalibrationSettings
) -> Form:
    content = emitted(network, observed, recipe)
    checked = check(content, subject.content, subject.fresh)
    fault = checked.fault(settings.int8_cosine)
    raced = None
    if checked.failure is None:
        raced = race(OrtSession.open(subject.content), OrtSession.open(content), subject.fresh)
        fault = fault or raced.fault()
    return _replayed(Form(recipe.name, content, checked, raced, 1.0, fault), subject)


def _half(subject: Subject, network: Network, settings: CalibrationSettings) -> Form:
    content = halved(network, subject.calibration)
    checked = check(content, subject.content, subject.fresh)
    fault = checked.fault(settings.fp16_cosine)
    if fault is None and len(content) >= len(subject.content):
        fault = "not smaller than float"
    return _replayed(Form(HALF, content, checked, None, 1.0, fault), subject)


def _replayed(form: Form, subject: Subject) -> Form:
    """Return a form with the tolerance that its golden values need."""
    if form.check.failure is not None:
        return form
    worst = replay(OrtSession.open(form.content), subject.golden).value
    tolerance = _MARGIN * worst + _FLOOR
    if tolerance <= _LARGEST:
        return replace(form, tolerance=tolerance)
    return replace(
        form, fault=form.fault or f"golden values are off by {worst:.2g} of their range, as an error would be"
    )
