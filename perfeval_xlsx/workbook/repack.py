"""The bytes of a package with some members' content replaced; what is not replaced is copied as it stands."""

from __future__ import annotations

import struct
from collections.abc import Mapping

from perfeval_xlsx.deflate import crc32, deflate
from perfeval_xlsx.workbook.members import (
    CENTRAL,
    DEFLATED,
    DESCRIPTOR,
    END64,
    LEVEL,
    LOCAL,
    NONE32,
    OFFSET,
    OLDEST,
    ZIP64,
    Member,
)
from perfeval_xlsx.workbook.package import Package, end64, find_end
from perfeval_xlsx.workbook.usual import usual_rebuild

_TOLD_APART = struct.pack("<I", NONE32)
_offset = struct.Struct("<I")


def rebuild(package: Package, replaced: Mapping[str, bytes]) -> bytes:
    """Return the package's bytes with some members' content replaced; all other bytes are copied as they stand.

    Args:
        package: The package.
        replaced: New content by member name (any case).
    """
    changed = {name.lower(): content for name, content in replaced.items()}
    usual = usual_rebuild(package, changed)
    return _rebuilt(package, changed) if usual is None else usual


def _rebuilt(package: Package, changed: Mapping[str, bytes]) -> bytes:
    """``rebuild`` member by member, whatever the package looks like; names in lower case."""
    data, members = package.data, package.members
    pieces: list[bytes] = []
    entries = {key: member.header for key, member in members.items()}
    copied = moved = 0
    for key, begin, following in zip(package.order, package.bounds, package.bounds[1:], strict=False):
        content, place = changed.get(key), begin + moved - package.shift
        if content is not None:
            piece, header = _packed(data, members[key], content)
            pieces += [data[copied:begin], piece]
            moved += len(piece) - (following - begin)
            copied = following
            entries[key] = _moved(header, place)
        elif moved:
            entries[key] = _moved(entries[key], place)
    end = package.directory[0]
    directory = b"".join(entries.values())
    tail = _end(package, end + moved - package.shift, len(directory))
    return b"".join([*pieces, data[copied:end], directory, tail])


def _packed(data: bytes, member: Member, content: bytes) -> tuple[bytes, bytes]:
    """Return local header with deflated content, and the central entry to match."""
    packed = deflate(content, LEVEL)
    crc, flags = crc32(content), member.flags & ~DESCRIPTOR
    local = list(LOCAL.unpack_from(data, member.offset))
    extra = without_zip64(data[member.offset + LOCAL.size + len(member.raw_name) : member.start])
    local[1:4] = [max(OLDEST, local[1]), flags, DEFLATED]
    local[6:9] = [crc, len(packed), len(content)]
    local[10] = len(extra)
    central = list(CENTRAL.unpack_from(member.header))
    central[2:5] = [max(OLDEST, central[2]), flags, DEFLATED]
    central[7:10] = [crc, len(packed), len(content)]
    name_end = CENTRAL.size + central[10]
    kept = without_zip64(member.header[name_end : name_end + central[11]])
    comment = member.header[name_end + central[11] :]
    central[11], central[16] = len(kept), 0
    header = CENTRAL.pack(*central) + member.raw_name + kept + comment
    return LOCAL.pack(*local) + member.raw_name + extra + packed, header


def without_zip64(extra: bytes) -> bytes:
    """Return an extra field without its zip64 block; what does not parse is left out."""
    kept, position = b"", 0
    while position + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, position)
        if kind != ZIP64:
            kept += extra[position : position + 4 + length]
        position += 4 + length
    return kept


def _moved(header: bytes, offset: int) -> bytes:
    """Return a central entry that points to ``offset``, in the plain field or in the zip64 one, as it was."""
    if header[OFFSET : CENTRAL.size] != _TOLD_APART:
        return header[:OFFSET] + _offset.pack(offset) + header[CENTRAL.size :]
    entry = bytearray(header)
    fields = CENTRAL.unpack_from(header)
    place, stop = CENTRAL.size + fields[10], CENTRAL.size + fields[10] + fields[11]
    while place + 4 <= stop:
        kind, length = struct.unpack_from("<2H", entry, place)
        if kind == ZIP64:
            skipped = 8 * ((fields[9] == NONE32) + (fields[8] == NONE32))
            struct.pack_into("<Q", entry, place + 4 + skipped, offset)
        place += 4 + length
    return bytes(entry)


def _end(package: Package, offset: int, size: int) -> bytes:
    """Return everything after the central directory, with its new place and size."""
    data, start = package.data, sum(package.directory)
    tail = bytearray(data[start:])
    end = find_end(data)
    if end64(data, end) is not None:
        struct.pack_into("<2Q", tail, 40, size, offset)
        struct.pack_into("<Q", tail, END64.size + 8, offset + size)
    stated_size, stated_offset = struct.unpack_from("<2I", data, end + 12)
    if stated_size != NONE32:
        struct.pack_into("<I", tail, end - start + 12, size)
    if stated_offset != NONE32:
        struct.pack_into("<I", tail, end - start + 16, offset)
    return bytes(tail)
