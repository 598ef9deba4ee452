"""What is frozen stays as it is, its statistics too, and the rest learns at its own rate."""

import pytest
import torch

from mmer.edge.errors import SettingError
from mmer.training.groups import ALL, Groups
from mmer.training.optimiser import OptimiserSettings, make_optimiser
from mmer.training.train import TrainSettings, untrained


@pytest.fixture
def model():
    return untrained(TrainSettings(("happy", "sad"), preset="tiny"), []).model


def trainable(model, groups):
    with groups.frozen(model):
        return {name for name, parameter in model.named_parameters() if parameter.requires_grad}


def test_without_groups_everything_trains_at_one_rate(model):
    assert trainable(model, ALL) == {name for name, _ in model.named_parameters()}
    assert [g["lr"] for g in make_optimiser(model, OptimiserSettings(lr=0.5)).param_groups] == [0.5]


def test_a_branch_is_all_of_its_parts(model):
    found = trainable(model, Groups.of(model, ["video"], {}))
    assert {name.partition(".")[0] for name in found} == {"face", "video"}


def test_a_dotted_prefix_ends_at_a_dot(model):
    found = trainable(model, Groups.of(model, ["video.layers.0.norm"], {}))
    assert found == {"video.layers.0.norm.weight", "video.layers.0.norm.bias"}


def test_the_longest_prefix_decides_the_rate(model):
    groups = Groups.of(model, [], {"video": 0.5, "face.attention": 0.1, "face": 0.2})
    names = ("video.project.0.weight", "face.convolutions.0.weight", "face.attention.positions", "audio.project.bias")
    assert [groups.rate(name) for name in names] == [0.5, 0.2, 0.1, 1.0]


def test_each_rate_is_a_group_of_the_optimiser_and_the_frozen_are_in_none(model):
    groups = Groups.of(model, ["text", "fusion"], {"text": 0.1, "fusion.vote": 0})
    optimiser = make_optimiser(model, OptimiserSettings(lr=1.0), groups)
    assert sorted(group["lr"] for group in optimiser.param_groups) == [0.1, 1.0]
    held = {id(p) for group in optimiser.param_groups for p in group["params"]}
    names = {name for name, parameter in model.named_parameters() if id(parameter) in held}
    assert {name.rpartition(".")[0] for name in names} >= {"fusion.heads.0", "text.albert.pooler"}
    assert {name.partition(".")[0] for name in names} == {"fusion", "text"}
    assert "fusion.vote.weight" not in names


def test_only_what_trains_is_in_training_mode(model):
    Groups.of(model, ["video.layers"], {}).enter_training(model)
    learning = {name for name, module in model.named_modules() if module.training}
    assert {name.partition(".layers")[0] for name in learning} == {"", "video"}
    assert "video.layers.0.dropout" in learning
    assert "face.convolutions.1" not in learning


def test_gradients_are_wanted_everywhere_again_afterwards(model):
    with Groups.of(model, ["audio"], {}).frozen(model):
        pass
    assert all(parameter.requires_grad for parameter in model.parameters())


@pytest.mark.parametrize(("trains", "rates"), [(["vido"], {}), ([], {"video.layer": 0.1})])
def test_what_is_no_part_is_refused_with_those_there_are(model, trains, rates):
    with pytest.raises(SettingError, match="there are face, video, audio, text, fusion"):
        Groups.of(model, trains, rates)


def test_nothing_left_to_train_is_refused(model):
    with pytest.raises(SettingError, match="everything is frozen"):
        Groups.of(model, [], dict.fromkeys(("video", "audio", "text", "fusion"), 0))


def test_gradients_of_an_earlier_stage_do_not_stay(model):
    parameter = model.get_parameter("fusion.vote.weight")
    parameter.grad = torch.ones_like(parameter)
    with Groups.of(model, ["audio"], {}).frozen(model):
        assert parameter.grad is None
