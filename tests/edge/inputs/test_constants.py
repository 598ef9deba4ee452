"""Constants to JSON and back."""

import json

import pytest

from mmer.edge.errors import BundleError
from mmer.edge.inputs.audio import AudioInput
from mmer.edge.inputs.constants import from_json, to_json
from mmer.edge.inputs.text import TextInput
from mmer.edge.inputs.video import VideoInput

MFER = VideoInput(size=224, margin=33, grey=True, scale=1 / 255, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))


@pytest.mark.parametrize("constants", [VideoInput(), MFER, AudioInput(level="rms"), TextInput(pad_token="[PAD]")])
def test_constants_survive_json(constants: VideoInput | AudioInput | TextInput) -> None:
    assert from_json(type(constants), json.loads(json.dumps(to_json(constants))), "manifest.json") == constants


def test_a_whole_number_will_do_for_a_real_one() -> None:
    assert from_json(VideoInput, to_json(VideoInput()) | {"rate_hz": 5}, "manifest.json") == VideoInput(rate_hz=5.0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"size": "48"},
        {"size": 48.0},
        {"size": True},
        {"size": None},
        {"size": 10**400},
        {"grey": 1},
        {"scale": float("nan")},
        {"scale": float("inf")},
        {"scale": 10**400},
        {"scale": True},
        {"mean": [1.0, 2.0]},
        {"mean": [1.0, 2.0, "3"]},
        {"mean": 1.0},
        {"std": [1.0, 1.0, 0.0]},
    ],
)
def test_a_value_of_the_wrong_kind_or_range_is_a_broken_bundle(wrong: dict[str, object]) -> None:
    with pytest.raises(BundleError, match=f"VideoInput: {next(iter(wrong))} is "):
        from_json(VideoInput, to_json(VideoInput()) | wrong, "manifest.json")


def test_a_missing_constant_is_named() -> None:
    data = to_json(TextInput())
    del data["max_tokens"]
    with pytest.raises(BundleError, match="TextInput lacks max_tokens"):
        from_json(TextInput, data, "manifest.json")


def test_an_unknown_constant_is_named() -> None:
    with pytest.raises(BundleError, match="AudioInput has reverb"):
        from_json(AudioInput, to_json(AudioInput()) | {"reverb": 1}, "manifest.json")


def test_what_is_not_an_object_is_refused() -> None:
    with pytest.raises(BundleError, match="not an object"):
        from_json(AudioInput, [], "manifest.json")
