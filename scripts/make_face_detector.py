"""Make the face detector's three graphs from the weights inside the PyPI package `mtcnn` 1.0.0.

Run once, by hand; the result is committed. The package itself is never installed or imported:

    pip download mtcnn==1.0.0 --no-deps -d /tmp
    pip install numpy onnx onnxruntime lz4
    python scripts/make_face_detector.py /tmp/mtcnn-1.0.0-py3-none-any.whl edge/assets/faces

The graphs read bytes, `pixels` `[N, H, W, 3]`, and give the probability of a face instead of two softmax values.
They are written for ONNX Runtime's blocked convolutions: on a 384x216 picture the proposal network takes 5.4 ms in
place of the 13.6 ms of a literal translation (one thread, same run). What changes, exactly in real arithmetic:

- (x - 127.5) / 128 is folded into the first convolution, which has no padding, and the softmax into a sigmoid;
- PReLU(x) with slopes a becomes x + relu((a - 1) x), whose parts keep the blocked layout that PRelu would undo;
- the proposal network pools before its first PReLU, so that it acts on a quarter of the values (`_pooled_prelu`).

Before anything is written each graph is compared with the original layers computed in float64.
"""

import hashlib
import io
import json
import pickle
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, TypeAlias

import lz4.frame
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from mmer.edge.backends.ort import OrtSession

Array: TypeAlias = NDArray[np.float64]

SOURCES = {
    "pnet": "ea6b0c3e685ebee3165326ad6484acc95f2ef78f1c94fbf40a55704fa989f7b5",
    "rnet": "cb00e6460f3c98b0bfafaba3c0a0ded4bdf6e62cee7174d969e8670d7e757fee",
    "onet": "94f6ea2f4cf985275ee958cdd762d17b6009348a4fb9d8c6be39ba73ffd22ca3",
}
HEADS = {"pnet": ("offsets", "scores"), "rnet": ("offsets", "scores"), "onet": ("offsets", "landmarks", "scores")}
WIDTHS = {"offsets": 4, "landmarks": 10, "scores": 1}
POOLS = {  # after each convolution: window and whether Keras pads ("same") at the end
    "pnet": ((2, True), None, None),
    "rnet": ((3, True), (3, False), None),
    "onet": ((3, True), (3, False), (2, True), None),
}
SIZES = {"pnet": (61, 84), "rnet": (24, 24), "onet": (48, 48)}
TOLERANCE = 1e-5  # on probabilities and on offsets in units of the box


class _StoredArray:
    """joblib's `NumpyArrayWrapper`: its state describes an array whose bytes follow in the stream."""

    stream: BinaryIO
    values: Array

    def __setstate__(self, state: dict[str, object]) -> None:
        shape, dtype = state["shape"], state["dtype"]
        if state["order"] != "C" or dtype != np.dtype("<f4") or not isinstance(shape, tuple):
            raise SystemExit(f"an array of {dtype} in order {state['order']} is not what mtcnn 1.0.0 holds")
        self.stream.read(self.stream.read(1)[0])  # joblib aligns the bytes: a length, then as much filling
        count = int(np.prod(shape))
        self.values = np.frombuffer(self.stream.read(4 * count), "<f4").reshape(shape).astype(np.float64)


class _ArrayUnpickler(pickle.Unpickler):
    """Admits float arrays and nothing else."""

    def find_class(self, module: str, name: str) -> object:
        allowed: dict[str, type] = {
            "joblib.numpy_pickle.NumpyArrayWrapper": _StoredArray,
            "numpy.ndarray": np.ndarray,
            "numpy.dtype": np.dtype,
        }
        if f"{module}.{name}" not in allowed:
            raise SystemExit(f"the weights ask for {module}.{name}: refused")
        return allowed[f"{module}.{name}"]


def read_weights(wheel: zipfile.ZipFile, name: str) -> list[Array]:
    """Return a network's arrays in Keras order and layout, from bytes of the known digest only."""
    packed = wheel.read(f"mtcnn/assets/weights/{name}.lz4")
    if hashlib.sha256(packed).hexdigest() != SOURCES[name]:
        raise SystemExit(f"{name}.lz4 is not the file of mtcnn 1.0.0")
    _StoredArray.stream = io.BytesIO(lz4.frame.decompress(packed))
    return [stored.values for stored in _ArrayUnpickler(_StoredArray.stream).load()]


