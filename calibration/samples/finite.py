"""Whether samples hold numbers only, before anything is computed from them."""

import numpy as np

from mmer.edge.errors import DataError
from mmer.edge.tensors import Tensors


class NotFiniteError(DataError):
    """A sample holds NaN or infinity."""

    def __init__(self, sample: str, name: str, count: int) -> None:
        super().__init__(f"{sample}: {name} holds {count} value(s) that are not finite; mend or drop this sample")


def require_finite(sample: Tensors, title: str) -> None:
    """Raise `NotFiniteError`, naming the sample, for NaN or infinity in it."""
    for name, array in sample.items():
        if array.dtype.kind == "f" and (wrong := int((~np.isfinite(array)).sum())):
            raise NotFiniteError(title, name, wrong)
