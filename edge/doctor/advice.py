"""What to mend and what to add, each with the command that does it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from mmer.edge.doctor.libraries import Backend
from mmer.edge.doctor.machine import Gpu
from mmer.edge.doctor.packages import FAMILIES, Package


@dataclass(frozen=True, slots=True)
class Advice:
    """A fact about this machine and what to do about it."""

    fact: str
    command: str


def conflicts(installed: Iterable[str]) -> tuple[Advice, ...]:
    """Return every family with more than one wheel and how to get down to one."""
    present = set(installed)
    found = [[name for name in family if name in present] for family in FAMILIES]
    return tuple(
        Advice(
            f"{' and '.join(names)} overwrite each other",
            f"pip uninstall -y {' '.join(names)} && pip install {names[0]}",
        )
        for names in found
        if len(names) > 1
    )


def absent(core: Sequence[Package]) -> tuple[Advice, ...]:
    """Return the core packages that are not there; pip picks the versions that fit this Python."""
    if not core:
        return (Advice("mmer runs uninstalled, so that its packages cannot be checked", "pip install -e ."),)
    names = [p.name for p in core if p.version is None]
    return (Advice(f"not installed: {', '.join(names)}", "pip install mmer"),) if names else ()


def faults(backends: Iterable[Backend]) -> tuple[Advice, ...]:
    """Return the backends that are installed and cannot be loaded."""
    return tuple(
        Advice(f"{b.name} cannot be loaded ({b.fault})", f"pip install --force-reinstall {b.wheel.name}")
        for b in backends
        if b.fault
    )


def undecodable(codecs: Mapping[str, bool]) -> tuple[Advice, ...]:
    """Return the streams that PyAV's own wheels decode and this one does not."""
    names = [name for name, there in codecs.items() if not there]
    if codecs and not names:
        return ()
    fact = f"PyAV cannot decode {', '.join(names)}" if names else "PyAV cannot be loaded"
    return (Advice(fact, "pip install --force-reinstall --only-binary av av"),)


def unwritable(folder: str) -> Advice:
    """Return what to do about a cache that cannot be written."""
    return Advice(f"the cache {folder} cannot be written", "export MMER_CACHE=/a/folder/that/can/be/written")


def offers(extras: Mapping[str, tuple[Package, ...]]) -> tuple[Advice, ...]:
    """Return every extra that is not complete."""
    missing = {extra: [p.name for p in packages if p.version is None] for extra, packages in extras.items()}
    return tuple(
        Advice(f"{e} needs {', '.join(names)}", f"pip install 'mmer[{e}]'") for e, names in missing.items() if names
    )


def idle_gpu(gpus: Sequence[Gpu], runtime: Backend, architecture: str) -> tuple[Advice, ...]:
    """Return how to use an NVIDIA GPU that ONNX Runtime leaves idle, where PyPI has a wheel for it."""
    if not gpus or architecture not in ("x86_64", "AMD64"):
        return ()
    if not runtime.providers or "CUDAExecutionProvider" in runtime.providers:
        return ()
    swap = f"pip uninstall -y {runtime.wheel.name} && pip install onnxruntime-gpu"
    return (Advice(f"ONNX Runtime does not use the {gpus[0].name}", swap),)
