"""Who runs: two rivals in torch eager, and `mmer run` as a user starts it."""

import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rivals.process import Usage, first_line_s, watched

BENCHMARKS = Path(__file__).resolve().parents[1]
FAIR_HZ = 5.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where everything lies."""

    clip: Path
    seconds: int
    windows: int
    """How many windows the clip has."""
    checkpoint: Path
    networks: Path
    bundle: Path
    cache: Path
    """For verdicts on graphs and compiled modules, of this benchmark alone."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One run, per second of video; what was not measured is `None`."""

    seconds: float
    """Of video that was watched."""
    rtf: float
    """Wall time, without start-up."""
    whole_rtf: float | None
    """The same with start-up and end, where the whole clip was watched."""
    cpu: float
    """CPU seconds: for the rivals without start-up, for ours all of it and the decoder's."""
    startup_s: float
    first_s: float
    """From the start of the process to the first answer."""
    stages: Mapping[str, float]
    """Wall time in ms."""
    memory: Mapping[str, float]
    """Peaks in MB: `rss` and `pss` sampled over all processes, `main` and `decoder` as the kernel kept them."""
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Contestant:
    """One who runs."""

    name: str
    run: Callable[[Place], Measured]
    ours: bool = False


def rival(kind: str, threads: int, seconds: float, faces_hz: float | None) -> Contestant:
    """Return a rival that looks for faces so often; `None` for every frame."""

    def run(place: Place) -> Measured:
        command = [sys.executable, "-m", "rivals.eager", *map(str, (place.checkpoint, place.networks, place.clip))]
        command += ["--seconds", str(seconds), "--threads", str(threads)]
        command += ["--faces-hz", str(faces_hz)] if faces_hz else []
        return _of_rival(watched(command, {**os.environ, "PYTHONPATH": str(BENCHMARKS)}), place)

    return Contestant(f"{kind}, {threads} thr", run)


def ours(precision: str) -> Contestant:
    """Return `mmer run` in a precision."""

    def run(place: Place) -> Measured:
        environ = _installed(place)
        options = ["--bundle", str(place.bundle), "--precision", precision, str(place.clip)]
        command = [sys.executable, "-m", "mmer.cli", "run"]
        used = watched([*command, "--json", *options], environ)
        return _of_ours(used, first_line_s([*command, "--format", "jsonl", *options], environ), place)

    return Contestant(f"ours, {precision}", run, ours=True)


def _installed(place: Place) -> dict[str, str]:
    """Return an environment in which modules are compiled once, as where a package is installed."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "MMER_CACHE": str(place.cache), "PYTHONPYCACHEPREFIX": str(place.cache / "bytecode")}


def _of_rival(used: Usage, place: Place) -> Measured:
    """Bring what was watched to the windows that a second has in the whole clip: the first comes after 4 s."""
    said = json.loads(used.said)
    seconds, scale = said["seconds"], place.windows / place.seconds / said["windows"]
    weights = {"frames": 1 / seconds, "windows": scale}
    wall, cpu = (sum(said["parts"][name][i] * weight for name, weight in weights.items()) for i in range(2))
    return Measured(
        seconds,
        wall,
        None,
        cpu,
        said["ready_s"] - used.started_s,
        said["first_s"] - used.started_s,
        {name: ms * (1 / seconds if name in _BY_SECOND else scale) for name, ms in said["stages"].items()},
        _memory(used),
        {name: said[name] for name in ("looked", "faces", "windows")},
    )


_BY_SECOND = {"sound", "decode", "convert", "faces", "crop"}


def _of_ours(used: Usage, first_s: float, place: Place) -> Measured:
    said = json.loads(used.said)
    run = said["runs"][0]
    wall_s, stages = run["timing"]["wall_s"], run["timing"]["stages"]
    answers = run["predictions"]
    return Measured(
        place.seconds,
        wall_s / place.seconds,
        used.wall_s / place.seconds,
        used.cpu_s / place.seconds,
        used.wall_s - wall_s,
        first_s,
        {name: times["total_ms"] / place.seconds for name, times in stages.items()},
        _memory(used),
        {
            "graphs": {name: graph["precision"] for name, graph in said["bundle"]["graphs"].items()},
            "windows": len(answers),
            "complete": sum(all(answer["present"].get(name) for name in _SENSES) for answer in answers),
            "own_peak_mb": said["peak_rss_mb"],
        },
    )


_SENSES = ("video", "audio", "text")


def _memory(used: Usage) -> Mapping[str, float]:
    main, *others = used.memory.own_mb.values() or [0.0]
    peaks = {"rss": used.memory.rss_mb, "pss": used.memory.pss_mb, "main": main}
    return peaks | ({"decoder": max(others)} if others else {})
