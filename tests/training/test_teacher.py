"""A teacher of words tells of lines that it has not learned from, and a network that follows it learns that."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from mmer.edge.errors import SettingError
from mmer.training.batch import Output
from mmer.training.objective import LossSettings, Objective
from mmer.training.recording import Recording
from mmer.training.samples import Sample
from mmer.training.teacher import taught

WORDS = ("the table is here", "what a wonderful day", "everybody left and I cry")
SILENCE = Recording(0.0, 0.0, np.zeros(0), np.zeros((0, 48, 48, 3), np.uint8), np.zeros(0, np.float32))


def told(labels=None):
    """Lines whose words tell their class, unless other labels are given."""
    own = [n % 3 for n in range(60)] if labels is None else labels
    return [Sample(SILENCE, f"{WORDS[n % 3]} {n}", label, "", "train", "") for n, label in enumerate(own)]


def right(samples):
    beliefs = np.array([sample.beliefs for sample in samples])
    return np.mean(beliefs.argmax(1) == [sample.label for sample in samples])


def test_it_knows_what_words_tell():
    samples = taught(told(), 3, seed=0)
    np.testing.assert_allclose(np.sum([sample.beliefs for sample in samples], 1), 1, atol=1e-6)
    assert right(samples) > 0.9


def test_it_does_not_repeat_what_it_was_told():
    noise = np.random.default_rng(0).integers(0, 3, 60).tolist()
    assert right(taught(told(noise), 3, seed=0)) < 0.55


def test_the_same_seed_gives_the_same_beliefs():
    first, second, other = (taught(told(), 3, seed) for seed in (1, 1, 2))
    assert first[5].beliefs == second[5].beliefs != other[5].beliefs


def test_a_class_that_it_never_met_is_believed_of_nobody():
    assert {sample.beliefs[3] for sample in taught(told(), 4, seed=0)} == {0.0}


def test_it_asks_for_words():
    with pytest.raises(SettingError, match=r"have no words for a teacher of words; set loss\.taught to 0"):
        taught([replace(sample, text="") for sample in told()], 3, seed=0)


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (told([1] * 12), "class"),
        (told([0, 1]), "."),
        ([replace(sample, text="?") for sample in told()], "empty vocabulary"),
    ],
)
def test_lines_that_teach_nothing_are_refused_in_a_line(lines, reason):
    with pytest.raises(SettingError, match=rf"^.*{reason}.*; set loss\.taught=0$"):
        taught(lines, 3, seed=0)


def test_beliefs_count_by_their_share_of_the_loss():
    output = Output(torch.tensor([[1.0, 0.0]]), {}, torch.ones(1, 3))
    labels, beliefs = torch.tensor([0]), torch.tensor([[0.25, 0.75]])

    def loss(share):
        settings = LossSettings("cross_entropy", weights="none", taught=share)
        return Objective(settings, torch.tensor([1, 1]), 0.0)(output, labels, beliefs).item()

    logs = torch.tensor([1.0, 0.0]).log_softmax(0)
    assert loss(0.0) == pytest.approx(-logs[0].item())
    assert loss(1.0) == pytest.approx(-(0.25 * logs[0] + 0.75 * logs[1]).item())
    assert loss(0.4) == pytest.approx(0.6 * loss(0.0) + 0.4 * loss(1.0))
