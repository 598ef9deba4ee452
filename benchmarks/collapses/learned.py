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

from mmer.training.repvgg import fused

WATCHED = 20
"""Of so many training stills one is left out, to watch by; nothing is chosen by it."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a network comes about."""

    build: Callable[[], nn.Module]
    learner: Callable[[nn.Module], Learner]
    course: Course
    finished: Callable[[nn.Module], nn.Module]
    """Turns what was trained into what is exported."""


def of_vit(network: nn.Module) -> Learner:
    """Adam without weight decay."""
    return Learner(network, torch.optim.AdamW(network.parameters(), lr=1e-3, weight_decay=0.0), _nothing)


DECAY = 1e-2
"""The paper has 1e-4 over 120 epochs of ImageNet, about 600,000 steps that begin at the same rate. What decay does in
all goes by rate times decay times steps: 6 there, 2.4 here; with 1e-4 it would be 0.02."""


def of_repvgg(network: nn.Module) -> Learner:
    """SGD with momentum; kernels decay by the authors' penalty, norms and biases not at all."""
    alone = decayed_alone(network)
    kept = {id(p) for p in alone}
    rest = [p for p in network.parameters() if id(p) not in kept]
    groups = [{"params": alone, "weight_decay": DECAY}, {"params": rest, "weight_decay": 0.0}]
    optimiser = torch.optim.SGD(groups, lr=0.1, momentum=0.9)
    return Learner(network, optimiser, lambda: 0.5 * DECAY * custom_l2(network))


RECIPES: Mapping[str, Recipe] = {
    "vit": Recipe(lambda: Vit(len(LABELS)), of_vit, Course(8, 64, 0.05, torch.float32, 1.0), nn.Module.eval),
    "repvgg": Recipe(lambda: RepVgg(len(LABELS)), of_repvgg, Course(6, 64, 0.02, torch.bfloat16, inf), fused),
}


def learned(name: str, stills: Stills, keep: Path) -> nn.Module:
    """Return a network as it is exported; one that is kept already is not trained again."""
    recipe, path = RECIPES[name], keep / f"{name}.pt"
    torch.manual_seed(recipe.course.seed)
    network = recipe.build()
    if not path.exists():
        watched = np.arange(len(stills.names)) % WATCHED == 0
        learn(recipe.learner(network), stills.where(~watched), stills.where(watched), recipe.course)
        keep.mkdir(parents=True, exist_ok=True)
        torch.save(network.state_dict(), path)
    network.load_state_dict(torch.load(path, weights_only=True))
    return recipe.finished(network.eval()).to(memory_format=torch.contiguous_format)


def _nothing() -> Tensor:
    return torch.zeros(())
