"""What INT8 costs on people whom the model has never met: float beside INT8 in the rotation of `branches.py fused`.

    python benchmarks/quantised.py --pack DIR [--folds 0 1 2 3] [--keep FOLDER] [--json FILE]

Each fold's model (sound, faces and words as one) is exported, calibrated on clips of its training speakers, and both
forms answer the same windows of the two test speakers, as `mmer run` cuts them. `auto` is the bundle as it would run on
this machine; `int8` takes every INT8 graph that is right, the ones that are slower here too. Accuracy is that of whole
clips (windows of 4 s), agreement is counted over windows of 2 s every 0.1 s. `--keep` takes up the branches that
`branches.py` kept.
"""

import argparse
import json
import platform
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from java_sed import PAIRS, collected, pooled
from trained.fused import learned, whole
from trained.run import Run

from mmer.calibration.calibrate import calibrate
from mmer.calibration.calibrated import Calibrated
from mmer.calibration.settings import CalibrationSettings
from mmer.edge.backends.ort import OrtSession, OrtSettings, version
from mmer.edge.bench.answers import Answers, Setup, answer_clips
from mmer.edge.bench.contender import Contender, Start, contenders
from mmer.edge.bench.judged import Judged
from mmer.edge.bench.paired import Comparison, agreement, compare
from mmer.edge.bundle.bundle import Bundle
from mmer.edge.corpus import Corpus
from mmer.edge.doctor.examine import processor
from mmer.edge.faces.mtcnn import Mtcnn
from mmer.edge.media.isolated import IsolatedDecoder
from mmer.edge.pipeline.loading import Loaded
from mmer.edge.pipeline.materials import Materials
from mmer.edge.pipeline.timeline import WindowSettings
from mmer.edge.pipeline.watcher import Watcher
from mmer.export.writer import export_checkpoint

CLIPS = WindowSettings()
SHORT = WindowSettings(2.0, 0.1)
ROWS = ("fp32", "auto", "int8")


@dataclass(frozen=True, slots=True)
class Part:
    """One fold: answers to clips by each of `ROWS`, and labels of short windows."""

    judged: Mapping[str, Judged]
    labels: Mapping[str, Sequence[int]]
    lines: tuple[str, ...]


def everywhere(calibrated: Calibrated, bundle: Bundle) -> Contender:
    """Return the model with every INT8 graph that computes what float does, however fast."""
    graphs, sessions, size = {}, {}, 0
    for found in calibrated.judgements:
        right = found.int8 is not None and found.int8.check.fault(CalibrationSettings().int8_cosine) is None
        content = found.int8.content if right and found.int8 else bundle.graph(found.graph, "fp32")
        size += len(content)
        graphs[found.graph] = Loaded("int8" if right else "fp32", "onnxruntime", None)
        sessions[found.graph] = OrtSession.open(content)
    return Contender("int8", sessions, graphs, size, version(), Start("", ""))


def measured(run: Run, fold: int) -> Part:
    """Quantise a fold's model and answer its test clips in all forms."""
    checkpoint = whole(run, fold)
    seen = collected(run.pack)[0][0].entries
    places = {True: "test", False: "train"}
    corpus = Corpus(tuple(replace(entry, split=places[entry.speaker in PAIRS[fold]]) for entry in seen))
    with tempfile.TemporaryDirectory() as folder:
        exported = export_checkpoint(checkpoint, Path(folder) / "float").bundle
        calibrated = calibrate(exported, corpus, CalibrationSettings(seed=fold))
        bundle = calibrated.save(Path(folder) / "int8")
        rows = {row.name: row for row in contenders(bundle, 1)}
        rows = {"fp32": rows["fp32"], "auto": rows.get("auto", rows["fp32"]), "int8": everywhere(calibrated, bundle)}
        answered = [_answered(bundle, tuple(rows.values()), corpus, windows) for windows in (CLIPS, SHORT)]
        labels = bundle.manifest.head.labels
        lines = tuple(calibrated.lines(bundle))
    return Part(
        {name: answered[0].judged(place, labels) for place, name in enumerate(ROWS)},
        {name: answered[1].labels(place).tolist() for place, name in enumerate(ROWS)},
        lines,
    )


def _answered(bundle: Bundle, rows: Sequence[Contender], corpus: Corpus, windows: WindowSettings) -> Answers:
    with IsolatedDecoder() as decoder:
        watcher = Watcher(decoder, Mtcnn.open(OrtSettings()), bundle.manifest.inputs, windows)
        setup = Setup(bundle, rows, watcher, Materials.of(bundle))
        return answer_clips(setup, corpus.part("test").entries, lambda _: None)


def main() -> None:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pack", type=Path, required=True, help="the folder with clips.csv")
    parser.add_argument("--folds", type=int, nargs="+", default=list(range(len(PAIRS))), choices=range(len(PAIRS)))
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="where checkpoints are kept")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything there")
    options = parser.parse_args()
    parts = []
    with tempfile.TemporaryDirectory() as unkept:
        run = Run(options.pack, options.keep or Path(unkept))
        learned(run)
        for fold in options.folds:
            parts.append(measured(run, fold))
            sys.stderr.write("\n".join((f"fold {fold}", *parts[-1].lines, "")))
    print(f"{processor().model}, {platform.platform()}; INT8 beside float, unseen speakers, folds {options.folds}")
    found: dict[str, object] = {}
    truth = pooled([part.judged["fp32"] for part in parts])
    for name in ROWS[1:]:
        compared = compare(truth, pooled([part.judged[name] for part in parts]))
        pairs = [np.concatenate([part.labels[row] for part in parts]) for row in ("fp32", name)]
        same = agreement(pairs[0], pairs[1])
        found[name] = {**asdict(compared), "agreement_windows": same, "windows": len(pairs[0])}
        print(_line(name, compared, same, len(pairs[0])))
    if options.json:
        options.json.write_text(json.dumps({"schema": "mmer.bench-quantised/1", "rows": found}, indent=1))


def _line(name: str, compared: Comparison, same: float, windows: int) -> str:
    gap = compared.difference
    return (
        f"{name:<5} UAR {gap.value:+.2f} points against float ({gap.level:.0%} {gap.low:+.2f} to {gap.high:+.2f}), "
        f"McNemar p {compared.mcnemar_p:.2f}, {compared.agreement_clips:.1%} of clips and {same:.2%} of {windows} "
        "windows alike"
    )


if __name__ == "__main__":
    main()
