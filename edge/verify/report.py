"""A comparison for people and for programs."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

from mmer.edge.bench.binomial import Bound
from mmer.edge.sinks.rows import clock
from mmer.edge.verify.agreement import Agreement, Swap, WorstWindow
from mmer.edge.verify.comparison import Comparison

_DECIMALS = 6


def comparison_json(found: Comparison, named: Callable[[str], str] = str) -> dict[str, object]:
    """Return everything; `named` turns a recording's path into what may be told of it."""
    return {
        "clips": len(found.clips),
        "clips_answered": found.answered,
        "windows": found.windows,
        "nothing_to_look_at": found.empty,
        "length_s": found.settings.length_s,
        "hop_s": found.settings.hop_s,
        "failed": [{"clip": named(failure.clip), "error": str(failure.error)} for failure in found.failures],
        "remarks": list(found.remarks),
        "forms": [_form(agreement, found.labels, named) for agreement in found.agreements],
    }


def record_json(found: Comparison) -> dict[str, object]:
    """Return what a bundle keeps: recordings by the names of their files, without the folders they lie in."""
    document = comparison_json(found, lambda clip: Path(clip).name)
    failed = [{"clip": Path(failure.clip).name} for failure in found.failures]  # an error tells the whole path
    return {**document, "failed": failed, "machine": dict(found.machine)}


def figures(found: Comparison) -> dict[str, object]:
    """Return the figures in short, by form."""
    return {
        agreement.form.name: {
            "windows": agreement.windows.of,
            "same_label": round(agreement.windows.share, _DECIMALS),
            "lower_bound": round(agreement.windows.low, _DECIMALS),
            "clips": agreement.clips.of,
            "clips_without_change": agreement.clips.count,
        }
        for agreement in found.agreements
    }


def comparison_lines(found: Comparison) -> Iterator[str]:
    """Yield the same as lines of plain text."""
    settings = found.settings
    if not found.agreements:
        yield from (f"nothing was compared: {remark}" for remark in found.remarks)
        return
    yield (
        f"{found.windows} window(s) of {settings.length_s:g} s every {settings.hop_s:g} s from "
        f"{found.answered} of {len(found.clips)} clip(s); in {found.empty} more there was nothing to look at"
    )
    for agreement in found.agreements:
        yield from _lines(agreement)
    yield (
        "bounds: exact, one-sided, 95 %; windows of one clip depend on each other, so that the bound over windows "
        "promises too much and the one over clips is the safe one"
    )


def _lines(agreement: Agreement) -> Iterator[str]:
    graphs = ", ".join(f"{name} {precision}" for name, precision in agreement.form.swapped.items())
    yield f"{agreement.form.name}  ({graphs}; the rest in float)"
    yield f"  label of float      {_bound(agreement.windows, 'windows')}"
    yield f"  in every window     {_bound(agreement.clips, 'clips')}"
    yield f"  by the clip's mean  {_bound(agreement.answers, 'clips')}"
    probability, logit = agreement.probability, agreement.logit
    yield f"  probabilities       off by {probability.mean:.2g} on average, {probability.worst:.2g} at most"
    yield f"  logits              off by {logit.mean:.2g} on average, {logit.worst:.2g} at most"
    yield from (f"  {_alone(swap)}" for swap in agreement.swaps)
    for window in agreement.worst:
        yield f"  worst: {_where(window)}"


def _alone(swap: Swap) -> str:
    if not swap.calls:
        return f"{swap.graph} alone: no window gave it anything to read"
    off = f"probabilities off by {swap.probability.mean:.2g} on average, {swap.probability.worst:.2g} at most"
    return f"{swap.graph} alone: {swap.changed} window(s) with another label, {off}"


def _where(window: WorstWindow) -> str:
    place = window.place
    who = "" if place.track is None else f" person {place.track}"
    said = f"{window.label} {max(window.probabilities):.1%}, here {window.other} {max(window.others):.1%}"
    return f"{Path(place.clip).name} {clock(place.start_s)} - {clock(place.end_s)}{who}: {said}"


def _bound(bound: Bound, what: str) -> str:
    if math.isnan(bound.share):
        return f"no {what}"
    return f"{bound.share:.2%} of {bound.of} {what}, at least {bound.low:.2%}"


def _form(agreement: Agreement, labels: tuple[str, ...], named: Callable[[str], str]) -> dict[str, object]:
    return {
        "form": agreement.form.name,
        "graphs": {name: asdict(loaded) for name, loaded in agreement.form.graphs.items()},
        "windows": agreement.windows.to_json(),
        "clips": agreement.clips.to_json(),
        "clips_by_mean": agreement.answers.to_json(),
        "probability": asdict(agreement.probability),
        "logit": asdict(agreement.logit),
        "worst_graph": agreement.swaps[0].graph,
        "graph_by_graph": [asdict(swap) for swap in agreement.swaps],
        "worst_windows": [_window(window, labels, named) for window in agreement.worst],
    }


def _window(window: WorstWindow, labels: tuple[str, ...], named: Callable[[str], str]) -> Mapping[str, object]:
    told = {"float": window.probabilities, "form": window.others}
    return {
        "clip": named(window.place.clip),
        "start_s": round(window.place.start_s, 3),
        "end_s": round(window.place.end_s, 3),
        "track": window.place.track,
        "labels": {"float": window.label, "form": window.other},
        "probabilities": {
            who: {label: round(p, _DECIMALS) for label, p in zip(labels, values, strict=True)}
            for who, values in told.items()
        },
    }
