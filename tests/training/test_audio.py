"""Sound is encoded as if it had been alone, however its batch is padded."""

from copy import deepcopy

import pytest
import torch
from torch import nn

from mmer.edge.errors import SettingError
from mmer.edge.inputs.audio import AudioInput
from mmer.training.audio import FRONTS, AudioSettings, audio_encoder, refuse_unheard
from mmer.training.confidence import confidence_filter
from mmer.training.convolution import ConvNorm
from mmer.training.masked import MaskedBatchNorm
from mmer.training.waveform import MIN_SAMPLES

LENGTHS = (MIN_SAMPLES, 2000, 4807, 6000)


@pytest.fixture(scope="module", params=FRONTS)
def encoder(request):
    torch.manual_seed(0)
    summary = request.param == "mel"
    settings = AudioSettings(request.param, channels=2, recurrent_layers=2, heads=2, width=8, summary=summary)
    model = audio_encoder(settings, confidence_filter("both", 16, 4))
    for norm in model.modules():
        if isinstance(norm, nn.BatchNorm1d):
            norm.running_mean.normal_()
            norm.running_var.uniform_(0.5, 2.0)
            nn.init.normal_(norm.bias)
    return model.eval()


def padded(sounds, to):
    samples, mask = torch.full((len(sounds), to), 3.0), torch.zeros(len(sounds), to, dtype=torch.bool)
    for row, sound in enumerate(sounds):
        samples[row, : len(sound)] = sound
        mask[row, : len(sound)] = True
    return samples, mask


@torch.no_grad()
@pytest.mark.parametrize("to", [6000, 9001])
def test_padding_changes_nothing(encoder, to):
    sounds = [torch.randn(length) for length in LENGTHS]
    together = encoder(*padded(sounds, to))
    for row, sound in enumerate(sounds):
        alone = encoder(sound.unsqueeze(0))
        steps = alone.values.shape[1]
        assert together.mask[row].sum() == steps
        torch.testing.assert_close(together.values[row, :steps], alone.values[0], atol=1e-5, rtol=0)
        torch.testing.assert_close(together.confidence[row, :steps], alone.confidence[0], atol=1e-5, rtol=0)


@torch.no_grad()
def test_what_is_too_short_ends_in_silence(encoder):
    sound = torch.randn(500)
    short = encoder(*padded([sound], MIN_SAMPLES))
    silent = encoder(nn.functional.pad(sound, (0, MIN_SAMPLES - 500)).unsqueeze(0))
    torch.testing.assert_close(short.values, silent.values, atol=1e-5, rtol=0)


@torch.no_grad()
def test_the_shortest_sound_gives_one_step(encoder):
    assert encoder(torch.randn(1, MIN_SAMPLES)).values.shape == (1, 1, 8)


@torch.no_grad()
@pytest.mark.parametrize(("front", "rate_hz", "steps"), [("waveform", 8_000, 81), ("mel", 16_000, 130)])
def test_the_published_length_gives_so_many_steps(front, rate_hz, steps):
    sound = torch.randn(1, rate_hz * 83_426 // 8_000)
    assert FRONTS[front](AudioSettings(front, channels=2))(sound, None)[0].shape == (1, steps, 16)


@torch.no_grad()
def test_a_batch_of_one_clip_can_be_trained_on(encoder):
    training = deepcopy(encoder).train()
    assert training(*padded([torch.randn(6000)], 6000)).values.isfinite().all()


def test_a_front_refuses_sound_at_another_rate():
    with pytest.raises(SettingError, match=r"16000 Hz.*, or take --preset small"):
        refuse_unheard(AudioSettings("mel"), AudioInput(rate_hz=8_000))
    refuse_unheard(AudioSettings("waveform"), AudioInput(rate_hz=8_000))


@pytest.mark.parametrize(("front", "samples", "steps"), [("waveform", 83_426, 81), ("mel", 166_852, 130)])
def test_a_branch_has_room_for_the_steps_of_the_longest_sound(front, samples, steps):
    longest = AudioInput(rate_hz=16_000, max_samples=samples)
    with pytest.raises(SettingError, match=rf"--model-set audio\.max_steps={steps}$"):
        refuse_unheard(AudioSettings(front, max_steps=steps - 1), longest)
    refuse_unheard(AudioSettings(front, max_steps=steps), longest)


def test_statistics_are_those_of_valid_steps():
    x = torch.randn(2, 3, 5)
    mask = torch.tensor([[True] * 5, [True] * 2 + [False] * 3])
    masked, plain = MaskedBatchNorm(3), nn.BatchNorm1d(3)
    expected = plain(x.transpose(1, 2)[mask])
    normed = masked(x, mask)
    torch.testing.assert_close(normed.transpose(1, 2)[mask], expected, atol=1e-5, rtol=0)
    torch.testing.assert_close(masked.running_var, plain.running_var)
    torch.testing.assert_close(masked.running_mean, plain.running_mean)
    assert (normed.transpose(1, 2)[~mask] == 0).all()


def test_a_strided_convolution_counts_steps_as_torch_does():
    layer = ConvNorm(nn.Conv1d(1, 2, 160, 4))
    for length in (160, 163, 164, 1000):
        x, lengths = layer(torch.zeros(1, 1, length), torch.tensor([length]))
        assert lengths.item() == x.shape[2]
