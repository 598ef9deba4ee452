"""Resampling and levels against closed forms, each with its tolerance."""

import numpy as np
import pytest
from numpy.typing import NDArray

from mmer.edge.errors import DataError, SettingError
from mmer.edge.inputs.audio import LEVELS, AudioInput, Resampler, resample


def tone(frequency_hz: float, rate_hz: int, length_s: float = 2.0) -> NDArray[np.float32]:
    time_s = np.arange(int(length_s * rate_hz)) / rate_hz
    return np.sin(2 * np.pi * frequency_hz * time_s).astype(np.float32)


def noise(count: int, loudness: float = 0.1) -> NDArray[np.float32]:
    return (np.random.default_rng(3).standard_normal(count) * loudness).astype(np.float32)


def level_db(samples: NDArray[np.float32]) -> float:
    """Level of the middle, where the filter has settled; a full-scale tone has 0 dB."""
    middle = samples[2000:-2000].astype(float)
    return float(10 * np.log10(2 * np.mean(middle**2) + 1e-30))


def test_a_tone_above_the_new_band_is_below_minus_120_db() -> None:
    assert level_db(resample(tone(4500, 48_000), 48_000, 8_000)) < -120


def test_a_tone_inside_the_new_band_keeps_its_level_within_0_001_db() -> None:
    assert abs(level_db(resample(tone(3500, 48_000), 48_000, 8_000))) < 0.001


@pytest.mark.parametrize(("from_hz", "to_hz"), [(48_000, 8_000), (44_100, 16_000), (11_025, 8_000), (8_000, 16_000)])
def test_a_resampled_tone_is_the_tone_at_the_new_rate_within_1e_5(from_hz: int, to_hz: int) -> None:
    got, wanted = resample(tone(440, from_hz), from_hz, to_hz), tone(440, to_hz)
    np.testing.assert_allclose(got[500:-500], wanted[500:-500], rtol=0, atol=1e-5)


def test_a_click_stays_in_its_place_within_a_hundredth_of_a_sample() -> None:
    click = np.zeros(48_000, np.float32)
    click[24_003] = 1
    got = resample(click, 48_000, 8_000).astype(float)
    centre = np.sum(got * np.arange(len(got))) / np.sum(got)
    assert abs(centre - 24_003 / 6) < 0.01


def test_equal_rates_change_nothing() -> None:
    samples = noise(100)
    np.testing.assert_array_equal(resample(samples, 16_000, 16_000), samples)


@pytest.mark.parametrize("piece", [1, 7, 1024, 50_000])
@pytest.mark.parametrize(("from_hz", "to_hz"), [(48_000, 8_000), (44_100, 16_000), (8_000, 16_000), (8_000, 8_000)])
def test_pieces_give_the_same_samples_as_the_whole(piece: int, from_hz: int, to_hz: int) -> None:
    samples, stream = noise(20_000), Resampler(from_hz, to_hz)
    pieces = [stream.push(samples[i : i + piece]) for i in range(0, len(samples), piece)]
    np.testing.assert_array_equal(np.concatenate([*pieces, stream.flush()]), resample(samples, from_hz, to_hz))


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf, 3e38])
def test_broken_samples_stay_finite(broken: float) -> None:
    samples = noise(5_000)
    samples[100] = broken
    assert np.isfinite(resample(samples, 48_000, 8_000)).all()


@pytest.mark.parametrize("from_hz", [0, 1, 2**31])
def test_an_impossible_rate_is_refused(from_hz: int) -> None:
    with pytest.raises(DataError, match="cannot be resampled"):
        resample(noise(10), from_hz, 8_000)


def test_stereo_is_refused() -> None:
    with pytest.raises(DataError, match="mono"):
        Resampler(48_000, 8_000).push(noise(10).reshape(5, 2))


