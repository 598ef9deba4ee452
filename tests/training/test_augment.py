"""A varied clip strays as far as its settings allow, and no further."""

from dataclasses import replace

import numpy as np
import pytest

from mmer.edge.errors import SettingError
from mmer.training.augment import pictures, sound, words
from mmer.training.augment.effects import EFFECTS
from mmer.training.augment.pictures import SAME_PICTURES, PictureChanges
from mmer.training.augment.sound import SAME_SOUND, SoundChanges
from mmer.training.augment.words import WordChanges
from mmer.training.tokenizer import UNKNOWN


def noise(length):
    return np.random.default_rng(0).normal(0, 0.1, length).astype(np.float32)


def faces(count=12):
    return np.random.default_rng(0).integers(256, size=(count, 48, 48, 3), dtype=np.uint8)


def test_all_pictures_of_a_clip_are_mirrored_or_none():
    pixels, always = faces(), replace(SAME_PICTURES, mirror=1.0)
    assert np.array_equal(pictures.varied(pixels, always, np.random.default_rng(0)), pixels[:, :, ::-1])


def test_a_face_is_shifted_alike_in_all_crops():
    pixels = np.repeat(faces(1), 5, axis=0)
    moved = pictures.varied(pixels, replace(SAME_PICTURES, shift_px=3), np.random.default_rng(2))
    assert not np.array_equal(moved, pixels)
    assert all(np.array_equal(moved[0], crop) for crop in moved)


def test_brightness_stays_within_the_range_of_pixels():
    pixels = np.array([0, 128, 255], np.uint8).reshape(1, 1, 3, 1).repeat(3, axis=3).repeat(3, axis=1)
    lit = [pictures.varied(pixels, replace(SAME_PICTURES, brightness=1.0), np.random.default_rng(s)) for s in range(20)]
    assert all(np.all(np.diff(one[0, 0, :, 0].astype(int)) >= 0) for one in lit)


