"""Small graphs by seed, on ONNX Runtime at four levels and on OpenVINO, beside what they mean: who computes what wrong.

    python benchmarks/disagreements.py [--graphs 3000] [--seed 0] [--each 2] [--out DIR] [--json FILE]

Each seed draws a graph of one to six layers and what is done to it: nothing, Q/DQ at random, or ONNX Runtime's own
tools. `coarse` is a kernel that rounds its own way, within one level at every quantisation; `wrong` is beyond that. Of
every symptom, as the engines show it, the first `--each` graphs are made as small as they get; what is then alike is
one class. `--out` keeps each class as a program of its own. A seed whose graph brings the process down is counted too.
Ctrl-C ends drawing, and then making small, and prints what there is.
"""

import argparse
import json
import logging
import os
import platform
import re
import sys
import time
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

from exact.treatments import TREATMENTS

from mmer.calibration.exact.hunt import CHANGED, FAILED, Finding, Hunt
from mmer.calibration.exact.reference import UnknownOperatorError
from mmer.calibration.exact.script import script
from mmer.calibration.exact.symptom import COARSE, ort_engines
from mmer.edge.backends.openvino import OvSession
from mmer.edge.doctor.examine import processor

HUNT = Hunt(TREATMENTS, {**ort_engines(), "openvino": OvSession.open})
UNKNOWN = "not judged: "
CRASHED = "brings the process down"
T = TypeVar("T")
TOGETHER = 25
"""Seeds for which a process is asked at once; after a crash they are asked for one by one."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What one seed gave: the treatment, and symptoms as they count together before they are made small."""

    seed: int
    treatment: str
    symptoms: tuple[tuple[str, str], ...]
    """Kind and the rest of each."""


@dataclass(frozen=True, slots=True)
class Small:
    """A finding made small."""

    title: str
    seed: int
    treatment: str
    nodes: int
    program: str


def quiet() -> None:
    """Keep what runtimes and tools print out of the results."""
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def looked(seeds: Sequence[int]) -> list[Seen]:
    """Return what each seed gives."""
    return list(map(_looked, seeds))


def _looked(seed: int) -> Seen:
    try:
        treatment, findings = HUNT.findings(seed)
    except UnknownOperatorError as error:
        return Seen(seed, UNKNOWN + str(error).split(" ", 1)[0], ())
    return Seen(seed, treatment, tuple(map(_symptom, findings)))


def minimised(seed: int, symptom: tuple[str, str]) -> Small:
    """Return the smallest graph that shows a symptom of a seed."""
    _, findings = HUNT.findings(seed)
    small = HUNT.minimal(next(f for f in findings if _symptom(f) == symptom))
    lines = (small.title, f"seed {seed}, {small.treatment}", small.symptom.message.replace("\\", "/"))
    return Small(
        small.title, seed, small.treatment, len(small.case.model.graph.node), script(small.case, "\n".join(lines))
    )


def _symptom(finding: Finding) -> tuple[str, str]:
    where = finding.treatment if finding.symptom.kind in (FAILED, CHANGED) else ", ".join(finding.symptom.engines)
    return finding.symptom.kind, f"{where} {finding.symptom.said}".strip()


class Worker:
    """A process that may come down, and is replaced."""

    def __init__(self) -> None:
        self._pool = self._fresh()

    def asked(self, function, *arguments):  # noqa: ANN001, ANN002, ANN201  as `Executor.submit`
        """Return what a function gives there, `None` where it brings the process down."""
        try:
            return self._pool.submit(function, *arguments).result()
        except BrokenProcessPool:
            self._pool = self._fresh()
            return None

    @staticmethod
    def _fresh() -> ProcessPoolExecutor:
        return ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=quiet)


def everything(worker: Worker, seeds: Sequence[int]) -> Iterator[Seen]:
    """Yield what all seeds give."""
    for start in range(0, len(seeds), TOGETHER):
        part = seeds[start : start + TOGETHER]
        found = worker.asked(looked, part)
        if found is None:
            found = [
                (worker.asked(looked, [seed]) or [Seen(seed, "?", ((CRASHED, f"seed {seed}"),))])[0] for seed in part
            ]
        yield from found
        print(f"\r{start + len(part)} of {len(seeds)}", end="", file=sys.stderr, flush=True)


def small(worker: Worker, seen: Sequence[Seen], each: int) -> Iterator[Small]:
    """Yield the first graphs of every symptom made small, the first of all symptoms first."""
    places: dict[tuple[str, str], list[int]] = defaultdict(list)
    for one in seen:
        for symptom in one.symptoms:
            if symptom[0] not in (COARSE, CRASHED):
                places[symptom].append(one.seed)
    for turn in range(each):
        for symptom, seeds in places.items():
            if turn < len(seeds) and (found := worker.asked(minimised, seeds[turn], symptom)):
                yield found


def interruptible(found: Iterator[T]) -> list[T]:
    """Return what comes until Ctrl-C."""
    kept: list[T] = []
    with suppress(KeyboardInterrupt):
        for one in found:
            kept.append(one)  # noqa: PERF402  what there is stays, however this ends
    return kept


def counted(seen: Sequence[Seen]) -> Iterator[str]:
    """Yield how many graphs show what."""
    yield f"{'graphs':>6}  treatment"
    yield from (f"{n:>6}  {name}" for name, n in sorted(Counter(one.treatment for one in seen).items()))
    flagged = sum(any(kind != COARSE for kind, _ in one.symptoms) for one in seen)
    coarse = sum(any(kind == COARSE for kind, _ in one.symptoms) for one in seen)
    yield f"{len(seen)} graphs: {flagged} with something beyond rounding, {coarse} with coarse rounding"
    yield f"\n{'graphs':>6}  symptom"
    symptoms = Counter(symptom for one in seen for symptom in one.symptoms)
    yield from (f"{n:>6}  {kind}: {rest}" for (kind, rest), n in sorted(symptoms.items()))


def classes(smalls: Sequence[Small]) -> dict[str, Small]:
    """Return the smallest of each class."""
    ordered = sorted(smalls, key=lambda one: (one.title, -one.nodes))
    return {one.title: one for one in ordered}


def written(found: dict[str, Small], folder: Path) -> None:
    """Write the smallest of each class as a program."""
    folder.mkdir(parents=True, exist_ok=True)
    for title, least in found.items():
        name = re.sub(r"\W+", "-", title).strip("-").lower()[:100]
        (folder / f"{name}-{least.seed}.py").write_text(least.program, encoding="utf-8")


def main() -> None:
    """Draw, judge, make small, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--graphs", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=0, help="the first one")
    parser.add_argument("--each", type=int, default=2, help="of every symptom, how many are made small")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    packages = ", ".join(f"{name} {version(name)}" for name in ("onnx", "onnxruntime", "openvino", "numpy"))
    print(f"{processor().model}; Python {platform.python_version()}, {packages}")
    worker, start = Worker(), time.monotonic()
    seen = interruptible(everything(worker, range(options.seed, options.seed + options.graphs)))
    print("\n".join(counted(seen)))
    print(f"{time.monotonic() - start:.0f} s\n\nclasses, the fewest nodes, a seed", flush=True)
    found = classes(interruptible(small(worker, seen, options.each)))
    for title, least in found.items():
        print(f"  {title}; {least.nodes} nodes, seed {least.seed} ({least.treatment})")
    print(f"{time.monotonic() - start:.0f} s in all")
    if options.out:
        written(found, options.out)
    if options.json:
        rows = [{"title": t, "seed": s.seed, "treatment": s.treatment, "nodes": s.nodes} for t, s in found.items()]
        options.json.write_text(json.dumps(rows, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
