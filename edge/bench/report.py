"""A measurement as text for people."""

from collections.abc import Iterator, Sequence

from mmer.edge.bench.bench import Bench, Row
from mmer.edge.bench.intervals import Interval
from mmer.edge.bench.latency import StageTimes

_NONE = "-"


def bench_lines(bench: Bench) -> Iterator[str]:
    """Yield what was measured on what, then accuracy, cost and stages as tables."""
    yield from _head(bench)
    yield ""
    yield from _table(_ACCURACY, [_accuracy(row) for row in bench.rows])
    yield ""
    yield from _table(_COST, [_cost(row) for row in bench.rows])
    yield ""
    yield from _stages(bench.rows)
    yield ""
    yield from _foot(bench)


def _head(bench: Bench) -> Iterator[str]:
    data, machine, manifest = bench.data, bench.machine, bench.bundle.manifest
    protocol = bench.settings.windows
    stamps = data["stamps"]
    assert isinstance(stamps, list)
    yield " ".join(
        (f"{manifest.name}, digest {bench.bundle.short}, reference: {bench.rows[0].contender.name}", *stamps)
    )
    yield (
        f"{data['clips']} clips, {data['windows']} windows, {data['speakers']} speakers of the split {data['split']}, "
        f"corpus {str(data['digest'])[:12]}; windows of {protocol.length_s:g} s every {protocol.hop_s:g} s"
    )
    threads = bench.settings.threads
    yield (
        f"{machine['cpu']}, {machine['usable_cores']} cores, {threads} thread{'s' if threads > 1 else ''} a session, "
        f"load {machine['load_1m']}; "
        + ", ".join(sorted({f"{row.contender.backend} {row.contender.version}" for row in bench.rows}))
    )


_ACCURACY = (
    *("row", "precision", "UAR (95 %)", "accuracy", "macro F1", "avg 1-vs-rest acc"),
    *("UAR points vs ref (95 %)", "McNemar p", "same clips", "same windows"),
)
_COST = ("row", "window ms p50", "p95", "max", "end to end ms p50", "p95", "rtf", "cold start ms", "RSS MB", "files MB")


def _accuracy(row: Row) -> list[str]:
    scores, found = row.evaluation.scores, row.comparison
    versus = ["reference", _NONE, _NONE, _NONE]
    if found:
        gained = found.difference
        versus = [
            f"{gained.value:+.2f} ({gained.low:+.2f} to {gained.high:+.2f})",
            f"{found.mcnemar_p:.3f}",
            f"{found.agreement_clips:.2%}",
            f"{row.agreement_windows:.2%}",
        ]
    figures = (scores.accuracy, scores.macro_f1, scores.ovr_accuracy)
    shown = [f"{figure:.3f}" for figure in figures]
    return [row.contender.name, row.contender.precision, _ranged(row.evaluation.intervals["uar"]), *shown, *versus]


def _cost(row: Row) -> list[str]:
    window, end, fresh = row.window_ms, row.cost.end_to_end, row.cost.fresh
    ends = [f"{end.window_ms.p50:.2f}", f"{end.window_ms.p95:.2f}", f"{end.rtf:.3f}"] if end else [_NONE] * 3
    started = [_NONE if value is None else f"{value:.0f}" for value in (fresh.cold_start_ms, fresh.peak_rss_mb)]
    times = [f"{value:.2f}" for value in (window.p50, window.p95, window.max)]
    return [row.contender.name, *times, *ends, *started, f"{row.contender.size / 1e6:.2f}"]


def _stages(rows: Sequence[Row]) -> Iterator[str]:
    """Yield a line for each stage with a column for each row."""
    head = ["stage", *(row.contender.name for row in rows)]
    lines = [[name, *(_times(row.stages[name]) for row in rows)] for name in rows[0].stages]
    yield "p50 / p95 ms a call, ms for each second of media"
    yield from _table(head, lines)


def _times(times: StageTimes | None) -> str:
    return f"{times.each_ms.p50:.2f} / {times.each_ms.p95:.2f}, {times.per_media_s_ms:.2f}" if times else _NONE


def _foot(bench: Bench) -> Iterator[str]:
    data, noise, fresh = bench.data, bench.noise, bench.rows[0].cost.fresh
    yield (
        f"noise: the reference against itself, window by window, takes {noise.p5:.2f} to {noise.p95:.2f} times as long "
        f"(5 to 95 % of windows, median {noise.p50:.2f})"
    )
    if fresh.cold_start_ms is not None:
        decoder = "" if fresh.decoder_rss_mb is None else f", which takes {fresh.decoder_rss_mb:.0f} MB more"
        yield (
            f"cold start: from opening the model to the first answer, libraries loaded, median of "
            f"{bench.settings.starts}; RSS: the peak without the decoder process{decoder}"
        )
    unanswered = data["unanswered"]
    assert isinstance(unanswered, list)
    if unanswered:
        yield f"note: {len(unanswered)} clips hold nothing to look at and count in no row"
    if data["training_speakers"] == "unknown":
        yield "note: a bundle does not name the people it was trained on; with --reference CHECKPOINT they are compared"
    for row in bench.rows:
        yield from _remarks(row)


def _remarks(row: Row) -> Iterator[str]:
    contender = row.contender
    precisions = {loaded.precision for loaded in contender.graphs.values()}
    if len(precisions) > 1:
        graphs = (f"{name} {loaded.precision}" for name, loaded in contender.graphs.items())
        yield f"{contender.name}: {', '.join(graphs)}"
    for name, loaded in contender.graphs.items():
        if loaded.fallback:
            yield f"note: {contender.name}: graph {name} runs in {loaded.precision}: {loaded.fallback}"
    if row.cost.fresh.note:
        yield f"note: {contender.name} in a fresh process: {row.cost.fresh.note}"


def _ranged(found: Interval) -> str:
    return f"{found.value:.3f} ({found.low:.3f} to {found.high:.3f})"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield aligned lines: names to the left, figures to the right."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    for name, *figures in (head, *rows):
        padded = [figure.rjust(width) for figure, width in zip(figures, widths[1:], strict=True)]
        yield "  ".join((name.ljust(widths[0]), *padded))
