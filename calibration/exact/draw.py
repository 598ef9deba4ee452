"""Small graphs by seed: one to six layers, float or with Q/DQ, as exported or as people change files afterwards."""

from dataclasses import dataclass

import numpy as np
import onnx
from onnx import helper, shape_inference

from mmer.calibration.exact.layers import LAYERS
from mmer.calibration.exact.levels import levelled
from mmer.calibration.exact.sketch import Sketch, Wire
from mmer.edge.tensors import Tensors

_OPSETS = (18, 19, 20, 21)


@dataclass(frozen=True, slots=True, eq=False)
class Drawing:
    """A graph and what it is given."""

    model: onnx.ModelProto
    inputs: Tensors


def draw(seed: int, *, levels: bool) -> Drawing:
    """Return the drawing of a seed, `levels` for one with Q/DQ."""
    rng = np.random.default_rng(seed)
    sharing = float(rng.choice([0.0, 0.0, 0.8]))
    sketch = Sketch(rng, sharing, aliased=bool(rng.random() < 0.5), biased=bool(rng.random() < 0.8))
    given = Wire("x", _shape(rng))
    made = given
    for _ in range(rng.integers(1, 7)):
        layers = LAYERS[len(made.shape)]
        layer = layers[rng.integers(len(layers))]
        made = sketch.repeated(layer, made) if rng.random() < 0.25 else layer(sketch, made)
    model = sketch.model([given], [made], int(rng.choice(_OPSETS)))
    x = rng.normal(rng.choice([0.0, 0.5]), 1, given.shape) * sketch.size(-2, 1.5)
    inputs = {"x": x.astype(np.float32)}
    model = levelled(model, inputs, rng) if levels else model
    return Drawing(_described(model, rng), inputs)


def _shape(rng: np.random.Generator) -> tuple[int, ...]:
    batch = int(rng.choice([1, 2, 3]))
    if rng.random() < 0.2:
        return batch, int(rng.integers(2, 17))
    if rng.random() < 0.55:
        return batch, int(rng.choice([1, 2, 4, 7, 11])), int(rng.choice([2, 4, 8, 16]))
    size = int(rng.choice([1, 4, 6, 7]))
    return batch, int(rng.choice([1, 2, 3, 8])), size, size


def _described(model: onnx.ModelProto, rng: np.random.Generator) -> onnx.ModelProto:
    """Return a model with inner shapes: none, right, or those of the batch that it was exported with."""
    how = rng.choice(["bare", "right", "rebatched", "free"], p=[0.4, 0.25, 0.15, 0.2])
    if how == "bare":
        return model
    if rng.random() < 0.5:  # some exporters describe weights too
        described = [helper.make_tensor_value_info(t.name, t.data_type, t.dims) for t in model.graph.initializer]
        model.graph.value_info.extend(described)
    if how == "right":
        return shape_inference.infer_shapes(model)
    batch = model.graph.input[0].type.tensor_type.shape.dim[0].dim_value
    exported = _rebatched(model, batch + 1 if how == "rebatched" else "N")
    return _rebatched(shape_inference.infer_shapes(exported), batch if how == "rebatched" else "N")


def _rebatched(model: onnx.ModelProto, batch: int | str) -> onnx.ModelProto:
    """Return a model whose inputs and outputs state another batch, as editing a file does it."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    for value in (*copy.graph.input, *copy.graph.output):
        first = value.type.tensor_type.shape.dim[0]
        if isinstance(batch, int):
            first.dim_value = batch
        else:
            first.dim_param = batch
    return copy
