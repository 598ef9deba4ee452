"""The two networks, each trained as its papers say it was and kept on disk."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf
from pathlib import Path

import numpy as np
import torch
from collapses.learn import Course, Learner, learn
from collapses.repvgg import RepVgg, custom_l2, decayed_alone
from collapses.stills import LABELS, Stills
from collapses.vit import Vit
from torch import Tensor, nn
from torch.optim import SGD, AdamW

from mmer.edge.errors import SettingError
from mmer.training.repvgg import fused

WATCHED = 20
"""Of so many training stills one is left out, to watch by; nothing is chosen by it."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a network comes about."""

    build: Callable[[], nn.Module]
    learner: Callable[[nn.Module, Course], Learner]
    course: Course
    finished: Callable[[nn.Module], nn.Module]
    """Turns what was trained into what is exported."""


def of_vit(network: nn.Module, course: Course) -> Learner:
    """Adam with weight decay apart from the gradient."""
    return Learner(network, AdamW(network.parameters(), lr=course.rate, weight_decay=course.decay), _nothing)


def of_repvgg(network: nn.Module, course: Course) -> Learner:
    """SGD with momentum; kernels decay by the authors' penalty, norms and biases not at all."""
    alone = decayed_alone(network)
    kept = {id(p) for p in alone}
    rest = [p for p in network.parameters() if id(p) not in kept]
    groups = [{"params": alone, "weight_decay": course.decay}, {"params": rest, "weight_decay": 0.0}]
    optimiser = SGD(groups, lr=course.rate, momentum=0.9)
    return Learner(network, optimiser, lambda: 0.5 * course.decay * custom_l2(network))


VIT = Course(epochs=8, batch=64, rate=1e-3, decay=0.0, warmup=0.05, precision=torch.float32, clip_norm=1.0)
REPVGG = Course(epochs=6, batch=64, rate=0.1, decay=1e-2, warmup=0.02, precision=torch.bfloat16, clip_norm=inf)
"""The paper's decay is 1e-4 over 120 epochs of ImageNet, about 600,000 steps that begin at the same rate. What decay
does in all goes by rate times decay times steps: 6 there, 2.4 here; with 1e-4 it would be 0.02."""

RECIPES: Mapping[str, Recipe] = {
    "vit": Recipe(lambda: Vit(len(LABELS)), of_vit, VIT, nn.Module.eval),
    "repvgg": Recipe(lambda: RepVgg(len(LABELS)), of_repvgg, REPVGG, fused),
}


def learned(name: str, stills: Stills, keep: Path) -> nn.Module:
    """Return a network as it is exported; one that is kept already is not trained again.

    Raises `SettingError` for one that was trained otherwise.
    """
    recipe, path = RECIPES[name], keep / f"{name}.pt"
    torch.manual_seed(recipe.course.seed)
    network = recipe.build()
    if not path.exists():
        watched = np.arange(len(stills.names)) % WATCHED == 0
        learner = recipe.learner(network, recipe.course)
        learn(learner, stills.where(~watched), stills.where(watched), recipe.course)
        keep.mkdir(parents=True, exist_ok=True)
        torch.save({"course": repr(recipe.course), "weights": network.state_dict()}, path)
    kept = torch.load(path, weights_only=True)
    if kept["course"] != repr(recipe.course):
        raise SettingError(f"{path} was trained with other settings; give --keep another folder")
    network.load_state_dict(kept["weights"])
    return recipe.finished(network.eval()).to(memory_format=torch.contiguous_format)


def _nothing() -> Tensor:
    return torch.zeros(())
