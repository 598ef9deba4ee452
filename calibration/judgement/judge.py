"""One graph: its INT8 and FP16 forms made, compared and timed, and what is kept of them."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

import onnx

from mmer.calibration.emit import Basis, placed
from mmer.calibration.exact.rules import suspects
from mmer.calibration.fp16 import ELEMENTWISE, FOLLOWING, halved, peaks
from mmer.calibration.graph.network import Network
from mmer.calibration.graph.prepare import joined
from mmer.calibration.graph.sites import sites
from mmer.calibration.graph.stored import stored
from mmer.calibration.improve.factors import Factors
from mmer.calibration.improve.improvement import Improved, Material, confirmed, improved, repeated
from mmer.calibration.improve.methods import by_tensor
from mmer.calibration.judgement.check import Check, check, outputs
from mmer.calibration.judgement.engines import Opener, own, runs_here
from mmer.calibration.judgement.race import Race, race
from mmer.calibration.judgement.selection import Trial, selected
from mmer.calibration.observation.memory import Known, Memory
from mmer.calibration.observation.observe import Step, observe
from mmer.calibration.observation.passes import Again
from mmer.calibration.observation.ranges import Range
from mmer.calibration.recipe import Peaks, Recipe
from mmer.calibration.settings import EACH, CalibrationSettings
from mmer.calibration.weights.rounding import levels_of
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
"""Every so many samples, and so many at most, layers are chosen by; no range and no weight is made from these."""


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
    here: bool = False
    """Whether `mmer run` may take it on this machine."""
    layers: str = ""
    """How many are quantised, where not all are."""
    ranges: Mapping[str, Range] = field(default_factory=dict)
    """Of the tensors that have levels."""
    improvements: Sequence[Mapping[str, object]] = ()
    """How the float graph was changed before, so that levels lose less."""

    @property
    def reason(self) -> str:
        """Why it is kept, or why not."""
        good = "right, and faster than float" + (" here" if self.here else "") if self.race else "right; not timed here"
        return "; ".join(filter(None, (self.fault or good, self.layers)))


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """A float graph and what it is given."""

    name: str
    content: bytes
    golden: Sequence[Case]
    calibration: Again
    fresh: Sequence[Tensors]
    """Of other clips than `calibration`."""
    memory: Memory = field(default_factory=Known)
    """Of what calibration saw."""
    step: Step = lambda _done, _of: None
    alone: bool = False
    """Whether it is a model by itself: what it calls logits may be all that it makes."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was found about a graph."""

    graph: str
    size: int
    """Of the float file, in bytes."""
    forms: tuple[Form, ...]
    """In INT8, one for each target; those that may run here come first, the fastest of them before the others."""
    half: Form | None
    excuse: str = ""
    """Why there is no INT8 form at all."""
    factors: tuple[Factors, ...] = ()
    """By which the graph was made easier to quantise."""

    @property
    def kept(self) -> tuple[Form, ...]:
        """The forms that go into the bundle."""
        return tuple(form for form in (*self.forms, self.half) if form and not form.fault)

    @property
    def int8(self) -> Form | None:
        """The form that is to run here, else the first."""
        kept = [form for form in self.forms if form.here and not form.fault]
        return next(iter((*kept, *self.forms)), None)

    @property
    def others(self) -> tuple[Form, ...]:
        """The other INT8 forms."""
        return tuple(form for form in self.forms if form is not self.int8)

    @property
    def precision(self) -> str:
        """In which the graph is to run."""
        return self.int8.precision if self.int8 and self.int8.here and not self.int8.fault else "fp32"

    @property
    def reason(self) -> str:
        """Why it runs so."""
        if self.int8 is None:
            return self.excuse
        return self.int8.reason if self.int8.here else f"{self.int8.precision}: {self.int8.reason}"


def judge(subject: Subject, recipes: Sequence[Recipe], settings: CalibrationSettings) -> Judgement:
    """Make and judge all forms of a graph."""
    if not subject.fresh or not any(True for _ in subject.calibration()):
        return Judgement(subject.name, len(subject.content), (), None, "no window gave it anything to read")
    with tempfile.TemporaryDirectory(prefix="mmer-") as folder:
        model = stored(onnx.load_from_string(subject.content), Path(folder))
        return _judged(subject, joined(Network.of(model, Path(folder))), recipes, settings)


