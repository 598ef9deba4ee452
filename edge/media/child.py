"""The decoder process: reads orders as lines of JSON, answers with messages, and dies alone."""

import json
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from mmer.edge.errors import MmerError
from mmer.edge.media import contents, decode  # noqa: F401 - loaded while the parent has other things to do
from mmer.edge.media.clip import Clip
from mmer.edge.media.limits import MediaLimits
from mmer.edge.media.messages import Item, pack, pack_item, unpack_request


def main() -> None:
    """Serve orders until standard input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    try:
        serve(sys.stdin.buffer, sys.stdout.buffer)
    except BrokenPipeError:
        sys.stderr.close()


def serve(orders: BinaryIO, answers: BinaryIO) -> None:
    """Answer every order with its items and a last message, `end` or `error`."""
    for line in orders:
        last = pack({"kind": "end"})
        try:
            for item in _items(json.loads(line)):
                answers.write(pack_item(item))
                answers.flush()
        except MmerError as error:
            last = pack({"kind": "error", "name": type(error).__name__, "message": str(error)})
        except MemoryError:
            last = pack(
                {
                    "kind": "error",
                    "name": "DataError",
                    "message": "the file needs more memory than allowed; scale it first",
                }
            )
        answers.write(last)
        answers.flush()


def _items(order: dict[str, Any]) -> Iterator[Item]:
    limits = MediaLimits(**order["limits"])
    _bound_memory(limits.memory_bytes)
    clip = Clip.open(Path(order["path"]), limits)
    if order["want"] == "clip":
        yield clip
    elif order["want"] == "captions":
        yield from clip.captions()
    else:
        yield from clip.events(unpack_request(order["request"]))


def _bound_memory(memory_bytes: int) -> None:
    """Cap the address space where the system can: a file that asks for more ends in a clean error."""
    try:
        import resource  # POSIX only  # noqa: PLC0415
    except ImportError:
        return
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    most = memory_bytes if hard == resource.RLIM_INFINITY else min(memory_bytes, hard)
    with suppress(ValueError, OSError):  # macOS knows the limit and refuses to set it
        resource.setrlimit(resource.RLIMIT_AS, (most, hard))
