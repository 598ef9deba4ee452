import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mmer.edge.backends.ort import OrtSession, OrtSettings
from mmer.edge.errors import BundleError
from mmer.edge.faces.mtcnn import ASSETS, Mtcnn, MtcnnSettings
from mmer.edge.faces.resize import resize

Pixels = NDArray[np.uint8]
EYES = [(140.5, 100.5), (184.0, 103.0)]  # of the portrait, marked by hand


def test_the_portrait_holds_one_face(detector: Mtcnn, portrait: Pixels):
    assert [face.score > 0.99 for face in detector.detect(portrait)] == [True]


def test_landmarks_lie_on_the_eyes(detector: Mtcnn, portrait: Pixels):
    (face,) = detector.detect(portrait)
    assert np.abs(face.landmarks[:2] - EYES).max() < 3


def test_the_nose_and_the_mouth_lie_below_the_eyes_within_the_box(detector: Mtcnn, portrait: Pixels):
    (face,) = detector.detect(portrait)
    assert face.landmarks[1, 1] < face.landmarks[2, 1] < face.landmarks[3:, 1].min() < face.box[3]


def test_two_heads_are_two_faces_in_their_places(detector: Mtcnn, room: Callable[..., Pixels]):
    centres = sorted((face.box[:2] + face.box[2:]).tolist() for face in detector.detect(room((180, 180), (460, 180))))
    assert np.array(centres) / 2 == pytest.approx(np.array([(199, 168), (477, 168)]), abs=25)


def test_a_face_of_the_least_size_is_found(detector: Mtcnn, portrait: Pixels):
    small = np.full((120, 160, 3), 120, np.uint8)
    small[20:95, 40:120] = resize(portrait, 80, 75)  # the face is 22 pixels wide
    assert len(detector.detect(small)) == 1


def test_a_larger_least_size_passes_small_faces_over(portrait: Pixels):
    assert Mtcnn.open(settings=MtcnnSettings(min_face_px=290)).detect(portrait) == ()


def test_noise_holds_no_face(detector: Mtcnn):
    assert detector.detect(np.random.default_rng(0).integers(0, 256, (180, 320, 3), np.uint8)) == ()


@pytest.mark.parametrize("size", [(1, 1), (11, 400), (19, 19)])
def test_a_frame_smaller_than_any_face_holds_none(detector: Mtcnn, size: tuple[int, int]):
    assert detector.detect(np.full((*size, 3), 200, np.uint8)) == ()


def test_refining_a_shifted_box_brings_it_back(detector: Mtcnn, portrait: Pixels):
    (face,) = detector.detect(portrait)
    (again,) = detector.refine(portrait, face.box[None] + np.float32(8))
    assert again.score > 0.9
    assert np.abs(again.box - face.box).max() < 8


def test_refining_keeps_order_and_number_beyond_one_call(detector: Mtcnn, portrait: Pixels):
    (face,) = detector.detect(portrait)
    wall = np.array([0, 0, 60, 60], np.float32)
    scores = [found.score > 0.5 for found in detector.refine(portrait, np.stack([wall, face.box] * 10))]
    assert scores == [False, True] * 10


def test_refining_nothing_gives_nothing(detector: Mtcnn, portrait: Pixels):
    assert detector.refine(portrait, np.empty((0, 4), np.float32)) == ()


@pytest.mark.parametrize(("graph", "size"), [("pnet", (61, 84)), ("rnet", (24, 24)), ("onet", (48, 48))])
def test_optimised_graphs_compute_what_is_written(graph: str, size: tuple[int, int]):
    pixels = np.random.default_rng(0).integers(0, 256, (2, *size, 3), np.uint8)
    plain, fast = (
        OrtSession.open(ASSETS / f"{graph}.onnx", OrtSettings(optimisation=level)).run({"pixels": pixels})
        for level in ("disabled", "all")
    )
    assert {name: float(np.abs(plain[name] - fast[name]).max()) < 1e-5 for name in plain} == dict.fromkeys(fast, True)


def test_a_tampered_graph_is_refused(tmp_path: Path):
    folder = shutil.copytree(ASSETS, tmp_path / "faces")
    graph = bytearray((folder / "onet.onnx").read_bytes())
    graph[-1] ^= 1
    (folder / "onet.onnx").write_bytes(graph)
    with pytest.raises(BundleError, match=r"onet\.onnx") as caught:
        Mtcnn.open(folder=folder)
    assert caught.value.exit_code == 8


def test_a_missing_graph_is_refused(tmp_path: Path):
    folder = shutil.copytree(ASSETS, tmp_path / "faces")
    (folder / "rnet.onnx").unlink()
    with pytest.raises(BundleError, match=r"rnet\.onnx"):
        Mtcnn.open(folder=folder)
