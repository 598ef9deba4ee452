"""What the installed libraries can do: the providers that run graphs, the streams that PyAV decodes."""

import importlib
from collections.abc import Mapping, Set
from dataclasses import dataclass

from mmer.edge.doctor.packages import Package, package

DECODERS = {
    "h264": ("h264",),
    "hevc": ("hevc",),
    "av1": ("libdav1d", "libaom-av1"),  # FFmpeg's own `av1` only drives hardware
    "aac": ("aac",),
    "opus": ("opus", "libopus"),
}
"""Kinds of stream worth knowing about, each with FFmpeg's decoders for it."""


@dataclass(frozen=True, slots=True)
class Backend:
    """Something that runs graphs."""

    name: str
    wheel: Package
    providers: tuple[str, ...] = ()
    """What it was built for; a driver or library that is missing shows only when it is used."""
    fault: str | None = None
    """Why it is installed and yet cannot be loaded."""


def backends(installed: Mapping[str, str]) -> tuple[Backend, ...]:
    """Return every backend; only ONNX Runtime is light enough to be loaded for the question."""
    others = tuple(Backend(name, package(name, installed)) for name in ("openvino", "tensorrt"))
    return (_onnxruntime(package("onnxruntime", installed)), *others)


def decodable(codecs: Set[str]) -> Mapping[str, bool]:
    """Tell which kinds of stream can be decoded with these codecs; nothing when there are none at all."""
    return {kind: bool(codecs & set(names)) for kind, names in DECODERS.items()} if codecs else {}


def av_codecs() -> frozenset[str]:
    """Return FFmpeg's names of the codecs in PyAV, none when it cannot be loaded."""
    try:
        return frozenset(importlib.import_module("av").codecs_available)
    except (ImportError, AttributeError):
        return frozenset()


def _onnxruntime(wheel: Package) -> Backend:
    if wheel.version is None:
        return Backend("onnxruntime", wheel)
    try:
        providers = importlib.import_module("mmer.edge.backends.ort").providers()
    except (ImportError, AttributeError) as error:  # of two wheels in one folder, one removed leaves an empty shell
        return Backend("onnxruntime", wheel, fault=str(error))
    return Backend("onnxruntime", wheel, tuple(providers))
