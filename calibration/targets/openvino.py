"""OpenVINO: levels as ONNX Runtime has them, which its plugin takes for integers too; biases and ReLU as they are.

Between convolutions it keeps integers where outputs are on levels; a Gemm's output may stay float.
"""

from dataclasses import replace

from mmer.calibration.targets.ort import ORT
from mmer.edge.backends import targets

OPENVINO = replace(ORT, target=targets.OPENVINO, engine="openvino", integer_bias=False, rectifier="Relu")
