"""From a box to the square picture of a face that an encoder reads."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Crop:
    """A face cut out of the frame at a moment."""

    time_s: float
    pixels: NDArray[np.uint8]
    """`[S, S, 3]` RGB."""
