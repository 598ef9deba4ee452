"""Media decoded in a process of its own: when native code crashes, hangs or swallows memory, only that process ends.

What was predicted before the crash stands, and other files go on in a new process.
"""

import fcntl
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import IO

from mmer.edge.errors import DecoderCrashedError, DecoderStalledError, MediaNotFoundError, MmerError, NoMediaError
from mmer.edge.media.clip import Clip
from mmer.edge.media.limits import MediaLimits
from mmer.edge.media.messages import LENGTH, MAX_HEADER, MAX_PAYLOAD, Header, Item, pack_request, unpack_item
from mmer.edge.media.request import Request
from mmer.edge.media.stream import Caption, Damage, Event, Frame, Sound
from mmer.edge.memory import high_water_mb

_ENTRY = "import sys; sys.path[:] = [p for p in sys.path if p]; from mmer.edge.media.child import main; main()"
"""The empty path goes first: a folder called `mmer` in the current directory must not be imported."""
COMMAND = (sys.executable, "-c", _ENTRY)

_AHEAD_BYTES = 1 << 20
"""As much as Linux gives to anybody: a frame of 640x360 and some sound."""


class IsolatedDecoder:
    """Opens one file after another in a decoder process, which is started when needed and again after a crash."""

    def __init__(self, limits: MediaLimits = MediaLimits(), command: Sequence[str] = COMMAND) -> None:
        self._limits = limits
        self._command = tuple(command)
        self._process: subprocess.Popen[bytes] | None = None
        self._said: IO[bytes] | None = None
        self.peak_mb: float | None = None
        """The most memory that a process took which has been closed; Linux only."""

    def __enter__(self) -> "IsolatedDecoder":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        """Start the process, if it does not run; it gets ready while the caller goes on."""
        if self._process is None:
            self._said = tempfile.TemporaryFile()  # noqa: SIM115
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._said,
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
                bufsize=0,
            )
            _widen(self._process.stdout)

    def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is not None:
            self.peak_mb = max(filter(None, (self.peak_mb, high_water_mb(process.pid))), default=None)
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout, self._said):
                if stream is not None:
                    stream.close()

    def open(self, path: Path) -> Clip:
        """Return what is in the file; raise `DataError` as `Clip.open` does, or when the decoder dies."""
        if os.path.isdir(path):
            raise NoMediaError(path)
        if not os.path.isfile(path):  # unlike `Path.is_file` at peace with any name
            raise MediaNotFoundError(path)
        clips = [item for item in self._ask(path, {"want": "clip"}) if isinstance(item, Clip)]
        if len(clips) != 1:
            raise DecoderCrashedError(path, "it no longer makes sense")
        return clips[0]

    def captions(self, path: Path) -> tuple[Caption, ...]:
        """Return the captions that the file carries."""
        return tuple(item for item in self._ask(path, {"want": "captions"}) if isinstance(item, Caption))

    def events(self, path: Path, request: Request) -> Iterator[Event]:
        """Yield frames and sound as `Clip.events` does."""
        for item in self._ask(path, {"want": "events", "request": pack_request(request)}):
            if isinstance(item, Frame | Sound | Damage):
                yield item

    def _ask(self, path: Path, order: Header) -> Iterator[Item]:
        self.start()
        finished = False
        try:
            self._send(path, order | {"path": str(path), "limits": asdict(self._limits)})
            while (answer := self._answer(path)) is not None:
                yield answer
            finished = True
        except MmerError as error:
            finished = not isinstance(error, DecoderCrashedError | DecoderStalledError)
            raise
        finally:
            if not finished:  # died, hangs, or the caller turned away in the middle of an answer
                self.close()

    def _send(self, path: Path, order: Header) -> None:
        stdin = self._running().stdin
        try:
            assert stdin is not None
            stdin.write(json.dumps(order).encode() + b"\n")
        except BrokenPipeError as error:
            raise self._crash(path) from error

    def _answer(self, path: Path) -> Item | None:
        """Return the next item, `None` at the end; raise what the process reports."""
        try:
            header = json.loads(
                self._read(path, _bounded(int.from_bytes(self._read(path, LENGTH), "little"), MAX_HEADER))
            )
            payload = self._read(path, _bounded(int(header["bytes"]), MAX_PAYLOAD))
            if header["kind"] == "error":
                raise MmerError.restored(header["name"], header["message"])
            return None if header["kind"] == "end" else unpack_item(header, payload)
        except (ValueError, KeyError, TypeError) as error:  # a process that was taken over may say anything
            raise DecoderCrashedError(path, "it no longer makes sense") from error

    def _read(self, path: Path, count: int) -> bytearray:
        stdout = self._running().stdout
        assert stdout is not None
        data = bytearray(count)
        view, filled = memoryview(data), 0
        while filled < count:
            if not select.select([stdout], [], [], self._limits.stall_s)[0]:
                raise DecoderStalledError(path, self._limits.stall_s)
            if not (got := os.readv(stdout.fileno(), [view[filled:]])):
                raise self._crash(path)
            filled += got
        return data

    def _crash(self, path: Path) -> DecoderCrashedError:
        code = self._running().wait()
        return DecoderCrashedError(
            path, signal.Signals(-code).name if code < 0 else f"exit status {code}{self._last_words()}"
        )

    def _last_words(self) -> str:
        if self._said is None:
            return ""
        self._said.seek(0)
        lines = self._said.read().decode("utf-8", "replace").strip().splitlines()
        return f": {lines[-1]}" if lines else ""

    def _running(self) -> subprocess.Popen[bytes]:
        assert self._process is not None
        return self._process


def _widen(pipe: IO[bytes] | None) -> None:
    """Let the process run ahead by more than a tenth of a frame, where the system can."""
    if pipe is not None and (set_size := getattr(fcntl, "F_SETPIPE_SZ", None)) is not None:
        with suppress(OSError):  # the user's pipes hold their share already
            fcntl.fcntl(pipe, set_size, _AHEAD_BYTES)


def _bounded(size: int, most: int) -> int:
    if not 0 <= size <= most:
        raise ValueError(size)
    return size
