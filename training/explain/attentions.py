"""Which steps attention falls on while a model answers."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from mmer.training.attention import MultiHeadAttention
from mmer.training.model import Attending


@contextmanager
def noted(attentions: Mapping[str, Attending]) -> Iterator[dict[str, NDArray[np.float64]]]:
    """Give a dictionary that the next answer to a single sample fills: `[T]` by title, mean over heads and queries."""
    found: dict[str, NDArray[np.float64]] = {}
    with ExitStack() as stack:
        for title, attending in attentions.items():

            def note(module: nn.Module, args: tuple[Tensor | None, ...], _: Tensor, title: str = title) -> None:
                assert isinstance(module, MultiHeadAttention)
                query, key, _value, mask = (*args, None)[:4]
                assert query is not None
                assert key is not None
                found[title] = module.shares(query, key, mask)[0].mean((0, 1)).double().cpu().numpy()

            handle = attending.module.register_forward_hook(note)
            stack.callback(handle.remove)
        yield found
