"""What a training leaves in its checkpoint beside the model: its course, and what the kept epoch is worth."""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from mmer.edge.bench.folder import draw_figures, write_figures
from mmer.edge.bench.judged import Evaluation
from mmer.edge.errors import MissingDependencyError
from mmer.training.branch import branch
from mmer.training.evaluate import ALL, evaluate, report_json
from mmer.training.history import write_history
from mmer.training.samples import Sample
from mmer.training.train import Trained
from mmer.training.watch.curves import CURVES, plot_curves


def write_results(trained: Trained, samples: Sequence[Sample], modality: str, folder: Path) -> tuple[str, ...]:
    """Write history, figures on the validation clips and pictures into a folder; return what there is to remark."""
    write_history(trained.result.epochs, folder)
    facts = trained.checkpoint.facts
    report = evaluate(trained.checkpoint, branch(samples, modality), "val", str(facts.provenance["corpus"]))
    found = report.subsets[ALL]
    assert found is not None, "a validation clip has something, else it would not have been read"
    write_figures(folder, found, report_json(report))
    said = _never_predicted(found)
    if find_spec("matplotlib") is None:
        return (*said, f"no pictures: {MissingDependencyError('matplotlib', 'report')}")
    draw_figures(folder, found)
    plot_curves(trained.result.epochs, trained.result.best, folder / CURVES)
    return said


def _never_predicted(found: Evaluation) -> tuple[str, ...]:
    predicted = [sum(column) for column in zip(*found.confusion, strict=True)]
    never = [label for label, count in zip(found.per_class, predicted, strict=True) if not count]
    return (f"never predicted on the validation clips: {', '.join(never)}",) if never else ()
