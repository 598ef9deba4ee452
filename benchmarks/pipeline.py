"""The whole pipeline: a naive and a fair rival in torch eager, and `mmer run`, on one clip in one session.

    python benchmarks/pipeline.py --pack DIR [--bundle BUNDLE] [--seconds 60] [--naive-seconds 12] [--json]

Everybody has the same random weights of the published sizes and the same windows, of 4 s every 0.5 s, and runs in a
process of its own; turns are taken in an order that rotates.

naive    every frame to RGB in full size, MTCNN in torch on each, every encoder anew in every window
fair     the same encoders, and faces looked for in 5 frames a second only
ours     `mmer run --json`, as a user starts it

Rivals watch the first seconds; their time is brought to the windows per second that the whole clip has. Their start-up
is left out, ours is told with and without. Without `--bundle`, or where it names nothing, the bundle is made: minutes.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from rivals.clip import RATE_HZ, SOURCE, make_clip
from rivals.contestants import FAIR_HZ, Contestant, Measured, Place, ours, rival
from rivals.eager import HOP_S, WINDOW_S
from rivals.model import CALIBRATION, checkpoint, make_bundle, require_same
from rivals.networks import save_networks
from rivals.report import SCHEMA, Runs, aligned, graph_rows, stage_rows, verdict_rows, verdicts
from rivals.same_faces import same_faces

from mmer.edge.bundle.bundle import Bundle
from mmer.edge.doctor.examine import examine

PACKAGES = ("mmer", "numpy", "torch", "onnxruntime", "av", "opencv-python-headless")
RECORD = "calibration.json"


def main() -> None:
    """Make, measure and print."""
    options = arguments()
    with tempfile.TemporaryDirectory(prefix="mmer-bench-") as folder:
        place, facts = prepared(Path(folder), options)
        rivals = [
            *(rival("naive", threads, options.naive_seconds, None) for threads in options.threads),
            *(rival("fair", threads, options.seconds, FAIR_HZ) for threads in options.threads),
        ]
        mine = [ours("auto"), ours("fp32")]
        first = {one.name: told(one, place) for one in mine}
        runs = measured(turns(rivals, mine, options.rounds), place)
    ordered = {one.name: runs[one.name] for one in (*rivals, *mine)}
    show(ordered, first, facts, as_json=options.json)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pack", type=Path, required=True, help="the folder of recordings")
    parser.add_argument("--bundle", type=Path, help="one that this benchmark made, or where to keep the one it makes")
    parser.add_argument("--seconds", type=int, default=60, help="length of the clip")
    parser.add_argument("--naive-seconds", type=float, default=12, help="how much of it the naive rival watches")
    parser.add_argument("--threads", type=_numbers, default=(1, 2), help="of torch; the better counts")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--int8-cosine", type=float, default=CALIBRATION.int8_cosine, help="of a bundle that is made")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args()
    if not WINDOW_S <= options.naive_seconds <= options.seconds <= 3600:
        parser.error(f"--naive-seconds is {WINDOW_S:g} or more, and no more than --seconds")
    return options


def prepared(folder: Path, options: argparse.Namespace) -> tuple[Place, dict[str, object]]:
    """Make what the contestants need; return where it lies and what is to be told of it."""
    windows = int((options.seconds - WINDOW_S) / HOP_S) + 1
    bundle = options.bundle or folder / "bundle"
    place = Place(
        folder / "clip.mp4",
        options.seconds,
        windows,
        folder / "checkpoint",
        folder / "networks.pt",
        bundle.resolve(),
        folder / "cache",
    )
    say("the clip")
    make_clip(options.pack / "media" / SOURCE, place.clip, options.seconds)
    say("the model")
    source = checkpoint()
    source.save(place.checkpoint)
    save_networks(place.networks)
    if not bundle.exists():
        say("the bundle")
        make_bundle(source, bundle, options.pack, options.int8_cosine)
    opened = Bundle.open(bundle)
    require_same(source, opened)
    return place, facts_of(place, opened, options)


def facts_of(place: Place, bundle: Bundle, options: argparse.Namespace) -> dict[str, object]:
    """Return machine, protocol and what calibration found."""
    cpu = examine().cpu
    return {
        "machine": {
            "cpu": cpu.model,
            "cores": os.cpu_count(),
            "vnni": any("vnni" in name for name in cpu.features),
            "load": round(os.getloadavg()[0], 2),
            "system": platform.platform(),
            "python": platform.python_version(),
            **{name: version(name) for name in PACKAGES},
        },
        "protocol": {
            "clip": f"{options.seconds} s of 1280x720, {RATE_HZ} a second, h264 and aac, from {SOURCE}",
            "clip_bytes": place.clip.stat().st_size,
            "windows": f"{place.windows} of {WINDOW_S:g} s every {HOP_S:g} s",
            "naive_seconds": options.naive_seconds,
            "rounds": options.rounds,
            "bundle": bundle.digest,
            "faces": asdict(same_faces(place.clip, place.networks)),
        },
        "calibration": json.loads(bundle.read(RECORD))["rows"] if RECORD in bundle.manifest.files else [],
    }


def turns(rivals: Sequence[Contestant], mine: Sequence[Contestant], rounds: int) -> Iterator[Contestant]:
    """Yield who is next: the rivals in an order that rotates, before each of them ours, in turn."""
    for number in range(rounds):
        for place in range(len(rivals)):
            yield from rotated(mine, number + place)
            yield rotated(rivals, number)[place]


def rotated(contestants: Sequence[Contestant], by: int) -> Sequence[Contestant]:
    """Return them from another one on."""
    first = by % len(contestants)
    return [*contestants[first:], *contestants[:first]]


def measured(order: Iterator[Contestant], place: Place) -> dict[str, list[Measured]]:
    """Let everybody run."""
    runs: dict[str, list[Measured]] = {}
    for one in order:
        runs.setdefault(one.name, []).append(told(one, place))
    return runs


def told(one: Contestant, place: Place) -> Measured:
    """Let one run, and tell what came of it on standard error."""
    start = time.perf_counter()
    result = one.run(place)
    say(f"{one.name}: RTF {result.rtf:.3f}, CPU {result.cpu:.3f} ({time.perf_counter() - start:.0f} s)")
    return result


def show(runs: Runs, first: Mapping[str, Measured], facts: Mapping[str, object], *, as_json: bool) -> None:
    """Print the result; `first` holds the runs that compiled modules and replayed golden values."""
    lines = verdicts(runs)
    if as_json:
        contestants = {name: [asdict(one) for one in found] for name, found in runs.items()}
        first_runs = {name: asdict(one) for name, one in first.items()}
        document = {"contestants": contestants, "first_on_machine": first_runs, "results": [x.to_json() for x in lines]}
        print(json.dumps({"schema": SCHEMA, **facts, **document}, indent=1))
        return
    for title in ("machine", "protocol"):
        print(f"{title}: {', '.join(f'{name} {value}' for name, value in facts[title].items())}")
    for rows in (stage_rows(runs), graph_rows(facts["calibration"], runs), verdict_rows(lines)):
        print("", *aligned(list(rows)), sep="\n")
    for name, one in first.items():
        print(f"\n{name}, first run on a machine: start-up {one.startup_s:.1f} s, peak {one.memory['rss']:.0f} MB")


def say(what: str) -> None:
    """Tell what is being done."""
    print(what, file=sys.stderr, flush=True)


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(","))


if __name__ == "__main__":
    main()
