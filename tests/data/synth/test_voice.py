import numpy as np
import pytest

from mmer.data.synth.emotion import Prosody
from mmer.data.synth.phones import utter
from mmer.data.synth.speaker import Voice
from mmer.data.synth.voice import RATE_HZ, Delivery, speak

VOICE = Voice(pitch_hz=120, tract=1.0, range_st=0.0, rate=1.0, level_db=-24, tilt_db=0, breath=0)


def spoken(text: str, **changes: float) -> np.ndarray:
    rng = np.random.default_rng(0)
    return speak(utter(text, 1.0, 2.0, rng), Delivery(VOICE, Prosody(**changes), hiss_db=60), 2.0, rng)


def spectrum(samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.fft.rfftfreq(len(samples), 1 / RATE_HZ), np.abs(np.fft.rfft(samples)) ** 2


def pitch_hz(samples: np.ndarray) -> float:
    likeness = np.fft.irfft(spectrum(samples)[1])
    return RATE_HZ / (40 + int(np.argmax(likeness[40:250])))


def level_db(samples: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(samples**2)))


def test_the_clip_is_as_long_as_asked():
    assert spoken("river").shape == (2 * RATE_HZ,)


@pytest.mark.parametrize("semitones", [-3.0, 0.0, 6.0])
def test_the_pitch_is_what_was_asked(semitones):
    assert pitch_hz(spoken("aoaoaoao", pitch_st=semitones)) == pytest.approx(120 * 2 ** (semitones / 12), rel=0.1)


def test_the_level_is_what_was_asked():
    assert level_db(spoken("aoaoaoao", level_db=-6)) == pytest.approx(-30, abs=0.5)


def test_an_s_hisses_where_an_o_does_not():
    share = []
    for text in ("soso", "oo"):
        frequency, power = spectrum(spoken(text))
        share.append(power[frequency > 4500].sum() / power.sum())
    assert share[0] > 20 * share[1]


def test_a_shouted_clip_does_not_clip():
    assert np.abs(spoken("aoaoaoao", level_db=20)).max() <= 1.0
