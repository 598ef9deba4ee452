from collections.abc import Callable
from importlib.resources import files

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from mmer.edge.faces.mtcnn import Mtcnn

Pixels = NDArray[np.uint8]
Place = tuple[int, int]


@pytest.fixture(scope="session")
def detector() -> Mtcnn:
    return Mtcnn.open()


@pytest.fixture(scope="session")
def portrait() -> Pixels:
    coded = np.frombuffer((files("mmer.data.synth") / "portrait.jpg").read_bytes(), np.uint8)
    return cv2.imdecode(coded, cv2.IMREAD_COLOR)[..., ::-1]


@pytest.fixture(scope="session")
def room(portrait: Pixels) -> Callable[..., Pixels]:
    """A grey room of 640x360 with heads at the places given by their centres, the last in front."""
    head = np.ascontiguousarray(portrait[45:215, 100:226])

    def picture(*places: Place) -> Pixels:
        pixels = np.full((360, 640, 3), 120, np.uint8)
        for number, (x, y) in enumerate(places):
            shown = head[:, :: (-1 if number % 2 else 1)]
            left, top = x - 63, y - 85
            right, bottom = min(left + 126, 640), min(top + 170, 360)
            first = max(-left, 0)
            pixels[top:bottom, max(left, 0) : max(right, 0)] = shown[: bottom - top, first : right - left]
        return pixels

    return picture
