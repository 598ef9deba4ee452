"""What features made by hand and linear classifiers reach on each set of the pack: the row to beat.

    python benchmarks/baseline.py --pack DIR [--sets java_sed_audio ...] [--json FILE]

Everything is fitted on the training clips alone. On Java-SED the features and their number were chosen by the clips
that are judged, which flatters the baseline: whatever is above it is the better for it. The JSON holds the answer to
every clip, by name, so that a trained model can be compared clip by clip (`mmer.edge.bench.paired`).
"""

import argparse
import json
import os
import platform
import sys
import time
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from linear.sets import SETS, Answered

from mmer.edge.bench.judged import Evaluation, judge
from mmer.edge.bench.nulls import without_nan

PRINTED = {"uar": "UAR", "accuracy": "accuracy", "ovr_accuracy": "averaged one-vs-rest accuracy"}


def measured(name: str, pack: Path) -> dict[str, object]:
    """Train and judge the baseline of a set."""
    started = time.monotonic()
    answered = SETS[name](pack)
    evaluation = judge(answered.judged, answered.labels)
    print(line(name, answered, evaluation), flush=True)
    return {
        "protocol": answered.protocol,
        "trained_on_clips": answered.trained_on,
        "labels": answered.labels,
        **asdict(evaluation),
        "answers": answers(answered),
        "wall_s": round(time.monotonic() - started, 1),
    }


def answers(answered: Answered) -> list[dict[str, object]]:
    """Return the answer to every clip."""
    judged = answered.judged
    columns = zip(answered.clips, judged.speakers, judged.truth, judged.probabilities, strict=True)
    return [
        {
            "clip": clip,
            "speaker": speaker,
            "truth": answered.labels[truth],
            "probabilities": [round(float(value), 6) for value in row],
        }
        for clip, speaker, truth, row in columns
    ]


def line(name: str, answered: Answered, found: Evaluation) -> str:
    """Return the figures as text."""
    figures = ", ".join(
        f"{title} {one.value:.3f} ({one.level:.0%} {one.low:.3f} to {one.high:.3f})"
        for title, one in ((title, found.intervals[metric]) for metric, title in PRINTED.items())
    )
    chance = f"chance {1 / len(answered.labels):.3f}"
    speakers = len(found.per_speaker)
    across = found.across["uar"]
    others = f"; UAR across {speakers} speakers {across.low:.3f} to {across.high:.3f}" if speakers > 1 else ""
    return f"{name:<15} {figures}{others}; {chance}, {found.scores.clips} clips"


def main() -> None:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pack", type=Path, required=True, help="the folder with clips.csv")
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=SETS)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything there")
    options = parser.parse_args()
    started = time.monotonic()
    rows = {name: measured(name, options.pack) for name in options.sets}
    wall_s = time.monotonic() - started
    print(f"{wall_s:.0f} s", file=sys.stderr)
    if options.json:
        document = {
            "schema": "mmer.bench-baseline/1",
            "machine": {"system": platform.platform(), "cores": os.cpu_count()},
            "versions": {name: version(name) for name in ("numpy", "scipy", "scikit-learn")},
            "interval": "95 %: clips drawn again within speakers (intervals), whole speakers (across)",
            "wall_s": round(wall_s, 1),
            "sets": rows,
        }
        options.json.write_text(json.dumps(without_nan(document), indent=1))


if __name__ == "__main__":
    main()
