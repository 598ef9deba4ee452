"""A rival: torch eager from faces to answers, every window computed anew. Runs in a process of its own.

    PYTHONPATH=benchmarks python -m rivals.eager CHECKPOINT NETWORKS CLIP --seconds 12 --threads 2 [--faces-hz 5]

Windows, choice of frames, sound and tokens are those of mmer: true lengths, nothing padded.
"""

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import av
import numpy as np
import torch
from rivals.torch_faces import TorchMtcnn

from mmer.edge.bundle.graph import Graph
from mmer.edge.faces.crop import Crop, CropRule
from mmer.edge.faces.mtcnn import MtcnnSettings
from mmer.edge.inputs.text import Tokeniser
from mmer.edge.media.clip import Clip
from mmer.edge.media.soundtrack import between
from mmer.edge.media.stream import Caption, Frame, Sound
from mmer.edge.media.transcript import read_transcript
from mmer.edge.pipeline.executor import Executor, Item, Values
from mmer.export.subgraphs import TorchSession
from mmer.export.systems import SPLITS
from mmer.training.checkpoint import Checkpoint
from mmer.training.recording import Inputs
from mmer.training.tokenizer import tokeniser

WINDOW_S, HOP_S = 4.0, 0.5
MIN_FACE_PX = 40.0


@dataclass(slots=True)
class Spent:
    """Wall time by stage in ms, and wall and CPU time of the two parts that grow with seconds and with windows."""

    stages: dict[str, float] = field(default_factory=dict)
    parts: dict[str, tuple[float, float]] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measure a block."""
        start_s = time.perf_counter()
        yield
        self.stages[name] = self.stages.get(name, 0.0) + 1e3 * (time.perf_counter() - start_s)

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Measure a part, the CPU time of all threads too."""
        start_s, used_s = time.perf_counter(), time.process_time()
        yield
        wall_s, cpu_s = self.parts.get(name, (0.0, 0.0))
        self.parts[name] = (wall_s + time.perf_counter() - start_s, cpu_s + time.process_time() - used_s)


@dataclass(frozen=True, slots=True)
class Model:
    """The encoders and what they need."""

    executor: Executor
    inputs: Inputs
    tokens: Tokeniser

    @classmethod
    def open(cls, path: Path) -> "Model":
        """Read a checkpoint; its parts are those that were exported, blocks fused and attention folded."""
        checkpoint = Checkpoint.open(path)
        facts = checkpoint.facts
        split = SPLITS[facts.model](checkpoint.model, facts.inputs)
        graphs = {part.name: Graph(part.inputs, part.outputs, {}) for part in split.subgraphs}
        sessions = {part.name: TorchSession(part) for part in split.subgraphs}
        tokens = tokeniser(checkpoint.tokenizer, facts.inputs.text)
        return cls(Executor(split.plan, graphs, sessions), facts.inputs, tokens)

    def values(self, crops: Sequence[Crop], sound: Sound | None, text: str, start_s: float) -> Values:
        """Return what the encoders read of a window, under keys that no other window has: nothing is remembered."""
        video, audio = self.inputs.video, self.inputs.audio
        chosen = video.choose([crop.time_s for crop in crops], start_s, start_s + WINDOW_S)
        frames = video.frames([crops[index].pixels for index in chosen]) if chosen else []
        heard = audio.arrays(sound.samples, sound.rate_hz) if sound else None
        said = self.tokens.arrays(text)
        values = {"crops": [_item(frame) for frame in frames]}
        values["samples"] = [_item(heard.values[heard.mask][None])] if heard else []
        values["ids"] = [_item(said.values[said.mask][None])] if said else []
        values["ids_mask"] = [_item(np.ones((1, said.mask.sum()), np.int64))] if said else []
        present = [[bool(values[name]) for name in ("crops", "samples", "ids")]]
        return values | {"present": [_item(np.array(present, np.float32))]}


@dataclass(frozen=True, slots=True)
class Job:
    """What is looked at, and how often."""

    clip: Path
    seconds: float
    faces_hz: float | None
    """`None` for every frame."""


def run(model: Model, detector: TorchMtcnn, job: Job) -> dict[str, object]:
    """Watch the clip and return what it took."""
    spent, captions = Spent(), read_transcript(job.clip.with_suffix(".srt"))
    with spent.part("frames"), spent.stage("sound"):
        sound = Clip.open(job.clip).sound(model.inputs.audio.rate_hz, 0.0, job.seconds)
    crops: list[Crop] = []
    looked, windows, first_s = 0, 0, None
    for frame in _frames(job, spent):
        with spent.part("frames"):
            looked += 1
            crops += _faces(frame, detector, CropRule(model.inputs.video.size, model.inputs.video.margin), spent)
        while (start_s := windows * HOP_S) + WINDOW_S <= frame.time_s + _period_s(job):
            with spent.part("windows"):
                _answer(model, crops, (start_s, sound, captions), spent)
            windows += 1
            first_s = first_s or time.monotonic()
    stages = spent.stages | {name: times["total_ms"] for name, times in model.executor.timing.items()}
    facts = {"seconds": job.seconds, "looked": looked, "faces": len(crops), "windows": windows, "first_s": first_s}
    return facts | {"stages": stages, "parts": spent.parts}


def _frames(job: Job, spent: Spent) -> Iterator[Frame]:
    """Yield the frames that are looked at, in full size; all are decoded."""
    next_s = 0.0
    with av.open(str(job.clip)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        decoded = container.decode(stream)
        while True:
            with spent.part("frames"), spent.stage("decode"):
                picture = next(decoded, None)
            if picture is None or picture.time >= job.seconds:
                return
            if job.faces_hz and picture.time < next_s - 1e-3:
                continue
            next_s += 1 / job.faces_hz if job.faces_hz else 0.0
            with spent.part("frames"), spent.stage("convert"):
                frame = Frame(picture.time, picture.to_ndarray(format="rgb24"))
            yield frame


def _faces(frame: Frame, detector: TorchMtcnn, rule: CropRule, spent: Spent) -> list[Crop]:
    with spent.stage("faces"):
        boxes, _ = detector.detect(frame.pixels)
    with spent.stage("crop"):
        return [rule.cut(frame, box) for box in boxes[:1]]


def _answer(
    model: Model, crops: Sequence[Crop], at: tuple[float, Sound | None, Sequence[Caption]], spent: Spent
) -> None:
    start_s, sound, captions = at
    end_s = start_s + WINDOW_S
    with spent.stage("inputs"):
        seen = [crop for crop in crops if start_s <= crop.time_s < end_s]
        heard = between(sound, start_s, end_s) if sound else None
        said = " ".join(c.text for c in captions if c.start_s < end_s and c.end_s > start_s)
        values = model.values(seen, heard, said, start_s)
    model.executor.run(values)


def _period_s(job: Job) -> float:
    """Return how long a frame stands for."""
    return 1 / (job.faces_hz or 25)


def _item(array: np.ndarray) -> Item:
    return Item(object(), lambda: array)


def main() -> None:
    """Open, run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("networks", type=Path)
    parser.add_argument("clip", type=Path)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--faces-hz", type=float)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    detector = TorchMtcnn.open(options.networks, MtcnnSettings(min_face_px=MIN_FACE_PX))
    model = Model.open(options.checkpoint)
    ready_s = time.monotonic()
    job = Job(options.clip, options.seconds, options.faces_hz)
    print(json.dumps({"ready_s": ready_s} | run(model, detector, job)))


if __name__ == "__main__":
    main()
