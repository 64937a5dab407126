"""A zip package held in memory: central directory by hand, members inflated under limits, raw copies.

Python 3.11's zipfile cannot copy a member without inflating it, so the directory is read here. Nothing is extracted
to disk, and what is not asked for is never inflated.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from perfeval_xlsx.deflate import DeflateError, crc32, inflate
from perfeval_xlsx.limits import DEFAULT_LIMITS, Limits
from perfeval_xlsx.workbook.directory import read_known, remember
from perfeval_xlsx.workbook.members import CENTRAL, DEFLATED, END64, LOCAL, LOCAL_NAME, NONE32, STORED, ZIP64, Member
from perfeval_xlsx.workbook.refusals import CHECKSUM, METHOD, NAMES, TRUNCATED, over, refuse

_END = struct.Struct("<4s4H2IH")
_LOCATOR = struct.Struct("<4sIQI")
_SMALL = 1_024
"""Members up to so many packed bytes, and 16 times as many unpacked, are remembered."""
_ENCRYPTED = 0x0001 | 0x0040 | 0x2000
_LONGEST_COMMENT = 0xFFFF


@dataclass(slots=True)
class Package:
    """The members of a zip file, by lower-case name.

    Attributes:
        data: The file's bytes.
        members: By lower-case name, in directory order.
        limits: Bounds checked while inflating.
        shift: Bytes that stand before the archive proper (offsets in the directory do not count them).
        directory: Position and size of the central directory.
        inflated: Bytes inflated so far.
        order: The names in order of the file.
        bounds: Where each of these members begins, and where the directory does.
        form: What takes the directory apart at once, where that is known already.
        told: Its fields, once ``usual`` has them and found them plain.
    """

    data: bytes
    members: dict[str, Member]
    limits: Limits = DEFAULT_LIMITS
    shift: int = 0
    directory: tuple[int, int] = (0, 0)
    inflated: int = 0
    order: tuple[str, ...] = ()
    bounds: list[int] = field(default_factory=list)
    form: struct.Struct | None = None
    told: tuple[Any, ...] | None = None

    def __contains__(self, name: str) -> bool:
        """Whether there is such a member, whatever the case of its letters."""
        return name.lower() in self.members

    def read(self, name: str) -> bytes:
        """Return the inflated bytes of a member.

        Raises:
            KeyError: There is no such member.
            PerfevalError: Over a limit, or CRC or size do not match.
        """
        member = self.members[name.lower()]
        self.inflated += member.size
        if self.inflated > self.limits.package_bytes:
            raise over("package_bytes", self.inflated, self.limits.package_bytes)
        return content_of(member, self.data)


def content_of(member: Member, data: bytes) -> bytes:
    """Return the inflated bytes of ``member``; never more than the directory announces.

    Raises:
        PerfevalError: CRC or size do not match, or the deflate stream is broken.
    """
    packed = data[member.start : member.start + member.packed]
    try:
        unpack = _unpacked if len(packed) <= _SMALL and member.size <= 16 * _SMALL else _unpacked.__wrapped__
        return unpack(packed, member.method, member.size, member.crc)
    except DeflateError as error:
        raise refuse(CHECKSUM, member.name) from error


@lru_cache(maxsize=128)
def _unpacked(packed: bytes, method: int, size: int, crc: int) -> bytes:
    """Return what a member's bytes hold; small parts (relations, content types, formats) are alike in many files.

    Raises:
        DeflateError: The stream is broken, or CRC or size do not match.
    """
    content = packed if method == STORED else inflate(packed, size)
    if len(content) != size or crc32(content) != crc:
        raise DeflateError("size or checksum")
    return content


def read_package(data: bytes, limits: Limits = DEFAULT_LIMITS) -> Package:
    """Read the directory of a zip file.

    Args:
        data: The whole file.
        limits: Bounds on members, sizes and ratio.

    Raises:
        PerfevalError: Truncated or inconsistent, over a limit, encrypted, an unknown method, or unsafe names.
    """
    end = find_end(data)
    count, size, stated = _directory(data, end)
    if count > limits.members:
        raise over("members", count, limits.members)
    position = _directory_end(data, end) - size
    shift = position - stated
    if position < 0 or shift < 0:
        raise refuse(TRUNCATED)
    package = Package(data, {}, limits, shift, (position, size))
    known = None if shift else read_known(data, position, size, count)
    if known is not None:
        package.members, package.order, package.bounds, package.form = known
        _check_sizes(package)
        return package
    _read_directory(package, count)
    _check_sizes(package)
    _check_layout(package)
    if not shift:
        remember(data, position, size, package.members, package.bounds)
    return package


def find_end(data: bytes) -> int:
    """Return the position of the end record, the one whose comment ends the file if there are several."""
    lowest = max(0, len(data) - _LONGEST_COMMENT - _END.size)
    fallback = -1
    position = data.rfind(b"PK\5\6", lowest)
    while position >= 0:
        if position + _END.size <= len(data):
            length = _END.unpack_from(data, position)[7]
            if position + _END.size + length == len(data):
                return position
            if fallback < 0 and position + _END.size + length < len(data):
                fallback = position
        position = data.rfind(b"PK\5\6", lowest, position + 3) if position > lowest else -1
    if fallback < 0:
        raise refuse(TRUNCATED)
    return fallback


def _locator(data: bytes, end: int) -> int | None:
    """Return the position of the zip64 locator, or None."""
    place = end - _LOCATOR.size
    return place if place >= 0 and data[place : place + 4] == b"PK\6\7" else None


def end64(data: bytes, end: int) -> int | None:
    """Return the position of the zip64 end record, or None where there is none."""
    locator = _locator(data, end)
    if locator is None:
        return None
    place = locator - END64.size
    if place < 0 or data[place : place + 4] != b"PK\6\6":
        raise refuse(TRUNCATED)
    return place


def _directory_end(data: bytes, end: int) -> int:
    """Return where the central directory ends."""
    place = end64(data, end)
    return end if place is None else place


def _directory(data: bytes, end: int) -> tuple[int, int, int]:
    """Return count of entries, size and stated offset of the central directory."""
    _, disk, first_disk, _, count, size, offset, _ = _END.unpack_from(data, end)
    place = end64(data, end)
    if place is not None:
        fields = END64.unpack_from(data, place)
        count, size, offset = fields[7], fields[8], fields[9]
    elif disk or first_disk:
        raise refuse(TRUNCATED)
    return count, size, offset


def _read_directory(package: Package, count: int) -> None:
    """Fill ``members``; the entries must fill the directory exactly."""
    data, members, shift = package.data, package.members, package.shift
    position, size = package.directory
    stop = position + size
    for _ in range(count):
        if position + CENTRAL.size > stop:
            raise refuse(TRUNCATED)
        member, position = _entry(data, position, shift)
        if position > stop:
            raise refuse(TRUNCATED)
        name, key = _name(member.raw_name)
        if key in members:
            raise refuse(NAMES, name)
        members[key] = member._replace(name=name)
    if position != stop:
        raise refuse(TRUNCATED)


def _entry(data: bytes, position: int, shift: int) -> tuple[Member, int]:
    """Return one central entry, its name not decoded yet, and the position after it."""
    (
        mark, _, _, flags, method, _, _, crc, packed, size,
        name_length, extra_length, comment_length, _, _, _, offset,
    ) = CENTRAL.unpack_from(data, position)  # fmt: skip
    if mark != b"PK\1\2":
        raise refuse(TRUNCATED)
    name_start = position + CENTRAL.size
    name_end = name_start + name_length
    following = name_end + extra_length + comment_length
    raw = data[name_start:name_end]
    if packed == NONE32 or size == NONE32 or offset == NONE32:
        packed, size, offset = _zip64_values(data[name_end : name_end + extra_length], packed, size, offset)
    if flags & _ENCRYPTED or method not in (STORED, DEFLATED):
        raise refuse(METHOD, _decode(raw))
    header = data[position:following]
    return Member("", raw, flags, method, crc, packed, size, offset + shift, header), following


@lru_cache(maxsize=1_024)
def _name(raw: bytes) -> tuple[str, str]:
    """Return a member's name and the same in lower case; files name their members alike.

    Raises:
        PerfevalError: It could mean another member, or a place outside the package.
    """
    name = _decode(raw)
    bad = not name or "\0" in name or name.startswith("/") or name[1:2] == ":"
    if bad or any(part in {"..", "."} for part in name.split("/")):
        raise refuse(NAMES, name)
    return name, name.lower()


def _decode(raw: bytes) -> str:
    try:
        name = raw.decode("utf-8")
    except UnicodeDecodeError:
        name = raw.decode("cp437")
    return name.replace("\\", "/")


def _zip64_values(extra: bytes, packed: int, size: int, offset: int) -> tuple[int, int, int]:
    """Return the sizes and offset that stand in the zip64 extra field, each only where the plain field is full."""
    block = extra_block(extra, ZIP64)
    wanted = [size == NONE32, packed == NONE32, offset == NONE32]
    if block is None or len(block) < 8 * sum(wanted):
        raise refuse(TRUNCATED)
    values = iter(struct.unpack_from(f"<{sum(wanted)}Q", block))
    size = next(values) if wanted[0] else size
    packed = next(values) if wanted[1] else packed
    offset = next(values) if wanted[2] else offset
    return packed, size, offset


def extra_block(extra: bytes, wanted: int) -> bytes | None:
    """Return the content of the extra block with header id ``wanted``, or None."""
    position = 0
    while position + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, position)
        if kind == wanted:
            return extra[position + 4 : position + 4 + length]
        position += 4 + length
    return None


def _check_sizes(package: Package) -> None:
    """Refuse what the directory itself announces as too large."""
    limits, total = package.limits, 0
    sizes = [member.size for member in package.members.values()]
    small = min(limits.member_bytes, limits.ratio_from_bytes)
    if max(sizes, default=0) <= small and sum(sizes) <= limits.package_bytes:
        return
    for member in package.members.values():
        total += member.size
        if member.size > limits.member_bytes:
            raise over("member_bytes", member.size, limits.member_bytes)
        if member.size > limits.ratio_from_bytes and member.size > limits.ratio * max(member.packed, 1):
            raise over("ratio", member.size // max(member.packed, 1), limits.ratio)
    if total > limits.package_bytes:
        raise over("package_bytes", total, limits.package_bytes)


def _check_layout(package: Package) -> None:
    """Find each member's packed bytes; local headers must agree with the directory and never overlap."""
    data, stop = package.data, package.directory[0]
    members = package.members
    package.order = tuple(sorted(members, key=lambda key: members[key].offset))
    package.bounds = [*(members[key].offset for key in package.order), stop]
    for key, limit in zip(package.order, package.bounds[1:], strict=True):
        member = members[key]
        name_start = member.offset + LOCAL.size
        if name_start > limit:
            raise refuse(TRUNCATED)
        mark, name_length, extra_length = LOCAL_NAME.unpack_from(data, member.offset)
        if mark != b"PK\3\4":
            raise refuse(TRUNCATED)
        start = name_start + name_length + extra_length
        if data[name_start : name_start + name_length] != member.raw_name:
            raise refuse(NAMES, member.name)
        if start + member.packed > limit:
            raise refuse(TRUNCATED)
        members[key] = member._replace(start=start)
