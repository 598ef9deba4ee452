"""Small graphs by seed, on ONNX Runtime at four levels and on OpenVINO, beside what they mean: who computes what wrong.

    python benchmarks/disagreements.py [--graphs 3000] [--seed 0] [--each 2] [--out DIR] [--json FILE]

Each seed draws a graph of one to six layers and what is done to it: nothing, Q/DQ at random, or ONNX Runtime's own
tools. `coarse` is a kernel that rounds its own way, within one level at every quantisation; `wrong` is beyond that. Of
every symptom, as the engines show it, the first `--each` graphs are made as small as they get; what is then alike is
one class. `--out` keeps each class as a program of its own. A seed whose graph brings the process down is counted too.
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
from dataclasses import dataclass
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path

from exact.openvino_session import OvSession
from exact.treatments import TREATMENTS

from mmer.calibration.exact.hunt import CHANGED, FAILED, Finding, Hunt
from mmer.calibration.exact.reference import UnknownOperatorError
from mmer.calibration.exact.script import script
from mmer.calibration.exact.symptom import COARSE, ort_engines
from mmer.edge.doctor.examine import processor

HUNT = Hunt(TREATMENTS, {**ort_engines(), "openvino": OvSession.open})
UNKNOWN = "not judged: "
CRASHED = "brings the process down"
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
    found = []
    for seed in seeds:
        try:
            treatment, findings = HUNT.findings(seed)
            found.append(Seen(seed, treatment, tuple(map(_symptom, findings))))
        except UnknownOperatorError as error:
            found.append(Seen(seed, UNKNOWN + str(error).split(" ", 1)[0], ()))
    return found


def minimised(seed: int, symptom: tuple[str, str]) -> Small:
    """Return the smallest graph that shows a symptom of a seed."""
    _, findings = HUNT.findings(seed)
    small = HUNT.minimal(next(f for f in findings if _symptom(f) == symptom))
    lines = (small.title, f"seed {seed}, {small.treatment}", small.symptom.message.replace("\\", "/"))
    return Small(small.title, seed, small.treatment, len(small.case.model.graph.node), script(small.case, "\n".join(lines)))


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
            found = [(worker.asked(looked, [seed]) or [Seen(seed, "?", ((CRASHED, ""),))])[0] for seed in part]
        yield from found
        print(f"\r{start + len(part)} of {len(seeds)}", end="", file=sys.stderr, flush=True)


def classes(worker: Worker, seen: Sequence[Seen], each: int) -> dict[str, list[Small]]:
    """Return the findings made small, by their class."""
    places: dict[tuple[str, str], list[int]] = defaultdict(list)
    for one in seen:
        for symptom in one.symptoms:
            if symptom[0] not in (COARSE, CRASHED):
                places[symptom].append(one.seed)
    found: dict[str, list[Small]] = defaultdict(list)
    for symptom, seeds in places.items():
        for seed in seeds[:each]:
            if small := worker.asked(minimised, seed, symptom):
                found[small.title].append(small)
    return dict(sorted(found.items()))


def lines(seen: Sequence[Seen], found: dict[str, list[Small]]) -> Iterator[str]:
    """Yield the tables."""
    yield f"{'graphs':>6}  treatment"
    yield from (f"{n:>6}  {name}" for name, n in sorted(Counter(one.treatment for one in seen).items()))
    flagged = sum(any(kind != COARSE for kind, _ in one.symptoms) for one in seen)
    coarse = sum(any(kind == COARSE for kind, _ in one.symptoms) for one in seen)
    yield f"{len(seen)} graphs: {flagged} with something beyond rounding, {coarse} with coarse rounding"
    yield f"\n{'graphs':>6}  symptom"
    counted = Counter(symptom for one in seen for symptom in one.symptoms)
    yield from (f"{n:>6}  {kind}: {rest}" for (kind, rest), n in sorted(counted.items()))
    yield f"\n{'small':>6}  class, the fewest nodes, a seed"
    for title, smalls in found.items():
        least = min(smalls, key=lambda small: small.nodes)
        yield f"{len(smalls):>6}  {title}; {least.nodes} nodes, seed {least.seed} ({least.treatment})"


def written(found: dict[str, list[Small]], folder: Path) -> None:
    """Write the smallest of each class as a program."""
    folder.mkdir(parents=True, exist_ok=True)
    for title, smalls in found.items():
        least = min(smalls, key=lambda small: small.nodes)
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
    seen = list(everything(worker, range(options.seed, options.seed + options.graphs)))
    middle = time.monotonic()
    found = classes(worker, seen, options.each)
    print("\n".join(lines(seen, found)))
    print(f"\n{middle - start:.0f} s to judge, {time.monotonic() - middle:.0f} s to make small")
    if options.out:
        written(found, options.out)
    if options.json:
        rows = {title: [[s.seed, s.treatment, s.nodes] for s in smalls] for title, smalls in found.items()}
        options.json.write_text(json.dumps(rows, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
