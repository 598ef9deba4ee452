"""The systems that can be trained, by name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from mmer.edge.errors import SettingError
from mmer.training.batch import MODALITIES
from mmer.training.cafes import CafesSettings, build_cafes
from mmer.training.model import EmotionModel
from mmer.training.zoo.cafes import PRESETS


@dataclass(frozen=True, slots=True)
class ZooEntry:
    """One system."""

    name: str
    system: str
    """What its authors call it."""
    modalities: tuple[str, ...]
    presets: Mapping[str, CafesSettings]
    build: Callable[[CafesSettings, str | None], EmotionModel]
    """Takes settings, and a folder or hub id with text weights or `None` for random ones."""


ZOO: Mapping[str, ZooEntry] = {
    entry.name: entry
    for entry in (
        ZooEntry(
            name="cafes",
            system="CAFES, hybrid confidence-guided feature selection",
            modalities=MODALITIES,
            presets=PRESETS,
            build=build_cafes,
        ),
    )
}


def known(model: str, preset: str) -> ZooEntry:
    """Return the entry; raise `SettingError` for a model or a preset that there is not."""
    if model not in ZOO:
        raise SettingError(f"no model is called {model!r}; there are: {', '.join(ZOO)}")
    entry = ZOO[model]
    if preset not in entry.presets:
        raise SettingError(f"{model} has no preset {preset!r}; there are: {', '.join(entry.presets)}")
    return entry
