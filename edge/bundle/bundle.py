"""A bundle: the graphs of one model, how they hang together and what they need, every byte of it checked."""

from dataclasses import dataclass
from pathlib import Path

from mmer.edge.bundle import golden
from mmer.edge.bundle.archive import Archive, open_archive
from mmer.edge.bundle.digest import digest, short
from mmer.edge.bundle.manifest import Manifest
from mmer.edge.bundle.onnx_scan import scan_onnx
from mmer.edge.bundle.paths import MANIFEST, SEAL, TOKENIZER, golden_outputs_path, golden_path
from mmer.edge.errors import BundleError


@dataclass(frozen=True, slots=True)
class Bundle:
    """An opened bundle.

    The digests keep out damage and mistakes. They do not prove who made a bundle: who changes a file can change the
    digests too, so compare the bundle's own digest with one from a source that you trust.
    """

    path: Path
    manifest: Manifest
    digest: str
    """SHA-256 of the manifest, which holds that of every file."""
    archive: Archive

    @classmethod
    def open(cls, path: Path) -> "Bundle":
        """Read every file of a folder or zip once; raise `BundleError` for anything missing, changed, added or unsafe.

        No graph is loaded.
        """
        archive = open_archive(path)
        content = archive.read(MANIFEST)
        if archive.read(SEAL) != seal(content):
            raise BundleError(path, f"{MANIFEST} has changed: its digest is not the one in {SEAL}")
        bundle = cls(path, Manifest.decoded(content, path), digest(content), archive)
        listed = {MANIFEST, SEAL, *bundle.manifest.files}
        if stray := sorted(archive.sizes.keys() - listed):
            raise BundleError(path, f"{stray[0]!r:.120} is not in the manifest; remove it")
        if missing := sorted(listed - archive.sizes.keys()):
            raise BundleError(path, f"{missing[0]} is missing")
        for name in bundle.manifest.files:
            check_file(name, bundle.read(name), path)
        return bundle

    @property
    def short(self) -> str:
        """The digits of the digest that every command prints."""
        return short(self.digest)

    def read(self, name: str) -> bytes:
        """Return what a file holds; the bytes returned are those that were compared with the manifest."""
        listed = self.manifest.files.get(name)
        if listed is None:
            raise BundleError(self.path, f"{name} is not in the manifest")
        if self.archive.sizes[name] != listed.size or digest(content := self.archive.read(name)) != listed.sha256:
            raise BundleError(self.path, f"{name} has changed: its digest is not the one in {MANIFEST}")
        return content

    def graph(self, name: str, precision: str) -> bytes:
        """Return a graph's ONNX file in the given precision, such as `fp32` or `int8.ort`."""
        return self.read(self.manifest.graphs[name].files[precision].path)

    def golden(self, graph: str, precision: str = "fp32") -> tuple[golden.Case, ...]:
        """Return a graph's golden inputs with the outputs of one form, which are those of float if it has no others.

        Raises `BundleError` when there are not as many outputs as inputs.
        """
        cases, own = _cases(self, golden_path(graph)), golden_outputs_path(graph, precision)
        if own not in self.manifest.files:
            return cases
        outputs = [case.outputs for case in _cases(self, own)]
        if len(outputs) != len(cases):
            raise BundleError(self.path, f"{own} has {len(outputs)} golden cases, the graph {len(cases)}")
        return tuple(golden.Case(case.inputs, wanted) for case, wanted in zip(cases, outputs, strict=True))

    def tokenizer(self) -> bytes:
        """Return `tokenizer.json`."""
        return self.read(TOKENIZER)


def _cases(bundle: Bundle, name: str) -> tuple[golden.Case, ...]:
    return golden.decode(bundle.read(name), f"{bundle.path}: {name}")


def seal(manifest: bytes) -> bytes:
    """Return the content of the seal for an encoded manifest."""
    return f"{digest(manifest)}  {MANIFEST}\n".encode("ascii")


def check_file(name: str, content: bytes, path: Path) -> None:
    """Raise `BundleError`, naming the bundle, for a file that is not safe to hand to what reads it."""
    if name.endswith(".onnx"):
        scan_onnx(content, f"{path}: {name}")
    elif name.endswith(".npz"):
        golden.decode(content, f"{path}: {name}")
