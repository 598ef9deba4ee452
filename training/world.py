"""Joining the processes that `torchrun` started, and leaving together."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import torch
from torch import distributed as dist
from torch.distributed.rendezvous import rendezvous

from mmer.edge.errors import MmerError
from mmer.training.ranks import PeerError

_PATIENCE = timedelta(days=7)
"""A rank may wait for the leader to decode a corpus; one that died is noticed at once, not by waiting."""
_FAILURES, _EXIT_CODE = "mmer/failures", "mmer/exit_code"


@contextmanager
def world() -> Iterator[None]:
    """Be one of the processes that the environment names.

    What one of them raises ends all: the first raises it on, the others leave with its exit code and say nothing.
    """
    store, rank, ranks = next(rendezvous("env://", timeout=_PATIENCE))
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")) % torch.cuda.device_count())
    dist.init_process_group(store=store, rank=rank, world_size=ranks, timeout=_PATIENCE)
    try:
        yield
    except MmerError as error:
        if isinstance(error, PeerError) and store.check([_EXIT_CODE]):
            raise SystemExit(int(store.get(_EXIT_CODE))) from error
        if store.add(_FAILURES, 1) > 1:
            raise SystemExit(error.exit_code) from error
        store.set(_EXIT_CODE, str(error.exit_code))
        raise
    finally:
        dist.destroy_process_group()
