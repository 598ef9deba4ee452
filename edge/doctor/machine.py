"""Memory, graphics and the cache folder, told from the text that the system gives about itself."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Memory:
    """Main memory; `None` where the system does not tell."""

    total_mb: int | None
    available_mb: int | None
    limit_mb: int | None
    """What the container allows, `None` without a limit."""


@dataclass(frozen=True, slots=True)
class Gpu:
    """An NVIDIA graphics processor; `None` where the driver does not tell."""

    name: str
    memory_mb: int | None = None
    driver: str | None = None


def memory(meminfo: str, limit: int | None) -> Memory:
    """Return main memory from /proc/meminfo and the container's limit in bytes."""
    size = {name: int(kib) * 1024 for name, kib in re.findall(r"^(\w+):\s+(\d+) kB$", meminfo, re.MULTILINE)}
    return Memory(_mb(size.get("MemTotal")), _mb(size.get("MemAvailable")), _mb(limit))


def _mb(count: int | None) -> int | None:
    return None if count is None else round(count / 1e6)


def gpus(nvidia_smi: str, device_files: Sequence[str]) -> tuple[Gpu, ...]:
    """Return what `nvidia-smi` lists as `name, memory in MiB, driver`, or what its device files suggest."""
    rows = [[cell.strip() for cell in line.split(",")] for line in nvidia_smi.splitlines() if line.count(",") == 2]
    found = [Gpu(name, _mb(int(mib) << 20) if mib.isdecimal() else None, driver) for name, mib, driver in rows]
    if not found and device_files:
        return (Gpu("NVIDIA device without a working nvidia-smi"),)
    return tuple(found)


def l4t(tegra_release: str) -> str | None:
    """Return the version of Jetson Linux from /etc/nv_tegra_release, such as `36.4.3`."""
    found = re.match(r"# R(\d+) \(release\), REVISION: ([\d.]+)", tegra_release)
    return f"{found[1]}.{found[2]}" if found else None


def writable(folder: Path) -> bool:
    """Tell whether the folder can be written, or made where it is not there yet."""
    there = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    return there.is_dir() and os.access(there, os.W_OK | os.X_OK)
