"""One digest for a whole bundle: SHA-256 over its manifest, which holds the digest of every file."""

import hashlib
import json

SHOWN = 12
"""How many hexadecimal digits are printed."""


def canonical(document: object) -> bytes:
    """Return the one way in which a JSON document is written: sorted keys, no spaces, ASCII, no NaN."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")


def digest(content: bytes) -> str:
    """Return SHA-256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def short(whole: str) -> str:
    """Return the digits that every command prints."""
    return whole[:SHOWN]
