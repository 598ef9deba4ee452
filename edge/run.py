"""Watches one source after another and reports; one that fails does not stop the rest."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from mmer.edge.errors import DataError, DeviceError
from mmer.edge.media.isolated import IsolatedDecoder
from mmer.edge.media.stream import Damage
from mmer.edge.prediction import Prediction
from mmer.edge.recognizer import Recipe, Recognizer, Watching
from mmer.edge.sinks.rows import row
from mmer.edge.sinks.summary import summary

SCHEMA = "mmer.run/1"
Timing = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Run:
    """One source and what was seen in it."""

    source: Path
    watching: Watching | None
    """`None` when the file could not be opened."""
    predictions: tuple[Prediction, ...]
    """Those made before an error too; empty unless they were to be kept."""
    error: DataError | DeviceError | None
    wall_s: float
    stages: Timing

    def to_json(self) -> dict[str, object]:
        """Return the run as a member of `runs`."""
        clip = self.watching.clip if self.watching else None
        length_s = (clip and clip.duration_s) or max((p.end_s for p in self.predictions), default=0.0)
        return {
            "source": {
                "path": str(self.source),
                "duration_s": clip and clip.duration_s,
                "streams": _streams(self.watching) if self.watching else None,
            },
            "status": "error" if self.error else "ok",
            "error": str(self.error) if self.error else None,
            "predictions": [row(prediction) for prediction in self.predictions],
            "summary": summary(self.predictions),
            "timing": {
                "wall_s": round(self.wall_s, 3),
                "rtf": round(self.wall_s / length_s, 4) if length_s else None,
                "stages": self.stages,
            },
            "dropped": 0,
            "damage": [asdict(damage) for damage in self.damage],
        }

    @property
    def damage(self) -> Sequence[Damage]:
        """What could not be decoded and was passed over."""
        return self.watching.course.damage if self.watching else ()


@dataclass(frozen=True, slots=True)
class Listener:
    """Who is told of predictions."""

    hear: Callable[[Path, Prediction], None]
    """Called with each one as it is made."""
    keep: bool = True
    """Whether each run holds its own to the end: a report needs them, in hours of recordings they are many."""


def run(
    sources: Sequence[Path], recognizer: Recognizer, recipe: Recipe, decoder: IsolatedDecoder, listener: Listener
) -> list[Run]:
    """Watch every source."""
    return [_watched(source, recognizer, recipe, decoder, listener) for source in sources]


def report(runs: Sequence[Run], bundle: Mapping[str, object], peak_rss_mb: float | None) -> dict[str, object]:
    """Return everything under the schema `mmer.run/1`; `bundle` holds name, digest and graphs."""
    return {"schema": SCHEMA, "bundle": bundle, "runs": [one.to_json() for one in runs], "peak_rss_mb": peak_rss_mb}


def _watched(
    source: Path,
    recognizer: Recognizer,
    recipe: Recipe,
    decoder: IsolatedDecoder,
    listener: Listener,
) -> Run:
    start = time.perf_counter()
    before = recognizer.timing
    watching: Watching | None = None
    predictions: list[Prediction] = []
    failure: DataError | DeviceError | None = None
    try:
        watching = recognizer.look(source, decoder, recipe)
        for prediction in recognizer.watch(watching, decoder, recipe):
            if listener.keep:
                predictions.append(prediction)
            listener.hear(source, prediction)
    except (DataError, DeviceError) as error:
        failure = error
    wall_s = time.perf_counter() - start
    return Run(source, watching, tuple(predictions), failure, wall_s, _stages(watching, before, recognizer.timing))


def _stages(watching: Watching | None, before: Timing, after: Timing) -> Timing:
    """Return the times that this source took, stage by stage."""
    course = watching and watching.course
    media = {"decode": course.decoding.to_json(), "faces": course.faces.to_json()} if course else {}
    return media | {
        name: {
            "calls": times["calls"] - before[name]["calls"],
            "total_ms": round(times["total_ms"] - before[name]["total_ms"], 3),
            "p50_ms": times["p50_ms"],
        }
        for name, times in after.items()
    }


def _streams(watching: Watching) -> dict[str, object]:
    clip = watching.clip
    return {
        "video": clip.video and asdict(clip.video),
        "audio": clip.audio and asdict(clip.audio),
        "words": watching.words.source,
        "choices": list(clip.choices),
    }
