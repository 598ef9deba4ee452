"""How the decoder process and its parent speak: a JSON header of stated length, then raw bytes; never pickle."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from mmer.edge.media.clip import AudioTrack, Clip, VideoTrack
from mmer.edge.media.limits import MediaLimits
from mmer.edge.media.request import FrameRequest, Request, SoundRequest
from mmer.edge.media.stream import Caption, Damage, Frame, Sound

Header = dict[str, Any]
Item = Clip | Frame | Sound | Damage | Caption
Buffer = bytes | bytearray
LENGTH = 4
MAX_HEADER = 1 << 16
MAX_PAYLOAD = 1 << 28


def pack(header: Mapping[str, object], payload: bytes = b"") -> bytes:
    """Return one message; the header states the payload's size."""
    text = json.dumps({**header, "bytes": len(payload)}).encode()
    return len(text).to_bytes(LENGTH, "little") + text + payload


def pack_item(item: Item) -> bytes:
    """Return the message for one thing that was decoded."""
    kind = type(item).__name__
    if isinstance(item, Frame):
        return pack({"kind": kind, "time_s": item.time_s, "shape": item.pixels.shape}, item.pixels.tobytes())
    if isinstance(item, Sound):
        return pack({"kind": kind, "time_s": item.time_s, "rate_hz": item.rate_hz}, item.samples.tobytes())
    return pack({"kind": kind, "value": asdict(item) | ({"path": str(item.path)} if isinstance(item, Clip) else {})})


def unpack_item(header: Header, payload: Buffer) -> Item:
    """Return what the other side decoded; raise `ValueError`, `KeyError` or `TypeError` for anything else."""
    return _ITEMS[header["kind"]](header, payload)


def pack_request(request: Request) -> Header:
    """Return a request as JSON values."""
    return asdict(request)


def unpack_request(value: Header) -> Request:
    """Return the request that `pack_request` wrote."""
    frames, sound = value.pop("frames"), value.pop("sound")
    return Request(frames and FrameRequest(**frames), sound and SoundRequest(**sound), **value)


def _frame(header: Header, payload: Buffer) -> Frame:
    return Frame(float(header["time_s"]), np.frombuffer(payload, np.uint8).reshape(header["shape"]))


def _sound(header: Header, payload: Buffer) -> Sound:
    return Sound(float(header["time_s"]), int(header["rate_hz"]), np.frombuffer(payload, np.float32))


def _clip(header: Header, _: Buffer) -> Clip:
    value = header["value"]
    video, audio = value.pop("video"), value.pop("audio")
    value |= {"path": Path(value["path"]), "limits": MediaLimits(**value["limits"]), "choices": tuple(value["choices"])}
    return Clip(video=video and VideoTrack(**video), audio=audio and AudioTrack(**audio), **value)


_ITEMS: Mapping[str, Callable[[Header, Buffer], Item]] = {
    "Frame": _frame,
    "Sound": _sound,
    "Clip": _clip,
    "Damage": lambda header, _: Damage(**header["value"]),
    "Caption": lambda header, _: Caption(**header["value"]),
}
