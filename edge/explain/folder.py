"""An explanation as files."""

import json
from pathlib import Path

from mmer.edge.explain.explanation import Explanation
from mmer.edge.explain.plots import plot_contributions, plot_over_time
from mmer.edge.files import atomic_folder

DOCUMENT, CONTRIBUTIONS, OVER_TIME = "explanation.json", "contributions.png", "over_time.png"


def write_explanation(folder: Path, found: Explanation) -> None:
    """Write the document and its pictures.

    Raises `MissingDependencyError` without matplotlib, `SettingError` for a folder that is not ours to replace.
    """
    with atomic_folder(folder, marker=DOCUMENT) as new:
        document = json.dumps(found.to_json(), ensure_ascii=False, allow_nan=False, indent=1)
        (new / DOCUMENT).write_text(document + "\n", encoding="utf-8")
        plot_contributions(found, new / CONTRIBUTIONS)
        if found.insight is not None:
            plot_over_time(found, found.insight, new / OVER_TIME)
