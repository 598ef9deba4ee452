"""The executor gives what running everything would give, and runs as little as it can."""

from collections.abc import Sequence

import numpy as np
import pytest

from mmer.edge.bundle.plan import Plan, Source, Stage
from mmer.edge.pipeline.executor import Executor, Item, Kept, Values

RANDOM = np.random.default_rng(1)
CROPS = RANDOM.normal(size=(40, 3, 4, 4)).astype(np.float32)
SOUND = RANDOM.normal(size=4000).astype(np.float32)
TEXTS = {"one": [[2, 3, 4]], "two": [[5, 5]], "long": [[1, 2, 3, 4, 5, 6]]}


def item(key, array) -> Item:
    return Item(key, lambda: array)


def window(
    frames: Sequence[int] = (), sound: tuple[int, int] | None = None, text: str | None = None
) -> dict[str, list[Item]]:
    """Material of chosen frames, a stretch of sound and a text."""
    values = {}
    if frames:
        values["crops"] = [item(number, CROPS[number]) for number in frames]
    if sound:
        values["samples"] = [item(sound, SOUND[np.newaxis, slice(*sound)])]
    if text:
        ids = np.array(TEXTS[text])
        values |= {"ids": [item(text, ids)], "ids_mask": [item(text, np.ones_like(ids))]}
    mask = (bool(frames), bool(sound), bool(text))
    return values | {"present": [item(mask, np.array([mask], np.float32))]}


def uncached(values: Values, sessions) -> dict[str, np.ndarray]:
    """The same by hand, every frame by itself, nothing remembered."""
    found = {name: items[0].make() for name, items in values.items()}
    video, audio, text = np.zeros((1, 1, 5), np.float32), np.zeros((1, 1, 2), np.float32), np.zeros((1, 4), np.float32)
    if "crops" in values:
        frames = [sessions["video_frame"].run({"crops": i.make()[None]})["frame_features"] for i in values["crops"]]
        video = sessions["video_sequence"].run({"frame_features": np.concatenate(frames)[None]})["video"]
    if "samples" in values:
        audio = sessions["audio"].run({"samples": found["samples"]})["audio"]
    if "ids" in values:
        text = sessions["text"].run({"ids": found["ids"], "ids_mask": found["ids_mask"]})["text"]
    return sessions["fusion"].run({"video": video, "audio": audio, "text": text, "present": found["present"]})


WINDOWS = [
    window(range(8), (0, 1000), "one"),
    window(range(2, 10), (250, 1250), "one"),
    window(range(2, 10), (250, 1250), "two"),
    window(range(20, 28), (250, 1250), "one"),  # another face, the same sound
    window((), (500, 1500), "two"),
    window(range(4, 12), None, "two"),
    window(range(4, 12), (500, 1503)),
    window((11,), None, None),
    window((7, 6, 5), (0, 1000), "long"),  # another order
    window((), None, "one"),
    window((3, 3, 3), (8, 16), "one"),  # one picture several times
]


