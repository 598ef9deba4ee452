"""Weights in a file beside their graph, which are mapped and not loaded: no process holds them twice."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from mmer.edge.errors import DataError

_FILE = "weights.bin"
_LEAST = 1 << 12
"""Smaller tensors stay in the graph: the runtime folds shapes and constants out of them."""
_ALIGNMENT = 1 << 12
_PLAIN = frozenset(
    {TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE, TensorProto.INT8, TensorProto.UINT8}
    | {TensorProto.INT32, TensorProto.INT64}
)


class WeightsError(DataError):
    """What a graph says about its weights does not fit the files beside it."""

    def __init__(self, tensor: str, reason: str) -> None:
        super().__init__(f"weight {tensor}: {reason}; export the graph again")


@dataclass(frozen=True, slots=True, eq=False)
class Weights(Mapping[str, NDArray[Any]]):
    """Initialisers by name; those that lie in a file are mapped each time, and let go with the array."""

    tensors: Mapping[str, TensorProto]
    folder: Path | None

    @classmethod
    def of(cls, tensors: Iterable[TensorProto], folder: Path | None) -> Mapping[str, NDArray[Any]]:
        """Look at initialisers; without a folder they are copied out of the graph, once."""
        if folder is None:
            return {tensor.name: numpy_helper.to_array(tensor) for tensor in tensors}
        return cls({tensor.name: tensor for tensor in tensors}, folder)

    def __getitem__(self, name: str) -> NDArray[Any]:
        """Return one, read-only where it is mapped; raise `WeightsError` when the file does not hold it."""
        tensor = self.tensors[name]
        if self.folder is None or not _lies_outside(tensor):
            return numpy_helper.to_array(tensor)
        return _mapped(tensor, self.folder)

    def __contains__(self, name: object) -> bool:
        """Tell whether there is one of this name, without looking into it."""
        return name in self.tensors

    def __iter__(self) -> Iterator[str]:
        """Yield the names."""
        return iter(self.tensors)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.tensors)


def stored(model: onnx.ModelProto, folder: Path) -> onnx.ModelProto:
    """Return a model whose large weights lie in a file of a folder, in place of one that holds them itself."""
    weights = []
    with (folder / _FILE).open("wb") as file:
        for tensor in model.graph.initializer:
            if tensor.data_type not in _PLAIN or tensor.ByteSize() < _LEAST or _lies_outside(tensor):
                weights.append(tensor)
                continue
            file.write(b"\0" * (-file.tell() % _ALIGNMENT))
            array = np.ascontiguousarray(numpy_helper.to_array(tensor))
            weights.append(_reference(tensor, file.tell(), array.nbytes))
            file.write(array.data)
    return assembled(model, model.graph.node, weights, model.graph.output)


def assembled(
    model: onnx.ModelProto,
    nodes: Iterable[onnx.NodeProto],
    weights: Iterable[TensorProto],
    outputs: Iterable[onnx.ValueInfoProto],
) -> onnx.ModelProto:
    """Return a model like another with other contents; weights are copied once, where `onnx.helper` does it twice."""
    made = onnx.ModelProto(ir_version=model.ir_version, opset_import=model.opset_import)
    made.graph.name = model.graph.name
    made.graph.input.extend(model.graph.input)
    made.graph.output.extend(outputs)
    made.graph.node.extend(nodes)
    made.graph.initializer.extend(weights)
    return made


def contained(model: onnx.ModelProto, folder: Path | None) -> onnx.ModelProto:
    """Return a model that holds its weights itself; the one given is used up."""
    for tensor in model.graph.initializer:
        if folder is not None and _lies_outside(tensor):
            array = _mapped(tensor, folder)
            del tensor.external_data[:]
            tensor.data_location = TensorProto.DEFAULT
            tensor.raw_data = array.tobytes()
    return model


def _reference(tensor: TensorProto, offset: int, length: int) -> TensorProto:
    bare = TensorProto(name=tensor.name, data_type=tensor.data_type, dims=tensor.dims)
    bare.data_location = TensorProto.EXTERNAL
    for key, value in (("location", _FILE), ("offset", offset), ("length", length)):
        bare.external_data.add(key=key, value=str(value))
    return bare


def _lies_outside(tensor: TensorProto) -> bool:
    return tensor.data_location == TensorProto.EXTERNAL


def _mapped(tensor: TensorProto, folder: Path) -> NDArray[Any]:
    stated = {entry.key: entry.value for entry in tensor.external_data}
    kind, shape = helper.tensor_dtype_to_np_dtype(tensor.data_type), tuple(tensor.dims)
    place = PurePosixPath(stated.get("location", ""))
    if place.is_absolute() or ".." in place.parts or not place.parts or tensor.data_type not in _PLAIN:
        raise WeightsError(tensor.name, "its file has to lie beside the graph and to hold plain numbers")
    try:
        offset = int(stated.get("offset", "0"))
        return np.memmap(folder / place, kind, "r", offset, shape) if 0 not in shape else np.zeros(shape, kind)
    except (OSError, ValueError, OverflowError) as error:
        raise WeightsError(tensor.name, f"{folder / place} cannot be read there ({error})") from error
