"""The manifest is read strictly, and what it says must fit together."""

import json
from dataclasses import replace

import pytest

from mmer.edge.bundle.bundle import Bundle
from mmer.edge.bundle.digest import canonical
from mmer.edge.bundle.graph import Graph, Variant
from mmer.edge.bundle.manifest import Content, Head, Inputs, Manifest
from mmer.edge.bundle.plan import Plan
from mmer.edge.errors import BundleError
from mmer.edge.inputs.audio import AudioInput
from mmer.edge.inputs.text import TextInput
from mmer.edge.inputs.video import VideoInput
from mmer.edge.tensors import TensorSpec


@pytest.fixture
def whole(parts):
    return replace(parts.manifest, files={name: Content.of(content) for name, content in parts.files.items()})


@pytest.fixture
def document(whole):
    return json.loads(whole.encoded())


def test_a_manifest_survives_the_disk(whole):
    assert Manifest.decoded(whole.encoded(), "tiny") == whole


def test_a_multilabel_head_survives_the_disk(whole):
    head = Head(whole.head.labels, "multilabel", 1.5, (0.1, 0.2, 0.3))
    assert Manifest.decoded(replace(whole, head=head).encoded(), "tiny").head == head


def test_all_constants_of_preprocessing_survive_the_disk(whole):
    inputs = Inputs(VideoInput(grey=True), AudioInput(level="rms"), TextInput(max_tokens=7))
    files = whole.files | {"tokenizer/tokenizer.json": Content.of(b"{}")}
    assert Manifest.decoded(replace(whole, inputs=inputs, files=files).encoded(), "tiny").inputs == inputs


@pytest.mark.parametrize("schema", ["mmer.bundle/2", "mmer.bundle/10"])
def test_another_version_is_refused_by_its_name(document, schema):
    with pytest.raises(BundleError, match=rf"format is {schema}, this version of mmer reads mmer\.bundle/1") as refusal:
        Manifest.decoded(canonical(document | {"schema": schema}), "tiny")
    assert refusal.value.exit_code == 8


@pytest.mark.parametrize("schema", [None, 1, "mmer.run/1", "mmer.bundle/1.0", "mmer.bundle/" + "1" * 20])
def test_what_is_no_version_is_refused(document, schema):
    with pytest.raises(BundleError, match="its schema is"):
        Manifest.decoded(canonical(document | {"schema": schema}), "tiny")


def test_another_version_is_refused_whatever_else_it_holds(folder, reseal):
    reseal(folder, canonical({"schema": "mmer.bundle/2", "graphs": "elsewhere"}))
    (folder / "graphs" / "frame.engine").write_bytes(b"new")
    with pytest.raises(BundleError, match=r"its format is mmer\.bundle/2"):
        Bundle.open(folder)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 100_000, b'{"schema":1e400}', b"9" * 5000])
def test_what_is_no_json_is_refused(content):
    with pytest.raises(BundleError, match="not JSON"):
        Manifest.decoded(content, "tiny")


def test_another_way_to_write_the_same_is_refused(document):
    with pytest.raises(BundleError, match="canonical"):
        Manifest.decoded(json.dumps(document, indent=1).encode(), "tiny")


@pytest.mark.parametrize("document", [[], None, "mmer.bundle/1", {}])
def test_what_is_no_manifest_is_refused(document):
    with pytest.raises(BundleError):
        Manifest.decoded(canonical(document), "tiny")


def test_every_missing_key_is_refused_by_name(document):
    for key in document:
        less = {name: value for name, value in document.items() if name != key}
        with pytest.raises(BundleError, match=f"lacks {key}|schema is None"):
            Manifest.decoded(canonical(less), "tiny")


