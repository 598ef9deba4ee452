"""Make the bundle that ships with mmer, from nothing: synthetic people, a tiny model, its graphs.

`make demo-bundle` runs it; the result is committed. It takes about four minutes on two cores and leaves nothing beside
the bundle:

    python scripts/make_demo_bundle.py edge/assets/bundle.zip

Every step is a command that a user could type, and is printed. Calibration's bundle is taken only if it made a graph
INT8: FP16 alone would make the bundle larger.

The seeds are fixed, torch gets one thread, and no time and no name of a machine gets into the bundle. The weights, and
so the digest, still depend on the versions of torch and the other libraries, on the machine's vector instructions and
on x264, which encodes equal pictures of the corpus into bytes that differ a little now and then; which graphs become
INT8 depends on what is faster on the machine.
"""

import json
import shlex
import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from mmer.edge.bench.judges import Judges
from mmer.edge.bench.nulls import without_nan
from mmer.edge.bench.verdict import ALL
from mmer.edge.bundle.bundle import Bundle
from mmer.edge.corpus import Corpus
from mmer.training.checkpoint import Checkpoint
from mmer.training.evaluate import evaluate_corpus

NOTICE = "demonstration, not accurate"
LICENCE = Path(__file__).parents[1] / "LICENSE"
"""The weights have the terms of the package: nothing but our own code made what they were trained on."""
MOST_BYTES = 3_000_000


def mmer(*arguments: str | Path) -> str:
    """Run a command of mmer and return what it says."""
    print("$ mmer", shlex.join(map(str, arguments)), flush=True)
    code = "import torch; torch.set_num_threads(1); from mmer.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code, *map(str, arguments)], stdout=subprocess.PIPE, check=True)
    said = done.stdout.decode()
    print("\n".join(said.splitlines()[-9:]), flush=True)
    return said


def measure(checkpoint: Path, index: Path) -> None:
    """Put into a checkpoint how good it is on the split `test`, and take out how long it took."""
    opened = Checkpoint.open(checkpoint)
    corpus = Corpus.read([index])
    report = evaluate_corpus(opened, Judges(corpus, corpus, opened.facts.provenance), "test")
    found = report.subsets[ALL]
    assert found is not None
    val = opened.facts.metrics["val"]
    assert isinstance(val, dict)
    uar = found.intervals["uar"]
    test = {
        "protocol": f"{report.clips} clips of {len(found.per_speaker)} synthetic people (mmer data synth) whom neither "
        "the training nor the choice of the epoch had met; the float model; all modalities",
        "stamps": list(report.stamps),
        "uar": uar.value,
        "uar_ci95": [uar.low, uar.high],
        **{name: getattr(found.scores, name) for name in ("accuracy", "macro_f1", "ovr_accuracy")},
    }
    metrics = {"val": {name: value for name, value in val.items() if name != "wall_s"}, "test": without_nan(test)}
    replace(opened, facts=replace(opened.facts, metrics=metrics)).save(checkpoint, exist_ok=True)


def make(out: Path) -> None:
    """Write the bundle."""
    with tempfile.TemporaryDirectory(prefix="mmer-") as name:
        folder = Path(name)
        synth, index, checkpoint = folder / "synth", folder / "synth" / "corpus.csv", folder / "checkpoint"
        plain, calibrated = folder / "float.zip", folder / "calibrated.zip"
        mmer("data", "synth", "-o", synth, "--seed", "1", "--speakers", "12", "--clips", "5")
        preset = ("--preset", "tiny", "--set", "epochs=30")
        mmer("train", "cafes", "--data", index, *preset, "-o", checkpoint)
        measure(checkpoint, index)
        mmer("export", checkpoint, "-o", plain, "--notice", NOTICE, "--licence", LICENCE)
        mmer("calibrate", plain, "--data", index, "-o", calibrated)
        chosen = calibrated if _has_int8(calibrated) else plain
        if (size := chosen.stat().st_size) > MOST_BYTES:
            raise SystemExit(f"the bundle has {size} bytes, more than {MOST_BYTES}")
        shutil.copyfile(chosen, out)
    bundle = Bundle.open(out)
    print(f"{out}: {chosen.stem}, {size} bytes, digest {bundle.digest}")
    print(json.dumps(bundle.manifest.metrics, indent=1))


def _has_int8(path: Path) -> bool:
    graphs = Bundle.open(path).manifest.graphs.values()
    return any(precision.startswith("int8") for graph in graphs for precision in graph.files)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    make(Path(sys.argv[1]))
