"""The project keeps its own rules: which part imports which, and what a wheel holds."""

import ast
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import tomllib

ROOT = Path(__file__).parents[1]
PARTS = ("edge", "data", "calibration", "training", "export")
MAY_IMPORT = {
    "edge": {"edge"},
    "data": {"data", "edge"},
    "calibration": {"calibration", "edge"},
    "training": {"training", "edge"},
    "export": {"export", "training", "edge"},
}
TORCH = {"torch", "transformers", "optimum"}
MAY_NOT_IMPORT = {"edge": {*TORCH, "onnx"}, "data": {*TORCH, "onnx"}, "calibration": TORCH}
ONLY_IN = {"onnxruntime": "edge/backends/ort.py", "openvino": "edge/backends/openvino.py", "tensorrt": "edge/"}
"""Backends, and the file (or folder) that may import each."""


def sources(part: str) -> list[Path]:
    return sorted((ROOT / part).rglob("*.py"))


def packages() -> list[Path]:
    return [path.parent for part in PARTS for path in sources(part) if path.name == "__init__.py"]


def faults(relative: str, source: str) -> list[str]:
    """Return the imports of one file that go against the grain."""
    part, _, _ = relative.partition("/")
    found = []
    for module in imported(ast.parse(source)):
        top, _, rest = module.partition(".")
        if top == "mmer" and rest.partition(".")[0] not in MAY_IMPORT[part]:
            found.append(f"{relative} imports {module}")
        if top in MAY_NOT_IMPORT.get(part, ()) or (top in ONLY_IN and not relative.startswith(ONLY_IN[top])):
            found.append(f"{relative} imports {module}")
    return found


def imported(tree: ast.AST) -> list[str]:
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            found += [
                f"{node.module}.{alias.name}" if node.module == "mmer" else node.module or "." for alias in node.names
            ]
        elif isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
    return found


@pytest.mark.parametrize("part", PARTS)
def test_imports_point_to_edge(part):
    assert [f for path in sources(part) for f in faults(path.relative_to(ROOT).as_posix(), path.read_text())] == []


def unencoded(path: Path) -> list[str]:
    """Return the places that write text in whatever encoding the machine has."""
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    writes = [call for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr == "write_text"]
    return [f"{path}:{w.lineno}" for w in writes if "encoding" not in {keyword.arg for keyword in w.keywords}]


@pytest.mark.parametrize("part", PARTS)
def test_text_is_written_in_one_encoding_on_every_machine(part):
    assert [place for path in sources(part) for place in unencoded(path)] == []


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("edge/a.py", "import torch"),
        ("edge/a.py", "def f():\n    from onnx import helper"),
        ("edge/a.py", "from mmer.training.loop import fit"),
        ("edge/a.py", "from mmer import export"),
        ("edge/pipeline/a.py", "import onnxruntime as ort"),
        ("calibration/a.py", "import torch.nn"),
        ("calibration/a.py", "from mmer.training import loop"),
        ("data/a.py", "from mmer.calibration import emit"),
        ("training/a.py", "import mmer.export.parity"),
    ],
)
def test_an_import_against_the_grain_is_found(file, source):
    assert faults(file, source) != []


def test_nothing_is_imported_relatively_or_with_a_star():
    trees = {path.name: ast.parse(path.read_text()) for part in PARTS for path in sources(part)}
    nodes = [
        (name, node) for name, tree in trees.items() for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)
    ]
    assert [name for name, node in nodes if node.level or any(alias.name == "*" for alias in node.names)] == []


def test_the_command_line_imports_inside_its_commands():
    body = ast.parse((ROOT / "cli.py").read_text()).body
    top = ast.Module([node for node in body if isinstance(node, ast.Import | ast.ImportFrom)], [])
    assert {name.partition(".")[0] for name in imported(top)} <= set(sys.stdlib_module_names) | {"typer", "mmer"}


def test_every_package_is_listed():
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    assert listed == ["mmer", *sorted(".".join(("mmer", *folder.relative_to(ROOT).parts)) for folder in packages())]


def test_every_package_is_marked_as_typed():
    assert [folder for folder in packages() if not (folder / "py.typed").is_file()] == []


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel of a copy of the project: building leaves files behind."""
    folder = tmp_path_factory.mktemp("wheel")
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            (folder / "source" / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / "source" / name).write_bytes((ROOT / name).read_bytes())
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--wheel-dir", folder, folder / "source"], check=True, capture_output=True)
    (path,) = folder.glob("*.whl")
    return zipfile.ZipFile(path)


def test_the_wheel_exposes_mmer_alone(wheel):
    tops = {name.split("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"mmer"}


def test_the_wheel_holds_every_module_and_nothing_beside(wheel):
    held = {name for name in wheel.namelist() if name.endswith(".py")}
    modules = {f"mmer/{path.relative_to(ROOT).as_posix()}" for part in PARTS for path in sources(part)}
    assert held == {"mmer/cli.py", *modules}


def test_the_wheel_holds_the_assets_and_licences(wheel):
    names = wheel.namelist()
    assets = {
        f"mmer/edge/assets/{name}"
        for name in ("bundle.zip", "example/example.mp4", "example/example.srt", "faces/pnet.onnx")
    }
    assert {*assets, "mmer/data/synth/portrait.jpg"} <= set(names)
    assert sum(name.endswith("LICENSE") for name in names) >= 2


def test_the_wheel_is_small_enough_to_download(wheel):
    assert sum(info.compress_size for info in wheel.infolist()) < 20e6


def test_only_mmer_is_importable_from_the_install():
    names = ("edge", "cli", "data", "tests")
    code = f"import mmer.edge, mmer.cli, importlib.util as u; print([n for n in {names} if u.find_spec(n)])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd="/")
    assert done.stdout == "[]\n"


def test_the_demonstration_installs_the_core_alone_from_anywhere(tmp_path):
    make = ["make", "--dry-run", "--file", ROOT / "Makefile", "demo", "DEMO=elsewhere"]
    said = subprocess.run(make, capture_output=True, text=True, check=True, cwd=tmp_path).stdout
    (install,) = [line for line in said.splitlines() if "pip install" in line]
    assert install.endswith(f" --constraint {ROOT}/constraints.txt {ROOT}/")
    assert "elsewhere/bin/mmer run --example\n" in said


def test_the_licences_text_is_apache():
    assert "Apache License" in (ROOT / "LICENSE").read_text()
