"""What the doctor found, as JSON and as lines of text."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

from mmer.edge.doctor.advice import Advice
from mmer.edge.doctor.cpu import Cpu
from mmer.edge.doctor.libraries import Backend
from mmer.edge.doctor.machine import Gpu, Memory
from mmer.edge.doctor.packages import Package

SCHEMA = "mmer.doctor/1"


@dataclass(frozen=True, slots=True)
class Cache:
    """Where engines and choices for this machine are kept."""

    folder: str
    writable: bool


@dataclass(frozen=True, slots=True)
class Report:
    """All that `mmer doctor` says."""

    mmer: str | None
    """The installed version, `None` when the package runs from a folder that was not installed."""
    python: str
    system: str
    board: str | None
    """The name of a single-board computer, with its Jetson Linux release where it has one."""
    cpu: Cpu
    memory: Memory
    gpus: tuple[Gpu, ...]
    backends: tuple[Backend, ...]
    codecs: Mapping[str, bool]
    """Which kinds of stream PyAV can decode; empty when it cannot be loaded."""
    cache: Cache
    core: tuple[Package, ...]
    extras: Mapping[str, tuple[Package, ...]]
    problems: tuple[Advice, ...]
    offers: tuple[Advice, ...]

    def to_json(self) -> dict[str, object]:
        """Return everything under the schema `mmer.doctor/1`."""
        return {"schema": SCHEMA, **asdict(self)}


def lines(report: Report) -> Iterator[str]:
    """Yield the report as lines of plain text, advice last."""
    yield f"mmer       {report.mmer or 'not installed'}, Python {report.python}"
    yield f"system     {', '.join(filter(None, (report.system, report.board)))}"
    yield f"processor  {report.cpu.model}, {report.cpu.usable_cores} of {report.cpu.cores} cores usable"
    yield f"           {' '.join(report.cpu.features) or 'instruction set unknown'}"
    yield f"INT8       {report.cpu.int8}"
    yield f"memory     {_memory(report.memory)}"
    yield f"GPU        {'; '.join(map(_gpu, report.gpus)) or 'none found'}"
    yield from (f"backend    {_backend(backend)}" for backend in report.backends)
    yield f"decoders   {_codecs(report.codecs)}"
    yield f"cache      {report.cache.folder} ({'writable' if report.cache.writable else 'NOT writable'})"
    yield f"packages   {_packages(report.core)}"
    yield from (f"extra      {name}: {_packages(packages)}" for name, packages in report.extras.items())
    yield from _advice("problem", report.problems)
    yield from _advice("for more", report.offers)


def _advice(title: str, advice: Sequence[Advice]) -> Iterator[str]:
    for item in advice:
        yield f"{title:<10} {item.fact}"
        yield f"           $ {item.command}"


def _memory(memory: Memory) -> str:
    total, available, limit = (_size(mb) for mb in (memory.total_mb, memory.available_mb, memory.limit_mb))
    return f"{total}, {available} available" + (f", limited to {limit}" if memory.limit_mb else "")


def _size(mb: int | None) -> str:
    return "unknown" if mb is None else f"{mb / 1000:.1f} GB"


def _gpu(gpu: Gpu) -> str:
    parts = [gpu.name, gpu.memory_mb and _size(gpu.memory_mb), gpu.driver and f"driver {gpu.driver}"]
    return ", ".join(part for part in parts if part)


def _backend(backend: Backend) -> str:
    if backend.wheel.version is None:
        return f"{backend.name}: not installed"
    rest = f"cannot be loaded ({backend.fault})" if backend.fault else " ".join(backend.providers)
    return f"{backend.wheel.name} {backend.wheel.version}" + (f": {rest}" if rest else "")


def _codecs(codecs: Mapping[str, bool]) -> str:
    return " ".join(name if there else f"{name}(missing)" for name, there in codecs.items()) or "PyAV cannot be loaded"


def _packages(packages: Sequence[Package]) -> str:
    return ", ".join(f"{p.name} {p.version or '(missing)'}" for p in packages) or "unknown"
