"""What finding and following faces costs, and what it finds, on the folder of recordings.

    python benchmarks/faces.py --pack DIR [--json]

Sessions spin and keep an arena nowhere but in the column that shows the price of spinning. Times are medians over
frames after one pass of warm-up; every column is measured in both orders.
"""

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np

from mmer.edge.backends.ort import OrtSettings
from mmer.edge.faces.box import iou, pairs
from mmer.edge.faces.mtcnn import Face, Mtcnn, MtcnnSettings
from mmer.edge.faces.scene import is_dark
from mmer.edge.faces.track import FaceTracker
from mmer.edge.media.clip import Clip
from mmer.edge.media.request import FrameRequest
from mmer.edge.media.stream import Frame

TALKER, CROWD, EMPTY = "one_face.mp4", "street_several_faces_1080p.mp4", "no_face.mp4"
GRID = ("grid_bbaf2n.mpg", "grid_brbk7n.mpg", "grid_lbax4n.mpg", "grid_lwbsza.mpg")
TALKERS = (TALKER, "talker_b.mp4", "talker_c.mp4", "talker_mpeg4.mp4", "talker_vfr.mp4", *GRID)
VISITS = ("face_enters_hevc_vfr.mov", "face_leaves_hevc_vfr.mov")
THREADS = {
    "2 threads, spinning": OrtSettings(threads=2, spinning=True),
    "2 threads": OrtSettings(threads=2),
    "1 thread": OrtSettings(),
}
FRAMES = 10


@dataclass(frozen=True, slots=True)
class Cost:
    """Detection per frame under one setting."""

    clip: str
    width: int
    min_face_px: float
    """In pixels of the scaled frame."""
    threads: str
    wall_ms: float
    cpu_ms: float
    faces: float


@dataclass(frozen=True, slots=True)
class Tracking:
    """The tracker beside detection in every frame of the same clips."""

    clips: str
    frames: int
    detections: int
    faces: int
    missed: int
    """Detected faces that were not followed."""
    kept: int
    """Followed faces that detection does not confirm."""
    tracks: int
    iou_median: float
    iou_p5: float
    ms_per_frame: float


@dataclass(frozen=True, slots=True)
class Recall:
    """Frames, at five a second, in which the detector finds a face."""

    clips: str
    visible_frames: int
    """Those that are not black."""
    found: int
    several: int
    """Frames with more than one."""


def sampled(path: Path, width: int = 640) -> list[Frame]:
    """Return the frames that are looked at, five a second."""
    return list(Clip.open(path).frames(FrameRequest(long_side=width)))


def costs(path: Path, width: int, min_face_px: float, columns: Iterable[str]) -> list[Cost]:
    """Time detection on the first frames of a clip."""
    frames, names = sampled(path, width)[:FRAMES], list(columns)
    orders = [names, names[::-1]] if len(names) > 1 else [names]
    wall, cpu = ({name: list[float]() for name in names} for _ in range(2))
    faces = dict.fromkeys(names, 0.0)
    for order in orders:
        for name in order:
            detector = Mtcnn.open(THREADS[name], MtcnnSettings(min_face_px=min_face_px))
            for number, frame in enumerate([frames[0], *frames]):
                started, used = time.perf_counter(), time.process_time()
                found = detector.detect(frame.pixels)
                if number:
                    wall[name].append(time.perf_counter() - started)
                    cpu[name].append(time.process_time() - used)
                    faces[name] += len(found) / len(frames) / len(orders)
    actual = frames[0].pixels.shape[1]
    return [
        Cost(path.name, actual, round(min_face_px, 1), name, _ms(wall[name]), _ms(cpu[name]), round(faces[name], 1))
        for name in names
    ]


def sizes(path: Path) -> list[Cost]:
    """Time detection by width of the frame and least face in pixels of the source."""
    full = sampled(path, 100_000)[0].pixels.shape[1]
    widths = dict.fromkeys((full, 640, 480, 320))
    scaled = [(width, least * width / full) for width in widths for least in (20, 40, 80, 120)]
    return [row for width, least in scaled if least >= 10 for row in costs(path, width, least, ["1 thread"])]


