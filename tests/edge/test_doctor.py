"""The doctor on machines that are only text."""

import json
import tempfile
from pathlib import Path

import pytest

from mmer.edge.cache import cache_folder
from mmer.edge.doctor.advice import Advice, absent, conflicts, faults, idle_gpu, offers, undecodable, unwritable
from mmer.edge.doctor.container import cpu_limit, memory_limit
from mmer.edge.doctor.cpu import Cpu, cpu_features, cpu_model, int8_outlook, sysctl_features, sysctl_values
from mmer.edge.doctor.examine import examine
from mmer.edge.doctor.libraries import Backend, decodable
from mmer.edge.doctor.machine import Gpu, Memory, gpus, l4t, memory, writable
from mmer.edge.doctor.packages import Package, needs
from mmer.edge.doctor.report import Cache, Report, lines

XEON = """processor\t: 0
model name\t: Intel(R) Xeon(R) Platinum 8481C
flags\t\t: fpu sse4_2 avx2 avx512f avx512_vnni amx_int8
vmx flags\t: avx_vnni
"""
ORIN = """processor\t: 0
Features\t: fp asimd asimdhp asimddp
CPU part\t: 0xd42
"""
MAC = """hw.optional.AdvSIMD: 1
hw.optional.arm.FEAT_DotProd: 1
hw.optional.arm.FEAT_I8MM: 0
machdep.cpu.brand_string: Apple M1
"""
ORT = Package("onnxruntime", "1.31.1")
REQUIRES = [
    "numpy>=1.26",
    "onnxruntime>=1.23",
    'onnxruntime<1.24; python_version < "3.11"',
    "opencv-python-headless>=4.10",
    'torch; extra == "train"',
    'Safe_Tensors>=0.4; extra == "train"',
    'mmer[train]; extra == "export"',
    'onnx; extra == "export"',
    'mmer[train,export]; extra == "all"',
    'pytest; extra == "dev"',
]


@pytest.mark.parametrize(
    ("cpuinfo", "features"),
    [
        (XEON, ("avx2", "avx512f", "avx512_vnni", "amx_int8")),
        (ORIN, ("asimd", "asimddp")),
        (ORIN + "Features\t: fp asimd\n", ("asimd",)),
        ("", ()),
    ],
)
def test_features_are_those_that_every_core_has(cpuinfo: str, features: tuple[str, ...]) -> None:
    assert cpu_features(cpuinfo) == features


def test_features_are_read_from_sysctl() -> None:
    assert sysctl_features(sysctl_values(MAC)) == ("asimd", "asimddp")


@pytest.mark.parametrize(("cpuinfo", "model"), [(XEON, "Intel(R) Xeon(R) Platinum 8481C"), (ORIN, None)])
def test_the_model_is_the_kernels_name_for_it(cpuinfo: str, model: str | None) -> None:
    assert cpu_model(cpuinfo) == model


@pytest.mark.parametrize(
    ("features", "outlook"),
    [
        (("avx2", "avx512f", "avx512_vnni"), "fast and exact"),
        (("avx2", "avx_vnni"), "fast and exact"),
        (("avx2", "avx512f"), "no VNNI: U8S8 INT8 may saturate"),
        (("asimd", "asimddp"), "fast and exact"),
        (("asimd",), "hardly faster"),
        ((), "unknown"),
    ],
)
def test_int8_depends_on_the_instructions(features: tuple[str, ...], outlook: str) -> None:
    assert outlook in int8_outlook(features)


def test_memory_is_in_megabytes_where_it_is_told() -> None:
    assert memory("MemTotal:       8000000 kB\nHugePages_Total:       0\n", 2_000_000_000) == Memory(8192, None, 2000)


def put(root: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content + "\n")
    return root


@pytest.mark.parametrize(
    ("membership", "files", "limit"),
    [
        ("0::/a/b\n", {"a/b/memory.max": "max", "a/memory.max": "1000", "memory.max": "2000"}, 1000),
        ("0::/unseen/from/inside\n", {"memory.max": "2000"}, 2000),
        ("0::/\n4:cpu,memory:/x\n", {"memory/x/memory.limit_in_bytes": "3000"}, 3000),
        ("4:memory:/x\n", {"memory/x/memory.limit_in_bytes": "9223372036854771712"}, None),
        ("", {}, None),
    ],
)
def test_the_memory_limit_is_the_smallest_of_the_group_and_those_above(
    tmp_path: Path, membership: str, files: dict[str, str], limit: int | None
) -> None:
    assert memory_limit(membership, put(tmp_path, files)) == limit


