"""A measurement as JSON."""

from collections.abc import Mapping
from dataclasses import asdict

from mmer.edge.bench.bench import Bench, Row
from mmer.edge.bench.intervals import Interval
from mmer.edge.bench.nulls import without_nan

SCHEMA = "mmer.bench/1"


def bench_json(bench: Bench) -> dict[str, object]:
    """Return everything under the schema `mmer.bench/1`; null for what cannot be had."""
    files = bench.bundle.manifest.files.values()
    facts = without_nan(
        {
            "machine": dict(bench.machine),
            "bundle": {
                "name": bench.bundle.manifest.name,
                "digest": bench.bundle.digest,
                "size_mb": _mb(sum(content.size for content in files)),
            },
            "data": dict(bench.data),
            "rows": [_row(row) for row in bench.rows],
            "noise": bench.noise.to_json(),
        }
    )
    assert isinstance(facts, dict)
    return {"schema": SCHEMA, **facts}


def _row(row: Row) -> dict[str, object]:
    end, fresh = row.cost.end_to_end, row.cost.fresh
    return {
        **row.contender.to_json(),
        "reference": row.comparison is None,
        **asdict(row.evaluation.scores),
        "ci95": {name: _range(found) for name, found in row.evaluation.intervals.items()},
        "ci95_across_speakers": {name: _range(found) for name, found in row.evaluation.across.items()},
        "per_class": row.evaluation.per_class,
        "per_speaker": row.evaluation.per_speaker,
        "confusion": row.evaluation.confusion,
        "versus_reference": _versus(row),
        "latency_ms": row.window_ms.to_json(),
        "end_to_end_ms": {**end.window_ms.to_json(), "laps": end.laps} if end else None,
        "rtf": end and end.rtf,
        "end_to_end_note": None if end else "not asked for: 0 seconds",
        "stages": {name: times and times.to_json() for name, times in row.stages.items()},
        "cold_start_ms": fresh.cold_start_ms,
        "peak_rss_mb": fresh.peak_rss_mb,
        "decoder_rss_mb": fresh.decoder_rss_mb,
        "start_note": fresh.note or "peak_rss_mb is without the decoder process",
        "size_mb": _mb(row.contender.size),
    }


def _versus(row: Row) -> Mapping[str, object] | None:
    if row.comparison is None:
        return None
    found = row.comparison
    return {
        "difference": found.difference.value,
        "unit": "points of UAR",
        "ci95": _range(found.difference),
        "mcnemar_p": found.mcnemar_p,
        "agreement_clips": found.agreement_clips,
        "agreement_windows": row.agreement_windows,
    }


def _range(found: Interval) -> list[float]:
    return [found.low, found.high]


def _mb(size: int) -> float:
    return round(size / 1e6, 3)
