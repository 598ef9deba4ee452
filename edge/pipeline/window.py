"""One stretch of time of one person, ready to become tensors."""

from dataclasses import dataclass

from mmer.edge.faces.crop import Crop
from mmer.edge.media.stream import Sound


@dataclass(frozen=True, slots=True)
class Window:
    """What is known between two moments; every modality may be absent."""

    start_s: float
    end_s: float
    track: int | None = None
    """The person's track, `None` when nobody is seen."""
    crops: tuple[Crop, ...] = ()
    sound: Sound | None = None
    text: str | None = None
