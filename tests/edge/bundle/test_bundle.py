"""Every byte of a bundle counts, in a folder and in a zip."""

import hashlib
import io
import os
import random
import subprocess
import zipfile
from pathlib import Path

import numpy as np
import pytest

from mmer.edge.bundle import golden, paths
from mmer.edge.bundle.bundle import Bundle
from mmer.edge.bundle.writer import write_bundle
from mmer.edge.bundle.zipform import Member, directory
from mmer.edge.errors import BundleError


def test_an_opened_bundle_says_what_was_written(bundle, parts):
    assert bundle.manifest.plan == parts.manifest.plan
    assert {name: bundle.read(name) for name in bundle.manifest.files} == parts.files


def test_the_digest_is_that_of_the_manifest(bundle):
    assert bundle.digest == hashlib.sha256(bundle.manifest.encoded()).hexdigest()
    assert bundle.short == bundle.digest[:12]


def test_folder_and_zip_have_the_same_digest(folder, packed):
    assert Bundle.open(folder).digest == Bundle.open(packed).digest


def test_a_graph_is_found_by_name_and_precision(bundle, parts):
    assert bundle.graph("frame", "fp32") == parts.files["graphs/frame.fp32.onnx"]


def test_the_seal_can_be_checked_with_sha256sum(folder):
    done = subprocess.run(["sha256sum", "-c", "manifest.sha256"], cwd=folder, capture_output=True, check=False)
    assert done.returncode == 0


def test_any_unzip_opens_the_zip(packed, parts):
    with zipfile.ZipFile(packed) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in parts.files} == parts.files


