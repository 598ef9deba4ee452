"""Real recordings: each gives answers, or one line that says why not."""

import os
from pathlib import Path

import pytest

from mmer.edge.launch import RunOptions, launch
from mmer.edge.pipeline.timeline import WindowSettings
from mmer.edge.recognizer import Recipe

PACK = Path(os.environ.get("MMER_PACK", ""))
MEDIA = sorted((PACK / "media").iterdir()) if "MMER_PACK" in os.environ else [Path("none")]
pytestmark = pytest.mark.skipif(
    "MMER_PACK" not in os.environ, reason="MMER_PACK does not name the folder of recordings"
)
EVERY_SECOND = RunOptions(recipe=Recipe(WindowSettings(hop_s=1.0)))


@pytest.mark.parametrize("path", MEDIA, ids=lambda path: path.name)
def test_a_file_gives_answers_or_one_line(path):
    lines = []
    finished = launch([str(path)], EVERY_SECOND, "jsonl", lines.append, keep=True)
    run = finished.runs[0]
    if run.error is None:
        assert (finished.exit_code, len(lines)) == (0, len(run.predictions))
        assert run.predictions
    else:
        assert (finished.exit_code, str(run.error).count("\n"), path.name in str(run.error)) == (3, 0, True)
