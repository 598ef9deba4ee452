"""A session that does not compute the same twice: plans that differ in one graph share what lies before it."""

import hashlib

import numpy as np

from mmer.edge.backends.session import Session
from mmer.edge.pipeline.recent import Recent
from mmer.edge.tensors import Tensors

_KEPT = 8
"""Answers: as many as there are plans at work on one window, or nearly."""


class Memo:
    """Remembers the latest answers of another session; whoever gets them must not change them."""

    def __init__(self, session: Session) -> None:
        self.inputs = session.inputs
        self.outputs = session.outputs
        self._session = session
        self._known: Recent[Tensors] = Recent(_KEPT)

    def run(self, inputs: Tensors) -> Tensors:
        """Compute all outputs, unless these inputs were met a moment ago."""
        key = _key(inputs)
        found = self._known.get(key)
        if found is None:
            found = {name: array.copy() for name, array in self._session.run(inputs).items()}
            self._known.put(key, found)
        return found


def _key(inputs: Tensors) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    for name, array in sorted(inputs.items()):
        digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.digest()
