"""Figures that cannot be had: NaN where numbers are reckoned with, null in JSON."""

import math


def without_nan(value: object) -> object:
    """Return JSON values with null in place of every NaN, however deep."""
    if isinstance(value, dict):
        return {name: without_nan(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(inner) for inner in value]
    return None if isinstance(value, float) and math.isnan(value) else value
