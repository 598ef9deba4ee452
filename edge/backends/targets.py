"""What INT8 files are called by the runtime that they are for, and which of them suit a processor."""

from collections.abc import Sequence

ORT, ORT7, ARM, OPENVINO, TENSORRT = "ort", "ort7", "arm", "openvino", "tensorrt"

_VNNI = {"avx512_vnni", "avx_vnni", "amx_int8"}
_ARM = "asimd"


def ort_targets(features: Sequence[str]) -> tuple[str, ...]:
    """Name the INT8 files that ONNX Runtime computes rightly on a processor with these features, the fastest first.

    Without VNNI it adds pairs of products in 16 bits; those of full weights saturate without a word.
    """
    if _ARM in features:
        return ARM, ORT, ORT7
    return (ORT, ORT7) if _VNNI.intersection(features) else (ORT7,)
