"""What a maker made of a graph, and what that took."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from backbone_models.makers import NNCF_ONNX, NNCF_OPENVINO

_MAKERS = Path(__file__).with_name("makers.py")
_LIMIT_S = 7200.0
_NNCF = {NNCF_ONNX, NNCF_OPENVINO}


@dataclass(frozen=True, slots=True)
class Made:
    """One form of a graph, or why there is none."""

    maker: str
    path: Path | None
    seconds: float = 0.0
    peak_mb: float = 0.0
    note: str = ""
    mb: float = 0.0
    """Size on disk, with the weights that lie beside it."""


def size_mb(path: Path) -> float:
    """Return the size of a graph with the weights that OpenVINO writes beside it."""
    return sum(one.stat().st_size for one in (path, path.with_suffix(".bin")) if one.exists()) / 1e6


def make(maker: str, folder: Path, nncf_python: Path | None) -> Made:
    """Let a maker work in a process of its own; it ends in `Made.note` why one failed."""
    if maker in _NNCF and nncf_python is None:
        return Made(maker, None, note="not run: name --nncf-python")
    python = str(nncf_python) if maker in _NNCF else sys.executable
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    try:
        command = [python, str(_MAKERS), maker, str(folder.resolve())]
        done = subprocess.run(
            command, env=environment, timeout=_LIMIT_S, cwd=folder, capture_output=True, text=True, check=False
        )
    except subprocess.TimeoutExpired:
        return Made(maker, None, note=f"not done after {_LIMIT_S:g} s")
    if done.returncode:
        said = done.stderr.strip().splitlines()[-1:] or [f"ended with {done.returncode}"]
        return Made(maker, None, note=f"failed: {said[0][:160]}")
    facts: Mapping[str, object] = json.loads(done.stdout.strip().splitlines()[-1])
    path = next((path for kind in ("onnx", "xml") if (path := folder / f"{maker}.{kind}").exists()), None)
    seconds, peak_mb = float(str(facts["seconds"])), float(str(facts["peak_mb"]))
    return Made(maker, path, seconds, peak_mb, str(facts["note"]), size_mb(path) if path else 0.0)
