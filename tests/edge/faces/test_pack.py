import os
from pathlib import Path

import pytest

from mmer.edge.faces.mtcnn import Mtcnn
from mmer.edge.faces.scene import is_dark
from mmer.edge.faces.track import FaceTracker
from mmer.edge.media.clip import Clip
from mmer.edge.media.stream import Frame

PACK = Path(os.environ.get("MMER_PACK", ""))
pytestmark = pytest.mark.skipif(
    "MMER_PACK" not in os.environ, reason="MMER_PACK does not name the folder of recordings"
)

ONE_FACE = ("one_face.mp4", "grid_bbaf2n.mpg", "grid_lbax4n.mpg", "talker_b.mp4")


def visible(path: Path, most: int = 15) -> list[Frame]:
    return [frame for frame in Clip.open(path).frames() if not is_dark(frame.pixels)][:most]


@pytest.mark.parametrize("name", ONE_FACE)
def test_every_frame_of_a_clip_with_one_face_holds_it(detector: Mtcnn, name: str):
    assert {len(detector.detect(frame.pixels)) for frame in visible(PACK / "media" / name)} == {1}


def test_every_frame_of_acted_speech_holds_a_face(detector: Mtcnn):
    clips = sorted((PACK / "java_sed_av").glob("*.mp4"))[::24]
    missed = [path.name for path in clips for frame in visible(path) if not detector.detect(frame.pixels)]
    assert missed == []


def test_a_clip_without_faces_holds_none(detector: Mtcnn):
    assert [face for frame in visible(PACK / "media" / "no_face.mp4") for face in detector.detect(frame.pixels)] == []


def test_one_speaker_is_one_track(detector: Mtcnn):
    tracker = FaceTracker(detector)
    seen = [tracker.update(frame) for frame in visible(PACK / "media" / "one_face.mp4")]
    assert {tuple(face.track for face in faces) for faces in seen} == {(0,)}
