"""The published sizes are published, the small ones small."""

import pytest
import torch

from mmer.training.zoo import ZOO


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.fixture(scope="module")
def published():
    with torch.device("meta"):
        return ZOO["cafes"].build(ZOO["cafes"].presets["published"], None)


@pytest.mark.parametrize(
    ("part", "parameters"),  # docs/cafes.md
    [
        ("audio.recurrent", 376_704),
        ("video.project", 12.06e6),
        ("video.layers", 12.6e6),
        ("text", 11.7e6),
        ("", 39.5e6),
    ],
)
def test_a_branch_has_its_published_size(published, part, parameters):
    assert count(published.get_submodule(part)) == pytest.approx(parameters, rel=0.01)


def test_the_fused_face_has_its_published_size(published):
    convolutions = [layer.fused() if hasattr(layer, "fused") else layer for layer in published.face.convolutions]
    assert sum(count(layer) for layer in convolutions) == pytest.approx(113e3, rel=0.01)


def test_the_published_widths_are_published(published):
    assert published.fusion.widths() == (512, 72, 768)
    assert published.audio.attention.positions.shape == (1, 81, 144)
    assert published.video.project[0].in_features == 4608


@pytest.mark.parametrize(("preset", "most"), [("small", 4e6), ("tiny", 3e5)])
def test_other_presets_are_small(preset, most):
    with torch.device("meta"):
        assert count(ZOO["cafes"].build(ZOO["cafes"].presets[preset], None)) < most
