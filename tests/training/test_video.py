"""Faces become features one by one, and a sequence that padding does not touch."""

from dataclasses import replace

import pytest
import torch

from mmer.training.confidence import confidence_filter
from mmer.training.video import Levelled, VideoSettings, face_encoder, video_sequence

TINY = VideoSettings(stem=4, stages=((4, 4, 8), (8,)), projection=(32, 16), layers=2, heads=2, hidden=32)


@pytest.fixture(scope="module")
def sequence():
    torch.manual_seed(0)
    return video_sequence(TINY, confidence_filter("both", 8, 4)).eval()


def test_features_keep_the_seam():
    assert face_encoder(TINY)(torch.randn(2, 3, 48, 48)).shape == (2, 8 * 36)


@torch.no_grad()
def test_a_face_does_not_depend_on_its_neighbours():
    face, frames = face_encoder(TINY).eval(), torch.randn(3, 3, 48, 48)
    torch.testing.assert_close(face(frames)[1:2], face(frames[1:2]), atol=1e-5, rtol=0)


@torch.no_grad()
def test_padding_changes_nothing(sequence):
    features, mask = torch.randn(2, 7, 8 * 36), torch.ones(2, 7, dtype=torch.bool)
    mask[1, 3:] = False
    together = sequence(features, mask)
    alone = sequence(features[1:, :3])
    torch.testing.assert_close(together.values[1, :3], alone.values[0], atol=1e-5, rtol=0)
    torch.testing.assert_close(together.confidence[1, :3], alone.confidence[0], atol=1e-5, rtol=0)


@torch.no_grad()
def test_confidence_weighs_all_places_of_a_channel(sequence):
    features = torch.randn(1, 4, 8 * 36)
    confidence = sequence(features).confidence
    filtered = (features.view(1, 4, 8, 36) * confidence.unsqueeze(3)).flatten(2)
    x = sequence.project(filtered)
    for layer in sequence.layers:
        x = layer(x)
    torch.testing.assert_close(sequence(features).values, x)


@torch.no_grad()
def test_a_levelled_encoder_sees_no_light_and_no_contrast():
    torch.manual_seed(0)
    face, frames = face_encoder(replace(TINY, levelled=True)).eval(), torch.randn(2, 3, 48, 48)
    torch.testing.assert_close(face(frames), face(3 * frames + 5), atol=0.01, rtol=0)
    plain = face_encoder(TINY).eval()
    assert (plain(frames) - plain(3 * frames + 5)).abs().max() > 0.1


@torch.no_grad()
def test_a_flat_face_stays_flat():
    flat = Levelled()(torch.full((1, 3, 48, 48), 7.0))
    assert flat.abs().max() < 1e-3


def test_features_are_lost_in_training_alone():
    torch.manual_seed(0)
    sequence, features = video_sequence(replace(TINY, layers=0, lost=0.5), None), torch.randn(1, 4, 8 * 36)
    assert not torch.equal(sequence(features).values, sequence(features).values)
    sequence.eval()
    assert torch.equal(sequence(features).values, sequence.project(features))