@pytest.mark.parametrize(
    ("membership", "files", "cores"),
    [
        ("0::/\n", {"cpu.max": "150000 100000"}, 2),
        ("0::/a\n", {"a/cpu.max": "max 100000", "cpu.max": "50000 100000"}, 1),
        ("3:cpu,cpuacct:/\n", {"cpu/cpu.cfs_quota_us": "400000", "cpu/cpu.cfs_period_us": "100000"}, 4),
        ("3:cpu,cpuacct:/\n", {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, None),
    ],
)
def test_the_smallest_quota_is_rounded_up_to_cores(
    tmp_path: Path, membership: str, files: dict[str, str], cores: int | None
) -> None:
    assert cpu_limit(membership, put(tmp_path, files)) == cores


@pytest.mark.parametrize(
    ("listed", "found"),
    [
        ("NVIDIA H200, 143771, 570.86.15\n", Gpu("NVIDIA H200", 150755, "570.86.15")),
        ("Orin (nvgpu), [N/A], 540.4.0\n", Gpu("Orin (nvgpu)", None, "540.4.0")),
        ("", Gpu("NVIDIA device without a working nvidia-smi")),
    ],
)
def test_a_gpu_is_what_nvidia_smi_lists_or_a_device_file_suggests(listed: str, found: Gpu) -> None:
    assert gpus(listed, ["/dev/nvidia0"]) == (found,)


def test_the_jetson_release_has_its_revision() -> None:
    assert l4t("# R36 (release), REVISION: 4.3, GCID: 38968081, BOARD: generic\n") == "36.4.3"


@pytest.mark.parametrize(
    ("environ", "folder"),
    [
        ({"MMER_CACHE": "/c", "XDG_CACHE_HOME": "/x"}, "/c"),
        ({"XDG_CACHE_HOME": "/x"}, "/x/mmer"),
        ({"XDG_CACHE_HOME": "relative"}, "/home/me/.cache/mmer"),
        ({}, "/home/me/.cache/mmer"),
    ],
)
def test_the_cache_is_where_the_user_or_xdg_says(
    environ: dict[str, str], folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    assert cache_folder(environ) == Path(folder)


def test_a_user_without_a_home_caches_in_the_temporary_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "home", _homeless)
    assert cache_folder({}).parent == Path(tempfile.gettempdir())


def _homeless() -> Path:
    raise RuntimeError


def test_a_cache_that_can_be_made_is_writable(tmp_path: Path) -> None:
    assert writable(tmp_path / "not" / "yet")


def test_a_cache_under_a_file_is_not_writable(tmp_path: Path) -> None:
    put(tmp_path, {"file": ""})
    assert not writable(tmp_path / "file" / "cache")


def test_core_packages_are_those_of_no_extra_each_once() -> None:
    installed = {"numpy": "2.4.6", "onnxruntime": "1.31.1"}
    assert needs(REQUIRES, installed).core == (
        Package("numpy", "2.4.6"),
        Package("onnxruntime", "1.31.1"),
        Package("opencv-python-headless", None),
    )


@pytest.mark.parametrize("stand_in", ["opencv-python", "opencv-contrib-python-headless"])
def test_a_wheel_of_the_same_family_stands_in(stand_in: str) -> None:
    assert needs(REQUIRES, {stand_in: "5.0"}).core[-1] == Package(stand_in, "5.0")


def test_extras_are_those_for_users_that_are_more_than_others_together() -> None:
    assert list(needs(REQUIRES, {}).extras) == ["train", "export"]


def test_an_extra_needs_what_the_extras_in_it_need() -> None:
    assert [p.name for p in needs(REQUIRES, {}).extras["export"]] == ["onnx", "torch", "safe-tensors"]


def test_an_incomplete_extra_is_offered_with_the_command_for_it() -> None:
    extras = needs(REQUIRES, {"torch": "2.13", "safe-tensors": "0.5"}).extras
    assert offers(extras) == (Advice("export needs onnx", "pip install 'mmer[export]'"),)


def test_missing_core_packages_are_a_problem() -> None:
    core = [Package("av", None), Package("numpy", "2.4.6"), Package("tokenizers", None)]
    assert absent(core) == (Advice("not installed: av, tokenizers", "pip install mmer"),)


def test_a_package_that_is_not_installed_itself_is_a_problem() -> None:
    assert "uninstalled" in absent([])[0].fact


@pytest.mark.parametrize(
    ("wheels", "kept"),
    [
        (["onnxruntime", "onnxruntime-gpu"], "onnxruntime-gpu"),
        (["opencv-python", "opencv-python-headless"], "opencv-python"),
        (["opencv-contrib-python", "opencv-python"], "opencv-contrib-python"),
    ],
)
def test_wheels_in_each_others_way_are_all_removed_and_the_fuller_put_back(wheels: list[str], kept: str) -> None:
    [advice] = conflicts(wheels)
    assert advice.command.startswith("pip uninstall -y ")
    assert set(advice.command.split(" && ")[0].split()[3:]) == set(wheels)
    assert advice.command.endswith(f" && pip install {kept}")


def test_one_wheel_of_each_family_is_no_conflict() -> None:
    assert conflicts(["onnxruntime-gpu", "opencv-python", "numpy"]) == ()


def test_a_backend_that_cannot_be_loaded_is_a_problem() -> None:
    [advice] = faults([Backend("onnxruntime", Package("onnxruntime-gpu", "1.31.1"), fault="no symbol")])
    assert advice.command == "pip install --force-reinstall onnxruntime-gpu"


def test_av1_needs_a_software_decoder() -> None:
    assert not decodable({"h264", "av1"})["av1"]


@pytest.mark.parametrize(
    ("codecs", "fact"), [({"h264": True, "hevc": False}, "cannot decode hevc"), ({}, "cannot be loaded")]
)
def test_missing_decoders_are_a_problem(codecs: dict[str, bool], fact: str) -> None:
    assert fact in undecodable(codecs)[0].fact


@pytest.mark.parametrize(
    ("seen", "providers", "architecture", "offered"),
    [
        ((Gpu("L4"),), ("CPUExecutionProvider",), "x86_64", 1),
        ((Gpu("L4"),), ("CUDAExecutionProvider",), "x86_64", 0),
        ((Gpu("Orin"),), ("CPUExecutionProvider",), "aarch64", 0),
        ((), ("CPUExecutionProvider",), "x86_64", 0),
        ((Gpu("L4"),), (), "x86_64", 0),
    ],
)
def test_the_gpu_wheel_is_offered_where_it_exists_and_helps(
    seen: tuple[Gpu, ...], providers: tuple[str, ...], architecture: str, offered: int
) -> None:
    assert len(idle_gpu(seen, Backend("onnxruntime", ORT, providers), architecture)) == offered


REPORT = Report(
    mmer="0.1.0",
    python="3.11.7",
    system="Linux",
    board="NVIDIA Jetson Orin Nano, Jetson Linux 36.4.3",
    cpu=Cpu("ARM", 6, 4, ("asimd",), "exact"),
    memory=Memory(8000, None, 2000),
    gpus=(Gpu("Orin", None, "540"),),
    backends=(
        Backend("onnxruntime", ORT, ("CPU",)),
        Backend("x", Package("x", None)),
        Backend("y", Package("y", "1"), fault="odd"),
    ),
    codecs={"h264": True, "av1": False},
    cache=Cache("/c", writable=False),
    core=(Package("av", None),),
    extras={"train": (Package("torch", "2.13"),)},
    problems=(unwritable("/c"),),
    offers=(Advice("train needs torch", "pip install 'mmer[train]'"),),
)


@pytest.mark.parametrize(
    "line",
    [
        "system     Linux, NVIDIA Jetson Orin Nano, Jetson Linux 36.4.3",
        "processor  ARM, 4 of 6 cores usable",
        "memory     8.0 GB, unknown available, limited to 2.0 GB",
        "GPU        Orin, driver 540",
        "backend    onnxruntime 1.31.1: CPU",
        "backend    x: not installed",
        "backend    y 1: cannot be loaded (odd)",
        "decoders   h264 av1(missing)",
        "cache      /c (NOT writable)",
        "packages   av (missing)",
        "extra      train: torch 2.13",
        "problem    the cache /c cannot be written",
        "           $ pip install 'mmer[train]'",
    ],
)
def test_the_text_says_it(line: str) -> None:
    assert line in list(lines(REPORT))


def test_the_json_names_its_schema_and_holds_everything() -> None:
    data = json.loads(json.dumps(REPORT.to_json()))
    assert (data["schema"], data["cpu"]["features"], data["codecs"]["av1"]) == ("mmer.doctor/1", ["asimd"], False)


def test_this_machine_can_be_examined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MMER_CACHE", str(tmp_path))
    report = examine()
    assert report.cache == Cache(str(tmp_path), writable=True)
    assert "CPUExecutionProvider" in report.backends[0].providers


def test_what_mmer_asks_for_comes_from_its_own_metadata(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    metadata = (
        "Metadata-Version: 2.4\nName: mmer\nVersion: 9.9\nProvides-Extra: x\nRequires-Dist: nowhere; extra == 'x'"
    )
    put(tmp_path, {"mmer-9.9.dist-info/METADATA": metadata})
    monkeypatch.syspath_prepend(tmp_path)
    report = examine()
    assert (report.mmer, report.offers[-1].command) == ("9.9", "pip install 'mmer[x]'")
