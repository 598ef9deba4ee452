"""How much one media file may ask for: files are untrusted and may lie about themselves."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MediaLimits:
    """Caps on what is decoded; beyond them the file is refused with one line."""

    pixels: int = 4096 * 4096
    """Of one frame; 4K is 8.8 million."""
    channels: int = 32
    duration_s: float = 24 * 3600.0
    memory_bytes: int = 4 * 2**30
    """Address space of the decoder process."""
    stall_s: float = 60.0
    """How long the decoder process may stay silent."""