def test_the_whole_equals_running_everything_uncached(plan, graphs, sessions):
    executor = Executor(plan, graphs, sessions)
    for values in WINDOWS * 2:
        got, wanted = executor.run(values), uncached(values, sessions)
        for name in ("logits", "weights"):
            np.testing.assert_allclose(got[name], wanted[name], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kept", [Kept(frames=1, others=1), Kept(frames=3, others=1)])
def test_a_memory_that_is_too_small_costs_time_and_nothing_else(plan, graphs, sessions, kept):
    executor = Executor(plan, graphs, sessions, kept)
    for values in WINDOWS * 2:
        np.testing.assert_allclose(executor.run(values)["logits"], uncached(values, sessions)["logits"], atol=1e-5)


def test_only_new_frames_are_computed_and_in_one_call(plan, graphs, sessions):
    executor = Executor(plan, graphs, sessions)
    for frames in (range(8), range(2, 10), range(2, 10), range(10, 13)):
        executor.run(window(frames))
    assert sessions["video_frame"].batches == [8, 2, 3]


def test_a_picture_that_comes_twice_in_a_window_is_computed_once(plan, graphs, sessions):
    Executor(plan, graphs, sessions).run(window((4, 4, 4)))
    assert sessions["video_frame"].batches == [1]


def test_a_text_is_encoded_when_it_changes(plan, graphs, sessions):
    executor = Executor(plan, graphs, sessions)
    for text in ("one", "one", "two", "two", "one"):
        executor.run(window(range(3), (0, 100), text))
    assert len(sessions["text"].batches) == 2


def test_two_faces_share_the_sound_of_a_window(plan, graphs, sessions):
    executor = Executor(plan, graphs, sessions)
    executor.run(window(range(3), (0, 100)))
    executor.run(window(range(20, 23), (0, 100)))
    assert (len(sessions["audio"].batches), len(sessions["video_sequence"].batches)) == (1, 2)


def test_a_frame_is_not_even_prepared_when_it_is_known(plan, graphs, sessions):
    executor = Executor(plan, graphs, sessions)
    executor.run(window(range(3)))

    def never() -> np.ndarray:
        raise AssertionError("prepared again")

    executor.run(window(range(3)) | {"crops": [Item(number, never) for number in range(3)]})


def test_stages_of_absent_modalities_do_not_run(plan, graphs, sessions):
    Executor(plan, graphs, sessions).run(window((), (0, 100)))
    assert {name: len(session.batches) for name, session in sessions.items()} == {
        "video_frame": 0,
        "video_sequence": 0,
        "audio": 1,
        "text": 0,
        "fusion": 1,
    }


@pytest.mark.parametrize("missing", ["ids", "ids_mask"])
def test_a_modality_with_a_missing_part_is_absent(plan, graphs, sessions, missing):
    values = {name: items for name, items in window((), (0, 100), "one").items() if name != missing}
    Executor(plan, graphs, sessions).run(values)
    assert sessions["text"].batches == []


def test_a_modality_without_any_frame_is_absent(plan, graphs, sessions):
    Executor(plan, graphs, sessions).run(window((), (0, 100)) | {"crops": []})
    assert sessions["video_frame"].batches == []


def test_what_is_absent_is_zeros_of_the_declared_shape(plan, graphs, sessions):
    outputs = Executor(plan, graphs, sessions).run(window((), (0, 100)))
    np.testing.assert_array_equal(outputs["video"], np.zeros((1, 1, 5), np.float32), strict=True)


def test_an_absent_modality_is_not_taken_for_one_that_was_there(plan, graphs, sessions):
    executor = Executor(plan, graphs, sessions)
    with_text = executor.run(window((), (0, 100), "one"))["logits"]
    without = executor.run(window((), (0, 100)))["logits"]
    again = executor.run(window((), (0, 100), "one"))["logits"]
    assert np.abs(with_text - without).max() > 0.1
    np.testing.assert_array_equal(with_text, again)


def test_a_window_stage_may_read_absent_frames(graphs, sessions):
    stages = (
        Stage("video_frame", "video_frame", "frame", ("crops",), ("frame_features",), ("video",)),
        Stage("video_sequence", "video_sequence", "window", ("frame_features",), ("video",)),
    )
    outputs = Executor(Plan((Source("crops", "video", "frame"),), stages), graphs, sessions).run({})
    np.testing.assert_array_equal(outputs["video"], np.zeros((1, 1, 5), np.float32))


def test_a_window_stage_may_read_frames_as_they_came(graphs):
    class Mean:
        def run(self, inputs):
            return {"text": inputs["crops"].mean(axis=(1, 2, 3))}

    stage = Stage("mean", "text", "window", ("crops",), ("text",), ("video",))
    plan = Plan((Source("crops", "video", "frame"),), (stage,))
    got = Executor(plan, graphs, {"text": Mean()}).run(window(range(5)))["text"]
    np.testing.assert_allclose(got, CROPS[:5].mean(axis=(0, 1, 2))[np.newaxis], atol=1e-6)


def test_a_conversation_is_read_once(graphs, sessions):
    sources = (Source("ids", "text", "conversation"), Source("ids_mask", "text", "conversation"))
    stage = Stage("text", "text", "conversation", ("ids", "ids_mask"), ("text",), ("text",))
    executor = Executor(Plan(sources, (stage,)), graphs, sessions)
    for _ in range(3):
        executor.run({name: items for name, items in window((), None, "one").items() if name != "present"})
    assert len(sessions["text"].batches) == 1


def test_memory_is_bounded(plan, graphs, sessions):
    executor = Executor(plan, graphs, sessions, Kept(frames=10, others=4))
    for start in range(30):
        executor.run(window(range(start, start + 8), (start, start + 100), "one"))
    assert {name: len(known) for name, known in executor._known.items()} == {
        "video_frame": 10,
        "video_sequence": 4,
        "audio": 4,
        "text": 1,
        "fusion": 4,
    }


def test_the_frames_of_the_last_window_are_the_ones_that_are_kept(plan, graphs, sessions):
    executor = Executor(plan, graphs, sessions, Kept(frames=8))
    for start in range(10):
        executor.run(window(range(start, start + 8)))
    assert sessions["video_frame"].batches == [8] + [1] * 9


def test_timing_counts_what_really_ran(plan, graphs, sessions):
    executor = Executor(plan, graphs, sessions)
    for _ in range(3):
        executor.run(window(range(3), (0, 100), "one"))
    timing = executor.timing
    assert {name: times["calls"] for name, times in timing.items()} == dict.fromkeys(sessions, 1)
    assert all(0 < times["p50_ms"] <= times["total_ms"] for times in timing.values())


def test_a_stage_that_never_ran_has_taken_no_time(plan, graphs, sessions):
    assert Executor(plan, graphs, sessions).timing["text"] == {"calls": 0, "total_ms": 0.0, "p50_ms": 0.0}


def test_a_session_may_use_its_output_buffer_again(plan, graphs, sessions):
    class Reusing:
        def __init__(self, session) -> None:
            self.session = session
            self.buffers = {}

        def run(self, inputs):
            outputs = self.session.run(inputs)
            for name, array in outputs.items():
                self.buffers.setdefault((name, array.shape), np.empty_like(array))[:] = array
            return {name: self.buffers[name, array.shape] for name, array in outputs.items()}

    executor = Executor(plan, graphs, {name: Reusing(session) for name, session in sessions.items()})
    for values in WINDOWS * 2:
        np.testing.assert_allclose(executor.run(values)["logits"], uncached(values, sessions)["logits"], atol=1e-5)
