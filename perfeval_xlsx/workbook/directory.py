"""Directories of zip files taken apart at once, where a file of the same template was read before.

Files of one template have the same members under the same names: their directories differ in times, checksums, sizes
and offsets alone. All else is compared as a whole here; whatever differs is read entry by entry (``package``).
"""

from __future__ import annotations

import struct
from functools import partial
from itertools import repeat
from operator import add, le
from typing import Any, NamedTuple

from perfeval_xlsx.workbook.members import CENTRAL, LENGTHS, LOCAL, NONE32, Member, entries

_SHAPES, _ALIKE = 64, 4
"""How many pairs of count and size are remembered, and how many shapes of each."""
_ENTRY = "12s4x3I6s8xI{}s{}x"
"""Of an entry: all before its time, checksum and sizes, the lengths, the offset, the name."""
_FIELDS = 7
Known = tuple[dict[str, Member], tuple[str, ...], list[int], struct.Struct]
"""Members, order and bounds of a package, and what takes its directory apart for a copy."""
_member: Any = partial(tuple.__new__, Member)


class _Shape(NamedTuple):
    """What directories and local headers of one template have in common.

    Attributes:
        fields: Takes a directory apart into the fields of ``_ENTRY``; ``entries`` into whole entries, ``patched`` into
            what a copy needs.
        same: Of each entry all before its time, the lengths, the name.
        local: What stands in each local header from the lengths on.
        heads: Size of each local header.
        keys: Names in lower case; ``names``, ``flags`` and ``methods`` are the members'.
    """

    fields: struct.Struct
    entries: struct.Struct
    patched: struct.Struct
    same: tuple[tuple[bytes, ...], tuple[bytes, ...], tuple[bytes, ...]]
    local: tuple[bytes, ...]
    heads: tuple[int, ...]
    keys: tuple[str, ...]
    names: tuple[str, ...]
    flags: tuple[int, ...]
    methods: tuple[int, ...]


_shapes: dict[tuple[int, int], list[_Shape]] = {}
"""Shapes met so far, by count of entries and size of the directory."""


def remember(data: bytes, position: int, size: int, members: dict[str, Member], bounds: list[int]) -> None:
    """Remember the shape of a package that was read, one that begins with its first member.

    Args:
        data: The file's bytes.
        position: Where its directory begins.
        size: Bytes of the directory.
        members: Its members; no shape is made of those that do not stand in the directory's order.
        bounds: Where each member begins, in order of the file, and where the directory does.
    """
    found, key = [*members.values()], (len(members), size)
    if [*(member.offset for member in found), position] != bounds or len(_shapes.get(key, ())) >= _ALIKE:
        return
    if len(_shapes) >= _SHAPES:
        _shapes.clear()
    lengths = [(len(member.raw_name), len(member.header) - CENTRAL.size - len(member.raw_name)) for member in found]
    fields = struct.Struct("<" + "".join(_ENTRY.format(*pair) for pair in lengths))
    values = fields.unpack_from(data, position)
    shape = _Shape(
        fields,
        struct.Struct("".join(f"{len(member.header)}s" for member in found)),
        entries(tuple(len(member.header) for member in found)),
        (values[::_FIELDS], values[4::_FIELDS], values[6::_FIELDS]),
        tuple(data[member.offset + LENGTHS : member.offset + LOCAL.size + len(member.raw_name)] for member in found),
        tuple(member.start - member.offset for member in found),
        tuple(members),
        tuple(member.name for member in found),
        tuple(member.flags for member in found),
        tuple(member.method for member in found),
    )
    _shapes.setdefault(key, []).append(shape)


def read_known(data: bytes, position: int, size: int, count: int) -> Known | None:
    """Return what is known of a package of a shape met before, local headers compared too.

    None where it is of none, or where anything is not in order: the careful way tells what.

    Args:
        data: The file's bytes, which begin with its first member.
        position: Where its directory begins.
        size: Bytes of the directory.
        count: How many entries it should have.
    """
    for shape in _shapes.get((count, size), ()):
        values = shape.fields.unpack_from(data, position)
        if (values[::_FIELDS], values[4::_FIELDS], values[6::_FIELDS]) == shape.same:
            return _read_as(shape, values, data, position)
    return None


def _read_as(shape: _Shape, values: tuple[Any, ...], data: bytes, position: int) -> Known | None:
    packed, sizes, offsets = values[2::_FIELDS], values[3::_FIELDS], values[5::_FIELDS]
    starts = [*map(add, offsets, shape.heads)]
    bounds = [*offsets, position]
    if (
        any(NONE32 in column for column in (packed, sizes, offsets))
        or not all(map(le, map(add, starts, packed), bounds[1:]))
        or not all(map(data.startswith, repeat(b"PK\3\4"), offsets))
        or not all(map(data.startswith, shape.local, map(add, offsets, repeat(LENGTHS))))
    ):
        return None
    columns = zip(
        shape.names, shape.same[2], shape.flags, shape.methods, values[1::_FIELDS], packed, sizes, offsets,
        shape.entries.unpack_from(data, position), starts, strict=True,
    )  # fmt: skip
    return dict(zip(shape.keys, map(_member, columns), strict=True)), shape.keys, bounds, shape.patched
