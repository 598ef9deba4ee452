"""Whether samples are what a graph takes, before anything is computed from them."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmer.edge.errors import DataError
from mmer.edge.tensors import Tensors, TensorSpec


class MisfitError(DataError):
    """A sample is not what the graph takes."""

    def __init__(self, sample: str, reason: str) -> None:
        super().__init__(f"{sample}: {reason}; prepare samples as for running the model")


class NotFiniteError(DataError):
    """A sample holds NaN or infinity."""

    def __init__(self, sample: str, name: str, count: int) -> None:
        super().__init__(f"{sample}: {name} holds {count} value(s) that are not finite; mend or drop this sample")


def require_fit(specs: Sequence[TensorSpec], sample: Tensors, title: str) -> None:
    """Raise `MisfitError` or `NotFiniteError`, naming the sample, unless these are the inputs of the graph."""
    if problem := next(_misfits(specs, sample), None):
        raise MisfitError(title, problem)
    require_finite(sample, title)


def require_finite(sample: Tensors, title: str) -> None:
    """Raise `NotFiniteError`, naming the sample, for NaN or infinity in it."""
    for name, array in sample.items():
        if array.dtype.kind == "f" and (wrong := int((~np.isfinite(array)).sum())):
            raise NotFiniteError(title, name, wrong)


def _misfits(specs: Sequence[TensorSpec], sample: Tensors) -> Iterator[str]:
    """Yield what keeps a graph from reading a sample."""
    wanted = {spec.name: spec for spec in specs}
    yield from (f"has no {name}, which the graph reads" for name in wanted if name not in sample)
    yield from (f"has {name!r:.80}, which the graph does not read" for name in sample if name not in wanted)
    for name, spec in wanted.items():
        array = sample[name]
        if str(array.dtype) != spec.dtype:
            yield f"{name} is {array.dtype}, the graph takes {spec.dtype}"
        if not _takes(spec, array):
            yield f"{name} has the shape {_shape(array.shape)}, the graph takes {_shape(spec.shape)}"


def _takes(spec: TensorSpec, array: NDArray[Any]) -> bool:
    """Tell whether an array has as many axes as stated, each of the stated size or, where that is free, of any."""
    sizes = zip(spec.shape, array.shape, strict=False)
    return len(spec.shape) == array.ndim and all(size > 0 and stated in (size, str(stated)) for stated, size in sizes)


def _shape(sizes: Sequence[int | str]) -> str:
    return f"[{', '.join(map(str, sizes))}]"