def _judged(subject: Subject, network: Network, recipes: Sequence[Recipe], settings: CalibrationSettings) -> Judgement:
    size = len(subject.content)
    following = ELEMENTWISE if any(recipe.finish for recipe in recipes) else FOLLOWING
    seen = peaks(network, following, subject.calibration)
    half = _half(subject, network, seen, settings)
    if LOGITS in network.outputs and not subject.alone:
        return Judgement(subject.name, size, (), half, "it makes the logits, which stay float")
    if not sites(network):
        return Judgement(subject.name, size, (), half, "there is no layer in it to quantise")
    made_from, tried = _dealt(subject.calibration)
    better = _better(subject, network, Material(made_from, tried, recipes[0], seen))
    if better.factors and following is ELEMENTWISE:
        seen = peaks(better.network, following, subject.calibration)
    bits = sorted({recipe.weight_bits for recipe in recipes})
    network, every = better.network, sites(better.network)
    levels = {count: levels_of(network, every, made_from, count, clipped=settings.clip) for count in bits}
    observed = observe(network, made_from, settings.taken, subject.memory, subject.step)
    trial = Trial(Basis(network, observed, levels, seen), recipes[0], tried, outputs(subject.content, tried))
    if settings.method == EACH:
        each = by_tensor(trial.basis, every, levels[recipes[0].weight_bits], made_from)
        other = replace(trial, basis=replace(trial.basis, observed=each))
        trial = confirmed(trial, other, lambda t: t.error(t.recipe.sites(network)))
    trials = [replace(trial, recipe=recipe) for recipe in recipes]
    forms = (replace(_int8(subject, trial, settings), improvements=better.to_json()) for trial in trials)
    return Judgement(subject.name, size, tuple(forms), half, factors=better.factors)


def _better(subject: Subject, network: Network, material: Material) -> Improved:
    """Return the network made easier to quantise, as it was done before where what was seen is of that."""
    if (known := subject.memory.factors()) is not None:
        return repeated(network, known)
    better = improved(network, material)
    subject.memory.change(better.factors)
    return better


def _int8(subject: Subject, trial: Trial, settings: CalibrationSettings) -> Form:
    recipe, basis = trial.recipe, trial.basis
    every = recipe.sites(basis.network)
    chosen = selected(trial, settings.int8_cosine) or every
    content = trial.content(chosen)
    checked = check(content, subject.content, subject.fresh)
    fault = checked.fault(settings.int8_cosine) if every else "no layer in it is worth it"
    known = (
        str(found) for found in suspects(onnx.load_from_string(content)) if found.runtime.startswith(recipe.engine)
    )
    fault = fault or next(known, None)
    raced, opened = None, own(recipe)
    if checked.failure is None and opened is not None:
        raced = race(opened(subject.content), opened(content), subject.fresh)
        fault = fault or raced.fault()
    layers = "" if len(chosen) == len(every) else f"{len(chosen)} of {len(every)} layers in INT8"
    scales = placed(basis, chosen, recipe).values()
    used = {scale.root: basis.observed.range(scale.root, centred=scale.centred) for scale in scales}
    here = runs_here(recipe)
    form = Form(recipe.name, content, checked, raced, _CLOSE, (), fault, here, layers, used)
    return _replayed(form, subject, opened or OrtSession.open)


def _dealt(samples: Again) -> tuple[Again, Sequence[Tensors]]:
    """Return the samples that levels are made from, and others by which layers are chosen; of one, both are."""
    if sum(1 for _ in islice(samples(), 2)) < 2:
        return samples, list(samples())
    tried = list(islice(samples(), 0, None, _EVERY))[:_TRIED]
    return (lambda: (sample for place, sample in enumerate(samples()) if place % _EVERY)), tried


def _half(subject: Subject, network: Network, seen: Peaks, settings: CalibrationSettings) -> Form:
    content: bytes = halved(network, FOLLOWING, seen).SerializeToString(deterministic=True)
    checked = check(content, subject.content, subject.fresh)
    fault = checked.fault(settings.fp16_cosine)
    if fault is None and len(content) >= len(subject.content):
        fault = "not smaller than float"
    return _replayed(Form(HALF, content, checked, None, _CLOSE, (), fault, here=True), subject, OrtSession.open)


def _replayed(form: Form, subject: Subject, opened: Opener) -> Form:
    """Return a form with its golden values and the tolerance that they need.

    Golden inputs are made by code. So far from faces and speech a form may differ from float by much of the range, but
    every machine has to make the same of them.
    """
    if form.check.failure is not None or not subject.golden:
        return form
    plain = OrtSession.open(form.content, OrtSettings(optimisation="disabled"))
    cases = tuple(Case(case.inputs, plain.run(case.inputs)) for case in subject.golden)
    worst = max(replay(run(form.content), cases).value for run in {OrtSession.open, opened})
    fault = form.fault or (f"its kernels are off by {worst:.2g} of the range" if worst > _APART else None)
    return replace(form, golden=cases, tolerance=_MARGIN * min(worst, _APART) + _CLOSE, fault=fault)
