"""Which backbones there are: how each is built, fed and exported."""

import tempfile
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import torch
from backbone_models.lively import enliven
from backbone_models.materials import Materials
from backbone_models.networks import Builder, Weights, albert, bert, cnn_gru, repvgg, vit, wav2vec2
from backbone_models.size import Size
from torch import Tensor, nn

from mmer.edge.tensors import Tensors

Draw = Callable[[Materials, int, Size], list[Tensors]]

TOLD_APART = 48
"""Inputs, none of which anybody quantises by, that a backbone is made to tell apart."""
_OPSET = 18


@dataclass(frozen=True, slots=True)
class Backbone:
    """One network of the table."""

    name: str
    build: Builder
    draw: Draw
    free: Mapping[str, str]
    """Inputs whose second axis may vary, and its name; torch's exporter takes the rest from an example."""
    least: float
    """`CNN` or `TRANSFORMER`."""
    traced: bool = False
    """Whether torch's tracer exports it: the newer exporter unrolls a GRU and fixes its length (torch 2.13)."""


def _seen(materials: Materials, count: int, size: Size) -> list[Tensors]:
    return [{"pixels": picture} for picture in materials.faces(count, size.side)]


def _heard(rate_hz: int) -> Draw:
    return lambda materials, count, size: [{"samples": s} for s in materials.speech(count, rate_hz, size.longest_s)]


def _read(materials: Materials, count: int, size: Size) -> list[Tensors]:
    sentences = materials.sentences(count, size.words, size.tokens)
    return [{"ids": ids, "mask": np.ones_like(ids)} for ids in sentences]


_WORDS = {"ids": "T", "mask": "T"}
CNN, TRANSFORMER = 0.999, 0.995
"""Centred cosine to float that INT8 has to reach."""

BACKBONES: Mapping[str, Backbone] = {
    found.name: found
    for found in (
        Backbone("repvgg-a0", repvgg, _seen, {}, CNN),
        Backbone("cnn-bigru", cnn_gru, _heard(8000), {"samples": "N"}, CNN, traced=True),
        Backbone("albert-base", albert, _read, _WORDS, TRANSFORMER),
        Backbone("bert-base", bert, _read, _WORDS, TRANSFORMER),
        Backbone("wav2vec2-base", wav2vec2, _heard(16_000), {"samples": "N"}, TRANSFORMER),
        Backbone("vit-base-16", vit, _seen, {}, TRANSFORMER),
    )
}


def built(backbone: Backbone, size: Size, inputs: Sequence[Tensors], weights: Weights = enliven) -> nn.Module:
    """Return the network, made to tell these inputs apart."""
    torch.manual_seed(0)
    return backbone.build(size, [tensors(given) for given in inputs], weights)


def tensors(given: Tensors) -> tuple[Tensor, ...]:
    """Return a sample as torch takes it."""
    return tuple(torch.from_numpy(array) for array in given.values())


def exported(backbone: Backbone, model: nn.Module, example: Tensors) -> onnx.ModelProto:
    """Return the network as torch's exporter writes it, unchanged."""
    names, outputs = list(example), [f"output{n}" for n in range(_answers(model, example))]
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")
        path = Path(folder) / "graph.onnx"
        common = {"input_names": names, "output_names": outputs, "opset_version": _OPSET, "verbose": False}
        if backbone.traced:
            axes = {name: {1: axis} for name, axis in backbone.free.items()}
            torch.onnx.export(model, tensors(example), path, dynamo=False, dynamic_axes=axes, **common)
        else:
            dims = {axis: torch.export.Dim(axis, min=2) for axis in backbone.free.values()}
            shapes = tuple({1: dims[backbone.free[name]]} if name in backbone.free else None for name in names)
            torch.onnx.export(model, tensors(example), path, dynamo=True, dynamic_shapes=shapes, **common)
        return onnx.load(path)


def _answers(model: nn.Module, example: Tensors) -> int:
    with torch.inference_mode():
        found = model(*tensors(example))
    return len(found) if isinstance(found, tuple) else 1