def flipped(path: Path, place: int, mask: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= mask
    path.write_bytes(content)


@pytest.mark.parametrize("form", ["folder", "packed"])
def test_60_random_changes_of_one_byte_are_60_refusals(form, request):
    path = request.getfixturevalue(form)
    chance = random.Random(60)
    files = [p for p in sorted(path.rglob("*")) if p.is_file()] if path.is_dir() else [path]
    codes = []
    for _ in range(60):
        file = chance.choices(files, [p.stat().st_size for p in files])[0]
        place, mask = chance.randrange(file.stat().st_size), chance.randrange(1, 256)
        flipped(file, place, mask)
        with pytest.raises(BundleError) as refusal:
            Bundle.open(path)
        codes.append(refusal.value.exit_code)
        flipped(file, place, mask)
    assert codes == [8] * 60
    assert Bundle.open(path)


def test_a_change_of_any_byte_of_the_zips_structure_is_refused(packed):
    content = packed.read_bytes()
    with zipfile.ZipFile(packed) as archive:
        members = archive.infolist()
        directory = archive.start_dir
    headers = [p for m in members for p in range(m.header_offset, m.header_offset + 30 + len(m.filename))]
    for place in [*headers, *range(directory, len(content))]:
        packed.write_bytes(content[:place] + bytes([content[place] ^ 0x20]) + content[place + 1 :])
        with pytest.raises(BundleError):
            Bundle.open(packed)


@pytest.mark.parametrize("name", ["manifest.json", "manifest.sha256"])
def test_a_change_of_any_byte_of_the_manifest_is_refused(folder, name):
    content = (folder / name).read_bytes()
    for place in range(0, len(content), 7):
        (folder / name).write_bytes(content[:place] + bytes([content[place] ^ 0x20]) + content[place + 1 :])
        with pytest.raises(BundleError):
            Bundle.open(folder)


def test_a_digest_of_the_zip_that_is_wrong_everywhere_is_refused(packed):
    content = packed.read_bytes()
    with zipfile.ZipFile(packed) as archive:
        crc = archive.getinfo("LICENSE").CRC.to_bytes(4, "little")
    packed.write_bytes(content.replace(crc, b"0000"))
    with pytest.raises(BundleError, match="LICENSE has changed"):
        Bundle.open(packed)


@pytest.mark.parametrize("cut", [1, 22, 500])
def test_a_zip_that_was_cut_off_is_refused(packed, cut):
    packed.write_bytes(packed.read_bytes()[:-cut])
    with pytest.raises(BundleError):
        Bundle.open(packed)


@pytest.mark.parametrize("where", ["before", "after"])
def test_bytes_around_a_zip_are_refused(packed, where):
    content = packed.read_bytes()
    packed.write_bytes(b"#!/bin/sh\n" + content if where == "before" else content + b"\0")
    with pytest.raises(BundleError):
        Bundle.open(packed)


def test_a_missing_file_is_refused_by_name(folder):
    (folder / "LICENSE").unlink()
    with pytest.raises(BundleError, match="LICENSE is missing"):
        Bundle.open(folder)


@pytest.mark.parametrize("name", ["notes.txt", "graphs/second.onnx"])
def test_a_stray_file_is_refused_by_name(folder, name):
    (folder / name).write_bytes(b"x")
    with pytest.raises(BundleError, match=f"'{name}' is not in the manifest; remove it"):
        Bundle.open(folder)


@pytest.mark.parametrize(
    "name", ["run.py", "libop.so", "graphs/weights.bin", ".hidden.json", "graphs/a b.onnx", "model.pkl"]
)
def test_a_file_of_a_kind_that_bundles_do_not_have_is_refused(folder, name):
    (folder / name).write_bytes(b"x")
    with pytest.raises(BundleError, match="is not in the manifest; remove it"):
        Bundle.open(folder)


def test_a_link_is_refused(folder, tmp_path):
    (folder / "LICENSE").rename(tmp_path / "LICENSE")
    (folder / "LICENSE").symlink_to(tmp_path / "LICENSE")
    with pytest.raises(BundleError, match="'LICENSE' is a link"):
        Bundle.open(folder)


def test_a_linked_folder_is_refused(folder, tmp_path):
    (folder / "graphs").rename(tmp_path / "graphs")
    (folder / "graphs").symlink_to(tmp_path / "graphs")
    with pytest.raises(BundleError, match="'graphs' is a link"):
        Bundle.open(folder)


def test_a_pipe_in_place_of_a_file_does_not_hang(folder):
    (folder / "LICENSE").unlink()
    os.mkfifo(folder / "LICENSE")
    with pytest.raises(BundleError, match="no regular file"):
        Bundle.open(folder)


def test_a_pipe_in_place_of_the_bundle_does_not_hang(tmp_path):
    os.mkfifo(tmp_path / "a.zip")
    with pytest.raises(BundleError, match="neither a folder nor a regular file"):
        Bundle.open(tmp_path / "a.zip")


def test_a_file_that_changes_after_opening_is_refused_when_it_is_read(bundle):
    path = bundle.path if bundle.path.is_file() else bundle.path / "graphs/frame.fp32.onnx"
    content = path.read_bytes()
    at = content.index(bundle.graph("frame", "fp32")[-20:])
    path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
    with pytest.raises(BundleError, match="has changed"):
        bundle.graph("frame", "fp32")


def test_a_file_that_grows_after_opening_is_refused_when_it_is_read(folder):
    bundle = Bundle.open(folder)
    with (folder / "LICENSE").open("ab") as file:
        file.write(b"more")
    with pytest.raises(BundleError, match="has changed"):
        bundle.read("LICENSE")


def test_a_file_that_is_not_listed_cannot_be_read(bundle):
    with pytest.raises(BundleError, match="not in the manifest"):
        bundle.read("../secret.txt")


@pytest.mark.parametrize("name", ["", "nothing", "nothing.zip"])
def test_where_nothing_is_there_is_no_bundle(tmp_path, name):
    with pytest.raises(BundleError):
        Bundle.open(tmp_path / name)


def test_a_file_that_is_no_zip_is_refused(tmp_path):
    (tmp_path / "a.zip").write_bytes(b"hello")
    with pytest.raises(BundleError, match="unpack it, use the folder"):
        Bundle.open(tmp_path / "a.zip")


def rezip(packed: Path, change) -> None:
    """Pack the members again with another tool, after `change(archive, name, content)`."""
    with zipfile.ZipFile(packed) as archive:
        members = [(info.filename, archive.read(info)) for info in archive.infolist()]
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in members:
            change(archive, name, content)


def test_a_zip_packed_anew_is_refused_with_a_remedy(packed):
    rezip(packed, lambda archive, name, content: archive.writestr(name, content))
    with pytest.raises(BundleError, match="unpack it, use the folder"):
        Bundle.open(packed)


def test_a_zip_bomb_is_refused_before_anything_is_unpacked(tmp_path):
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr("manifest.json", b" " * (64 << 20))
    with pytest.raises(BundleError, match="no zip in the form"):
        Bundle.open(tmp_path / "bomb.zip")


@pytest.mark.parametrize(
    "name", ["../evil.json", "/etc/evil.json", "graphs/../../evil.json", "C:\\evil.json", "a//b.json"]
)
def test_a_path_outside_is_refused(tmp_path, parts, packed, name):
    with pytest.raises(BundleError, match="not a path that a bundle may have"):
        write_bundle(tmp_path / "a.zip", parts.manifest, {**parts.files, name: b"{}"})
    with zipfile.ZipFile(packed) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    packed.write_bytes(zip_of({**members, name: b"{}"}))
    with pytest.raises(BundleError, match="is not in the manifest"):
        Bundle.open(packed)


def zip_of(files: dict[str, bytes] | list[tuple[str, bytes]]) -> bytes:
    """A zip of our form with any names."""
    file, members = io.BytesIO(), []
    for name, content in dict(files).items() if isinstance(files, dict) else files:
        members.append(Member.of(name, content, file.tell()))
        file.write(members[-1].header() + content)
    file.write(directory(members))
    return file.getvalue()


def test_a_zip_with_a_name_twice_is_refused(tmp_path):
    (tmp_path / "a.zip").write_bytes(zip_of([("manifest.json", b"{}"), ("manifest.json", b"[]")]))
    with pytest.raises(BundleError, match=r"two called 'manifest\.json'"):
        Bundle.open(tmp_path / "a.zip")


@pytest.mark.parametrize("name", ["Manifest.json", "graphs/FRAME.fp32.onnx"])
def test_names_that_differ_in_case_only_are_refused(tmp_path, parts, name):
    with pytest.raises(BundleError, match="would be the same file"):
        write_bundle(tmp_path / "a.zip", parts.manifest, {**parts.files, name: b"{}"})


def test_a_file_and_a_folder_of_one_name_are_refused(tmp_path, parts):
    with pytest.raises(BundleError, match="needs a folder of that name"):
        write_bundle(tmp_path / "a.zip", parts.manifest, {**parts.files, "LICENSE/a.md": b""})


def test_too_many_files_are_refused(tmp_path, parts):
    with pytest.raises(BundleError, match="more than 256"):
        write_bundle(tmp_path / "a.zip", parts.manifest, {**parts.files, **{f"a{i}.md": b"" for i in range(300)}})
    (tmp_path / "b.zip").write_bytes(zip_of({f"a{i}.md": b"" for i in range(300)}))
    with pytest.raises(BundleError, match="more than 256"):
        Bundle.open(tmp_path / "b.zip")


def test_too_many_folders_are_refused(folder):
    for number in range(1100):
        (folder / f"d{number}").mkdir()
    with pytest.raises(BundleError, match="files and folders"):
        Bundle.open(folder)


def test_a_file_of_an_absurd_size_is_refused_without_reading_it(folder):
    os.truncate(folder / "LICENSE", 1 << 42)
    with pytest.raises(BundleError, match="LICENSE has changed"):
        Bundle.open(folder)


def test_an_absurd_size_stated_by_a_zip_is_refused(packed):
    content = bytearray(packed.read_bytes())
    content[18:26] = b"\xff\xff\xff\x7f" * 2
    packed.write_bytes(content)
    with pytest.raises(BundleError):
        Bundle.open(packed)


def test_a_manifest_of_an_absurd_size_is_refused(folder, reseal):
    reseal(folder, b" " * (paths.MOST_MANIFEST_BYTES + 1))
    with pytest.raises(BundleError, match=r"manifest\.json is larger than 4 MiB"):
        Bundle.open(folder)


def test_a_form_without_golden_outputs_of_its_own_has_those_of_float(bundle):
    assert bundle.golden("frame", "int8.ort")[0].outputs.keys() == bundle.golden("frame")[0].outputs.keys()


def test_a_form_has_the_golden_outputs_that_were_written_for_it(tmp_path, parts):
    own = golden.encode([golden.Case({}, {"features": np.ones((2, 4), np.float32)})])
    files = {**parts.files, "golden/frame.int8.ort.npz": own}
    case = write_bundle(tmp_path / "own", parts.manifest, files).golden("frame", "int8.ort")[0]
    assert (case.outputs["features"] == 1).all()
    assert case.inputs["crops"].shape == (2, 6)


def test_more_golden_outputs_than_inputs_are_refused(tmp_path, parts):
    outputs = {"features": np.ones((2, 4), np.float32)}
    files = {**parts.files, "golden/frame.int8.ort.npz": golden.encode([golden.Case({}, outputs)] * 2)}
    written = write_bundle(tmp_path / "odd", parts.manifest, files)
    with pytest.raises(BundleError, match="2 golden cases, the graph 1"):
        written.golden("frame", "int8.ort")
