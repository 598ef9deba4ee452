"""Recordings kept on disk, so that a clip is decoded once and not once per run."""

import hashlib
import json
import os
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from mmer.edge.cache import cache_folder
from mmer.edge.corpus import Entry
from mmer.edge.errors import MediaNotFoundError, SettingError
from mmer.edge.faces.mtcnn import ASSETS, MtcnnSettings
from mmer.edge.faces.track import TrackSettings
from mmer.edge.files import atomic_binary
from mmer.training.recording import Inputs, Recording

FORM = 1
"""Counts up when `Recorder` begins to take other pixels or samples out of the same file."""


@dataclass(frozen=True, slots=True)
class RecordingCache:
    """One `.npz` for each file, stretch of time and way of looking at it."""

    folder: Path

    @classmethod
    def default(cls) -> "RecordingCache":
        """Return the cache in `MMER_CACHE`, or in the XDG cache."""
        return cls(cache_folder(os.environ) / "recordings")

    def path(self, entry: Entry, inputs: Inputs) -> Path:
        """Return where the recording belongs; raise `MediaNotFoundError` without the clip."""
        if not entry.path.is_file():
            raise MediaNotFoundError(entry.path)
        video = inputs.video.size, inputs.video.margin, inputs.video.rate_hz
        detector = (ASSETS / "digests.json").read_text(), asdict(MtcnnSettings()), asdict(TrackSettings())
        what = _digest(entry.path), entry.start_s, entry.end_s, *(["face"] if entry.fills_frame else [])
        key = json.dumps([FORM, what, video, inputs.audio.rate_hz, detector])
        return self.folder / f"{hashlib.sha256(key.encode()).hexdigest()}.npz"

    def read(self, path: Path) -> Recording | None:
        """Return what is kept there, `None` when there is nothing that can be read."""
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
                span = kept["span_s"]
                return Recording(float(span[0]), float(span[1]), kept["crop_times_s"], kept["crops"], kept["sound"])
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):  # not there, or a disk's bad day
            return None

    def write(self, path: Path, recording: Recording) -> None:
        """Keep a recording; a cache that cannot be written costs a decoding in each run, nothing more."""
        try:
            with atomic_binary(path) as file:
                np.savez(
                    file,
                    span_s=np.array([recording.start_s, recording.end_s]),
                    crop_times_s=recording.crop_times_s,
                    crops=recording.crops,
                    sound=recording.sound,
                )
        except (OSError, SettingError):
            return


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
