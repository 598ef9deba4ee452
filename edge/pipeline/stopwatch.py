"""How often the stages of a plan run and how long they take."""

import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from statistics import median

_KEPT = 4096  # for the median and the bench: the latest runs, so that a camera that runs for weeks needs no more memory


class Stopwatch:
    """The times of one stage."""

    def __init__(self) -> None:
        self._calls = 0
        self._total_ms = 0.0
        self._latest_ms: deque[float] = deque(maxlen=_KEPT)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Measure a block."""
        start = time.perf_counter()
        try:
            yield
        finally:
            spent_ms = (time.perf_counter() - start) * 1e3
            self._calls += 1
            self._total_ms += spent_ms
            self._latest_ms.append(spent_ms)

    @property
    def calls(self) -> int:
        """How many blocks were measured."""
        return self._calls

    @property
    def latest_ms(self) -> Sequence[float]:
        """The latest times, 4096 at most."""
        return tuple(self._latest_ms)

    def to_json(self) -> dict[str, float]:
        """Return the number of calls, their time in all and the median of the latest."""
        p50_ms = median(self._latest_ms) if self._latest_ms else 0.0
        return {"calls": self._calls, "total_ms": round(self._total_ms, 3), "p50_ms": round(p50_ms, 3)}
