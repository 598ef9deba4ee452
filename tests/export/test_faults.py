"""Faults planted in a graph or before it: each has to fail the gate, by name."""

import re

import cv2
import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from mmer.edge.backends.ort import OrtSession
from mmer.edge.errors import ParityError
from mmer.edge.faces.resize import resize
from mmer.edge.inputs.video import VideoInput
from mmer.export.cases import Window
from mmer.export.onnx_graph import exported
from mmer.export.parity import check_graph
from mmer.export.whole import WHOLE, answers, check_plan
from mmer.training.collate import Arrays


def edited(content, edit):
    """Return a graph with one tensor, the first for which `edit` returns something, replaced."""
    model = onnx.load_from_string(content)
    for tensor in model.graph.initializer:
        new = edit(tensor.name, numpy_helper.to_array(tensor))
        if new is not None:
            tensor.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(new), tensor.name))
            return model.SerializeToString()
    raise AssertionError("nothing to edit")


def swapped_bias(name, values):
    return values[::-1] if name.endswith("heads.0.bias") else None


def transposed(name, values):  # noqa: ARG001
    return values.T if values.ndim == 2 and len(set(values.shape)) == 1 and values.size > 64 else None


def shifted_kernel(name, values):  # noqa: ARG001
    return np.roll(values, 1, axis=3) if values.ndim == 4 and values.shape[3] == 3 else None


def moved_mean(name, values):
    return values + 0.05 if name.endswith("mixture.means") else None


@pytest.mark.parametrize(
    ("graph", "fault", "output"),
    [
        ("fusion", swapped_bias, "logits"),
        ("fusion", transposed, "logits"),
        ("video_sequence", transposed, "video"),
        ("audio", transposed, "audio"),
        ("text", transposed, "text"),
        ("video_frame", shifted_kernel, "frame_features"),
        ("audio", moved_mean, "audio"),
    ],
)
def test_a_wrong_weight_fails(lively, cases, graph, fault, output):
    with pytest.raises(ParityError) as failure:
        check_graph(graph, edited(lively.graphs[graph], fault), cases[graph])
    assert failure.value.exit_code == 5
    told = rf"graph {graph} at optimisation disabled, case \d+ \(.*\): output {output} .* [\d.e-]+, more than [\d.e-]+;"
    assert re.match(told, str(failure.value))


def test_a_dropped_mask_fails(lively, cases):
    model = onnx.load_from_string(lively.graphs["text"])
    for node in model.graph.node:
        node.input[:] = ["everything" if name == "ids_mask" else name for name in node.input]
    model.graph.initializer.append(helper.make_tensor("one", onnx.TensorProto.INT64, [1, 1], [1]))
    model.graph.node.insert(0, helper.make_node("Max", ["ids_mask", "one"], ["everything"]))
    with pytest.raises(ParityError, match=r"graph text .* case .*ids_mask.* output text is off by"):
        check_graph("text", model.SerializeToString(), cases["text"])


def test_a_graph_that_has_one_length_baked_in_fails(lively, cases):
    subgraph = lively.subgraph("audio")
    fixed = type(subgraph)(
        subgraph.name, subgraph.module, subgraph.inputs, subgraph.outputs, {"N": (1180, 1180)}, subgraph.convert
    )
    model = onnx.load_from_string(exported(fixed))
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 1180
    with pytest.raises(ParityError, match=r"graph audio .* case .*samples"):
        check_graph("audio", model.SerializeToString(), cases["audio"])


def test_a_graph_that_cannot_be_loaded_fails(cases):
    with pytest.raises(ParityError, match=r"graph audio at optimisation disabled.*cannot load") as failure:
        check_graph("audio", b"not a graph", cases["audio"])
    assert failure.value.exit_code == 5


def test_frames_that_are_shifted_by_one_fail(lively):
    wrong = [
        Window(w.name, Arrays(np.roll(w.arrays.frames, 1, axis=0), w.arrays.samples, w.arrays.ids))
        if w.arrays.frames is not None
        else w
        for w in lively.windows
    ]
    with pytest.raises(ParityError, match=rf"graph {WHOLE} .* case \d frames, .*: output (logits|weights)"):
        check_plan(lively.split, sessions(lively), lively.expected, wrong, "all")


def test_another_way_to_resize_fails(lively):
    picture = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 256, (120, 120, 3)).astype(np.uint8), (5, 5), 0)
    right = seen(resize(picture, 48, 48))
    wrong = seen(cv2.resize(picture, (48, 48), interpolation=cv2.INTER_LINEAR))
    check_plan(lively.split, sessions(lively), answers(lively.model, [right]), [right], "all")
    with pytest.raises(ParityError, match=f"graph {WHOLE} .* case a face: output"):
        check_plan(lively.split, sessions(lively), answers(lively.model, [right]), [wrong], "all")


def seen(picture):
    return Window("a face", Arrays(VideoInput().frames([picture]), None, None))


def sessions(lively):
    return {name: OrtSession.open(content) for name, content in lively.graphs.items()}
