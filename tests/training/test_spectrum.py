"""What the fixed part of the mel front says about sounds whose answer is known."""

import numpy as np
import pytest
import torch

from mmer.training.spectrum import FRAME, HOP, PITCH, RATE_HZ, Voice, mel_bank

BANDS = 40


@pytest.fixture(scope="module")
def voice():
    return Voice(BANDS)


def buzz(hz, length_s=0.5):
    """Return a tone with overtones, as a voice has them, at a level of 1."""
    time = torch.arange(int(length_s * RATE_HZ)) / RATE_HZ
    tones = sum(torch.sin(2 * torch.pi * number * hz * time) / number for number in range(1, 9))
    return (tones / tones.square().mean().sqrt()).unsqueeze(0)


def middle(found):
    return found[0, :, found.shape[2] // 2]


@pytest.mark.parametrize("hz", [90.0, 160.0, 240.0, 400.0])
def test_the_pitch_of_a_voice_is_heard(voice, hz):
    loose, voiced = middle(voice(buzz(hz), None)[0])[-PITCH:][[0, 2]]
    place = 2 * np.log(hz / 500) / np.log(500 / 75) + 1
    assert loose > 0.7
    assert voiced.item() == pytest.approx(2 * place, abs=0.1)


def test_noise_is_not_voiced(voice):
    noise = torch.randn(1, RATE_HZ, generator=torch.Generator().manual_seed(0))
    assert voice(noise, None)[0][0, -PITCH].mean() < 0


def test_levels_do_not_tell_of_the_microphone(voice):
    sound = buzz(150.0)
    quiet = torch.cat([sound * 0.3, sound], 1)
    before = voice(quiet, None)[0][:, :-PITCH]
    after = voice(2 * quiet, None)[0][:, :-PITCH]
    loud = before[0, :, -10:].amax(1) > 0
    assert loud.any()
    assert (after - before)[0].abs().mean() < 0.05


def test_the_power_is_that_of_a_transform():
    samples = torch.randn(1, FRAME * 3, generator=torch.Generator().manual_seed(1))
    voice = Voice(BANDS)
    waves = torch.nn.functional.conv1d(samples.unsqueeze(1), voice.kernels, stride=HOP)
    real, imaginary = waves[0, :, 0].chunk(2)
    window = torch.hann_window(FRAME)
    expected = torch.fft.rfft(samples[0, :FRAME] * window).abs().square()[: len(real)] / (FRAME / 4)
    torch.testing.assert_close(real.square() + imaginary.square(), expected, atol=1e-4, rtol=1e-4)


def test_every_band_hears_something():
    bank = mel_bank(64)
    assert bank.sum(axis=1) == pytest.approx(np.ones(64))
