"""Which graphs this machine has been seen to compute rightly: golden values are replayed once, not in every run."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mmer.edge.errors import SettingError
from mmer.edge.files import atomic_text


@dataclass(frozen=True, slots=True)
class Trust:
    """Remembers replays, by machine and by bundle."""

    folder: Path
    machine: str
    """Whatever changes what kernels compute: processor, its instructions, version of the backend."""

    def known(self, bundle_digest: str) -> Mapping[str, str | None]:
        """Return the verdict on each `graph.precision` replayed here before: `None` for right, else what was wrong."""
        try:
            found = json.loads(self._path(bundle_digest).read_text(encoding="utf-8"))
        except (OSError, ValueError):  # never seen, or damaged: replay again
            return {}
        if not isinstance(found, dict):
            return {}
        return {str(name): None if wrong is None else str(wrong) for name, wrong in found.items()}

    def remember(self, bundle_digest: str, verdicts: Mapping[str, str | None]) -> None:
        """Keep verdicts; a cache that cannot be written costs a replay in each run, nothing more."""
        try:
            with atomic_text(self._path(bundle_digest)) as file:
                json.dump(dict(verdicts), file)
        except (OSError, SettingError):
            return

    def _path(self, bundle_digest: str) -> Path:
        key = hashlib.sha256(f"{self.machine}\n{bundle_digest}".encode()).hexdigest()
        return self.folder / "replayed" / f"{key}.json"
