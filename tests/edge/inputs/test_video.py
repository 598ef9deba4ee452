"""Frames against the formula in float64, Pillow's grey and the published constants."""

import numpy as np
import pytest
from numpy.typing import NDArray

from mmer.edge.errors import SettingError
from mmer.edge.inputs.video import VideoInput

CAFES = VideoInput()
MFER = VideoInput(
    size=224, margin=33, max_frames=25, grey=True, scale=1 / 255, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)
)


def crops(count: int, size: int = 48) -> list[NDArray[np.uint8]]:
    rng = np.random.default_rng(7)
    return list(rng.integers(0, 256, (count, size, size, 3), np.uint8))


def test_every_level_of_every_channel_is_the_formula_in_float64_rounded_once() -> None:
    ramp = np.arange(48 * 48, dtype=np.uint8).reshape(48, 48)
    got = CAFES.frames([np.stack([ramp, ramp, ramp], axis=-1)])
    wanted = np.stack([(ramp.astype(float) - m) / s for m, s in ((159, 37), (111, 33), (102, 32))])
    np.testing.assert_array_equal(got[0], wanted.astype(np.float32))


def test_every_pixel_of_the_imagenet_variant_is_within_1e_6_of_the_formula_in_float64() -> None:
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    [crop] = crops(1)
    got = VideoInput(scale=1 / 255, mean=mean, std=std).frames([crop])
    wanted = np.stack([(crop[..., c].astype(float) / 255 - mean[c]) / std[c] for c in range(3)])
    np.testing.assert_allclose(got[0], wanted, rtol=0, atol=1e-6)


def test_grey_is_the_luma_of_itu_601_within_half_a_level() -> None:
    [crop] = crops(1, 224)
    levels = (MFER.frames([crop])[0].astype(float) * 0.5 + 0.5) * 255
    luma = crop.astype(float) @ [0.299, 0.587, 0.114]
    np.testing.assert_allclose(levels, np.broadcast_to(luma, levels.shape), rtol=0, atol=0.502)


def test_grey_equals_pillows() -> None:
    image = pytest.importorskip("PIL.Image")
    [crop] = crops(1, 224)
    levels = np.rint((MFER.frames([crop])[0, 0] * 0.5 + 0.5) * 255)
    np.testing.assert_array_equal(levels, np.asarray(image.fromarray(crop).convert("L")))


def test_frames_keep_the_order_of_the_crops() -> None:
    several = crops(3)
    np.testing.assert_array_equal(CAFES.frames(several)[2], CAFES.frames(several[2:])[0])


def test_frames_are_contiguous_float32_for_a_graph() -> None:
    frames = CAFES.frames(crops(2))
    assert (frames.dtype, frames.shape, frames.flags.c_contiguous) == (np.float32, (2, 3, 48, 48), True)


def test_missing_frames_are_zeros_outside_the_mask() -> None:
    video = CAFES.arrays(crops(3))
    assert video is not None
    assert video.mask.tolist() == [True] * 3 + [False] * 5
    assert not video.values[3:].any()


def test_masked_values_are_the_frames() -> None:
    several = crops(3)
    video = CAFES.arrays(several)
    assert video is not None
    np.testing.assert_array_equal(video.values[video.mask], CAFES.frames(several))


def test_no_face_is_no_video() -> None:
    assert CAFES.arrays([]) is None


def test_a_crop_of_another_size_is_refused() -> None:
    with pytest.raises(SettingError, match=r"\(64, 64, 3\)"):
        CAFES.frames(crops(1, 64))


def test_more_crops_than_the_model_reads_are_refused() -> None:
    with pytest.raises(SettingError, match="9 crops"):
        CAFES.arrays(crops(9))


def test_few_crops_are_all_chosen_in_order_of_time() -> None:
    assert CAFES.choose([2.0, 0.5, 1.0], 0.0, 4.0) == [1, 2, 0]


def test_chosen_crops_lie_within_half_a_sampling_period_of_an_even_spread() -> None:
    times = np.arange(0, 4, 0.2)
    chosen = times[CAFES.choose(list(times), 0.0, 4.0)]
    np.testing.assert_allclose(chosen, 0.25 + 0.5 * np.arange(8), rtol=0, atol=0.1)


def test_choice_follows_time_and_not_arrival() -> None:
    times = list(np.arange(0, 4, 0.2))
    forward = [times[i] for i in CAFES.choose(times, 0.0, 4.0)]
    assert [times[::-1][i] for i in CAFES.choose(times[::-1], 0.0, 4.0)] == forward


def test_crops_bunched_at_the_end_still_fill_the_model() -> None:
    assert len(set(CAFES.choose([3.9 + i / 1000 for i in range(20)], 0.0, 4.0))) == 8


def test_a_window_that_hops_by_an_eighth_shares_seven_of_eight_choices() -> None:
    times = [round(i / 10, 3) for i in range(50)]
    first = CAFES.choose(times[:40], 0.0, 4.0)
    second = [5 + i for i in CAFES.choose(times[5:45], 0.5, 4.5)]
    assert first[1:] == second[:-1]


@pytest.mark.parametrize(
    "wrong",
    [{"size": 0}, {"size": 100_000}, {"max_frames": 0}, {"rate_hz": float("nan")}, {"std": (1.0, 0.0, 1.0)}],
)
def test_impossible_constants_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(SettingError, match="not within"):
        VideoInput(**wrong)  # type: ignore[arg-type]


def test_a_margin_as_large_as_the_picture_is_refused():
    with pytest.raises(SettingError, match="margin is 48"):
        VideoInput(size=48, margin=48)
