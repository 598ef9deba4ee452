"""Samples that a user gives for an ONNX graph: one `.npz` with all of them, or a folder with an `.npz` for each."""

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mmer.calibration.samples.stacks import Stack, stacks
from mmer.calibration.settings import CalibrationSettings
from mmer.edge.bundle.arrays import MOST_BYTES, unpack
from mmer.edge.errors import BundleError, DataError
from mmer.edge.tensors import Tensors, TensorSpec

Specs = Sequence[TensorSpec]

_OVERHEAD = 1 << 20
"""Of a file beside its arrays; what is longer is not read to its end, where the directory stands, and so is refused."""

UNNAMED = "None"
"""How ONNX Runtime writes a size that nothing is known about."""


class SampleError(DataError):
    """Samples do not fit the graph that they are for."""

    def __init__(self, path: str | os.PathLike[str], reason: str) -> None:
        super().__init__(f"{os.fspath(path)}: {reason}")


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """Samples on disk, each read when it is asked for."""

    path: Path
    readers: tuple[Callable[[], Tensors], ...]
    digests: tuple[str, ...]
    """SHA-256 of each sample; what came twice stands here once."""

    @classmethod
    def read(cls, path: Path, specs: Specs, progress: Callable[[int, int], None] = lambda *_: None) -> "Given":
        """Look at every sample; raise `SampleError` for one that the graph cannot take or that is not finite."""
        readers = _loose(path) if path.is_dir() else _stacked(path, specs)
        unlike: dict[str, Callable[[], Tensors]] = {}
        for number, (title, reader) in enumerate(readers):
            sample = reader()
            if fault := next(_faults(sample, specs), None):
                raise SampleError(title, fault)
            unlike.setdefault(_digest(sample), reader)
            progress(number + 1, len(readers))
        if len(unlike) < 2:
            reason = f"{len(unlike)} different sample(s), and two or more are needed: some to take ranges from, others "
            raise SampleError(path, f"{reason}to judge by")
        return cls(path, tuple(unlike.values()), tuple(unlike))

    def dealt(self, settings: CalibrationSettings) -> tuple["Given", "Given"]:
        """Return samples to calibrate with and others to judge by, drawn by seed."""
        order = np.random.default_rng(settings.seed).permutation(len(self.readers)).tolist()
        share = settings.fresh / (settings.samples + settings.fresh)
        fresh = min(settings.fresh, max(1, round(share * len(order))), len(order) - 1)
        return self._part(order[fresh:][: settings.samples]), self._part(order[:fresh])

    def samples(self) -> Iterator[Tensors]:
        """Yield one after another."""
        return (reader() for reader in self.readers)

    def to_json(self) -> dict[str, object]:
        """Return which samples these are."""
        return {"path": str(self.path), "count": len(self.digests), "digests": list(self.digests)}

    def _part(self, places: Sequence[int]) -> "Given":
        return Given(self.path, tuple(self.readers[n] for n in places), tuple(self.digests[n] for n in places))


def _loose(folder: Path) -> list[tuple[str, Callable[[], Tensors]]]:
    """Return the samples of a folder, by the names of their files."""
    return [(str(path), lambda path=path: _opened(path)) for path in sorted(folder.glob("*.npz"))]  # type: ignore[misc]


def _opened(path: Path) -> Tensors:
    try:
        with path.open("rb") as file:
            return unpack(file.read(MOST_BYTES + _OVERHEAD), path)
    except (BundleError, OSError) as error:
        raise SampleError(
            path, "not arrays as numpy.savez writes them, of plain numbers and at most 256 MiB"
        ) from error


def _stacked(path: Path, specs: Specs) -> list[tuple[str, Callable[[], Tensors]]]:
    """Return the samples of a file whose arrays hold one after another along their first axis."""
    if not path.is_file():
        raise SampleError(path, "no such file or folder; check the path")
    try:
        found = stacks(path)
    except ValueError as error:
        raise SampleError(path, f"not arrays as numpy.savez writes them ({error})") from error
    if fault := _unlike(found, specs):
        raise SampleError(path, fault)
    alone = {spec.name: _alone(found[spec.name], spec, path) for spec in specs}
    counts = {name: stack.shape[0] for name, stack in found.items()}
    if len(set(counts.values())) > 1:
        said = ", ".join(f"{name} {count}" for name, count in counts.items())
        raise SampleError(
            path, f"its arrays hold different numbers of samples ({said}); give one of each input to each"
        )
    return [(f"{path}, sample {n}", lambda n=n: _at(found, alone, n)) for n in range(min(counts.values()))]  # type: ignore[misc]


def _at(found: Mapping[str, Stack], alone: Mapping[str, bool], place: int) -> Tensors:
    rows = {name: stack.row(place) for name, stack in found.items()}
    return {name: row if alone[name] else row[np.newaxis] for name, row in rows.items()}


def _alone(stack: Stack, spec: TensorSpec, path: Path) -> bool:
    """Tell whether the samples lie along an axis of their own, and not along the batch axis of the input."""
    rank = len(spec.shape)
    if len(stack.shape) not in {rank, rank + 1}:
        reason = f"{_named(spec)}: an array {list(stack.shape)} holds no samples of it; give [samples, *shape]"
        raise SampleError(path, reason)
    return len(stack.shape) == rank + 1


def _unlike(found: Mapping[str, object], specs: Specs) -> str | None:
    """Return which names do not agree."""
    wanted = {spec.name for spec in specs}
    if missing := sorted(wanted - found.keys()):
        return (
            f"nothing for input {missing[0]} (it has {', '.join(sorted(found)) or 'no arrays'}); name arrays by input"
        )
    if strange := sorted(found.keys() - wanted):
        return f"{strange[0]} is no input of the graph, which takes {', '.join(sorted(wanted))}; leave it out"
    return None


def _faults(sample: Tensors, specs: Specs) -> Iterator[str]:
    """Yield why a graph cannot take a sample, or should not."""
    if fault := _unlike(sample, specs):
        yield fault
        return
    sizes: dict[str, int] = {}
    for spec in specs:
        array = sample[spec.name]
        if array.dtype != np.dtype(spec.dtype):
            yield f"{_named(spec)}: the array is {array.dtype}; save it as {spec.dtype}"
        if len(array.shape) != len(spec.shape):
            yield f"{_named(spec)}: the array has {len(array.shape)} axes, {list(array.shape)}; give one for each"
            return
        for axis, (size, stated) in enumerate(zip(array.shape, spec.shape, strict=True)):
            wanted = sizes.setdefault(stated, size) if isinstance(stated, str) else stated
            if size != wanted and stated != UNNAMED:
                yield f"{_named(spec)}: the array has {size} along axis {axis}, where {wanted} is needed; cut it to fit"
        if not array.size:
            yield f"{_named(spec)}: the array is empty, {list(array.shape)}; leave the sample out"
        if not np.isfinite(array).all():
            yield f"{_named(spec)}: the array holds NaN or infinity; leave the sample out"


def _named(spec: TensorSpec) -> str:
    return f"input {spec.name} {spec.dtype}[{', '.join(map(str, spec.shape))}]"


def _digest(sample: Tensors) -> str:
    digest = hashlib.sha256()
    for name in sorted(sample):
        array = sample[name]
        digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
