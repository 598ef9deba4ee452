"""A learned network as the file that everybody starts from, and the stills that it is calibrated and judged on."""

import tempfile
import warnings
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from collapses.stills import Stills
from linear.pictures import SIDE
from numpy.typing import NDArray
from torch import Tensor, nn

INPUT, OUTPUT = "still", "scores"
OPSET = 18


@dataclass(frozen=True, slots=True, eq=False)
class Float:
    """A network in single precision, and what it may be calibrated with."""

    content: bytes
    """ONNX, for one still at a time."""
    module: nn.Module
    stills: tuple[NDArray[np.float32], ...]
    """Of the training pictures, `[1, 1, 48, 48]` each."""


class SpelledNorm(nn.Module):
    """A layer norm as exporters wrote it before opset 17 had an operator: mean, difference, square, mean, root."""

    def __init__(self, norm: nn.LayerNorm) -> None:
        super().__init__()
        self.weight, self.bias, self.eps = norm.weight, norm.bias, norm.eps

    def forward(self, x: Tensor) -> Tensor:
        """Return what the norm returns."""
        away = x - x.mean(-1, keepdim=True)
        return away / (away.pow(2).mean(-1, keepdim=True) + self.eps).sqrt() * self.weight + self.bias


def spelled(module: nn.Module) -> nn.Module:
    """Return a copy with every layer norm spelled out."""
    copy = deepcopy(module)
    for parent in list(copy.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.LayerNorm):
                setattr(parent, name, SpelledNorm(child))
    return copy


def exported(module: nn.Module, stills: Stills, count: int) -> Float:
    """Return a network in evaluation with evenly spaced stills to calibrate it with."""
    module = module.eval()
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracer tells of its end, and of every Python number in a shape
        path = Path(folder) / "float.onnx"
        torch.onnx.export(
            module,
            (torch.zeros(1, 1, SIDE, SIDE),),
            path,
            input_names=[INPUT],
            output_names=[OUTPUT],
            opset_version=OPSET,
            dynamo=False,
        )
        content = path.read_bytes()
    places = np.linspace(0, len(stills.classes) - 1, count).astype(np.int64)
    return Float(content, module, tuple(stills.inputs(places[at : at + 1]) for at in range(count)))