@pytest.mark.parametrize(
    "place",
    [
        (),
        ("head",),
        ("inputs",),
        ("plan",),
        ("plan", "sources", 0),
        ("plan", "stages", 1),
        ("graphs", "frame"),
        ("files", "LICENSE"),
    ],
)
def test_an_unknown_key_is_refused_wherever_it_stands(document, place):
    inner = document
    for step in place:
        inner = inner[step]
    inner["surprise"] = 1
    with pytest.raises(BundleError, match="'surprise', which this version does not know"):
        Manifest.decoded(canonical(document), "tiny")


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("name",), ""),
        (("name",), "a/b"),
        (("name",), "\x1b[31mred"),
        (("name",), "a" * 101),
        (("name",), 7),
        (("metrics",), []),
        (("metrics",), {"\x1b[31m": 1}),
        (("head", "labels"), []),
        (("head", "labels"), ["happy", "happy", "sad"]),
        (("head", "labels"), ["happy", "neutral"]),
        (("head", "labels"), ["happy", "neutral", ""]),
        (("head", "labels"), "happy"),
        (("head", "labels"), ["a"] * 5000),
        (("head", "task"), "regression"),
        (("head", "temperature"), 0),
        (("head", "temperature"), True),
        (("head", "temperature"), "1"),
        (("head", "temperature"), 10**400),
        (("head", "thresholds"), [0.5, 0.5, 0.5]),
        (("inputs", "video", "size"), 10**9),
        (("inputs", "video"), None),
        (("inputs", "text"), {"max_tokens": 9, "pad_token": "<pad>"}),
        (("plan", "sources", 0, "rate"), "second"),
        (("plan", "sources", 0, "modality"), "smell"),
        (("plan", "sources", 0, "least"), 0),
        (("plan", "stages", 0, "graph"), "nowhere"),
        (("plan", "stages", 0, "inputs"), ["Crops"]),
        (("plan", "stages", 1, "needs"), ["audio"]),
        (("plan", "stages"), []),
        (("graphs", "frame", "inputs", 0, "dtype"), "object"),
        (("graphs", "frame", "inputs", 0, "shape"), [0]),
        (("graphs", "frame", "inputs", 0, "shape"), [1 << 40]),
        (("graphs", "frame", "inputs", 0, "shape"), [2.0]),
        (("graphs", "frame", "inputs", 0, "name"), "other"),
        (("graphs", "frame", "files", "fp32", "path"), "../frame.onnx"),
        (("graphs", "frame", "files", "fp32", "path"), "graphs/other.onnx"),
        (("graphs", "frame", "files", "fp32", "tolerance"), 2.0),
        (("graphs", "frame", "files"), {"FP32!": {"path": "graphs/frame.fp32.onnx", "tolerance": 0.1}}),
        (("graphs", "../x"), {}),
        (("files", "LICENSE", "bytes"), -1),
        (("files", "LICENSE", "bytes"), 10**12),
        (("files", "LICENSE", "sha256"), "A" * 64),
        (("files", "../LICENSE"), {"bytes": 1, "sha256": "0" * 64}),
        (("files", "manifest.json"), {"bytes": 1, "sha256": "0" * 64}),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_is_refused(document, place, value):
    inner = document
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = value
    with pytest.raises(BundleError, match="not a usable bundle"):
        Manifest.decoded(canonical(document), "tiny")


@pytest.mark.parametrize("shape", [[1, 4], [3], ["N", 3]])
def test_logits_that_do_not_fit_the_labels_are_refused(document, shape):
    document["graphs"]["window"]["outputs"][0]["shape"] = shape
    with pytest.raises(BundleError, match=r"graph window gives logits of .*, not \[1, 3\]"):
        Manifest.decoded(canonical(document), "tiny")


def test_weights_that_do_not_fit_the_modalities_are_refused(document):
    document["plan"]["stages"][1]["outputs"].append("weights")
    document["graphs"]["window"]["outputs"].append({"name": "weights", "dtype": "float32", "shape": [1, 4]})
    with pytest.raises(BundleError, match=r"graph window gives weights of \[1, 4\], not \[1, 3\]"):
        Manifest.decoded(canonical(document), "tiny")


def test_files_of_an_absurd_size_in_all_are_refused(document):
    for content in document["files"].values():
        content["bytes"] = 1 << 30
    with pytest.raises(BundleError, match="together are larger than"):
        Manifest.decoded(canonical(document), "tiny")


@pytest.mark.parametrize("name", ["golden/frame.npz", "graphs/window.fp32.onnx"])
def test_a_file_that_the_graphs_need_must_be_listed(document, name):
    del document["files"][name]
    with pytest.raises(BundleError, match=f"{name} is not listed"):
        Manifest.decoded(canonical(document), "tiny")


def test_a_refusal_names_the_place(document):
    document["plan"]["stages"][1]["rate"] = "daily"
    with pytest.raises(BundleError, match=r"manifest\.plan\.stages\[1\]\.rate: 'daily' is not one of frame"):
        Manifest.decoded(canonical(document), "tiny")


def test_a_session_with_other_tensors_than_stated_is_refused():
    class Session:
        inputs = (TensorSpec("x", "float32", (1, "T")),)
        outputs = (TensorSpec("y", "float16", (1,)),)

    stated = Graph(
        (TensorSpec("x", "float32", (1, "T")),),
        (TensorSpec("y", "float32", (1,)),),
        {"fp32": Variant("graphs/x.onnx", 0.1)},
    )
    with pytest.raises(BundleError, match="float16"):
        stated.accept(Session(), "x.onnx")


def test_a_plan_survives_the_disk(whole):
    assert Manifest.decoded(whole.encoded(), "tiny").plan == Plan.checked(whole.plan.sources, whole.plan.stages)


def test_a_graph_without_a_file_is_refused(whole):
    graphs = {name: replace(graph, files={}) for name, graph in whole.graphs.items()}
    with pytest.raises(BundleError, match="has no file"):
        Manifest.decoded(replace(whole, graphs=graphs).encoded(), "tiny")
