"""A comparison kept inside the bundle that it speaks of."""

from collections.abc import Mapping
from dataclasses import replace

from mmer.edge.bundle.bundle import Bundle
from mmer.edge.bundle.digest import canonical
from mmer.edge.bundle.paths import VERIFICATION
from mmer.edge.bundle.writer import claim_bundle, write_bundle
from mmer.edge.errors import OutputExistsError, SettingError

SCHEMA = "mmer.verification/1"
METRIC = "agreement"
"""Under which the manifest's metrics hold the figures in short, so that whoever inspects a bundle sees them."""


def claim_record(bundle: Bundle, *, exist_ok: bool) -> None:
    """Raise now what `write_record` would raise after the work; a record is replaced only with `exist_ok`."""
    if VERIFICATION in bundle.manifest.files and not exist_ok:
        raise OutputExistsError(bundle.path / VERIFICATION)
    if bundle.path.is_file() and bundle.path.suffix != ".zip":
        raise SettingError(f"{bundle.path}: a bundle in one file is written under a name in .zip only; rename it")
    claim_bundle(bundle.path, exist_ok=True)


def write_record(bundle: Bundle, document: Mapping[str, object], figures: Mapping[str, object]) -> Bundle:
    """Write a bundle anew, whole, with a record and its figures in short; return it opened, with its new digest."""
    files = {name: bundle.read(name) for name in bundle.manifest.files}
    files[VERIFICATION] = canonical({"schema": SCHEMA, "source": bundle.digest, **document})
    metrics = {**bundle.manifest.metrics, METRIC: figures}
    return write_bundle(bundle.path, replace(bundle.manifest, metrics=metrics), files, exist_ok=True)
