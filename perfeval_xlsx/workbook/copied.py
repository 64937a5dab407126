"""A copy's directory held against the original's as a whole: in the usual case no member is read on its own."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import cache
from operator import sub

from perfeval_xlsx.limits import Limits
from perfeval_xlsx.workbook.members import END_OFFSET, ENTRY_FIELDS, LOCAL, LOCAL_NAME, NONE32, Member, entries
from perfeval_xlsx.workbook.package import Package, find_end

_ANY_RATIO = 1 << 20
_SIZES = slice(3, None, ENTRY_FIELDS)
_OFFSETS = slice(5, None, ENTRY_FIELDS)


@cache
def lenient(limits: Limits) -> Limits:
    """Return the limits of a copy, whose parts pack as they do."""
    return replace(limits, ratio=_ANY_RATIO)


def usual_copy(old: Package, content: bytes, replaced: Collection[str]) -> Package | None:
    """Return the package of a copy whose directory and end say what the original's say, but for what must differ.

    That is where members stand, and checksum and sizes of the replaced ones, which alone are members of the package
    returned. None where something else differs, or where it takes more to tell (zip64, members in another order): the
    careful way says what is wrong, if anything is.

    Raises:
        KeyError: The bytes of members that were not replaced differ.
        PerfevalError: The copy has no end record.
    """
    start = old.directory[0]
    position = len(content) - len(old.data) + start
    if old.shift or old.order != tuple(old.members) or not _same_end(old, content, position):
        return None
    form = entries(tuple([len(member.header) for member in old.members.values()]))
    before, after = form.unpack_from(old.data, start), form.unpack_from(content, position)
    places = [place for place, key in enumerate(old.order) if key in replaced]
    alike = list(after)
    alike[_OFFSETS] = before[_OFFSETS]
    for first in [place * ENTRY_FIELDS + 1 for place in places]:
        alike[first : first + 3] = before[first : first + 3]
    sizes, bounds = after[_SIZES], [*after[_OFFSETS], position]
    if tuple(alike) != before or NONE32 in before or NONE32 in after or not _within(sizes, old.limits):
        return None
    compare(old, content, bounds, places)
    members = {}
    for place in places:
        key, told = old.order[place], after[place * ENTRY_FIELDS + 1 :][:3]
        member = _member(old.members[key], content, bounds[place : place + 2], told)
        if member is None:
            return None
        members[key] = member
    return Package(content, members, lenient(old.limits))


def _same_end(old: Package, content: bytes, position: int) -> bool:
    """Whether a plain end record stands behind a directory at ``position``, the old one but for this position."""
    if not 0 <= position < NONE32:
        return False
    end = old.data[sum(old.directory) :]
    told = b"%b%b%b" % (end[:END_OFFSET], position.to_bytes(4, "little"), end[END_OFFSET + 4 :])
    return end.startswith(b"PK\5\6") and content.endswith(told) and find_end(content) == len(content) - len(end)


def _within(sizes: Sequence[int], limits: Limits) -> bool:
    """Whether members of these sizes need no closer look."""
    return max(sizes) <= min(limits.member_bytes, limits.ratio_from_bytes) and sum(sizes) <= limits.package_bytes


def _member(old: Member, content: bytes, bounds: Sequence[int], told: Sequence[int]) -> Member | None:
    """Return a replaced member, None where its local header does not agree or its bytes do not fill its bounds."""
    (offset, stop), (crc, packed, size) = bounds, told
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
