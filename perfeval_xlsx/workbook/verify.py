"""Is a copy what it should be: copied members the same bytes, set cells with their values, no other cell changed."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import cache

from perfeval_xlsx.findings import PerfevalError
from perfeval_xlsx.limits import Limits
from perfeval_xlsx.workbook import refusals as why
from perfeval_xlsx.workbook.book import Workbook
from perfeval_xlsx.workbook.cells import Sheet
from perfeval_xlsx.workbook.layout import Context, Layout, cell_mark
from perfeval_xlsx.workbook.lexical import PLAIN_CELL
from perfeval_xlsx.workbook.members import Member
from perfeval_xlsx.workbook.package import Package, read_package
from perfeval_xlsx.workbook.patch import FIGURE, FIGURE_END, TEXT, TEXT_END, Edits, Value, bare_cell, inline_text
from perfeval_xlsx.workbook.refusals import refuse
from perfeval_xlsx.workbook.sheet import read_sheet
from perfeval_xlsx.workbook.spellings import PLAIN_RESULT
from perfeval_xlsx.workbook.strings import clean
from perfeval_xlsx.workbook.usual import compare, usual_copy
from perfeval_xlsx.workbook.xml import new_parser, run, utf8

_ANY_RATIO = 1 << 20
_SIZES = Member._fields.index("size") + 1
"""What is told of a member up to its size does not change with its place."""


def verify(book: Workbook, content: bytes, made: Mapping[int, Edits], replaced: Collection[str]) -> None:
    """Check a copy's bytes: copied members the same, set cells as wanted, no other cell come or gone.

    Raises:
        PerfevalError: Something is not as it should be; the message names it.
    """
    try:
        keys = {name.lower() for name in replaced}
        package = usual_copy(book.package, content, keys)
        if package is None:
            package = read_package(content, _lenient(book.package.limits))
            _verify_members(book.package, package, keys)
        for index, edits in made.items():
            _verify_sheet(book, package, index, edits)
        if book.part in replaced:
            run(new_parser(), package.read(book.part), book.part)
    except (PerfevalError, KeyError) as error:
        detail = error.finding.text() if isinstance(error, PerfevalError) else str(error)
        raise refuse(why.NOT_VERIFIED, detail) from error


@cache
def _lenient(limits: Limits) -> Limits:
    """The limits of a copy, whose parts pack as they do."""
    return replace(limits, ratio=_ANY_RATIO)


def _verify_members(old: Package, new: Package, replaced: set[str]) -> None:
    """Compare what the directories say, member by member, and the bytes of those that were not replaced."""
    if list(old.members) != list(new.members) or old.order != new.order:
        raise KeyError("members")
    for (key, member), other in zip(old.members.items(), new.members.values(), strict=True):
        if member[:_SIZES] != other[:_SIZES] and key not in replaced:
            raise KeyError(member.name)
    compare(old, new.data, new.bounds, [place for place, key in enumerate(old.order) if key in replaced])


def _verify_sheet(book: Workbook, package: Package, index: int, edits: Edits) -> None:
    """Check a patched sheet: plainly spelled cells where they stand, any other part by reading all of it back."""
    name = book.sheet_part(index) or ""
    part = package.read(name)
    layout = book.layout(index)
    if layout is None or not _reads_back(layout, part, edits):
        _verify_thoroughly(book, package, index, edits)


def _reads_back(layout: Layout, part: bytes, edits: Edits) -> bool:
    """Whether the part, apart from the cells that were set, is the old one byte for byte, and those show their values.

    False as well where the cells are not plainly spelled, so that nothing is known.
    """
    old, place, before = layout.part, 0, 0
    for at, value in sorted(edits.items()):
        spot = bare_cell(layout, at)
        if spot is not None:  # address and style stay, too
            there, after = spot
            end = _end_of(part, place + there - before, value)
        else:
            there, after, end = _odd_cell(layout, part, at, value, place - before)
        # As many bytes in both; compared in place, one of them at least.
        if end < 0 or there < before or not part.startswith(old[before:there], place):
            return False
        place, before = end, after
    return len(old) - before == len(part) - place and part.endswith(old[before:])


def _end_of(part: bytes, start: int, value: Value) -> int:
    """Return where a plainly spelled cell ends whose style ends at ``start``, -1 where it does not hold the value."""
    if isinstance(value, str):
        spelled = b"%b%b%b" % (TEXT, inline_text(value), TEXT_END)
        return start + len(spelled) if part.startswith(spelled, start) else -1
    first = start + len(FIGURE)
    last = part.find(FIGURE_END, first) if part.startswith(FIGURE, start) else -1
    return last + len(FIGURE_END) if last >= 0 and _same_number(part[first:last], value) else -1


def _odd_cell(layout: Layout, part: bytes, place: tuple[int, int], value: Value, moved: int) -> tuple[int, int, int]:
    """Return begin and end in the old part of a cell that is new or has a formula, and its end in the copy.

    The end is -1 where the cell is not plainly spelled or does not hold the value.

    Args:
        layout: Where everything stands in the old part.
        part: The copy's.
        place: Row and column.
        value: What was set.
        moved: By how much the copy is longer so far.
    """
    line, mark = layout.rows.get(place[0]), cell_mark(*place)
    if line is None:
        return 0, 0, -1
    there = line.place(layout.part, *place)
    if there is None:  # what stands before it in the copy tells where
        at = part.find(mark, max(line.start + moved, 0))
        there = after = at - moved
    else:
        at, known = there + moved, PLAIN_CELL.match(layout.part, there)
        after = -1 if known is None else known.end()
    cell = PLAIN_CELL.match(part, at) if at >= 0 and after >= 0 and part.startswith(mark, at) else None
    return there, after, cell.end() if cell is not None and _holds(cell, value) else -1


def _holds(cell: re.Match[bytes], value: Value) -> bool:
    """Whether a plainly spelled cell holds a value."""
    kind, raw, rest = cell.group(3, 4, 5)
    if isinstance(value, str):
        return kind == b"inlineStr" and raw is None and rest is not None and rest == inline_text(value)
    if rest is not None:
        result = PLAIN_RESULT.fullmatch(rest)
        raw = result[2] if result is not None else None
    return kind is None and raw is not None and _same_number(raw, value)


def _same_number(raw: bytes, value: Value) -> bool:
    try:
        return float(raw) == float(value)
    except ValueError:
        return False


def _verify_thoroughly(book: Workbook, package: Package, index: int, edits: Edits) -> None:
    """Read a patched sheet back, without formats, and compare."""
    name = book.sheet_part(index) or ""
    sheet = Sheet("", index)
    context = Context(book.shared_strings(), (), book.date1904, package.limits)
    read_sheet(utf8(package.read(name), name), name, sheet, context)
    old, new = book.sheet(index).cells, sheet.cells
    if {place for place in old if place not in edits} != {place for place in new if place not in edits}:
        raise KeyError(name)
    for place, value in edits.items():
        if not _shows(new.get(place), value):
            raise KeyError(f"{name} {place}")


def _shows(cell: object, value: Value) -> bool:
    """Whether a cell read back without formats holds the value."""
    text, number = getattr(cell, "text", ""), getattr(cell, "value", None)
    if isinstance(value, str):
        return text == clean(value) and number is None
    return number is not None and number == float(value)
