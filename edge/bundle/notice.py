"""The notice: a line that every answer of a model has to say about the model, such as that it is a demonstration.

It lies under `metrics`, beside the figures whose reading it changes: what is free to grow within a version of the
format, and what calibration passes on.
"""

from collections.abc import Mapping
from typing import TypeGuard

from mmer.edge.errors import SettingError

NOTICE = "notice"
_LONGEST = 200


def fits(text: object) -> TypeGuard[str]:
    """Tell whether this can be a notice: one line that any terminal can show."""
    return isinstance(text, str) and text.isprintable() and text.strip() != "" and len(text) <= _LONGEST


def notice_in(metrics: Mapping[str, object]) -> str | None:
    """Return the notice among the metrics of a model, if there is one."""
    found = metrics.get(NOTICE)
    return found if fits(found) else None


def noticed(metrics: Mapping[str, object], text: str | None) -> Mapping[str, object]:
    """Return the metrics with a notice, or as they are; raise `SettingError` unless it is one printable line."""
    if text is None:
        return metrics
    if not fits(text):
        raise SettingError(f"the notice is {text!a:.80}; take one printable line of at most {_LONGEST} characters")
    return {**metrics, NOTICE: text}


def figures(metrics: Mapping[str, object]) -> Mapping[str, object]:
    """Return the metrics without the notice."""
    return {name: value for name, value in metrics.items() if name != NOTICE}
