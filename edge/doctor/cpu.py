"""What the processor is and what its instructions mean for quantised graphs."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

FEATURES = ("avx2", "avx512f", "avx512_vnni", "avx_vnni", "amx_int8", "asimd", "asimddp", "i8mm")
"""Instructions that decide how fast and how exact a quantised graph is, in Linux's spelling."""

_SYSCTL = {
    "hw.optional.avx2_0": "avx2",
    "hw.optional.avx512f": "avx512f",
    "hw.optional.avx512vnni": "avx512_vnni",
    "hw.optional.AdvSIMD": "asimd",
    "hw.optional.arm.FEAT_DotProd": "asimddp",
    "hw.optional.arm.FEAT_I8MM": "i8mm",
}

# without VNNI, ONNX Runtime adds pairs of U8 x S8 products in 16 bits (VPMADDUBSW), which saturates
_INT8 = (
    (("avx512_vnni", "avx_vnni", "amx_int8"), "fast and exact (VNNI)"),
    (("asimddp", "i8mm"), "fast and exact (dot products)"),
    (("asimd",), "exact, but hardly faster than FP32 (no dot products)"),
    (("avx2", "avx512f"), "no VNNI: U8S8 INT8 may saturate; only graphs with weights of 7 bits (ort7) run in INT8"),
)


@dataclass(frozen=True, slots=True)
class Cpu:
    """The processor as this process may use it."""

    model: str
    cores: int
    usable_cores: int
    """What affinity and the container's quota leave."""
    features: tuple[str, ...]
    int8: str
    """What to expect of quantised graphs."""


def cpu_model(cpuinfo: str) -> str | None:
    """Return the processor's name from /proc/cpuinfo; many ARM kernels give none."""
    found = re.search(r"^(?:model name|Hardware)\s*:\s*(\S.*)$", cpuinfo, re.MULTILINE)
    return found[1].strip() if found else None


def cpu_features(cpuinfo: str) -> tuple[str, ...]:
    """Return those of `FEATURES` that every core in /proc/cpuinfo has."""
    cores = re.findall(r"^(?:flags|Features)\s*:(.*)$", cpuinfo, re.MULTILINE)
    common = set.intersection(*(set(core.split()) for core in cores)) if cores else set()
    return tuple(f for f in FEATURES if f in common)


def sysctl_values(output: str) -> Mapping[str, str]:
    """Return what macOS' `sysctl` printed, by name."""
    return dict(line.split(": ", 1) for line in output.splitlines() if ": " in line)


def sysctl_features(values: Mapping[str, str]) -> tuple[str, ...]:
    """Return those of `FEATURES` that macOS reports."""
    found = {feature for name, feature in _SYSCTL.items() if values.get(name) == "1"}
    return tuple(f for f in FEATURES if f in found)


def int8_outlook(features: Sequence[str]) -> str:
    """Say what INT8 will be on a processor with these features."""
    return next((note for wanted, note in _INT8 if set(wanted) & set(features)), "unknown: measure it")
