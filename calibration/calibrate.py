"""From a float bundle and a corpus to what is smaller or faster, and still right, on this machine."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from mmer.calibration.calibrated import Calibrated
from mmer.calibration.judgement.agreement import Agreement, agreement, logits
from mmer.calibration.judgement.judge import Judgement, Subject, judge
from mmer.calibration.observation.memory import Memory, Passes
from mmer.calibration.observation.resume import workshop
from mmer.calibration.observation.reuse import Ranges, statistics_document
from mmer.calibration.samples.recording import Progress, Recorded, record
from mmer.calibration.samples.samples import Samples
from mmer.calibration.samples.suspicion import suspicions
from mmer.calibration.settings import CalibrationSettings
from mmer.calibration.targets.targets import recipes_for
from mmer.edge.backends.ort import OrtSession
from mmer.edge.bundle.bundle import Bundle
from mmer.edge.corpus import Corpus
from mmer.edge.doctor.examine import examine


@dataclass(frozen=True, slots=True)
class Earlier:
    """What need not be done again."""

    folder: Path | None = None
    """In which the calibration keeps how far it is, to go on with it; `None` keeps nothing."""
    ranges: Ranges | None = None
    """In place of looking at the samples."""

    def memory(self, graph: str, folder: Path) -> Memory:
        """Return what is known of a graph's tensors, and where more is kept."""
        if self.ranges is None:
            return Passes(folder / "passes" / graph)
        return Passes(folder / "passes" / graph, self.ranges.graphs.get(graph, {}), self.ranges.factors.get(graph))


def calibrate(
    bundle: Bundle,
    corpus: Corpus,
    settings: CalibrationSettings,
    progress: Progress = lambda *_: None,
    earlier: Earlier = Earlier(),
) -> Calibrated:
    """Make the INT8 and FP16 form of every graph of a bundle, and judge each.

    Raises `SettingError` for a corpus with too few clips, `DataError` for a clip that cannot be read or when there is
    nothing in them from which a range could be taken, `MissingDependencyError` for a target whose runtime is not
    installed.
    """
    cpu = examine().cpu
    recipes = recipes_for(settings.targets, cpu.features)
    about: dict[str, object] = {
        "settings": asdict(settings),
        "recipes": [recipe.to_json() for recipe in recipes],
        "corpus": corpus.digest,
        "split": settings.split,
        "source": bundle.digest,
        "versions": versions("mmer", "numpy", "onnx", "onnxruntime", "openvino"),
    }
    if earlier.ranges is not None:
        about["ranges_of"] = earlier.ranges.digest
    with workshop(earlier.folder, about) as folder:
        recorded = record(bundle, corpus, folder, settings, progress)
        warnings = tuple(suspicions(bundle.manifest, corpus.part(settings.split).entries, recorded))
        memories = {name: earlier.memory(name, folder) for name in bundle.manifest.graphs}
        judgements: list[Judgement] = []
        for subject in _subjects(bundle, recorded, memories, progress):
            judgements.append(judge(subject, recipes, settings))
            progress("graphs", len(judgements), len(memories))
        chosen, quantised = _agreements(bundle, judgements, recorded.fresh)
        seen = {
            j.graph: statistics_document(bundle.graph(j.graph, "fp32"), memories[j.graph].recall(), j.factors)
            for j in judgements
        }
    facts = {
        **about,
        "samples": {"calibration": recorded.calibration.to_json(), "fresh": recorded.fresh.to_json()},
        "machine": {"cpu": cpu.model, "features": list(cpu.features), "int8": cpu.int8},
    }
    return Calibrated(bundle, judgements, chosen, quantised, facts, seen, warnings)


def _subjects(
    bundle: Bundle, recorded: Recorded, memories: Mapping[str, Memory], progress: Progress
) -> Iterator[Subject]:
    for name, memory in memories.items():
        yield Subject(
            name,
            bundle.graph(name, "fp32"),
            bundle.golden(name),
            partial(recorded.calibration.inputs, name),
            tuple(recorded.fresh.inputs(name)),
            memory,
            partial(progress, f"ranges of {name}"),
        )


def _agreements(bundle: Bundle, judgements: Sequence[Judgement], fresh: Samples) -> tuple[Agreement, Agreement]:
    """Compare float with the plan as it was chosen, and with every INT8 graph that loads."""
    reference = {name: bundle.graph(name, "fp32") for name in bundle.manifest.graphs}
    forms = {j.graph: j.int8 for j in judgements if j.int8 and j.int8.check.failure is None}
    chosen = {name: form.content for name, form in forms.items() if form.here and form.fault is None}
    every = {name: form.content for name, form in forms.items()}
    plans = (reference, reference | chosen, reference | every)
    answers = [
        logits(bundle.manifest, {name: OrtSession.open(content) for name, content in plan.items()}, fresh)
        for plan in plans
    ]
    return agreement(answers[0], answers[1]), agreement(answers[0], answers[2])


def versions(*packages: str) -> Mapping[str, str | None]:
    """Return the versions of packages, `None` for one that is not installed."""
    return {name: _version(name) for name in packages}


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:  # the checkout is on the path, not installed
        return None
