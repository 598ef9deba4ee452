"""One graph: its INT8 and FP16 forms made, compared and timed, and what is kept of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

import onnx

from mmer.calibration.check import Check, check, outputs
from mmer.calibration.fp16 import halved
from mmer.calibration.improve.constant import turned
from mmer.calibration.improve.improvement import improved
from mmer.calibration.network import Network
from mmer.calibration.observe import Again, observe
from mmer.calibration.prepare import prepared
from mmer.calibration.race import Race, race
from mmer.calibration.ranges import Range
from mmer.calibration.recipe import Recipe
from mmer.calibration.rounding import levels_of
from mmer.calibration.selection import Trial, selected
from mmer.calibration.settings import CalibrationSettings
from mmer.calibration.sites import scales, sites
from mmer.edge.backends.ort import OrtSession, OrtSettings
from mmer.edge.bundle.golden import Case, replay
from mmer.edge.bundle.plan import LOGITS
from mmer.edge.tensors import Tensors

HALF = "fp16"

_MARGIN = 1.5
"""How much further than here another machine's kernels may be from the golden values."""
_CLOSE = 0.02
"""As a share of the range: five levels of eight bits."""
_APART = 0.1
"""From here on kernels do not round, they are wrong."""
_EVERY = 6
_TRIED = 16
"""Every so many samples, and so many at most, layers are chosen by; nothing else is made from these."""


@dataclass(frozen=True, slots=True)
class Form:
    """One way of writing a graph, and what came of it."""

    precision: str
    content: bytes
    check: Check
    race: Race | None
    tolerance: float
    """For golden values, as `Variant` states it."""
    golden: tuple[Case, ...]
    """What it makes of the golden inputs, as the standard defines its operators: without any optimisation."""
    fault: str | None
    """Why it is not kept."""
    layers: str = ""
    """How many are quantised, where not all are."""
    ranges: Mapping[str, Range] = field(default_factory=dict)
    """Of the tensors that have levels."""
    improvements: Sequence[Mapping[str, object]] = ()
    """How the float graph was changed before, so that levels lose less."""


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
        return "; ".join(filter(None, (self.int8.fault or "right, and faster than float here", self.int8.layers)))


def judge(subject: Subject, recipe: Recipe, settings: CalibrationSettings) -> Judgement:
    """Make and judge all forms of a graph."""
    size = len(subject.content)
    if not subject.fresh or not any(True for _ in subject.calibration()):
        return Judgement(subject.name, size, None, None, "no window gave it anything to read")
    network = prepared(turned(onnx.load_from_string(subject.content)))
    half = _half(subject, network, settings)
    if LOGITS in network.outputs:
        return Judgement(subject.name, size, None, half, "it makes the logits, which stay float")
    if not sites(network):
        return Judgement(subject.name, size, None, half, "there is no layer in it to quantise")
    return Judgement(subject.name, size, _int8(subject, network, recipe, settings), half)


def _int8(subject: Subject, network: Network, recipe: Recipe, settings: CalibrationSettings) -> Form:
    made_from, tried = _dealt(subject.calibration)
    better = improved(network, made_from, tried, recipe.weight_bits)
    network = better.network
    observed = observe(network, made_from, settings.inside)
    every = sites(network)
    levels = levels_of(network, every, made_from, recipe.weight_bits)
    trial = Trial(network, observed, levels, tried, outputs(subject.content, tried))
    chosen = selected(trial, settings.int8_cosine) or every
    content = trial.content(chosen)
    checked = check(content, subject.content, subject.fresh)
    fault = checked.fault(settings.int8_cosine)
    raced = None
    if checked.failure is None:
        raced = race(OrtSession.open(subject.content), OrtSession.open(content), subject.fresh)
        fault = fault or raced.fault()
    layers = "" if len(chosen) == len(every) else f"{len(chosen)} of {len(every)} layers in INT8"
    used = {s.root: observed.range(s.root, centred=s.centred) for s in scales(network, chosen).values()}
    return _replayed(
        Form(recipe.name, content, checked, raced, _CLOSE, (), fault, layers, used, better.to_json()), subject
    )


def _dealt(samples: Again) -> tuple[Again, Sequence[Tensors]]:
    """Return the samples that levels are made from, and others by which layers are chosen; of one, both are."""
    if sum(1 for _ in islice(samples(), 2)) < 2:
        return samples, list(samples())
    tried = list(islice(samples(), 0, None, _EVERY))[:_TRIED]
    return (lambda: (sample for place, sample in enumerate(samples()) if place % _EVERY)), tried


def _half(subject: Subject, network: Network, settings: CalibrationSettings) -> Form:
    content = halved(network, subject.calibration)
    checked = check(content, subject.content, subject.fresh)
    fault = checked.fault(settings.fp16_cosine)
    if fault is None and len(content) >= len(subject.content):
        fault = "not smaller than float"
    return _replayed(Form(HALF, content, checked, None, _CLOSE, (), fault), subject)


def _replayed(form: Form, subject: Subject) -> Form:
    """Return a form with its golden values and the tolerance that they need.

    Golden inputs are made by code. So far from faces and speech a form may differ from float by much of the range, but
    every machine has to make the same of them.
    """
    if form.check.failure is not None:
        return form
    plain = OrtSession.open(form.content, OrtSettings(optimisation="disabled"))
    cases = tuple(Case(case.inputs, plain.run(case.inputs)) for case in subject.golden)
    worst = replay(OrtSession.open(form.content), cases).value
    fault = form.fault or (f"its kernels are off by {worst:.2g} of the range" if worst > _APART else None)
    return replace(form, golden=cases, tolerance=_MARGIN * min(worst, _APART) + _CLOSE, fault=fault)
