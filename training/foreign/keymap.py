"""From the names under which others keep parameters to ours, and from their forms to ours."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor, nn

Reading: TypeAlias = Callable[[str, Tensor], Mapping[str, Tensor]]
"""From a name below a module and its tensor to names below our module; empty for a name that it does not know."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the parameters of one of their modules go."""

    ours: str
    read: Reading


@dataclass(frozen=True, slots=True)
class KeyMap:
    """All of a system's modules, by their names."""

    places: Mapping[str, Place]
    unread: Mapping[str, str]
    """Modules that no answer depends on, and why."""

    def translated(self, state: Mapping[str, Tensor]) -> "Translation":
        """Return everything in a state dict under our names."""
        values: dict[str, Tensor] = {}
        unread, unmapped = [], []
        for name, tensor in state.items():
            if any(above in self.unread for above in _above(name)):
                unread.append(name)
            elif found := self._found(name, tensor):
                values |= found
            else:
                unmapped.append(name)
        return Translation(values, tuple(unread), tuple(unmapped))

    def _found(self, name: str, tensor: Tensor) -> Mapping[str, Tensor]:
        for above in _above(name):
            if place := self.places.get(above):
                parts = place.read(name[len(above) + 1 :], tensor)
                return {f"{place.ours}.{rest}" if rest else place.ours: part for rest, part in parts.items()}
        return {}


@dataclass(frozen=True, slots=True)
class Translation:
    """A state dict in our names."""

    values: Mapping[str, Tensor]
    unread: tuple[str, ...]
    """Their names of what is known not to matter."""
    unmapped: tuple[str, ...]
    """Their names of what nothing is known about."""


def same(rest: str, tensor: Tensor) -> Mapping[str, Tensor]:
    """Read a module whose parameters are called as ours."""
    return {rest: tensor}


def attention(rest: str, tensor: Tensor) -> Mapping[str, Tensor]:
    """Read a `torch.nn.MultiheadAttention`, which keeps query, key and value as one matrix."""
    module, _, kind = rest.rpartition(".")
    if module == "out_proj":
        return {f"out.{kind}": tensor}
    if rest in {"in_proj_weight", "in_proj_bias"} and tensor.ndim and len(tensor) % 3 == 0:
        kind = rest.removeprefix("in_proj_")
        return {f"{name}.{kind}": part for name, part in zip(("query", "key", "value"), tensor.chunk(3), strict=True)}
    return {}


def repvgg(rest: str, tensor: Tensor) -> Mapping[str, Tensor]:
    """Read a block of RepVGG's reference code: three branches, or fused to one convolution (`rbr_reparam`).

    A fused one becomes the 3x3 branch behind a norm that changes nothing; the others weigh 0 and could grow.
    """
    branch, _, kind = rest.partition(".")
    if branch == "rbr_reparam":
        return _fused(kind, tensor)
    ours = _BRANCHES.get(f"{branch}.{kind.rpartition('.')[0]}")
    return {f"{ours}.{rest.rpartition('.')[2]}": tensor} if ours else {}


_BRANCHES = {
    "rbr_dense.conv": "dense",
    "rbr_dense.bn": "dense_norm",
    "rbr_1x1.conv": "point",
    "rbr_1x1.bn": "point_norm",
    "rbr_identity.": "identity_norm",
}


def _fused(kind: str, tensor: Tensor) -> Mapping[str, Tensor]:
    if kind == "bias" and tensor.ndim == 1:
        return {"dense_norm.bias": tensor}
    if kind != "weight" or tensor.ndim != 4:
        return {}
    wide, narrow = tensor.shape[:2]
    zero, one, least = (torch.tensor(value).expand(wide) for value in (0.0, 1.0, 1.0 - nn.BatchNorm2d(1).eps))
    values = {
        "dense.weight": tensor,
        "dense_norm.weight": one,
        "dense_norm.running_mean": zero,
        "dense_norm.running_var": least,
        "point.weight": tensor[:, :, 1:2, 1:2],
    }
    for norm in ("point_norm", *(["identity_norm"] if wide == narrow else [])):
        zeros = dict.fromkeys((f"{norm}.weight", f"{norm}.bias", f"{norm}.running_mean"), zero)
        values |= {**zeros, f"{norm}.running_var": one}
    return values


def _above(name: str) -> Iterator[str]:
    """Yield the name and the modules that it is in, the innermost first."""
    while name:
        yield name
        name = name.rpartition(".")[0]
