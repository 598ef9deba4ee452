"""How far is too far for a change."""

from collections.abc import Mapping

from mmer.edge.errors import SettingError


def limited(part: str, values: Mapping[str, float], most: Mapping[str, float]) -> None:
    """Raise `SettingError` for a value that is not within 0 and its most."""
    for name, value in values.items():
        if not 0 <= value <= most[name]:
            raise SettingError(f"augmentation.{part}.{name} is {value:g}, not within 0..{most[name]:g}")
