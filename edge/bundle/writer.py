"""Bundles written whole, as a folder or a zip; equal contents give equal bytes."""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from mmer.edge.bundle.bundle import Bundle, check_file, seal
from mmer.edge.bundle.manifest import Content, Manifest
from mmer.edge.bundle.paths import MANIFEST, SEAL
from mmer.edge.bundle.zipform import Member, directory
from mmer.edge.files import atomic_binary, atomic_folder, claim, refuse_existing


def claim_bundle(path: Path, *, exist_ok: bool) -> None:
    """Raise what `write_bundle` would raise about its place, before the work that leads to it is done."""
    claim(path, marker=None if path.suffix == ".zip" else SEAL, exist_ok=exist_ok)


def write_bundle(path: Path, manifest: Manifest, files: Mapping[str, bytes], *, exist_ok: bool = False) -> Bundle:
    """Write a folder, or a zip if the path ends in `.zip`, and return it opened; `manifest.files` is filled in here.

    Raises `OutputExistsError` when `path` is there and not `exist_ok`, and `BundleError` for what could not be opened
    again. A folder is replaced only if it is a bundle.
    """
    refuse_existing(path, exist_ok=exist_ok)
    whole = replace(manifest, files={name: Content.of(content) for name, content in sorted(files.items())})
    encoded = whole.encoded()
    Manifest.decoded(encoded, path)
    for name, content in files.items():
        check_file(name, content, path)
    everything = {MANIFEST: encoded, SEAL: seal(encoded), **{name: files[name] for name in whole.files}}
    if path.suffix == ".zip":
        _write_zip(path, everything)
    else:
        _write_folder(path, everything)
    return Bundle.open(path)


def _write_zip(path: Path, files: Mapping[str, bytes]) -> None:
    members: list[Member] = []
    with atomic_binary(path) as file:
        for name, content in files.items():
            members.append(Member.of(name, content, file.tell()))
            file.write(members[-1].header())
            file.write(content)
        file.write(directory(members))


def _write_folder(path: Path, files: Mapping[str, bytes]) -> None:
    with atomic_folder(path, marker=SEAL) as folder:
        for name, content in files.items():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
