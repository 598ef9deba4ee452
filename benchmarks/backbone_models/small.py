"""A backbone at a small size and of unlike channels, with inputs to calibrate it with and others to judge it by."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from backbone_models.materials import Materials
from backbone_models.outliers import uneven
from backbone_models.size import SMALL
from backbone_models.zoo import BACKBONES, TOLD_APART, built, exported

from mmer.edge.tensors import Tensors

_APART = 1000
"""Between the seeds of inputs that are told apart and of those that are quantised by."""


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """A graph and what it is given."""

    name: str
    content: bytes
    inputs: Sequence[Tensors]
    fresh: Sequence[Tensors]


def small(name: str, seed: int, samples: int = 48, fresh: int = 24) -> Subject:
    """Build and export one of `BACKBONES`."""
    backbone = BACKBONES[name]
    told_apart = backbone.draw(Materials(None, seed + _APART), TOLD_APART, SMALL)
    model = built(backbone, SMALL, told_apart, partial(uneven, seed=seed))
    drawn = backbone.draw(Materials(None, seed), samples + fresh, SMALL)
    content = exported(backbone, model, drawn[0]).SerializeToString()
    return Subject(name, content, drawn[:samples], drawn[samples:])