@pytest.mark.parametrize("loudness", [0.3, 1e-2, 1e-3])
def test_layernorm_is_wav2vec2s_rule_within_1e_5_even_for_quiet_speech(loudness: float) -> None:
    samples = noise(8_000, loudness) + np.float32(loudness)
    audio = AudioInput(level="layernorm", max_samples=8_000).arrays(samples, 8_000)
    wide = samples.astype(float)
    wanted = (wide - wide.mean()) / np.sqrt(wide.var() + 1e-7)
    assert audio is not None
    np.testing.assert_allclose(audio.values, wanted, rtol=0, atol=1e-5)


def test_peak_brings_the_loudest_sample_to_1_within_1e_4() -> None:
    audio = AudioInput(level="peak", max_samples=8_000).arrays(noise(8_000), 8_000)
    assert audio is not None
    assert np.abs(audio.values).max() == pytest.approx(1, abs=1e-4)


def test_rms_brings_the_mean_square_to_1_within_1e_4() -> None:
    audio = AudioInput(level="rms", max_samples=8_000).arrays(noise(8_000), 8_000)
    assert audio is not None
    assert np.mean(np.square(audio.values)) == pytest.approx(1, abs=1e-4)


def test_the_level_is_that_of_the_sound_before_it_is_cut() -> None:
    loud_end = np.concatenate([noise(4_000, 0.01), noise(4_000, 0.5)])
    constants = {"level": "peak", "eps": 1e-12}
    whole = AudioInput(max_samples=8_000, **constants).arrays(loud_end, 8_000)  # type: ignore[arg-type]
    cut = AudioInput(max_samples=4_000, **constants).arrays(loud_end, 8_000)  # type: ignore[arg-type]
    assert whole is not None
    assert cut is not None
    np.testing.assert_array_equal(cut.values, whole.values[:4_000])


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("constant", [0.0, 0.5])
def test_no_level_makes_silence_or_a_constant_infinite(level: str, constant: float) -> None:
    audio = AudioInput(level=level).arrays(np.full(8_000, constant, np.float32), 8_000)
    assert audio is not None
    assert np.isfinite(audio.values).all()


@pytest.mark.parametrize("level", LEVELS)
def test_silence_stays_silent(level: str) -> None:
    audio = AudioInput(level=level).arrays(np.zeros(8_000, np.float32), 8_000)
    assert audio is not None
    assert not audio.values.any()


def test_sound_is_padded_on_the_right_up_to_the_length_of_the_model() -> None:
    samples = noise(48_000)
    audio = AudioInput().arrays(samples, 48_000)
    assert audio is not None
    assert (audio.values.shape, int(audio.mask.sum()), bool(audio.mask[:8_000].all())) == ((83_426,), 8_000, True)


def test_left_padding_puts_the_sound_last() -> None:
    samples = noise(300)
    audio = AudioInput(max_samples=1_000, pad="left").arrays(samples, 8_000)
    assert audio is not None
    np.testing.assert_array_equal(audio.values, np.concatenate([np.zeros(700, np.float32), samples]))


def test_masked_values_are_the_sound() -> None:
    samples = noise(300)
    audio = AudioInput(max_samples=1_000, pad="left").arrays(samples, 8_000)
    assert audio is not None
    np.testing.assert_array_equal(audio.values[audio.mask], samples)


@pytest.mark.parametrize(("heard", "length"), [(1, 400), (400, 400), (401, 800), (900, 1_000), (2_000, 1_000)])
def test_steps_bound_the_padding_of_short_sound(heard: int, length: int) -> None:
    audio = AudioInput(max_samples=1_000, step_samples=400).arrays(noise(heard), 8_000)
    assert audio is not None
    assert len(audio.values) == length


@pytest.mark.parametrize("count", [0, 1])
def test_sound_too_short_for_one_sample_is_no_audio(count: int) -> None:
    assert AudioInput().arrays(noise(count), 48_000) is None


@pytest.mark.parametrize(
    "wrong", [{"rate_hz": 0}, {"max_samples": 0}, {"step_samples": 83_427}, {"eps": 0.0}, {"pad": "up"}, {"level": ""}]
)
def test_impossible_constants_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(SettingError):
        AudioInput(**wrong)  # type: ignore[arg-type]
