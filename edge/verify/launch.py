"""What `mmer verify --on` does: replays a bundle, compares its forms on recordings, and keeps what was found."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from mmer.edge.backends.ort import OrtSession
from mmer.edge.bundle.bundle import Bundle
from mmer.edge.bundle.verify import Verification, verify
from mmer.edge.verify.comparison import Comparison, Order, compare
from mmer.edge.verify.record import claim_record, write_record
from mmer.edge.verify.report import comparison_json, comparison_lines, figures, record_json


@dataclass(frozen=True, slots=True)
class Verified:
    """A replay, and a comparison on recordings."""

    verification: Verification
    comparison: Comparison
    least: float | None
    written: Bundle | None
    """With the comparison in it; `None` when it was not to be kept, or there was nothing to compare."""

    def to_json(self) -> dict[str, object]:
        """Return everything under the schema `mmer.verify/1`."""
        written = self.written and {"path": str(self.written.path), "digest": self.written.digest}
        return {**self.verification.to_json(), "on": comparison_json(self.comparison), "written": written}

    def lines(self) -> Iterator[str]:
        """Yield the same as lines of plain text."""
        yield from self.verification.lines()
        yield from comparison_lines(self.comparison)
        if self.written:
            yield f"written into {self.written.path}, digest {self.written.short}"

    def failures(self) -> Iterator[str]:
        """Yield what was wrong with recordings that could not be used, or not to their end."""
        yield from (str(failure.error) for failure in self.comparison.failures)

    def notes(self) -> tuple[str, ...]:
        """Return what should be known beside the figures; without any, the lines say it."""
        return self.comparison.remarks if self.comparison.agreements else ()

    def require(self) -> int:
        """Raise for a replay that deviates (9) or a bound that is not reached (6); return 3 for a bad recording."""
        self.verification.require()
        self.comparison.require(self.least)
        return self.comparison.exit_code


def launch(bundle: Bundle, order: Order, progress: Callable[[str, int, int], None]) -> Verified:
    """Replay, compare and, if that is wanted, write; raises as `claim_record` and `compare` do."""
    if order.write:
        claim_record(bundle, exist_ok=order.exist_ok)
    verification = verify(bundle, OrtSession.open)
    found = compare(bundle, order, progress)
    written = None
    if order.write and found.agreements:
        written = write_record(bundle, record_json(found), figures(found))
    return Verified(verification, found, order.least, written)
