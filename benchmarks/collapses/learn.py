"""A network learned from stills, with a line for every epoch."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from collapses.stills import Stills, varied
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

Penalty = Callable[[], Tensor]


@dataclass(frozen=True, slots=True)
class Course:
    """How a network is trained."""

    epochs: int
    batch: int
    rate: float
    decay: float
    warmup: float
    """Share of the steps during which the rate rises; a half cosine follows."""
    precision: torch.dtype
    clip_norm: float
    """Gradients longer than this are shortened."""
    seed: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Learner:
    """What is trained, and what its weights cost."""

    network: nn.Module
    optimiser: Optimizer
    penalty: Penalty


def learn(learner: Learner, stills: Stills, watched: Stills, course: Course) -> None:
    """Train a network; the watched stills only tell how it goes."""
    rng = np.random.default_rng(course.seed)
    steps = course.epochs * (len(stills.classes) // course.batch)
    schedule = LambdaLR(learner.optimiser, lambda step: _share(step, steps, course.warmup))
    for epoch in range(course.epochs):
        start = time.perf_counter()
        order = rng.permutation(len(stills.classes))
        loss = _epoch(learner, stills, order, course, schedule)
        right = float((logits(learner.network, watched).argmax(1) == watched.classes).mean())
        said = f"epoch {epoch + 1}: loss {loss:.3f}, watched {right:.3f}, {time.perf_counter() - start:.0f} s"
        print(said, file=sys.stderr, flush=True)


def logits(network: nn.Module, stills: Stills) -> np.ndarray:
    """Return what a network says in evaluation, `[N, K]`."""
    network.eval()
    with torch.inference_mode():
        made = [
            network(torch.from_numpy(stills.inputs(slice(at, at + 256)))) for at in range(0, len(stills.names), 256)
        ]
    return torch.cat(made).numpy()


def _epoch(learner: Learner, stills: Stills, order: np.ndarray, course: Course, schedule: LambdaLR) -> float:
    learner.network.train()
    generator = torch.Generator().manual_seed(int(order[0]))
    losses = []
    for at in range(0, len(order) - course.batch + 1, course.batch):
        places = order[at : at + course.batch]
        x = varied(torch.from_numpy(stills.inputs(places)), generator)
        with torch.autocast("cpu", course.precision, enabled=course.precision != torch.float32):
            said = learner.network(x.to(memory_format=torch.channels_last))
        loss = nn.functional.cross_entropy(said.float(), torch.from_numpy(stills.classes[places]))
        learner.optimiser.zero_grad()
        (loss + learner.penalty()).backward()
        nn.utils.clip_grad_norm_(learner.network.parameters(), course.clip_norm)
        learner.optimiser.step()
        schedule.step()
        losses.append(loss.item())
    return float(np.mean(losses))


def _share(step: int, steps: int, warmup: float) -> float:
    rising = warmup * steps
    if step < rising:
        return (step + 1) / (rising + 1)
    return 0.5 * (1 + float(np.cos(np.pi * (step - rising) / (steps - rising))))