def portrait(count=3):
    """Dark on the left, bright on the right, and red."""
    ramp = np.linspace(20, 230, 48).astype(np.uint8)
    return np.broadcast_to(np.stack([ramp, ramp // 2, ramp // 3], -1), (count, 48, 48, 3)).copy()


def changed(pixels, seed=3, **limits):
    return pictures.varied(pixels, replace(SAME_PICTURES, **limits), np.random.default_rng(seed))


@pytest.mark.parametrize(
    "limit", ["turn_deg", "scale", "gamma", "coarse", "blur_px", "hidden"], ids=lambda limit: f"by {limit}"
)
def test_the_crops_of_a_clip_change_alike(limit):
    most = {"turn_deg": 30.0, "blur_px": 3.0}.get(limit, 0.8)
    pixels = np.repeat(faces(1), 3, axis=0)
    other = changed(pixels, **{limit: most})
    assert not np.array_equal(other, pixels)
    assert all(np.array_equal(other[0], crop) for crop in other)


def test_changes_that_are_off_draw_nothing():
    plain, further = np.random.default_rng(0), np.random.default_rng(0)
    pictures.varied(faces(), PictureChanges(), plain)
    pictures.varied(faces(), PictureChanges(gamma=0.5), further)
    four = np.random.default_rng(0)
    four.random(), four.uniform(), four.uniform(), four.integers(-3, 4), four.integers(-3, 4)
    assert plain.bit_generator.state == four.bit_generator.state != further.bit_generator.state


def test_a_face_turns_about_its_middle():
    pixels = np.zeros((1, 49, 49, 3), np.uint8)
    pixels[0, 24, 24], pixels[0, 24, 40] = 255, 255
    turned = [changed(pixels, seed, turn_deg=45.0)[0, :, :, 0] for seed in range(8)]
    assert all(one[24, 24] == 255 for one in turned)
    assert all(one[24, 40] < 255 for one in turned)


def test_scale_moves_the_edges_and_leaves_the_middle():
    pixels = portrait(1)[:, :, :47]
    pixels = np.ascontiguousarray(pixels[:, :47])
    scaled = [changed(pixels, seed, scale=0.3)[0, 23, :, 0].astype(int) for seed in range(8)]
    same = pixels[0, 23, :, 0].astype(int)
    assert all(abs(row[23] - same[23]) <= 1 for row in scaled)
    assert max(abs(row[5] - same[5]) for row in scaled) > 10


def test_gamma_keeps_black_and_white_and_bends_what_lies_between():
    pixels = np.array([0, 128, 255], np.uint8).reshape(1, 1, 3, 1).repeat(3, axis=3).repeat(3, axis=1)
    grey = [int(changed(pixels, seed, gamma=1.0)[0, 0, 1, 0]) for seed in range(20)]
    assert all(changed(pixels, seed, gamma=1.0)[0, 0, [0, 2], 0].tolist() == [0, 255] for seed in range(20))
    assert 64 <= min(grey) < 100
    assert 150 < max(grey) <= 181


def test_a_greyed_face_has_one_value_for_all_colours():
    other = changed(portrait(), grey=1.0)
    assert np.array_equal(other[..., 0], other[..., 1])
    assert np.array_equal(other[..., 0], other[..., 2])


@pytest.mark.parametrize("limits", [{"coarse": 0.9}, {"blur_px": 4.0}], ids=["coarse", "blurred"])
def test_a_worse_camera_sees_less_detail(limits):
    pixels = faces()
    details = [np.abs(np.diff(changed(pixels, seed, **limits).astype(int), axis=2)).mean() for seed in range(8)]
    assert min(details) < 0.4 * np.abs(np.diff(pixels.astype(int), axis=2)).mean()


def test_noise_is_a_share_of_the_range_and_new_in_each_crop():
    pixels = np.full((4, 48, 48, 3), 128, np.uint8)
    other = [changed(pixels, seed, noise=0.1).astype(int) for seed in range(8)]
    assert max(one.std() for one in other) == pytest.approx(25, abs=6)
    assert not np.array_equal(other[0][0], other[0][1])


def test_what_is_hidden_is_one_rectangle_no_larger_than_allowed():
    pixels = np.full((2, 48, 48, 3), 128, np.uint8)
    areas = [(changed(pixels, seed, hidden=0.5)[0, :, :, 0] != 128).sum() for seed in range(30)]
    assert 0 < max(areas) <= 24 * 24


def test_a_clip_without_a_face_stays_without():
    nobody = np.zeros((0, 48, 48, 3), np.uint8)
    assert changed(nobody, turn_deg=10.0, blur_px=1.0, noise=0.1, hidden=0.5).shape == nobody.shape


def test_speed_changes_the_length_within_its_bounds():
    samples = noise(8000)
    lengths = [
        len(sound.varied(samples, 8000, replace(SAME_SOUND, speed=0.2), np.random.default_rng(s))) for s in range(30)
    ]
    assert 8000 / 1.21 <= min(lengths) < 7900
    assert 8100 < max(lengths) <= 8000 / 0.79


def test_long_sound_is_cut_to_a_piece_of_itself():
    samples = noise(32000)
    piece = sound.varied(samples, 8000, replace(SAME_SOUND, longest_s=1.0), np.random.default_rng(0))
    first = int(np.flatnonzero(samples == piece[0])[0])
    assert np.array_equal(piece, samples[first : first + 8000])


def test_noise_is_a_share_of_the_sounds_level():
    samples = noise(80_000)
    noises = [
        sound.varied(samples, 8000, replace(SAME_SOUND, noise=0.5), np.random.default_rng(s)) - samples
        for s in range(9)
    ]
    shares = [noise.std() / samples.std() for noise in noises]
    assert 0 < min(shares) < max(shares) < 0.51


@pytest.mark.parametrize("name", EFFECTS)
def test_an_effect_changes_the_sound_but_neither_its_length_nor_its_kind(name):
    samples = noise(9001)
    changed = sound.varied(samples, 8000, replace(SAME_SOUND, **{name: 0.5}), np.random.default_rng(1))
    assert changed.dtype == np.float32
    assert changed.shape == samples.shape
    assert np.isfinite(changed).all()
    assert not np.allclose(changed, samples)


def test_effects_that_are_off_leave_the_other_draws_as_they_were():
    samples, rng = noise(4000), np.random.default_rng(3)
    sound.varied(samples, 8000, SoundChanges(), rng)
    other = np.random.default_rng(3)
    sound.varied(samples, 8000, SoundChanges(echo_s=0.0, notch=0.0), other)
    assert rng.random() == other.random()


def test_a_room_adds_to_a_sound_and_rings_after_it():
    click = np.zeros(8000, np.float32)
    click[100] = 1.0
    wet = EFFECTS["echo_s"](click, 0.5, 8000, np.random.default_rng(0))
    assert wet[100] == pytest.approx(1.0, abs=1e-4)
    assert np.abs(wet[:100]).max() < 1e-4
    assert np.abs(wet[101:300]).max() > 1e-3


def test_a_muffled_sound_has_nothing_above_its_limit():
    spectra = [
        np.abs(np.fft.rfft(EFFECTS["muffle"](noise(9600), 0.9, 8000, np.random.default_rng(s)))) for s in range(5)
    ]
    highest = [np.flatnonzero(spectrum > 1e-3).max() for spectrum in spectra]
    assert min(highest) >= 0.09 * 4800
    assert min(highest) < 0.7 * 4800


def test_gaps_are_silent_and_the_rest_is_left():
    samples = noise(8000)
    gapped = EFFECTS["gap_s"](samples, 0.2, 8000, np.random.default_rng(0))
    assert 0 < np.count_nonzero(gapped == 0) <= 3200
    assert np.array_equal(gapped[gapped != 0], samples[gapped != 0])


def test_lost_tokens_become_unknown_but_never_the_frame():
    ids = np.arange(10, 40)
    lost = words.varied(ids, UNKNOWN, WordChanges(1.0), np.random.default_rng(0))
    assert (lost[0], lost[-1], set(lost[1:-1].tolist())) == (10, 39, {UNKNOWN})


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        (PictureChanges, {"mirror": 1.5}),
        (PictureChanges, {"turn_deg": 200.0}),
        (SoundChanges, {"noise": -0.1}),
        (SoundChanges, {"speed": float("nan")}),
    ],
)
def test_augmentation_out_of_range_is_refused(changes, wrong):
    with pytest.raises(SettingError, match=next(iter(wrong))):
        changes(**wrong)
