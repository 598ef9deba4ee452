"""From a seed to what goes wrong with its graph: drawn, treated as people treat graphs, judged, and made small."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import onnx

from mmer.calibration.exact.case import Case, computed
from mmer.calibration.exact.draw import draw
from mmer.calibration.exact.reference import Reference, UnknownOperatorError
from mmer.calibration.exact.shrink import shrunk
from mmer.calibration.exact.symptom import Engines, Symptom, symptoms, unspecific
from mmer.calibration.graph.network import attributes
from mmer.edge.errors import DataError

FAILED = "tool fails"
CHANGED = "tool changes what is computed"

_QUIET = frozenset({"QuantizeLinear", "DequantizeLinear"})
_OVER_AN_AXIS = ("Softmax", "LayerNormalization")


class TreatmentError(DataError):
    """A tool could not do what it is for."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}; look at the graph that it was given")


@dataclass(frozen=True, slots=True)
class Treatment:
    """Something that people do to a graph before they run it."""

    name: str
    apply: Callable[[Case, np.random.Generator], onnx.ModelProto]
    """Raises `TreatmentError`."""
    levels: bool = False
    """Whether it is for graphs that have Q/DQ already."""
    preserving: bool = False
    """Whether the graph has to compute the same afterwards."""


@dataclass(frozen=True, slots=True, eq=False)
class Finding:
    """One symptom of one graph."""

    seed: int
    treatment: str
    symptom: Symptom
    case: Case

    @property
    def title(self) -> str:
        """By which findings count as one: the symptom, where it shows, and what was said or the operators it takes."""
        where = self.treatment if self.symptom.kind in (FAILED, CHANGED) else ", ".join(self.symptom.engines)
        what = self.symptom.said or _operators(self.case)
        return f"{self.symptom.kind} ({where}): {what}{' with stale shapes' if _stale(self.case) else ''}"


@dataclass(frozen=True, slots=True)
class Hunt:
    """What graphs are treated with and run on."""

    treatments: Sequence[tuple[Treatment, float]]
    """Each with the share of graphs that it is applied to."""
    engines: Engines

    def findings(self, seed: int) -> tuple[str, Sequence[Finding]]:
        """Return the treatment that a seed draws and what goes wrong; raise `UnknownOperatorError`."""
        rng = np.random.default_rng([seed, 1])
        shares = np.array([share for _, share in self.treatments])
        treatment = self.treatments[rng.choice(len(shares), p=shares / shares.sum())][0]
        drawn = draw(seed, levels=treatment.levels)
        case = Case(drawn.model, drawn.inputs)
        try:
            treated = Case(treatment.apply(case, rng), case.inputs)
        except TreatmentError as error:
            symptom = Symptom(FAILED, (), str(error), unspecific(str(error)))
            return treatment.name, [Finding(seed, treatment.name, symptom, case)]
        found = [
            Finding(seed, treatment.name, s, treated) for s in symptoms(treated.model, treated.inputs, self.engines)
        ]
        if treatment.preserving and _differs(case, treated):
            found.append(Finding(seed, treatment.name, Symptom(CHANGED, ()), case))
        return treatment.name, found

    def minimal(self, finding: Finding) -> Finding:
        """Return a finding with the smallest case that shows the same."""
        fails = self._repeats(finding)
        small = shrunk(finding.case, fails)
        return Finding(finding.seed, finding.treatment, self._named(finding, small), small)

    def _named(self, finding: Finding, small: Case) -> Symptom:
        """Return the symptom of a small case with all engines in which it shows there."""
        kind = finding.symptom.kind
        if kind in (FAILED, CHANGED):
            return finding.symptom
        found = [s for s in symptoms(small.model, small.inputs, self.engines) if s.kind == kind]
        return max(found, key=lambda s: len(set(s.engines) & set(finding.symptom.engines)))

    def _repeats(self, finding: Finding) -> Callable[[Case], bool]:
        treatment = next(t for t, _ in self.treatments if t.name == finding.treatment)
        if finding.symptom.kind in (FAILED, CHANGED):
            return lambda case: _tool_repeats(case, treatment, finding)
        failing, others = finding.symptom.engines[0], [n for n in self.engines if n not in finding.symptom.engines]
        names = dict.fromkeys((failing, *others[:1]))  # one that refuses alone is told from a file that all refuse
        engines = {name: self.engines[name] for name in names}
        return lambda case: _engine_repeats(case, engines, finding.symptom)


def _tool_repeats(case: Case, treatment: Treatment, finding: Finding) -> bool:
    try:
        treated = treatment.apply(case, np.random.default_rng([finding.seed, 1]))
    except TreatmentError as error:
        return finding.symptom.kind == FAILED and unspecific(str(error)) == finding.symptom.said
    return finding.symptom.kind == CHANGED and _differs(case, Case(treated, case.inputs))


def _engine_repeats(case: Case, engines: Engines, symptom: Symptom) -> bool:
    try:
        onnx.checker.check_model(case.model)
        found = symptoms(case.model, case.inputs, engines)
    except (onnx.checker.ValidationError, DataError, ValueError, IndexError, TypeError, RuntimeError):
        return False  # not a graph any more
    return any(s.kind == symptom.kind and s.said == symptom.said and symptom.engines[0] in s.engines for s in found)


def _differs(before: Case, after: Case) -> bool:
    """Tell whether two graphs mean different things, each with its own radius."""
    try:
        a, b = (Reference(case.model).outputs(case.inputs) for case in (before, after))
    except UnknownOperatorError:
        return False
    return any(bool(np.any(np.abs(a[n].centre - b[n].centre) > a[n].radius + b[n].radius)) for n in a)


def _operators(case: Case) -> str:
    """Name the operators apart from Q/DQ, and whether one of them looks along an axis of length 1."""
    names = dict.fromkeys(node.op_type for node in case.model.graph.node if node.op_type not in _QUIET)
    text = " ".join(sorted(names)) or "Q/DQ"
    return f"{text} over one" if _over_one(case) else text


def _over_one(case: Case) -> bool:
    values = computed(case)
    nodes = [node for node in case.model.graph.node if node.op_type in _OVER_AN_AXIS]
    found = [(values[node.input[0]], attributes(node).get("axis", -1)) for node in nodes if node.input[0] in values]
    return any(value.centre.shape[axis] == 1 for value, axis in found)


def _stale(case: Case) -> bool:
    """Tell whether a graph states inner shapes that it does not have."""
    values = computed(case)
    for note in case.model.graph.value_info:
        stated = [dim.dim_value for dim in note.type.tensor_type.shape.dim]
        real = values[note.name].centre.shape if note.name in values else tuple(stated)
        if len(stated) != len(real) or any(a not in (0, b) for a, b in zip(stated, real, strict=True)):
            return True
    return False
