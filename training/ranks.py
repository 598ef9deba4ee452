"""Several processes that train one model, each on its share of every batch, and what they do together.

A rank's loss is what its share of a batch adds, so that gradients, summed over all ranks, are those of the batch.
Whatever is a statistic of a batch goes through `total`, whose gradient reaches all ranks.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch import distributed as dist

from mmer.edge.errors import DeviceError


class PeerError(DeviceError):
    """Another process of the same training is gone."""

    def __init__(self) -> None:
        super().__init__("another process of this training ended; see what it said, then go on with --resume")


def leads() -> bool:
    """Say whether this process is the one that writes, prints and chooses."""
    return not _many() or dist.get_rank() == 0


def joined() -> bool:
    """Say whether there are other ranks that do now what this one does: they train; validation is the leader's."""
    return _many() and torch.is_grad_enabled()


@contextmanager
def leader_first() -> Iterator[None]:
    """Let the leader go alone before the others, who find in the cache what it left there."""
    if not leads():
        with _peers():
            dist.barrier()
    yield
    if _many() and leads():
        with _peers():
            dist.barrier()


def own(rows: int) -> slice:
    """Return which of so many rows are this rank's; shares differ by one row at most, and may be empty."""
    if not _many():
        return slice(0, rows)
    rank, ranks = dist.get_rank(), dist.get_world_size()
    return slice(rows * rank // ranks, rows * (rank + 1) // ranks)


def total(x: Tensor) -> Tensor:
    """Return the sum over all ranks."""
    if not joined():
        return x
    summed: Tensor = _Total.apply(x)  # type: ignore[no-untyped-call]
    return summed


def anywhere(flags: Tensor) -> bool:
    """Say whether a flag is up on any rank."""
    return bool(total(flags.any().float()) > 0)


def places(x: Tensor) -> tuple[int, int]:
    """Return how many rows all ranks have together, and how many of them come before those of this one."""
    counts = _sizes(x)
    return sum(counts), sum(counts[: dist.get_rank()])


def gathered(rows: Tensor) -> Tensor:
    """Return the rows `[M, C]` of all ranks in their order."""
    if not joined():
        return rows
    counts = _sizes(rows)
    padded = rows.new_zeros(max(counts), *rows.shape[1:])
    padded[: len(rows)] = rows
    found = [torch.empty_like(padded) for _ in counts]
    with _peers():
        dist.all_gather(found, padded)
    return torch.cat([part[:count] for part, count in zip(found, counts, strict=True)])


def sum_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Add up gradients over all ranks; a parameter that no rank used has none, as with one process."""
    if not joined():
        return
    wanted = [parameter for parameter in parameters if parameter.requires_grad]
    used = total(torch.tensor([p.grad is not None for p in wanted], dtype=torch.float32, device=wanted[0].device))
    kept = [parameter for parameter, ranks in zip(wanted, used.tolist(), strict=True) if ranks]
    gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in kept]
    if not kept:
        return
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    with _peers():
        dist.all_reduce(flat)
    for parameter, part in zip(kept, torch.split(flat, [p.numel() for p in kept]), strict=True):
        parameter.grad = part.view_as(parameter)


def align(model: nn.Module) -> None:
    """Give every rank the buffers of the leader, where mixtures were fitted."""
    if _many():
        with _peers():
            for buffer in model.buffers():
                dist.broadcast(buffer, 0)


def told(values: Sequence[float], device: torch.device) -> tuple[float, ...]:
    """Return what the leader has; the values of other ranks count for nothing but their number."""
    if not _many():
        return tuple(values)
    heard = torch.tensor(values, dtype=torch.float64, device=device)
    with _peers():
        dist.broadcast(heard, 0)
    return tuple(heard.tolist())


class _Total(torch.autograd.Function):
    """Sums over ranks; as every rank's loss depends on the sum, so does the gradient."""

    @staticmethod
    def forward(_: object, x: Tensor) -> Tensor:
        return _reduced(x)

    @staticmethod
    def backward(_: object, gradient: Tensor) -> Tensor:
        return _reduced(gradient)


def _reduced(x: Tensor) -> Tensor:
    summed = x.clone(memory_format=torch.contiguous_format)
    with _peers():
        dist.all_reduce(summed)
    return summed


def _sizes(x: Tensor) -> list[int]:
    size = torch.tensor([len(x)], device=x.device)
    found = [torch.empty_like(size) for _ in range(dist.get_world_size())]
    with _peers():
        dist.all_gather(found, size)
    return [int(part.item()) for part in found]


def _many() -> bool:
    return dist.is_available() and dist.is_initialized()


@contextmanager
def _peers() -> Iterator[None]:
    """Raise `PeerError` for what torch raises when another rank does not answer."""
    try:
        yield
    except RuntimeError as error:
        raise PeerError from error
