"""What is made ahead is the same, in its order, and nothing of it is left behind."""

import threading
from dataclasses import replace

import numpy as np
import pytest
import torch

from mmer.training.ahead import ahead
from mmer.training.augment.settings import Augmentation
from mmer.training.compute import ComputeSettings
from mmer.training.feed import Feed, TrainData
from mmer.training.fitsettings import FitSettings
from mmer.training.train import TrainSettings, untrained


@pytest.fixture(autouse=True)
def _no_thread_is_left():
    yield
    assert "mmer-ahead" not in {thread.name for thread in threading.enumerate()}


@pytest.mark.parametrize("count", [0, 1, 3, 99])
def test_all_items_come_in_their_order(count):
    assert list(ahead(iter(range(20)), count)) == list(range(20))


def test_no_more_are_made_than_asked_for():
    made = []

    def making():
        for number in range(100):
            made.append(number)
            yield number

    items = ahead(making(), 3)
    taken = [next(items), next(items)]
    items.close()
    assert taken == [0, 1]
    assert len(made) <= 2 + 3


def test_an_error_is_raised_where_its_item_was_due():
    def failing():
        yield 1
        raise ValueError("no second")

    items = ahead(failing(), 2)
    assert next(items) == 1
    with pytest.raises(ValueError, match="no second"):
        next(items)


def test_an_interruption_ends_the_thread():
    with pytest.raises(KeyboardInterrupt):
        interrupted(ahead(iter(range(100)), 2))


def interrupted(items):
    try:
        for _ in items:
            raise KeyboardInterrupt
    finally:
        items.close()


def test_steps_made_ahead_are_the_same_bit_for_bit(synth_samples):
    reader = untrained(TrainSettings(("neutral", "happy", "sad"), preset="tiny"), ["so sad"]).reader()
    train = [sample for sample in synth_samples if sample.split == "train"][:9]
    settings = FitSettings(batch_size=4, accumulation=2, augmentation=Augmentation(), dropout=(0.3, 0.3, 0.3))
    made = replace(settings, compute=ComputeSettings(ahead=2))
    feeds = [Feed(TrainData(train, train, reader, 3), each) for each in (settings, made)]
    asked, beforehand = (list(ahead(feed.epoch(1, np.arange(9)), feed.settings.compute.ahead)) for feed in feeds)
    assert len(asked) == len(beforehand) == 3
    for parts, others in zip(asked, beforehand, strict=True):
        for part, other in zip(parts, others, strict=True):
            assert torch.equal(part.truth, other.truth)
            for name in part.batch.__slots__:
                assert torch.equal(getattr(part.batch, name), getattr(other.batch, name)), name
