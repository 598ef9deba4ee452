"""The window of a recording that is explained, and what the model is given of it."""

import math
from dataclasses import dataclass, replace
from pathlib import Path

from mmer.edge.backends.ort import OrtSettings
from mmer.edge.errors import NothingToSeeError, SettingError
from mmer.edge.faces.crop import Crop
from mmer.edge.faces.mtcnn import Mtcnn
from mmer.edge.media.isolated import IsolatedDecoder
from mmer.edge.media.transcript import read_transcript
from mmer.edge.media.words import words_of
from mmer.edge.pipeline.materials import Material, Materials
from mmer.edge.pipeline.timeline import WindowSettings
from mmer.edge.pipeline.watcher import Course, Stretch, Watcher, check_windows
from mmer.edge.pipeline.window import Window


@dataclass(frozen=True, slots=True)
class Moment:
    """Which part of which recording."""

    path: Path
    start_s: float = 0.0
    length_s: float = 4.0
    transcript: Path | None = None
    """Words; without it, those beside or inside the file."""

    def __post_init__(self) -> None:
        if not 0.0 <= self.start_s < math.inf:
            raise SettingError(f"start_s is {self.start_s:g}; name a second of the recording, 0 or later")


@dataclass(frozen=True, slots=True)
class Scene:
    """One person in a window; times are those of the recording."""

    path: Path
    window: Window
    material: Material
    frames: tuple[Crop, ...]
    """Those that the model sees."""

    @property
    def present(self) -> tuple[str, ...]:
        """The modalities that the model is given."""
        return tuple(name for name, there in self.material.present.items() if there)


def scene(moment: Moment, materials: Materials) -> Scene:
    """Return the window that begins at a moment, of the person who is seen most.

    Raises `DataError` for a recording that cannot be used or holds nothing there, `SettingError` for a window longer
    than the model hears.
    """
    settings = WindowSettings(moment.length_s, moment.length_s)
    check_windows(materials.inputs, settings)
    with IsolatedDecoder() as decoder:
        watcher = Watcher(decoder, Mtcnn.open(OrtSettings()), materials.inputs, settings)
        windows = [w for w in watcher.watch(_stretch(moment, decoder), Course()) if w.start_s == 0.0]
    found = [(w, material) for w in windows if (material := materials.of_window(w)) is not None]
    if not found:
        raise NothingToSeeError(f"{moment.path} from {moment.start_s:g} s on", 1)
    window, material = max(found, key=lambda pair: len(pair[0].crops))
    return Scene(moment.path, _dated(window, moment.start_s), material, _chosen(window, materials, moment.start_s))


def _stretch(moment: Moment, decoder: IsolatedDecoder) -> Stretch:
    clip, start_s = decoder.open(moment.path), moment.start_s
    said = read_transcript(moment.transcript) if moment.transcript else words_of(clip, decoder).captions
    captions = tuple(replace(c, start_s=c.start_s - start_s, end_s=c.end_s - start_s) for c in said)
    return Stretch(clip, captions, start_s, start_s + moment.length_s)


def _dated(window: Window, start_s: float) -> Window:
    sound = window.sound and replace(window.sound, time_s=window.sound.time_s + start_s)
    return replace(window, start_s=window.start_s + start_s, end_s=window.end_s + start_s, sound=sound)


def _chosen(window: Window, materials: Materials, start_s: float) -> tuple[Crop, ...]:
    if materials.inputs.video is None or not window.crops:
        return ()
    chosen = materials.inputs.video.choose([crop.time_s for crop in window.crops], window.start_s, window.end_s)
    return tuple(replace(window.crops[place], time_s=window.crops[place].time_s + start_s) for place in chosen)
