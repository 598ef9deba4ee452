"""ONNX Runtime on ARM, whose kernels multiply signed by signed.

Levels are asymmetric all the same: behind a ReLU zero is the lowest one, and only then the ReLU becomes a part of the
convolution.
"""

from dataclasses import replace

from mmer.calibration.targets.ort import ORT
from mmer.calibration.weights.levels import SIGNED
from mmer.edge.backends import targets

ARM = replace(ORT, target=targets.ARM, grid=SIGNED)
