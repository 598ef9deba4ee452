"""Resolve the core requirements against the constraints for another Python and platform; nothing is installed."""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from packaging.requirements import Requirement

if sys.version_info >= (3, 11):
    import tomllib
else:
    sys.exit("this script needs Python 3.11 or later; it resolves for any")

ROOT = Path(__file__).resolve().parents[1]


def main() -> int:
    """Return pip's exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", default="3.10")
    parser.add_argument("--platform", default="manylinux_2_28_x86_64")
    options = parser.parse_args()
    requirements = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    with tempfile.TemporaryDirectory() as target:
        pip = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--dry-run",
            "--ignore-installed",
            "--only-binary=:all:",
        ]
        place = ["--target", target, "--python-version", options.python, *_platforms(options.platform)]
        constraints = Path(target) / "constraints.txt"
        constraints.write_text("\n".join(_constraints(options.python)))
        done = subprocess.run([*pip, *place, "--constraint", constraints, *requirements], check=False)
    print(f"Python {options.python}, {options.platform}: {'resolves' if done.returncode == 0 else 'does not resolve'}")
    return done.returncode


def _constraints(python: str) -> list[str]:
    """Return the constraints that hold for a Python: pip itself reads markers as the running one."""
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if line and not line.startswith("#")]
    found = [Requirement(line) for line in lines]
    return [
        f"{r.name}{r.specifier}" for r in found if r.marker is None or r.marker.evaluate({"python_version": python})
    ]


def _platforms(newest: str) -> list[str]:
    """Return pip's options for a manylinux tag and the older ones that it includes."""
    _, glibc_minor, machine = newest.removeprefix("manylinux_").split("_", 2)
    tags = [f"manylinux_2_{minor}_{machine}" for minor in range(int(glibc_minor), 16, -1)] + [
        f"manylinux2014_{machine}"
    ]
    return [word for tag in tags for word in ("--platform", tag)]


if __name__ == "__main__":
    sys.exit(main())
