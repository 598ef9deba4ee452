from collections.abc import Callable, Iterable

import numpy as np
import pytest
from numpy.typing import NDArray

from mmer.edge.errors import SettingError
from mmer.edge.faces.mtcnn import Mtcnn
from mmer.edge.faces.track import FaceTracker, TrackedFace, TrackSettings
from mmer.edge.media.stream import Frame

Pixels = NDArray[np.uint8]
Room = Callable[..., Pixels]
BLACK = np.zeros((360, 640, 3), np.uint8)
EMPTY = np.full((360, 640, 3), 120, np.uint8)


def follow(tracker: FaceTracker, pictures: Iterable[Pixels]) -> list[tuple[TrackedFace, ...]]:
    return [tracker.update(Frame(index / 5, pixels)) for index, pixels in enumerate(pictures)]


def numbers(seen: list[tuple[TrackedFace, ...]]) -> list[list[int]]:
    return [[face.track for face in faces] for faces in seen]


def centre(face: TrackedFace) -> float:
    return float(face.face.box[0] + face.face.box[2]) / 2


def test_a_moving_face_keeps_its_number(detector: Mtcnn, room: Room):
    seen = follow(FaceTracker(detector), [room((150 + 15 * step, 180)) for step in range(12)])
    assert numbers(seen) == [[0]] * 12


def test_a_followed_box_moves_with_the_face(detector: Mtcnn, room: Room):
    seen = follow(FaceTracker(detector), [room((150 + 15 * step, 180)) for step in range(5)])
    assert np.diff([centre(face) for (face,) in seen]) == pytest.approx(15, abs=8)


def test_one_calm_face_is_searched_for_in_every_fifth_frame(detector: Mtcnn, room: Room):
    tracker = FaceTracker(detector)
    follow(tracker, [room((200, 180))] * 11)
    assert tracker.detections == 3


def test_several_faces_are_searched_for_in_every_second_frame(detector: Mtcnn, room: Room):
    tracker = FaceTracker(detector)
    follow(tracker, [room((160, 180), (480, 180))] * 8)
    assert tracker.detections == 4


def test_a_cut_starts_a_new_track_at_once(detector: Mtcnn, portrait: Pixels, room: Room):
    close = np.ascontiguousarray(np.pad(portrait, [(30, 30), (160, 160), (0, 0)], mode="edge"))
    assert numbers(follow(FaceTracker(detector), [room((200, 180))] * 2 + [close] * 2)) == [[0], [0], [1], [1]]


def test_a_face_that_jumps_is_found_again_in_the_same_frame(detector: Mtcnn, room: Room):
    seen = follow(FaceTracker(detector), [room((150, 180)), room((150, 180)), room((480, 180))])
    assert [len(faces) for faces in seen] == [1, 1, 1]


def test_a_face_that_leaves_is_given_no_more(detector: Mtcnn, room: Room):
    assert numbers(follow(FaceTracker(detector), [room((200, 180))] * 3 + [EMPTY] * 3)) == [[0], [0], [0], [], [], []]


def test_a_face_that_comes_back_soon_is_the_same(detector: Mtcnn, room: Room):
    seen = follow(FaceTracker(detector), [room((200, 180))] * 2 + [EMPTY] * 2 + [room((210, 180))] * 2)
    assert numbers(seen) == [[0], [0], [], [], [0], [0]]


def test_a_face_that_comes_back_late_has_a_number_never_used(detector: Mtcnn, room: Room):
    seen = follow(FaceTracker(detector), [room((200, 180))] * 2 + [EMPTY] * 8 + [room((200, 180))] * 3)
    assert numbers(seen)[-1] == [1]


def test_black_frames_cost_no_search_and_end_no_track(detector: Mtcnn, room: Room):
    tracker = FaceTracker(detector)
    seen = follow(tracker, [BLACK, BLACK, room((200, 180)), BLACK, room((200, 180))])
    assert numbers(seen) == [[], [], [0], [], [0]]
    assert tracker.detections == 2


def test_faces_that_cross_keep_their_numbers(detector: Mtcnn, room: Room):
    steps = range(0, 341, 20)
    seen = follow(FaceTracker(detector), [room((490 - step, 180), (150 + step, 190)) for step in steps])
    first, last = seen[0], seen[-1]
    assert {face.track for faces in seen for face in faces} == {0, 1}
    assert sorted(first, key=centre)[0].track == sorted(last, key=centre)[-1].track


def test_no_more_faces_are_followed_than_asked_for(detector: Mtcnn, room: Room):
    tracker = FaceTracker(detector, TrackSettings(max_faces=1))
    assert numbers(follow(tracker, [room((160, 180), (480, 180))] * 4)) == [[0]] * 4


def test_tracks_of_two_clips_do_not_mix(detector: Mtcnn, room: Room):
    assert numbers(follow(FaceTracker(detector), [room((200, 180))])) == numbers(
        follow(FaceTracker(detector), [room((480, 180))])
    )


@pytest.mark.parametrize("name", ["every", "often", "max_faces"])
def test_a_setting_below_one_is_refused(name):
    with pytest.raises(SettingError, match=f"{name} is 0"):
        TrackSettings(**{name: 0})
