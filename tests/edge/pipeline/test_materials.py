"""From a window to what the plan starts from."""

from dataclasses import replace

import numpy as np
import pytest

from mmer.edge.bundle.plan import Plan, Source, Stage
from mmer.edge.errors import BundleError
from mmer.edge.faces.crop import Crop
from mmer.edge.media.stream import Sound
from mmer.edge.pipeline.materials import Materials
from mmer.edge.pipeline.window import Window

RANDOM = np.random.default_rng(2)
SOUND = Sound(0.0, 8000, RANDOM.uniform(-1, 1, 800).astype(np.float32))


def crop(time_s: float, seed: int = 0) -> Crop:
    return Crop(time_s, np.random.default_rng(seed).integers(0, 256, (4, 4, 3), np.uint8))


CROPS = tuple(crop(number / 5, number) for number in range(8))


@pytest.fixture
def materials(bundle):
    return Materials.of(bundle)


def made(items) -> list[np.ndarray]:
    return [item.make() for item in items]


def test_crops_become_frames_chosen_and_normalised_as_the_bundle_says(materials, manifest):
    video = manifest.inputs.video
    got = made(materials.of_window(Window(0.0, 1.6, crops=CROPS)).values["crops"])
    chosen = video.choose([c.time_s for c in CROPS], 0.0, 1.6)
    np.testing.assert_array_equal(np.stack(got), video.frames([CROPS[i].pixels for i in chosen]))


def test_sound_keeps_its_true_length(materials):
    (got,) = made(materials.of_window(Window(0.0, 1.0, sound=SOUND)).values["samples"])
    np.testing.assert_array_equal(got, SOUND.samples[np.newaxis])


def test_text_keeps_its_true_length(materials):
    values = materials.of_window(Window(0.0, 1.0, text="the cat")).values
    assert [made(values[name])[0].tolist() for name in ("ids", "ids_mask")] == [[[2, 3]], [[1, 1]]]


@pytest.mark.parametrize(
    ("window", "mask"),
    [
        (Window(0.0, 1.0, crops=CROPS, sound=SOUND, text="cat"), [1, 1, 1]),
        (Window(0.0, 1.0, crops=CROPS), [1, 0, 0]),
        (Window(0.0, 1.0, sound=SOUND), [0, 1, 0]),
        (Window(0.0, 1.0, text="cat"), [0, 0, 1]),
        (Window(0.0, 1.0, sound=SOUND, text=" \n"), [0, 1, 0]),
    ],
)
def test_the_mask_says_what_is_there(materials, window, mask):
    material = materials.of_window(window)
    (present,) = made(material.values["present"])
    np.testing.assert_array_equal(present, np.array([mask], np.float32), strict=True)
    assert list(material.present.items()) == list(zip(("video", "audio", "text"), map(bool, mask), strict=True))


@pytest.mark.parametrize(
    "window", [Window(0.0, 1.0), Window(0.0, 1.0, text=""), Window(0.0, 1.0, sound=Sound(0.0, 8000, SOUND.samples[:0]))]
)
def test_a_window_with_nothing_in_it_is_nothing_to_look_at(materials, window):
    assert materials.of_window(window) is None


def test_sound_too_short_for_the_graph_is_no_sound(materials):
    short = Sound(0.0, 8000, SOUND.samples[:7])
    assert materials.of_window(Window(0.0, 1.0, sound=short)) is None
    assert materials.of_window(Window(0.0, 1.0, sound=short, text="cat")).present["audio"] is False


def test_a_modality_that_the_model_does_not_have_is_not_there(materials):
    deaf = replace(materials, inputs=replace(materials.inputs, audio=None, text=None), tokeniser=None)
    assert deaf.of_window(Window(0.0, 1.0, sound=SOUND, text="cat")) is None


def test_equal_pictures_have_equal_keys_and_others_do_not(materials):
    def keys(*crops: Crop) -> list[object]:
        return [item.key for item in materials.of_window(Window(0.0, 1.0, crops=crops)).values["crops"]]

    first, same, other = keys(crop(0.0, 1), crop(0.3, 1), crop(0.6, 2))
    assert (first == same, first == other) == (True, False)


def test_sounds_that_differ_in_one_sample_have_other_keys(materials):
    samples = SOUND.samples.copy()
    samples[5] += 1e-3
    keys = {
        materials.of_window(Window(0.0, 1.0, sound=Sound(0.0, 8000, s))).values["samples"][0].key
        for s in (SOUND.samples, samples)
    }
    assert len(keys) == 2


@pytest.mark.parametrize(
    "source", [Source("mel", "audio", "window"), Source("crops", "text", "frame"), Source("crops", "video", "window")]
)
def test_a_plan_that_starts_from_what_we_do_not_provide_is_refused(bundle, source):
    needs = (source.modality,)
    plan = Plan((source,), (Stage("s", "audio", "window", (source.name,), ("logits",), needs),))
    with pytest.raises(BundleError, match=f"starts from {source.name}"):
        Materials.of(replace(bundle, manifest=replace(bundle.manifest, plan=plan)))
