"""Run by a Python that has NNCF: a folder's float.onnx and stills.npy become its int8.onnx."""

import sys
from pathlib import Path

import nncf
import numpy as np
import onnx


def main(folder: Path, name: str, kind: str) -> None:
    """Quantise with NNCF's defaults, or as it advises for a kind of model."""
    stills = nncf.Dataset(list(np.load(folder / "stills.npy")), lambda still: {name: still})
    told = {"model_type": nncf.ModelType(kind)} if kind else {}
    made = nncf.quantize(onnx.load(folder / "float.onnx"), stills, subset_size=stills.get_length(), **told)
    onnx.save(made, folder / "int8.onnx")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
