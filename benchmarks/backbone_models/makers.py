"""Who quantises a graph: each in a process of its own, on the same samples, with its own defaults.

    python makers.py MAKER FOLDER

reads `float.onnx` and `calibration/*.npz` in FOLDER, writes what it makes there, and prints one JSON document.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np

OURS, HALF, STATIC, DYNAMIC, NNCF_ONNX, NNCF_OPENVINO = "ours", "fp16", "ort-static", "ort-dynamic", "nncf", "nncf-ov"

Samples = Mapping[str, "np.ndarray"]


def ours(folder: Path, facts: dict[str, object]) -> None:
    """`mmer calibrate float.onnx`, a quarter of the samples to judge by, with the cosine that `asked.json` names."""
    from mmer.calibration.settings import CalibrationSettings  # noqa: PLC0415
    from mmer.calibration.single import calibrate_file  # noqa: PLC0415

    asked = json.loads((folder / "asked.json").read_text())
    count = len(list((folder / "calibration").iterdir()))
    settings = CalibrationSettings(samples=count, fresh=max(1, count // 3), int8_cosine=asked["cosine"])
    single = calibrate_file(folder / "float.onnx", folder / "calibration", settings)
    facts["note"] = single.judgement.reason
    if single.judgement.int8 is not None:
        (folder / f"{OURS}.onnx").write_bytes(single.judgement.int8.content)
    if single.judgement.half is not None:
        (folder / f"{HALF}.onnx").write_bytes(single.judgement.half.content)


def ort_static(folder: Path, facts: dict[str, object]) -> None:
    """ONNX Runtime's `quantize_static` with its defaults, after the pre-processing that its documentation asks for.

    Where that fails it is tried again without symbolic shapes, as its documentation advises for transformers.
    """
    from onnxruntime.quantization import CalibrationDataReader, quantize_static  # noqa: PLC0415
    from onnxruntime.quantization.shape_inference import quant_pre_process  # noqa: PLC0415

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self.left = samples(folder)

        def get_next(self) -> Samples | None:
            return next(self.left, None)

    places = str(folder / "float.onnx"), str(folder / "processed.onnx")
    try:
        quant_pre_process(*places)
    except Exception as error:  # noqa: BLE001  # it raises nothing more exact
        facts["note"] = f"pre-processed without symbolic shapes: {error}"[:160]
        quant_pre_process(*places, skip_symbolic_shape=True)
    quantize_static(str(folder / "processed.onnx"), str(folder / f"{STATIC}.onnx"), Reader())


def ort_dynamic(folder: Path, _facts: dict[str, object]) -> None:
    """ONNX Runtime's `quantize_dynamic` with its defaults, without the stated shapes that it trips over."""
    import onnx  # noqa: PLC0415
    from onnxruntime.quantization import quantize_dynamic  # noqa: PLC0415

    model = onnx.load(folder / "float.onnx")
    del model.graph.value_info[:]
    quantize_dynamic(model, str(folder / f"{DYNAMIC}.onnx"))


def nncf_onnx(folder: Path, _facts: dict[str, object]) -> None:
    """NNCF's `quantize` with its defaults, on the ONNX model."""
    import nncf  # noqa: PLC0415
    import onnx  # noqa: PLC0415

    given = list(samples(folder))
    made = nncf.quantize(onnx.load(folder / "float.onnx"), nncf.Dataset(given))
    onnx.save(made, folder / f"{NNCF_ONNX}.onnx")


def nncf_openvino(folder: Path, _facts: dict[str, object]) -> None:
    """NNCF's `quantize` with its defaults, on the OpenVINO model."""
    import nncf  # noqa: PLC0415
    import openvino as ov  # noqa: PLC0415

    given = list(samples(folder))
    made = nncf.quantize(ov.Core().read_model(folder / "float.onnx"), nncf.Dataset(given))
    ov.save_model(made, folder / f"{NNCF_OPENVINO}.xml", compress_to_fp16=False)


MAKERS: Mapping[str, Callable[[Path, dict[str, object]], None]] = {
    OURS: ours,
    STATIC: ort_static,
    DYNAMIC: ort_dynamic,
    NNCF_ONNX: nncf_onnx,
    NNCF_OPENVINO: nncf_openvino,
}


def samples(folder: Path) -> Iterator[Samples]:
    """Yield what ranges are to be taken from."""
    for path in sorted((folder / "calibration").glob("*.npz")):
        with np.load(path, allow_pickle=False) as arrays:
            yield dict(arrays)


def high_water_mb() -> float:
    """Return the largest resident size of this process so far; Linux only."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024 / 1e6


if __name__ == "__main__":
    FACTS: dict[str, object] = {"note": ""}
    START = time.perf_counter()
    MAKERS[sys.argv[1]](Path(sys.argv[2]), FACTS)
    sys.stdout.write(f"\n{json.dumps({**FACTS, 'seconds': time.perf_counter() - START, 'peak_mb': high_water_mb()})}\n")
