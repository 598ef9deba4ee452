"""A case as a program of its own, which builds the graph and prints what was expected and what comes."""

from collections.abc import Iterator, Mapping

import numpy as np
import onnx
from onnx import numpy_helper

from mmer.calibration.exact.case import Case
from mmer.calibration.exact.reference import Reference
from mmer.calibration.graph.network import Array, attributes
from mmer.edge.errors import DataError

_RUN = """\
for level in ("DISABLE_ALL", "ENABLE_BASIC", "ENABLE_EXTENDED", "ENABLE_ALL"):
    options = ort.SessionOptions()
    options.graph_optimization_level = getattr(ort.GraphOptimizationLevel, f"ORT_{level}")
    options.log_severity_level = 4
    try:
        session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        got = [array.tolist() for array in session.run(None, inputs)]
    except Exception as error:
        got = str(error).strip()
    print(f"onnxruntime {ort.__version__} {level}:", got)
try:
    import openvino as ov
except ImportError:
    raise SystemExit
settings = {"INFERENCE_PRECISION_HINT": "f32", "DYNAMIC_QUANTIZATION_GROUP_SIZE": "0"}
try:
    core = ov.Core()
    compiled = core.compile_model(core.read_model(model.SerializeToString(), b""), "CPU", settings)
    got = [compiled(inputs)[port].tolist() for port in compiled.outputs]
except RuntimeError as error:
    got = str(error).strip()
print(f"openvino {ov.__version__}:", got)
"""


def script(case: Case, title: str) -> str:
    """Return the text of a program that needs numpy, onnx and onnxruntime alone."""
    return "\n".join(_lines(case, title)) + "\n"


def _lines(case: Case, title: str) -> Iterator[str]:
    graph = case.model.graph
    yield f'"""{title}"""\n'
    yield "import numpy as np\nimport onnxruntime as ort\nfrom onnx import helper, numpy_helper\n"
    yield "weights = {"
    yield from (f"    {t.name!r}: {_literal(numpy_helper.to_array(t))}," for t in graph.initializer)
    yield "}\nnodes = ["
    yield from (f"    {_node(node)}," for node in graph.node)
    yield "]\ninputs = {"
    yield from (f"    {name!r}: {_literal(array)}," for name, array in case.inputs.items())
    yield "}\ngraph = helper.make_graph("
    yield '    nodes,\n    "g",'
    for values in (graph.input, graph.output):
        yield f"    [{', '.join(map(_declared, values))}],"
    yield "    [numpy_helper.from_array(array, name) for name, array in weights.items()],"
    yield f"    value_info=[{', '.join(map(_declared, graph.value_info))}],"
    opsets = ", ".join(f"helper.make_opsetid({o.domain!r}, {o.version})" for o in case.model.opset_import)
    yield f")\nmodel = helper.make_model(graph, opset_imports=[{opsets}], ir_version={case.model.ir_version})"
    yield from (f'print("expected {name}:", {_literal(a)}.tolist())' for name, a in _expected(case).items())
    yield _RUN.rstrip()


def _expected(case: Case) -> Mapping[str, Array]:
    try:
        values = Reference(case.model).outputs(case.inputs)
    except (DataError, ValueError, IndexError):  # only a tool was given it
        return {}
    return {name: value.centre.astype(value.kind) for name, value in values.items()}


def _node(node: onnx.NodeProto) -> str:
    stated = "".join(f", {name}={_plain(value)}" for name, value in attributes(node).items())
    domain = f", domain={node.domain!r}" if node.domain else ""
    return f"helper.make_node({node.op_type!r}, {list(node.input)}, {list(node.output)}{stated}{domain})"


def _plain(value: object) -> str:
    if isinstance(value, onnx.TensorProto):
        return f"numpy_helper.from_array({_literal(numpy_helper.to_array(value))})"
    return repr(value)


def _declared(value: onnx.ValueInfoProto) -> str:
    kind = value.type.tensor_type
    sizes = [dim.dim_param or dim.dim_value for dim in kind.shape.dim]
    return f"helper.make_tensor_value_info({value.name!r}, {kind.elem_type}, {sizes})"


def _literal(array: Array) -> str:
    """Return an array's numbers in the fewest digits that keep them."""
    text = np.array2string(array, separator=",", threshold=array.size + 1, floatmode="unique", max_line_width=1 << 30)
    text = "".join(text.split())
    empty = f".reshape({array.shape})" if not array.size else ""
    return f"np.array({text}, np.{array.dtype}){empty}"
