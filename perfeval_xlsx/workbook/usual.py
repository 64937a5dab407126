"""Packages as nearly all writers spell them, put together with members replaced and held against each other as a whole.

Their directory tells the members in order of the file, without zip64 fields, and a plain end record follows it. No
entry is looked at on its own here; whatever is spelled otherwise is left to the careful way (``repack``, ``verify``).
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Mapping, Sequence
from operator import sub
from typing import Any

from perfeval_xlsx.deflate import crc32, deflate
from perfeval_xlsx.limits import Limits
from perfeval_xlsx.workbook.members import (
    CENTRAL,
    DEFLATED,
    DESCRIPTOR,
    END_MARK,
    END_OFFSET,
    ENTRY_FIELDS,
    FIGURES,
    LENGTHS,
    LEVEL,
    LOCAL,
    LOCAL_NAME,
    NONE32,
    OLDEST,
    Member,
    entries,
)
from perfeval_xlsx.workbook.package import Package, find_end

_SIZES = slice(3, None, ENTRY_FIELDS)
_OFFSETS = slice(5, None, ENTRY_FIELDS)
_figures = struct.Struct("<3I")


def usual_rebuild(package: Package, changed: Mapping[str, bytes]) -> bytes | None:
    """Return the package's bytes with some members' content replaced, None where it takes the careful way.

    Args:
        package: The package.
        changed: New content by member name in lower case.
    """
    told, data, members, bounds = _told(package), package.data, package.members, package.bounds
    if told is None or not all(key in members and _is_plain(members[key], data) for key in changed):
        return None
    form, fields = told[0], [*told[1]]
    pieces: list[bytes] = []
    offsets, copied = bounds[:-1], 0
    for place in sorted(map(package.order.index, changed)):
        key, begin, following = package.order[place], bounds[place], bounds[place + 1]
        content, start = changed[key], members[key].start
        packed = deflate(content, LEVEL)
        figures = crc32(content), len(packed), len(content)
        pieces += [data[copied : begin + FIGURES], _figures.pack(*figures), data[begin + LENGTHS : start], packed]
        fields[place * ENTRY_FIELDS + 1 : place * ENTRY_FIELDS + 4] = figures
        moved = start + len(packed) - following
        offsets[place + 1 :] = [offset + moved for offset in offsets[place + 1 :]]
        copied = following
    fields[_OFFSETS] = offsets
    start = package.directory[0]
    pieces.append(data[copied:start])
    position = sum(map(len, pieces))
    return b"".join([*pieces, form.pack(*fields), _end(package, position)])


def _told(package: Package) -> tuple[struct.Struct, tuple[Any, ...]] | None:
    """Return what takes a package's directory apart, and its fields; None where package or directory are not plain."""
    form, start = package.form, package.directory[0]
    if form is None:
        package.form = form = entries(tuple([len(member.header) for member in package.members.values()]))
    if package.told is None:
        fields = form.unpack_from(package.data, start)
        if package.data.startswith(END_MARK, start + form.size) and [*fields[_OFFSETS]] == package.bounds[:-1]:
            package.told = fields
    return None if package.told is None else (form, package.told)


def _is_plain(member: Member, data: bytes) -> bool:
    """Whether a deflated member's headers say the same and nothing more than they must."""
    header, begin, name = member.header, member.offset, len(member.raw_name)
    return (
        member.method == DEFLATED
        and not member.flags & DESCRIPTOR
        and int.from_bytes(header[6:8], "little") >= OLDEST
        and data[begin + 4 : begin + 10] == header[6:12]
        and len(header) == CENTRAL.size + name
        and member.start == begin + LOCAL.size + name
    )


def _end(package: Package, position: int) -> bytes:
    """Return a plain package's end record, comment and all, for a directory at ``position``."""
    end = package.data[sum(package.directory) :]
    return end[:END_OFFSET] + position.to_bytes(4, "little") + end[END_OFFSET + 4 :]


def usual_copy(old: Package, content: bytes, replaced: Collection[str]) -> Package | None:
    """Return the package of a copy whose directory and end say what the original's say, but for what must differ.

    That is where members stand, and checksum and sizes of the replaced ones, which alone are members of the package
    returned. None where something else differs, or where it takes more to tell: the careful way says what is wrong, if
    anything is.

    Raises:
        KeyError: The bytes of members that were not replaced differ.
        PerfevalError: The copy has no end record.
    """
    told, order = _told(old), old.order
    position = len(content) - len(old.data) + old.directory[0]
    if told is None or not old.members.keys() >= set(replaced) or not _same_end(old, content, position):
        return None
    form, before = told
    after = form.unpack_from(content, position)
    places, alike = sorted(map(order.index, replaced)), list(after)
    alike[_OFFSETS] = before[_OFFSETS]
    for first in [place * ENTRY_FIELDS + 1 for place in places]:
        alike[first : first + 3] = before[first : first + 3]
    if tuple(alike) != before or not _within(after[_SIZES], old.limits):
        return None
    bounds = [*after[_OFFSETS], position]
    compare(old, content, bounds, places)
    members = {}
    for place in places:
        figures = after[place * ENTRY_FIELDS + 1 : place * ENTRY_FIELDS + 4]
        member = _member(old.members[order[place]], content, bounds[place : place + 2], figures)
        if member is None:
            return None
        members[order[place]] = member
    return Package(content, members, old.limits)


def _same_end(old: Package, content: bytes, position: int) -> bool:
    """Whether the end record behind a directory at ``position`` is the old one but for this position."""
    if not 0 <= position < NONE32:
        return False
    end = _end(old, position)
    return content.endswith(end) and find_end(content) == len(content) - len(end)


def _within(sizes: Sequence[int], limits: Limits) -> bool:
    """Whether members of these sizes need no closer look."""
    return max(sizes) <= min(limits.member_bytes, limits.ratio_from_bytes) and sum(sizes) <= limits.package_bytes


def _member(old: Member, content: bytes, bounds: Sequence[int], figures: Sequence[int]) -> Member | None:
    """Return a replaced member, None where its local header does not agree or its bytes do not fill its bounds.

    Args:
        old: The member it replaces.
        content: The copy.
        bounds: Where the member begins and where the next one does.
        figures: Its checksum, packed and full size.
    """
    (offset, stop), (crc, packed, size) = bounds, figures
    if offset + LOCAL.size > stop or stop > len(content):
        return None
    mark, name_length, extra_length = LOCAL_NAME.unpack_from(content, offset)
    start = offset + LOCAL.size + name_length + extra_length
    named = content[offset + LOCAL.size : offset + LOCAL.size + name_length] == old.raw_name
    if mark != b"PK\3\4" or not named or start + packed != stop:
        return None
    return Member(old.name, old.raw_name, old.flags, old.method, crc, packed, size, offset, b"", start)


def compare(old: Package, content: bytes, bounds: Sequence[int], replaced: Sequence[int]) -> None:
    """Compare the bytes of all members between two that were replaced at once.

    Args:
        old: The original.
        content: The copy.
        bounds: Where its members begin, in order of the file, and where its directory does.
        replaced: Positions of the replaced ones.

    Raises:
        KeyError: They are not the same, or do not stand together as they did; the names of the members.
    """
    first = 0
    for place in [*replaced, len(old.order)]:
        theirs, others = old.bounds[first : place + 1], bounds[first : place + 1]
        alike = content.startswith(old.data[theirs[0] : theirs[-1]], others[0])
        if not alike or len(set(map(sub, others, theirs))) > 1:
            raise KeyError(", ".join(old.members[key].name for key in old.order[first:place]))
        first = place + 1
