"""The one place where the doctor looks at the machine that it runs on."""

import importlib.metadata
import os
import platform
import subprocess
from collections.abc import Mapping
from pathlib import Path

from mmer.edge.cache import cache_folder
from mmer.edge.doctor.advice import absent, conflicts, faults, idle_gpu, offers, undecodable, unwritable
from mmer.edge.doctor.container import cpu_limit, memory_limit
from mmer.edge.doctor.cpu import Cpu, cpu_features, cpu_model, int8_outlook, sysctl_features, sysctl_values
from mmer.edge.doctor.libraries import av_codecs, backends, decodable
from mmer.edge.doctor.machine import Gpu, Memory, gpus, l4t, memory, writable
from mmer.edge.doctor.packages import canonical, needs
from mmer.edge.doctor.report import Cache, Report

_GROUPS = Path("/sys/fs/cgroup")
_PATIENCE_S = 5.0


def examine() -> Report:
    """Look at the processor, memory, graphics, packages and folders of this machine."""
    installed = _installed()
    wanted = needs(_requires(), installed)
    found, seen, codecs, cache = backends(installed), _gpus(), decodable(av_codecs()), _cache()
    mends = [*conflicts(installed), *absent(wanted.core), *faults(found)]
    if "av" in installed:
        mends += undecodable(codecs)
    if not cache.writable:
        mends.append(unwritable(cache.folder))
    return Report(
        mmer=installed.get("mmer"),
        python=platform.python_version(),
        system=platform.platform(),
        board=_board(),
        cpu=processor(),
        memory=_memory(),
        gpus=seen,
        backends=found,
        codecs=codecs,
        cache=cache,
        core=wanted.core,
        extras=wanted.extras,
        problems=tuple(mends),
        offers=(*idle_gpu(seen, found[0], platform.machine()), *offers(wanted.extras)),
    )


def _installed() -> Mapping[str, str]:
    """Return the version of every distribution, of two with one name the one that is imported.

    Damaged metadata has no name and does not count.
    """
    found = [(d.metadata["Name"], d.version) for d in importlib.metadata.distributions()]
    return {canonical(name): version for name, version in reversed(found) if name}


def _requires() -> list[str]:
    try:
        return importlib.metadata.requires("mmer") or []
    except importlib.metadata.PackageNotFoundError:
        return []


def processor() -> Cpu:
    """Return the processor of this machine."""
    cpuinfo, sysctl = _text("/proc/cpuinfo"), _sysctl()
    features = cpu_features(cpuinfo) or sysctl_features(sysctl)
    model = cpu_model(cpuinfo) or sysctl.get("machdep.cpu.brand_string") or platform.processor() or platform.machine()
    cores = os.cpu_count() or 1
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else cores
    quota = cpu_limit(_text("/proc/self/cgroup"), _GROUPS)
    return Cpu(model, cores, min(allowed, quota or allowed), features, int8_outlook(features))


def _sysctl() -> Mapping[str, str]:
    if platform.system() != "Darwin":
        return {}
    return sysctl_values(_output("sysctl", "hw.optional", "hw.memsize", "machdep.cpu.brand_string"))


def _memory() -> Memory:
    if size := _sysctl().get("hw.memsize"):
        return Memory(round(int(size) / 1e6), None, None)
    return memory(_text("/proc/meminfo"), memory_limit(_text("/proc/self/cgroup"), _GROUPS))


def _gpus() -> tuple[Gpu, ...]:
    listed = _output("nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader,nounits")
    return gpus(listed, [str(path) for path in Path("/dev").glob("nvidia[0-9]*")])


def _board() -> str | None:
    model, release = _text("/proc/device-tree/model").strip("\0\n"), l4t(_text("/etc/nv_tegra_release"))
    return ", ".join(filter(None, (model, release and f"Jetson Linux {release}"))) or None


def _cache() -> Cache:
    folder = cache_folder(os.environ)
    return Cache(str(folder), writable(folder))


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _output(*command: str) -> str:
    """Return what a tool prints, nothing when it is not there, fails or takes too long."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE_S, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout
