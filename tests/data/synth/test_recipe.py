import pytest

from mmer.data.synth.recipe import SynthRecipe
from mmer.edge.errors import SettingError


@pytest.mark.parametrize(
    "setting",
    [
        {"seed": -1},
        {"speakers": 0},
        {"clips_per_class": 0},
        {"difficulty": 1.1},
        {"difficulty": float("nan")},
        {"length_s": 0.5},
        {"width": 64},
        {"height": 241},
        {"width": 240, "height": 320},
        {"rate_hz": 0},
        {"black_share": -0.1},
        {"labels": ("happy", "bored")},
        {"labels": ("happy", "happy")},
        {"labels": ("happy",)},
        {"split": (0.5, -0.5, 1.0)},
        {"split": (0.0, 0.0, 0.0)},
        {"split": (0.5, float("nan"), 0.25)},
        {"speakers": 2},
    ],
)
def test_a_setting_that_cannot_be_met_is_refused(setting):
    with pytest.raises(SettingError):
        SynthRecipe(**setting)


def test_every_split_has_speakers_of_its_own():
    assert SynthRecipe(speakers=8).splits == ("train",) * 4 + ("val",) * 2 + ("test",) * 2


def test_a_small_share_still_gets_a_speaker():
    assert SynthRecipe(speakers=4, split=(0.98, 0.01, 0.01)).splits == ("train", "train", "val", "test")


def test_a_split_of_share_zero_gets_none():
    assert set(SynthRecipe(speakers=5, split=(0.5, 0.0, 0.5)).splits) == {"train", "test"}
