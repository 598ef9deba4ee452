"""What has to be known of a system to read its authors' weights."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from torch import Tensor

from mmer.training.cafes import CafesSettings
from mmer.training.foreign.keymap import KeyMap
from mmer.training.recording import Inputs


@dataclass(frozen=True, slots=True)
class ForeignSystem:
    """One system as its authors saved it."""

    source: str
    """Where the names of its parameters are from."""
    sized: Callable[[CafesSettings, Mapping[str, Tensor]], CafesSettings]
    """From a preset's sizes to those that a file shows, where they may differ within one architecture."""
    alike: Callable[[CafesSettings], bool]
    """Whether a preset is built of the authors' parts, so that only sizes differ."""
    keys: Callable[[CafesSettings], KeyMap]
    labels: tuple[str, ...]
    """In the order of the authors' logits."""
    spare: re.Pattern[str]
    """Our names of what no answer depends on: what a file may lack."""
    remark: str
    """What of the authors' model is not in their file, and what to do about it."""
    inputs: Inputs = field(default_factory=Inputs)
    """How the authors' model sees, hears and reads."""
