"""From a float bundle and a corpus to what is smaller or faster, and still right, on this machine."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from mmer.calibration.agreement import Agreement, agreement, logits
from mmer.calibration.calibrated import Calibrated
from mmer.calibration.judge import Judgement, Subject, judge
from mmer.calibration.recipe import Recipe
from mmer.calibration.recording import Progress, Recorded, record
from mmer.calibration.samples import Samples
from mmer.calibration.settings import CalibrationSettings
from mmer.calibration.suspicion import suspicions
from mmer.calibration.targets.targets import recipes_for
from mmer.edge.backends.ort import OrtSession
from mmer.edge.bundle.bundle import Bundle
from mmer.edge.corpus import Corpus
from mmer.edge.doctor.examine import examine


def calibrate(
    bundle: Bundle,
    corpus: Corpus,
    settings: CalibrationSettings,
    progress: Progress = lambda *_: None,
) -> Calibrated:
    """Make the INT8 and FP16 form of every graph of a bundle, and judge each.

    Raises `SettingError` for a corpus with too few clips, `DataError` for a clip that cannot be read or when there is
    nothing in them from which a range could be taken, `MissingDependencyError` for a target whose runtime is not
    installed.
    """
    cpu = examine().cpu
    recipes = recipes_for(settings.targets, cpu.features)
    with tempfile.TemporaryDirectory(prefix="mmer-") as folder:
        recorded = record(bundle, corpus, Path(folder), settings, progress)
        warnings = tuple(suspicions(bundle.manifest, corpus.part(settings.split).entries, recorded))
        judgements = _judged(bundle, recorded, recipes, settings, progress)
        chosen, quantised = _agreements(bundle, judgements, recorded.fresh)
    facts = {
        "settings": asdict(settings),
        "recipes": [recipe.to_json() for recipe in recipes],
        "corpus": corpus.digest,
        "split": settings.split,
        "source": bundle.digest,
        "samples": {"calibration": recorded.calibration.to_json(), "fresh": recorded.fresh.to_json()},
        "machine": {"cpu": cpu.model, "features": list(cpu.features), "int8": cpu.int8},
        "versions": versions("mmer", "numpy", "onnx", "onnxruntime", "openvino"),
    }
    return Calibrated(bundle, judgements, chosen, quantised, facts, warnings=warnings)


def _judged(
    bundle: Bundle, recorded: Recorded, recipes: Sequence[Recipe], settings: CalibrationSettings, progress: Progress
) -> list[Judgement]:
    judgements: list[Judgement] = []
    for name in bundle.manifest.graphs:
        subject = Subject(
            name,
            bundle.graph(name, "fp32"),
            bundle.golden(name),
            lambda name=name: recorded.calibration.inputs(name),  # type: ignore[misc]
            tuple(recorded.fresh.inputs(name)),
        )
        judgements.append(judge(subject, recipes, settings))
        progress("graphs", len(judgements), len(bundle.manifest.graphs))
    return judgements


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
