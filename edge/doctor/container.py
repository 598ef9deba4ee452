"""What the control groups of Linux leave to this process: memory and processor time."""

import math
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

_NO_LIMIT = 1 << 60  # version 1 writes "no limit" as a number near 2^63


def memory_limit(membership: str, root: Path) -> int | None:
    """Return the smallest limit in bytes of the groups in /proc/self/cgroup, or `None`; `root` is /sys/fs/cgroup."""
    files = [
        *_files(membership, root, "", "memory.max"),
        *_files(membership, root, "memory", "memory.limit_in_bytes"),
    ]
    limits = [int(text) for file in files if (text := _content(file)).isdecimal()]
    return min((limit for limit in limits if limit < _NO_LIMIT), default=None)


def cpu_limit(membership: str, root: Path) -> int | None:
    """Return how many cores the smallest quota is worth, rounded up, or `None`."""
    unified = [_content(file) for file in _files(membership, root, "", "cpu.max")]
    legacy = [
        f"{_content(file)} {_content(file.with_name('cpu.cfs_period_us'))}"
        for file in _files(membership, root, "cpu", "cpu.cfs_quota_us")
    ]
    quotas = [text.split() for text in (*unified, *legacy)]
    shares = [int(quota[0]) / int(quota[1]) for quota in quotas if len(quota) == 2 and all(map(str.isdecimal, quota))]
    return math.ceil(min(shares)) if shares else None


def _files(membership: str, root: Path, controller: str, name: str) -> Iterator[Path]:
    """Yield a file of the process's group and of all groups above it; version 2 has the controller ''."""
    for line in membership.splitlines():
        _, controllers, path = line.split(":", 2)
        if controller in controllers.split(","):
            group = PurePosixPath(path.lstrip("/"))
            yield from (root / controller / part / name for part in (group, *group.parents))


def _content(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return ""
