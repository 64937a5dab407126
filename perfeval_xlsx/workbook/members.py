"""What a zip file says about its members, and the fixed fields it says it in."""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import NamedTuple

LOCAL = struct.Struct("<4s5H3I2H")
LOCAL_NAME = struct.Struct("<4s22x2H")
"""Of a local header only its mark and the lengths of name and extra field."""
FIGURES = 14
"""Where in a local header checksum and sizes stand."""
LENGTHS = 26
"""Where in a local header the lengths of name and extra field stand."""
CENTRAL = struct.Struct("<4s6H3I5H2I")
CHECKSUM = 16
"""Where in a central entry checksum and sizes stand."""
OFFSET = 42
"""Where in a central entry the offset of the local header stands."""
END_OFFSET = 16
"""Where in the end record the offset of the directory stands."""
END64 = struct.Struct("<4sQ2H2I4Q")
END_MARK = b"PK\5\6"
STORED, DEFLATED = 0, 8
OLDEST = 20
"""Version of the format that deflated members need."""
DESCRIPTOR = 0x0008
"""Flag of a member whose checksum and sizes stand behind it."""
LEVEL = 4
"""Compression of a replaced part by zlib: 6 gains 6 % of it (2 % of a file) for 1.7 times the time."""
NONE32 = 0xFFFFFFFF
"""Stands in a field whose value is in the extra block ``ZIP64``."""
ZIP64 = 1
_ENTRY = "3I14sI{}s"
ENTRY_FIELDS = 6
"""Fields of an entry as ``entries`` takes it apart: checksum, packed and full size, all up to the offset, the offset,
all behind it up to the next checksum. One field stands before them: all up to the first one."""


class Member(NamedTuple):
    """One entry of the central directory.

    Attributes:
        name: Name as stored, decoded; a backslash (some old writers) counts as a slash.
        raw_name: Name as stored.
        flags: General purpose flags.
        method: 0 stored, 8 deflated.
        crc: CRC-32 of the inflated bytes.
        packed: Size in the file.
        size: Inflated size.
        offset: Position of the local header in the file.
        header: The central entry's fixed fields, name, extra and comment as they stand.
        start: Position of the packed bytes in the file.
    """

    name: str
    raw_name: bytes
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    offset: int
    header: bytes
    start: int = 0


@lru_cache(maxsize=256)
def entries(lengths: tuple[int, ...]) -> struct.Struct:
    """Return what takes a directory apart as a whole, or puts it together, whose entries have so many bytes each."""
    behind = [length - CENTRAL.size + CHECKSUM for length in lengths[:-1]]
    behind += [length - CENTRAL.size for length in lengths[-1:]]
    return struct.Struct(f"<{CHECKSUM}s" + "".join(map(_ENTRY.format, behind)))