def tracking(name: str, paths: Iterable[Path], detector: Mtcnn) -> Tracking:
    """Compare the tracker with detection in every frame."""
    overlaps: list[float] = []
    frames = detections = faces = followed = tracks = 0
    spent_s = 0.0
    for path in paths:
        clip, tracker = sampled(path), FaceTracker(detector)
        started = time.perf_counter()
        seen = [tracker.update(frame) for frame in clip]
        spent_s += time.perf_counter() - started
        truth = [_faces(detector, frame) for frame in clip]
        overlaps += [value for t, s in zip(truth, seen, strict=True) for value in _overlaps(t, [f.face for f in s])]
        frames, detections = frames + len(clip), detections + tracker.detections
        faces, followed = faces + sum(map(len, truth)), followed + sum(map(len, seen))
        tracks += len({face.track for present in seen for face in present})
    median, low = np.percentile(overlaps, [50, 5])
    missed, kept = faces - len(overlaps), followed - len(overlaps)
    agreement = round(float(median), 3), round(float(low), 3)
    return Tracking(name, frames, detections, faces, missed, kept, tracks, *agreement, round(1e3 * spent_s / frames, 1))


def following(path: Path, detector: Mtcnn) -> dict[str, float]:
    """Time the last network alone on one box and on six."""
    pixels = sampled(path)[0].pixels
    box = detector.detect(pixels)[0].box
    times: dict[str, float] = {}
    for count in (1, 6):
        spent = []
        for _ in range(2 * FRAMES + 1):
            started = time.perf_counter()
            detector.refine(pixels, np.stack([box] * count))
            spent.append(time.perf_counter() - started)
        times[f"{count} face(s)"] = _ms(spent[1:], 2)
    return times


def recall(name: str, paths: Iterable[Path], detector: Mtcnn) -> Recall:
    """Count visible frames and those with a face."""
    counts = [
        len(detector.detect(frame.pixels)) for path in paths for frame in sampled(path) if not is_dark(frame.pixels)
    ]
    return Recall(name, len(counts), sum(count > 0 for count in counts), sum(count > 1 for count in counts))


def measure(pack: Path) -> dict[str, object]:
    """Measure everything; minutes."""
    media, acted = pack / "media", sorted((pack / "java_sed_av").glob("*.mp4"))
    talkers, detector = [media / name for name in TALKERS], Mtcnn.open()
    layouts = [(TALKER, 640, 20.0), (TALKER, 480, 30.0), (CROWD, 640, 20.0), (CROWD, 640, 40.0)]
    _say("threads")
    threads = [row for name, width, least in layouts for row in costs(media / name, width, least, THREADS)]
    _say("sizes")
    by_size = [row for name in (CROWD, TALKER) for row in sizes(media / name)]
    _say("tracking")
    groups = {"one face": talkers, "enters, leaves": [media / n for n in VISITS], "crowd": [media / CROWD]}
    followed = [tracking(name, paths, detector) for name, paths in (groups | {"Java-SED": acted[::8]}).items()]
    _say("recall, all clips")
    sets = {"one face": talkers, "Java-SED": acted, "no face": [media / EMPTY]}
    found = [recall(name, paths, detector) for name, paths in sets.items()]
    return {
        "schema": "mmer.bench-faces/1",
        "machine": {"system": platform.platform(), "cores": os.cpu_count(), "python": platform.python_version()},
        "versions": {name: version(name) for name in ("numpy", "onnxruntime", "opencv-python-headless", "av")},
        "protocol": {"frames": FRAMES, "orders": 2, "warm_up_frames": 1, "rate_hz": 5},
        "threads": [asdict(row) for row in threads],
        "sizes": [asdict(row) for row in by_size],
        "following_ms": following(media / TALKER, detector),
        "tracking": [asdict(row) for row in followed],
        "recall": [asdict(row) for row in found],
    }


def show(report: dict[str, object]) -> None:
    """Print each part as a table."""
    for part, rows in report.items():
        if not isinstance(rows, list):
            print(f"{part}: {rows}")
            continue
        table = [list(rows[0]), *(list(map(str, row.values())) for row in rows)]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        print(f"\n{part}", *("  ".join(map(str.ljust, line, widths)) for line in table), "", sep="\n")


def _faces(detector: Mtcnn, frame: Frame) -> tuple[Face, ...]:
    return () if is_dark(frame.pixels) else detector.detect(frame.pixels)


def _overlaps(truth: Iterable[Face], seen: Iterable[Face]) -> list[float]:
    a, b = ([face.box for face in faces] for faces in (truth, seen))
    if not a or not b:
        return []
    return [float(iou(a[i][None], b[j][None]).item()) for i, j in pairs(np.stack(a), np.stack(b), 0.3)]


def _ms(seconds: list[float], digits: int = 1) -> float:
    return round(1e3 * float(np.median(seconds)), digits)


def _say(step: str) -> None:
    print(f"measuring {step} ...", file=sys.stderr)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pack", type=Path, required=True, help="the folder of recordings")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    chosen = parser.parse_args()
    result = measure(chosen.pack)
    print(json.dumps(result, indent=2)) if chosen.json else show(result)
