"""Predictions as lines of text, written as they come: a table for people, JSON lines or CSV for programs."""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from mmer.edge.prediction import Prediction
from mmer.edge.sinks.rows import clock, json_line

_BAR = 12
"""Characters of the bar that shows how probable the answer is."""
_SEEN = (("video", "face"), ("audio", "voice"), ("text", "words"), ("metadata", "about"))


class Format(Protocol):
    """How predictions become lines."""

    def head(self) -> str | None:
        """Return what stands before the first line."""
        ...

    def line(self, source: str, prediction: Prediction) -> str:
        """Return a prediction's line."""
        ...


class JsonLines:
    """One JSON object a line."""

    def __init__(self, notice: str | None) -> None:
        self._notice = notice

    def head(self) -> str | None:
        """Return nothing: every line speaks for itself."""
        return None

    def line(self, source: str, prediction: Prediction) -> str:
        """Return the prediction as JSON."""
        return json_line(source, prediction, self._notice)


class Csv:
    """Comma-separated values with a column for each label, and one for the notice, if there is one."""

    def __init__(self, labels: Sequence[str], notice: str | None) -> None:
        self._labels = labels
        self._notice = {} if notice is None else {"notice": notice}

    def head(self) -> str | None:
        """Return the names of the columns."""
        names = [f"p_{label}" for label in self._labels] + [f"has_{name}" for name, _ in _SEEN]
        return _csv(["source", "start_s", "end_s", "track", "label", *names, *self._notice])

    def line(self, source: str, prediction: Prediction) -> str:
        """Return the prediction's values; an unknown one is empty."""
        probabilities = [_number(prediction.probabilities.get(label)) for label in self._labels]
        present = [int(prediction.present.get(name, False)) for name, _ in _SEEN]
        times = [f"{prediction.start_s:.3f}", f"{prediction.end_s:.3f}"]
        track = "" if prediction.track is None else prediction.track
        return _csv([source, *times, track, prediction.label or "", *probabilities, *present, *self._notice.values()])


class Table:
    """A timeline to read."""

    def __init__(self, labels: Sequence[str], notice: str | None) -> None:
        self._width = max(len(_NOTHING), *map(len, labels))
        self._notice = notice
        self._source = ""

    def head(self) -> str | None:
        """Return the notice; each source is announced when its first line comes."""
        return None if self._notice is None else f"note: {self._notice}"

    def line(self, source: str, prediction: Prediction) -> str:
        """Return when, who, what, how sure and on what grounds."""
        announced = "" if source == self._source else f"{source}\n"
        self._source = source
        when = f"{clock(prediction.start_s):>7} - {clock(prediction.end_s):>7}"
        who = "nobody  " if prediction.track is None else f"person {prediction.track}"
        seen = " + ".join(word for name, word in _SEEN if prediction.present.get(name)) or "-"
        best = max(prediction.probabilities.values(), default=0.0)
        bar = "#" * round(best * _BAR)
        what = f"{prediction.label or _NOTHING:<{self._width}}"
        return f"{announced}  {when}  {who}  {what}  {best:4.0%} {bar:<{_BAR}}  {seen}"


_NOTHING = "nothing to look at"

FORMATS: Mapping[str, Callable[[Sequence[str], str | None], Format]] = {
    "table": Table,
    "jsonl": lambda _labels, notice: JsonLines(notice),
    "csv": Csv,
}
"""Formats by the name that the command line gives them, made for the labels and the notice of a bundle."""


def _csv(values: Sequence[object]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(values)
    return text.getvalue()


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.6f}"
