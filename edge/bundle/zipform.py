"""The one form of zip that a bundle has: members stored as they are, one after the other, and nothing beside.

Every byte of such an archive follows from the names and contents. Whatever differs is refused: compression, links,
comments, extra fields, other times, bytes between members, names twice. Any unzip can open it.
"""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

SIGNATURE = b"PK\3\4"
"""What every member begins with."""

HEADER_BYTES = 1024
"""More than a header with a name that a bundle may have."""

_VERSION = 20  # what stored members and folders ask of a reader
_MADE_BY_UNIX = 3 << 8 | _VERSION
_EPOCH = 0x0021_0000  # 1980-01-01 00:00:00, the first moment that zip knows
_REGULAR_FILE = 0o100644 << 16


_LOCAL = struct.Struct("<4s 3H 4L 2H")  # signature; version, flags, method; time, CRC-32, size twice; name, extra
_CENTRAL = struct.Struct("<4s 4H 4L 5H 2L")  # the same with the maker's version, comment, disk, attributes, place
_END = struct.Struct("<4s 4H 2L H")


@dataclass(frozen=True, slots=True)
class Member:
    """A file in the archive."""

    name: str
    crc: int
    size: int
    start: int
    """Where its header begins."""

    @classmethod
    def of(cls, name: str, content: bytes, start: int) -> "Member":
        """Measure a file that is to stand at `start`."""
        return cls(name, zlib.crc32(content), len(content), start)

    @property
    def content_start(self) -> int:
        """Where its content begins."""
        return self.start + _LOCAL.size + len(self.name)

    @property
    def end(self) -> int:
        """Where the next member begins."""
        return self.content_start + self.size

    def header(self) -> bytes:
        """Return what stands before the content."""
        facts = (_EPOCH, self.crc, self.size, self.size, len(self.name), 0)
        return _LOCAL.pack(SIGNATURE, _VERSION, 0, 0, *facts) + self.name.encode("ascii")

    def entry(self) -> bytes:
        """Return what stands in the directory."""
        facts = (_EPOCH, self.crc, self.size, self.size, len(self.name), 0)
        place = (0, 0, 0, _REGULAR_FILE, self.start)
        return _CENTRAL.pack(b"PK\1\2", _MADE_BY_UNIX, _VERSION, 0, 0, *facts, *place) + self.name.encode("ascii")


def parsed(head: bytes, start: int) -> Member | None:
    """Return the member whose header `head` begins with, or `None` for a header of any other form."""
    if len(head) < _LOCAL.size:
        return None
    *_, crc, size, _, length, _ = _LOCAL.unpack_from(head)
    name = head[_LOCAL.size : _LOCAL.size + length]
    if not name.isascii():
        return None
    member = Member(name.decode("ascii"), crc, size, start)
    return member if head.startswith(member.header()) else None


def directory(members: Sequence[Member]) -> bytes:
    """Return what follows the last member."""
    entries = b"".join(member.entry() for member in members)
    start = members[-1].end if members else 0
    return entries + _END.pack(b"PK\5\6", 0, 0, len(members), len(members), len(entries), start, 0)
