"""From a torch module to a clean ONNX graph."""

import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import onnx
import onnx_ir
import torch
from onnx_ir.passes import common

from mmer.edge.tensors import TensorSpec
from mmer.export.subgraphs import Subgraph

OPSET = 18

_PASSES = (
    common.IdentityEliminationPass(),  # the tracer makes one Identity for each further use of a shared bias
    common.LiftConstantsToInitializersPass(lift_all_constants=True, size_limit=0),
    common.DeduplicateInitializersPass(size_limit=16),  # constants, not weights that happen to be equal
    common.CommonSubexpressionEliminationPass(),
    common.RemoveUnusedNodesPass(),
    common.RemoveUnusedOpsetsPass(),
    common.ClearMetadataAndDocStringPass(),
)


def exported(subgraph: Subgraph) -> bytes:
    """Return the file of a subgraph; the same weights give the same bytes."""
    content: bytes = cleaned(subgraph.convert(subgraph), subgraph).SerializeToString(deterministic=True)
    return content


def traced(subgraph: Subgraph) -> onnx.ModelProto:
    """Export by torch's tracer.

    Not by its newer exporter: at torch 2.13 that one unrolls a GRU and so fixes the length of the sound, without
    an error, and needs 14 s where the tracer needs 0.2 s.
    """
    with tempfile.TemporaryDirectory() as folder, tracing():
        path = Path(folder) / "graph.onnx"
        torch.onnx.export(
            subgraph.module,
            subgraph.example(),
            path,
            input_names=[spec.name for spec in subgraph.inputs],
            output_names=[spec.name for spec in subgraph.outputs],
            dynamic_axes=subgraph.dynamic_axes(),
            opset_version=OPSET,
            dynamo=False,
        )
        return onnx.load(path)


@contextmanager
def tracing() -> Iterator[None]:
    """Silence what the tracer says about every model; whether a length was baked in is for the gate to find out."""
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore", DeprecationWarning)  # the tracer is to go, one day
        warnings.simplefilter("ignore", torch.jit.TracerWarning)  # type: ignore[attr-defined]
        warnings.filterwarnings("ignore", "Exporting a model to ONNX with a batch_size other than 1", UserWarning)
        yield


def cleaned(model: onnx.ModelProto, subgraph: Subgraph) -> onnx.ModelProto:
    """Return the model without what no run needs, its inputs and outputs as the subgraph declares them, checked."""
    graph = onnx_ir.from_proto(model)
    for step in _PASSES:
        step(graph)
    clean = onnx_ir.to_proto(graph)
    clean.graph.name = subgraph.name
    del clean.graph.value_info[:]  # shapes at the traced sizes, which quantisers trip over
    for values, specs in ((clean.graph.input, subgraph.inputs), (clean.graph.output, subgraph.outputs)):
        declared = [_declared(spec) for spec in specs]
        assert [v.name for v in values] == [spec.name for spec in specs]
        del values[:]
        values.extend(declared)
    onnx.checker.check_model(clean, full_check=True)
    return clean


def _declared(spec: TensorSpec) -> onnx.ValueInfoProto:
    element = onnx.helper.np_dtype_to_tensor_dtype(np.dtype(spec.dtype))
    return onnx.helper.make_tensor_value_info(spec.name, element, spec.shape)
