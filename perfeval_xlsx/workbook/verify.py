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
from perfeval_xlsx.workbook.layout import Context, Layout, PlainRow, cell_mark
from perfeval_xlsx.workbook.lexical import PLAIN_CELL
from perfeval_xlsx.workbook.members import Member
from perfeval_xlsx.workbook.package import Package, read_package
from perfeval_xlsx.workbook.patch import BARE_CELL, Edits, Value, inline_text
from perfeval_xlsx.workbook.refusals import refuse
from perfeval_xlsx.workbook.sheet import read_sheet
from perfeval_xlsx.workbook.spellings import PLAIN_RESULT
from perfeval_xlsx.workbook.strings import clean
from perfeval_xlsx.workbook.usual import compare, usual_copy
from perfeval_xlsx.workbook.xml import new_parser, run, utf8

_ANY_RATIO = 1 << 20
_FIGURE_CELL = re.compile(rb'(?: s="[0-9]++")?+><v>([^<]++)</v></c>')
"""A number's plainly spelled cell, from behind its address on."""
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
    old, rows, place, before = layout.part, layout.rows, 0, 0
    for (row, column), value in sorted(edits.items()):
        line, mark = rows.get(row), cell_mark(row, column)
        if line is None:
            return False
        there = old.find(mark, line.first, line.last) if isinstance(line, PlainRow) else line.place(old, row, column)
        if there is None or there < 0:  # a new cell: what stands before it in the copy tells where
            at = part.find(mark, place + max(line.start - before, 0))
            there = after = before + at - place
        else:
            at = place + there - before
            known = BARE_CELL.match(old, there + len(mark)) or PLAIN_CELL.match(old, there)
            after = -1 if known is None else known.end()
        end = _end_of(part, at, mark, value) if at >= 0 and after >= 0 and part.startswith(mark, at) else -1
        # As many bytes in both; compared in place, one of them at least.
        if end < 0 or not part.startswith(old[before:there], place):
            return False
        place, before = end, after
    return len(old) - before == len(part) - place and part.endswith(old[before:])


def _end_of(part: bytes, start: int, mark: bytes, value: Value) -> int:
    """Return where a plainly spelled cell ends that begins with its mark, -1 where it does not hold the value."""
    figure = _FIGURE_CELL.match(part, start + len(mark)) if type(value) is float else None
    if figure is not None:
        return figure.end() if _same_number(figure[1], value) else -1
    cell = PLAIN_CELL.match(part, start)
    return cell.end() if cell is not None and _holds(cell, value) else -1


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
