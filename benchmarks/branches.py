"""Whether the branches of `cafes` are above the linear baselines, on the same clips of the same sets.

    python benchmarks/branches.py {audio,faces,text,fused} --pack DIR [--baseline FILE] [--labels shuffled]

Each set is judged as `baseline.py` judges it and compared clip by clip: the interval of the difference draws the same
clips of both. `--baseline` reads the answers that `baseline.py --json` wrote; without it they are made anew.
"""

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from baseline import answers, line
from linear.sets import SETS as LINEAR
from linear.sets import Answered
from trained import audio, faces, fused, text
from trained.run import Run

from mmer.edge.bench.judged import Judged, judge
from mmer.edge.bench.nulls import without_nan
from mmer.edge.bench.paired import Comparison, compare
from mmer.training.checkpoint import versions

BRANCHES: Mapping[str, Callable[[Run], Mapping[str, Answered]]] = {
    "audio": audio.answered,
    "faces": faces.answered,
    "fused": fused.answered,
    "text": text.answered,
}
"""From the name of a branch to its answers on each set that the baseline knows by the same name."""


def baseline(name: str, run: Run, kept: Path | None) -> Answered:
    """Return the answers of the baseline on a set, from a file where there is one."""
    if kept is None:
        return LINEAR[name](run.pack)
    row = json.loads(kept.read_text())["sets"][name]
    labels, said = tuple(row["labels"]), row["answers"]
    truth = np.array([labels.index(one["truth"]) for one in said], np.intp)
    judged = Judged(truth, np.array([one["probabilities"] for one in said]), [one["speaker"] for one in said])
    return Answered(labels, tuple(one["clip"] for one in said), judged, row["protocol"], row["trained_on_clips"])


def alike(reference: Answered, ours: Answered) -> Judged:
    """Return our answers in the order of the reference's clips and labels; both must be about the same ones."""
    assert sorted(ours.clips) == sorted(reference.clips)
    assert set(ours.labels) == set(reference.labels)
    place = {clip: number for number, clip in enumerate(ours.clips)}
    rows = [place[clip] for clip in reference.clips]
    columns = [ours.labels.index(label) for label in reference.labels]
    judged = Judged(reference.judged.truth, ours.judged.probabilities[rows][:, columns], reference.judged.speakers)
    assert np.array_equal(np.array(columns)[judged.truth], ours.judged.truth[rows])
    return judged


def compared(name: str, ours: Answered, reference: Answered) -> dict[str, object]:
    """Judge both and their difference."""
    judged = alike(reference, ours)
    found, comparison = judge(judged, reference.labels), compare(reference.judged, judged)
    print(line(name, ours, found))
    print(line("  baseline", reference, judge(reference.judged, reference.labels)))
    print(f"  {said(comparison)}", flush=True)
    return {
        "protocol": ours.protocol,
        "trained_on_clips": ours.trained_on,
        "labels": ours.labels,
        **asdict(found),
        "against_baseline": asdict(comparison),
        "answers": answers(ours),
    }


def said(comparison: Comparison) -> str:
    """Return the comparison as text."""
    gap = comparison.difference
    above = "above" if gap.low > 0 else "below" if gap.high < 0 else "not told apart from"
    return (
        f"{above} the baseline: UAR {gap.value:+.1f} points ({gap.level:.0%} {gap.low:+.1f} to {gap.high:+.1f}), "
        f"McNemar p {comparison.mcnemar_p:.2g}"
    )


def main() -> None:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("branch", choices=BRANCHES)
    parser.add_argument("--pack", type=Path, required=True, help="the folder with clips.csv")
    parser.add_argument("--baseline", type=Path, metavar="FILE", help="what baseline.py --json wrote")
    parser.add_argument("--sets", nargs="+", choices=LINEAR, help="of the branch's sets; all without it")
    parser.add_argument("--set", dest="changes", action="append", default=[], metavar="PLACE=VALUE")
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--labels", choices=("true", "shuffled"), default="true")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep the checkpoints there, and use those kept")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything there")
    options = parser.parse_args()
    started = time.monotonic()
    with TemporaryDirectory() as unkept:
        keep, chance = options.keep or Path(unkept), options.labels == "shuffled"
        run = Run(options.pack, keep, tuple(options.changes), options.seed, chance, options.sets)
        answered = BRANCHES[options.branch](run)
    rows = {name: compared(name, ours, baseline(name, run, options.baseline)) for name, ours in answered.items()}
    wall_s = time.monotonic() - started
    print(f"{wall_s:.0f} s", file=sys.stderr)
    if options.json:
        document = {
            "schema": "mmer.bench-branches/1",
            "machine": {"system": platform.platform(), "cores": os.cpu_count()},
            "versions": versions(),
            "run": {"changes": run.changes, "seed": run.seed, "labels": options.labels},
            "wall_s": round(wall_s, 1),
            "sets": rows,
        }
        options.json.write_text(json.dumps(without_nan(document), indent=1))


if __name__ == "__main__":
    main()