class Graph:
    """Nodes and constants in the order they are added."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []

    def add(self, operator: str, *inputs: str, **attributes: int | list[int]) -> str:
        """Append a node and return the name of its output."""
        name = f"{operator.lower()}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, inputs, [name]))
        self._nodes[-1].attribute.extend(helper.make_attribute(key, value) for key, value in sorted(attributes.items()))
        return name

    def constant(self, values: Array | NDArray[np.int64]) -> str:
        """Append a constant, floats as float32."""
        name = f"constant_{len(self._constants)}"
        kind = np.int64 if values.dtype == np.int64 else np.float32
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(values, kind), name))
        return name

    def model(self, name: str, heads: dict[str, str]) -> onnx.ModelProto:
        """Return the checked model; `heads` maps tensors to the names of the outputs."""
        for tensor, head in heads.items():
            self._nodes.append(helper.make_node("Identity", [tensor], [head]))
        sides, cells = (("H", "W"), ("h", "w")) if name == "pnet" else (SIZES[name], ())
        pixels = helper.make_tensor_value_info("pixels", TensorProto.UINT8, ["N", *sides, 3])
        outputs = [
            helper.make_tensor_value_info(head, TensorProto.FLOAT, ["N", WIDTHS[head], *cells])
            for head in heads.values()
        ]
        graph = helper.make_graph(self._nodes, name, [pixels], outputs, self._constants)
        opset = helper.make_opsetid("", 18)
        model = helper.make_model(graph, opset_imports=[opset], ir_version=10, producer_name="make_face_detector")
        onnx.checker.check_model(model, full_check=True)
        return model


def build(name: str, weights: Sequence[Array]) -> onnx.ModelProto:
    """Return the graph of one network."""
    graph = Graph()
    x = graph.add("Transpose", graph.add("Cast", "pixels", to=TensorProto.FLOAT), perm=[0, 3, 1, 2])
    for layer, pool in enumerate(POOLS[name]):
        kernel, bias, slopes = weights[3 * layer : 3 * layer + 3]
        kernel, slopes = kernel.transpose(3, 2, 0, 1), slopes.ravel()
        if layer == 0:
            kernel, bias = kernel / 128, bias - kernel.sum((1, 2, 3)) * 127.5 / 128
        if name == "pnet" and layer == 0:
            x = _pooled_prelu(graph, x, kernel, bias, slopes)
            continue
        if name == "pnet" and layer == 1:  # the channels that _pooled_prelu leaves behind
            kernel = np.pad(kernel, [(0, 0), (0, int((weights[2] < 0).sum())), (0, 0), (0, 0)])
        x = graph.add("Conv", x, graph.constant(kernel), graph.constant(bias))
        x = _pool(graph, _prelu(graph, x, slopes.reshape(1, -1, 1, 1)), pool)
    rest = weights[3 * len(POOLS[name]) :]
    return graph.model(name, _proposal_heads(graph, x, rest) if name == "pnet" else _dense_heads(graph, x, rest, name))


def _prelu(graph: Graph, x: str, slopes: Array) -> str:
    if slopes.max() <= 1:
        part = graph.add("Relu", graph.add("Mul", x, graph.constant(slopes - 1)))
    else:
        part = graph.add("Relu", graph.add("Mul", x, graph.constant(np.full_like(slopes, -1))))
        part = graph.add("Mul", part, graph.constant(1 - slopes))
    return graph.add("Add", x, part)


def _pool(graph: Graph, x: str, pool: tuple[int, bool] | None) -> str:
    if pool is None:
        return x
    window, padded = pool
    pads = [0, 0, int(padded), int(padded)]
    return graph.add("MaxPool", x, kernel_shape=[window, window], strides=[2, 2], pads=pads)


def _pooled_prelu(graph: Graph, x: str, kernel: Array, bias: Array, slopes: Array) -> str:
    """Add convolution, pooling and PReLU, in this order.

    A PReLU of positive slope grows with x, so pooling may come first. With a < 0 it is max(x, a x): a further channel
    holds a x, pools it too, and the larger of the two is p + relu(q - p). The 6 further channels are free, because
    10 and 16 channels fill the same block of 16.
    """
    negative = np.flatnonzero(slopes < 0)
    width, total = len(slopes), len(slopes) + len(negative)
    kernel = np.concatenate([kernel, slopes[negative, None, None, None] * kernel[negative]])
    bias = np.concatenate([bias, slopes[negative] * bias[negative]])
    pooled = _pool(graph, graph.add("Conv", x, graph.constant(kernel), graph.constant(bias)), (2, True))
    below, share = np.zeros((total, total)), np.zeros((total, total))
    below[range(width), range(width)] = -1
    below[negative, range(width, total)] = 1
    share[range(width), range(width)] = np.where(slopes < 0, 1, 1 - slopes)
    part = graph.add("Relu", graph.add("Conv", pooled, graph.constant(below[:, :, None, None])))
    return graph.add("Add", graph.add("Conv", part, graph.constant(share[:, :, None, None])), pooled)


def _proposal_heads(graph: Graph, x: str, rest: Sequence[Array]) -> dict[str, str]:
    offsets, offsets_bias, classes, classes_bias = rest
    kernel = np.concatenate([offsets, classes[..., 1:] - classes[..., :1]], axis=-1).transpose(3, 2, 0, 1)
    bias = np.concatenate([offsets_bias, classes_bias[1:] - classes_bias[:1]])
    x = graph.add("Conv", x, graph.constant(kernel), graph.constant(bias))
    cut = [graph.constant(np.array([edge])) for edge in (0, 4, 5, 1)]
    logit = graph.add("Slice", x, cut[1], cut[2], cut[3])
    return {graph.add("Slice", x, cut[0], cut[1], cut[3]): "offsets", graph.add("Sigmoid", logit): "scores"}


def _dense_heads(graph: Graph, x: str, rest: Sequence[Array], name: str) -> dict[str, str]:
    kernel, bias, slopes, *heads = rest
    x = graph.add("Flatten", graph.add("Transpose", x, perm=[0, 3, 2, 1]))  # Keras permutes to W, H, C
    x = _prelu(graph, graph.add("Gemm", x, graph.constant(kernel), graph.constant(bias)), slopes.reshape(1, -1))
    *regressions, (classes, classes_bias) = zip(heads[::2], heads[1::2], strict=True)
    tensors = [graph.add("Gemm", x, graph.constant(k), graph.constant(b)) for k, b in regressions]
    difference, offset = classes[:, 1:] - classes[:, :1], classes_bias[1:] - classes_bias[:1]
    tensors.append(graph.add("Sigmoid", graph.add("Gemm", x, graph.constant(difference), graph.constant(offset))))
    return dict(zip(tensors, HEADS[name], strict=True))


def original(name: str, weights: Sequence[Array], pixels: NDArray[np.uint8]) -> list[Array]:
    """Compute the layers as Keras defines them, in float64; a dense head is a 1x1 convolution of one pixel."""
    x = (pixels.astype(np.float64) - 127.5) / 128
    for layer, pool in enumerate(POOLS[name]):
        kernel, bias, slopes = weights[3 * layer : 3 * layer + 3]
        x = _original_pool(_original_prelu(_original_conv(x, kernel, bias), slopes), pool)
    rest = list(weights[3 * len(POOLS[name]) :])
    if name != "pnet":
        x = x.transpose(0, 2, 1, 3).reshape(len(x), 1, 1, -1)
        x = _original_prelu(_original_conv(x, rest[0][None, None], rest[1]), rest[2])
        rest = [w[None, None] if w.ndim == 2 else w for w in rest[3:]]
    outputs = [_original_conv(x, kernel, bias) for kernel, bias in zip(rest[::2], rest[1::2], strict=True)]
    odds = np.exp(outputs[-1])
    return [*outputs[:-1], (odds / odds.sum(axis=-1, keepdims=True))[..., 1:]]


def _original_conv(x: Array, kernel: Array, bias: Array) -> Array:
    windows = np.lib.stride_tricks.sliding_window_view(x, kernel.shape[:2], axis=(1, 2))
    summed: Array = np.einsum("nhwcij,ijco->nhwo", windows, kernel, optimize=True) + bias
    return summed


def _original_prelu(x: Array, slopes: Array) -> Array:
    return np.where(x > 0, x, slopes * x)


def _original_pool(x: Array, pool: tuple[int, bool] | None) -> Array:
    if pool is None:
        return x
    window, padded = pool
    beyond = [0 if not padded else max(0, (-(-side // 2) - 1) * 2 + window - side) for side in x.shape[1:3]]
    x = np.pad(x, [(0, 0), (0, beyond[0]), (0, beyond[1]), (0, 0)], constant_values=-np.inf)
    windows = np.lib.stride_tricks.sliding_window_view(x, (window, window), axis=(1, 2))[:, ::2, ::2]
    largest: Array = windows.max(axis=(-2, -1))
    return largest


def deviation(name: str, weights: Sequence[Array], model: bytes) -> float:
    """Return the largest difference between a graph and the original network on noise."""
    pixels = np.random.default_rng(0).integers(0, 256, (5, *SIZES[name], 3), np.uint8)
    actual = OrtSession.open(model).run({"pixels": pixels})
    expected = original(name, weights, pixels)
    aligned = [
        e.transpose(0, 3, 1, 2).reshape(actual[head].shape) for head, e in zip(HEADS[name], expected, strict=True)
    ]
    return max(float(np.abs(actual[head] - e).max()) for head, e in zip(HEADS[name], aligned, strict=True))


def main(wheel_path: Path, folder: Path) -> None:
    """Write graphs, digests and the licence; stop before writing when a graph deviates."""
    digests = {}
    with zipfile.ZipFile(wheel_path) as wheel:
        for name in SOURCES:
            weights = read_weights(wheel, name)
            model = build(name, weights).SerializeToString(deterministic=True)
            error = deviation(name, weights, model)
            print(f"{name}: {len(model)} bytes, largest deviation {error:.1e}")
            if error > TOLERANCE:
                raise SystemExit(f"{name} deviates by {error:.1e}, allowed {TOLERANCE:.0e}")
            (folder / f"{name}.onnx").write_bytes(model)
            digests[f"{name}.onnx"] = hashlib.sha256(model).hexdigest()
        (folder / "LICENSE").write_bytes(wheel.read("mtcnn-1.0.0.dist-info/LICENSE"))
    (folder / "digests.json").write_text(json.dumps(digests, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
