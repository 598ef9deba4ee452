"""Arrays by name, the only thing that passes between stages."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from numpy.typing import NDArray

Tensors: TypeAlias = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """Name, element type and dimensions of one tensor; a `str` dimension may vary and is named."""

    name: str
    dtype: str
    """numpy's name, such as `float32`."""
    shape: tuple[int | str, ...]
