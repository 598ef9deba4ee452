"""From a window to the values that a plan starts from, through the bundle's own preprocessing."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmer.edge.bundle.bundle import Bundle
from mmer.edge.bundle.manifest import Inputs
from mmer.edge.bundle.plan import WEIGHED, Modality, Rate, Source
from mmer.edge.errors import BundleError
from mmer.edge.inputs.text import Tokeniser
from mmer.edge.inputs.video import VideoInput
from mmer.edge.media.stream import Sound
from mmer.edge.pipeline.executor import Item, Values
from mmer.edge.pipeline.window import Window

PROVIDED: Mapping[str, tuple[Modality | None, Rate]] = {
    "crops": ("video", "frame"),  # [3, S, S] for each frame
    "samples": ("audio", "window"),  # [1, N] at its true length
    "ids": ("text", "utterance"),  # [1, L] at its true length
    "ids_mask": ("text", "utterance"),  # [1, L], ones
    "present": (None, "window"),  # [1, 3] float32
}
"""The sources that a plan may name, with the modality and the rate of each."""


@dataclass(frozen=True, slots=True)
class Material:
    """What a window holds that the model can use."""

    values: Values
    present: Mapping[str, bool]

    def only(self, kept: Collection[str]) -> "Material":
        """Return the same as if the other modalities had never been there."""
        present = {name: there and name in kept for name, there in self.present.items()}
        values = {name: items for name, items in self.values.items() if present.get(PROVIDED[name][0] or "")}
        return Material(values | {"present": [_mask(present)]}, present)


@dataclass(frozen=True, slots=True)
class Materials:
    """Turns windows into material."""

    inputs: Inputs
    sources: tuple[Source, ...]
    tokeniser: Tokeniser | None

    @classmethod
    def of(cls, bundle: Bundle) -> "Materials":
        """Read the bundle's tokenizer; raise `BundleError` for a plan that starts from what we do not provide."""
        sources = bundle.manifest.plan.sources
        if unknown := [s.name for s in sources if PROVIDED.get(s.name) != (s.modality, s.rate)]:
            raise BundleError(
                bundle.path, f"its plan starts from {unknown[0]}, which this version of mmer cannot provide"
            )
        text = bundle.manifest.inputs.text
        tokeniser = Tokeniser.decoded(bundle.tokenizer(), text, bundle.path) if text else None
        return cls(bundle.manifest.inputs, sources, tokeniser)

    def of_window(self, window: Window) -> Material | None:
        """Return the material of a window, `None` when there is nothing to look at."""
        found = {"video": self._video(window), "audio": self._audio(window.sound), "text": self._text(window.text)}
        usable = {name: values for name, values in found.items() if values and self._enough(values)}
        present = {name: name in usable for name in WEIGHED}
        if not usable:
            return None
        values = {name: items for made in usable.values() for name, items in made.items()}
        return Material(values | {"present": [_mask(present)]}, present)

    def _video(self, window: Window) -> Values | None:
        if self.inputs.video is None or not window.crops:
            return None
        chosen = self.inputs.video.choose([crop.time_s for crop in window.crops], window.start_s, window.end_s)
        pictures = [window.crops[index].pixels for index in chosen]
        return {"crops": [Item(_key(pixels), partial(_frame, self.inputs.video, pixels)) for pixels in pictures]}

    def _audio(self, sound: Sound | None) -> Values | None:
        heard = sound and self.inputs.audio and self.inputs.audio.arrays(sound.samples, sound.rate_hz)
        return {"samples": [_item(heard.values[heard.mask][np.newaxis])]} if heard else None

    def _text(self, text: str | None) -> Values | None:
        said = self.tokeniser.arrays(text) if self.tokeniser and text else None
        if said is None:
            return None
        ids = said.values[said.mask][np.newaxis]
        return {"ids": [_item(ids)], "ids_mask": [_item(np.ones_like(ids))]}

    def _enough(self, values: Values) -> bool:
        """Tell whether there are as many frames, samples or tokens as the plan's sources ask for."""
        return all(_length(s, values[s.name]) >= s.least for s in self.sources if s.name in values)


def _length(source: Source, items: Sequence[Item]) -> int:
    return len(items) if source.rate == "frame" else items[0].make().shape[1]


def _frame(video: VideoInput, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    frame: NDArray[np.float32] = video.frames([pixels])[0]
    return frame


def _mask(present: Mapping[str, bool]) -> Item:
    return _item(np.array([[present[name] for name in WEIGHED]], np.float32))


def _item(array: NDArray[Any]) -> Item:
    return Item(_key(array), lambda: array)


def _key(array: NDArray[Any]) -> tuple[bytes, tuple[int, ...]]:
    """Return a key of the content: a frame is the same one on whichever track, and never that of another clip."""
    return hashlib.blake2b(np.ascontiguousarray(array).data, digest_size=16).digest(), array.shape
