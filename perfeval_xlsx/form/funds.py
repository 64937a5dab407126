"""The fund table: one row for the total, one for every part."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from perfeval_xlsx.form.amounts import amount_in, is_amount
from perfeval_xlsx.form.grid import Grid
from perfeval_xlsx.form.header import Column, Header
from perfeval_xlsx.form.labels import (
    LONGEST,
    contains,
    field_names,
    find,
    is_one_of,
    is_placeholder,
    pattern,
    plain,
    plain_row,
    squeeze,
    total_label,
)
from perfeval_xlsx.form.locate import is_fund_header
from perfeval_xlsx.form.model import AMOUNT_FIELDS, FUND_FIELDS, FundRow
from perfeval_xlsx.workbook import a1

_DIGITS = frozenset("0123456789")
_NOTHING: dict[int, str] = {}
_POINTS = re.compile(r"[\d.]+")
_CENT = 0.011
"""Amounts that differ by less are equal."""
_FIELDS = frozenset(FUND_FIELDS)
_GRID_FIELDS = frozenset({"level1", "level2", "level3", "target", "actual", "sign", "unit"})
"""Two of these in a row head the grid."""
_SIDE_ROWS = 2
"""A label over at least so many rows stands beside the table, not in it."""


def read_funds(grid: Grid, header: Header, last: int) -> list[FundRow]:
    """Read the rows below a fund header, up to ``last`` or the next block.

    Args:
        grid: The sheet.
        header: The fund table's header.
        last: Last row the table may reach.
    """
    rows: list[FundRow] = []
    first_column = min([column.left for name, column in header.columns.items() if name in _FIELDS])
    side = _side_label(grid, header, first_column)
    leftmost = first_column
    for row in range(header.bottom + 1, last + 1):
        if ends(grid, row) or (side is not None and row > side[1] and grid.own(row, side[0])):
            break
        label = _label(grid, row, first_column, header)
        values, cells = _fields(grid, row, header.columns)
        filled = any(values.values())
        if label is None and not filled:
            if _blank(grid, row) and not _goes_on(grid, row + 1, header, first_column):
                break
            continue
        begins = next(iter(grid.lines.get(row, ())), first_column)
        if not filled and (grid.right(row, begins) >= first_column or (rows and begins < leftmost)):
            break  # the label of another block: over the amounts, or left of all funds
        leftmost = min(leftmost, begins)
        rows.append(FundRow(row, label, "part", values, cells))
    rows = _parted(rows, header)
    name_total(rows)
    return rows


def _parted(rows: list[FundRow], header: Header) -> list[FundRow]:
    """Rows with the second list that stands beside them, where there is one: more than a word in one cell."""
    words = [t for fund in rows for name, t in fund.values.items() if t and not t.isascii() and name != "reason"]
    if not any(map(_lists, words)):
        return rows
    return [each for fund in rows for each in (fund, *_beside(fund.row, fund.values, header))]


@lru_cache(maxsize=4096)
def _lists(text: str) -> bool:
    """Whether a label heads a list of funds or is one of it (``按支出性质分``, ``其中：基本支出``), no mere word."""
    listed = _is_part_label(text) or ":" in plain_row(text) or contains(text, "fund_rows", "list_words")
    return listed and _is_label(text)


def _side_label(grid: Grid, header: Header, first_column: int) -> tuple[int, int] | None:
    """Column and last row of a label that stands beside the whole table; the next text below it opens another block."""
    for column in range(1, first_column):
        top, left = grid.anchor(header.bottom, column)
        bottom = grid.bottom(top, left)
        if grid.own(top, left) and bottom > header.bottom:
            return left, bottom
    return None


def ends(grid: Grid, row: int) -> bool:
    """Whether a row belongs to the next block: another header, goals, or the head of the next form."""
    line = grid.lines.get(row)
    if not line:
        return False
    words = [text for text in line.values() if text[0] not in _DIGITS or not _is_mere_figure(text)]
    if all(map(_is_quiet, words)) and _is_quiet(next(iter(line.values()))):
        return False
    fields = set()
    for column, text in line.items():
        if not _is_bare_figure(text) and (mark := _mark(text)):
            if mark.ends or (mark.goal and grid.anchor(row, column)[0] == row):
                return True
            fields.add(mark.field)
    first = next(iter(line.values()))
    return (
        len(fields & _GRID_FIELDS) >= 2
        or is_fund_header(grid, row)
        or _is_grid_total(first)
        or (len(line) == 1 and _is_heading(first))
    )


def _is_bare_figure(text: str) -> bool:
    """Whether a text begins and ends with a digit: no word at all in most forms, and another one in each."""
    return text[0].isdecimal() and text[-1].isdecimal()


def _is_mere_figure(text: str) -> bool:
    """Whether a text that begins with a digit ends with one, too, or is a percentage."""
    return text[-1] in _DIGITS or (text[-1] == "%" and text[:-1].replace(".", "", 1).isdecimal())


@lru_cache(maxsize=4096)
def _is_quiet(text: str) -> bool:
    """Whether a text says nothing that could end a table: no field's label, total, heading or mark of a block."""
    return not (field_names(text) or _is_grid_total(text) or _is_heading(text) or _mark(text))


class _Mark(NamedTuple):
    """What a text says of the next block: that it begins here, its goals (in their own row), a field of the grid."""

    ends: bool
    goal: bool
    field: str | None


@lru_cache(maxsize=4096)
def _mark(text: str) -> _Mark | None:
    goal, field = find("goals", text), find("indicator", text)
    mark = _Mark(
        is_one_of(text, "goals_side", "exact") or is_one_of(text, "fund_rows", "end"),
        goal is not None and goal.exact,
        field.field if field is not None and field.exact else None,
    )
    return mark if any(mark) else None


def _is_grid_total(text: str) -> bool:
    """Whether a row's first text makes it the total of the indicators (``总分``), by a label that no fund has."""
    return total_label(text)[0] and not is_one_of(text, "fund_rows", "total")


def _is_heading(text: str) -> bool:
    """Whether a text heads the next of numbered blocks (``三、目标完成情况``)."""
    return bool(pattern("fund_rows", "numbered").match(plain_row(text))) and contains(text, "fund_rows", "heading")


def _blank(grid: Grid, row: int) -> bool:
    return not grid.columns(row) and all(grid.anchor(row, c)[0] == row for c in range(1, grid.last_column + 1))


def _goes_on(grid: Grid, row: int, header: Header, first_column: int) -> bool:
    """Whether a row below a blank one still belongs to the table: it holds amounts, or a fund's name."""
    columns = (header.columns[name] for name in AMOUNT_FIELDS if name in header.columns)
    if any(is_amount(_value(grid, row, column) or "") for column in columns):
        return True
    label = _label(grid, row, first_column, header)
    return label is not None and len(label) <= LONGEST and contains(label, "fund_rows", "part_words")


def _label(grid: Grid, row: int, first_column: int, header: Header) -> str | None:
    """The label left of the amounts: the text nearest to them that does not stand beside the whole table."""
    side = None
    for column in range(first_column - 1, 0, -1):
        anchor_row, anchor_column = grid.anchor(row, column)
        text = grid.own(anchor_row, anchor_column)
        if not text or is_amount(text) or _tells(grid, header, anchor_column):
            continue
        tall = grid.bottom(anchor_row, anchor_column) - anchor_row + 1 >= _SIDE_ROWS
        if anchor_row <= header.bottom:
            side = side or None
            continue
        if anchor_row == row and not tall:
            return squeeze(text)
        side = side or (text if anchor_row == row else None)
    return squeeze(side)


def _tells(grid: Grid, header: Header, column: int) -> bool:
    """Whether a column left of the amounts says something about a row (``主要内容``) instead of naming it."""
    return is_one_of(grid.text(header.top, column), "fund_rows", "beside")


def _column_of(grid: Grid, row: int, column: Column) -> int:
    """The first filled sheet column of a field; its first one where all are blank."""
    return next((c for c in range(column.left, column.right + 1) if grid.text(row, c)), column.left)


def _fields(grid: Grid, row: int, columns: Mapping[str, Column]) -> tuple[dict[str, str | None], dict[str, str]]:
    """Displayed text and address of every field."""
    values: dict[str, str | None] = {}
    cells: dict[str, str] = {}
    text_in, merged, small = grid.lines.get(row, _NOTHING).get, grid.merged_columns(row), grid.small
    for name, column in columns.items():
        left = column.left
        if left == column.right and left not in merged and small:
            text = text_in(left)
            values[name] = text if text is None or text[0] in _DIGITS or not _says_unit(text) else None
            cells[name] = a1(row, left)
        else:
            values[name] = _value(grid, row, column)
            cells[name] = grid.address(row, _column_of(grid, row, column))
    return values, cells


def _value(grid: Grid, row: int, column: Column) -> str | None:
    """The displayed text of a field; a lone unit word is none, nor is a cell that begins under another field."""
    at = _column_of(grid, row, column)
    anchor_row, anchor_column = grid.anchor(row, at)
    if anchor_row != row or anchor_column < column.left:
        return None
    text = grid.own(row, anchor_column)
    return text if text and not _is_unit(text) else None


def _is_unit(text: str) -> bool:
    """Whether a text is a unit word alone, or nothing that can be read."""
    return text[0] not in _DIGITS and _says_unit(text)


@lru_cache(maxsize=4096)
def _says_unit(text: str) -> bool:
    folded = plain_row(text)
    return not folded or pattern("units", "alone").match(folded) is not None


def _beside(row: int, values: dict[str, str | None], header: Header) -> Iterator[FundRow]:
    """A second list beside the first (按支出性质分): labels where amounts are expected become rows of their own.

    What stands right of such a label is the other list's, under headers that say nothing about it; a single amount left
    of it is the list's, too, not one column's.
    """
    foreign = False
    for name in sorted(values, key=lambda name: header.columns[name].left):
        text = values[name]
        if name != "reason" and text is not None and _is_label(text):
            foreign = True
            yield FundRow(row, squeeze(text), "part", {}, {})
        if foreign:
            values[name] = None
    if foreign and sum(values.get(name) is not None for name in AMOUNT_FIELDS) == 1:
        values.update(dict.fromkeys(values))


def _is_label(text: str) -> bool:
    """Words without a figure in front: ``按支出性质分：``, ``其中：基本支出:1873.66万元``."""
    folded = plain_row(text)
    return len(re.sub(r"[^\u4e00-\u9fff]", "", folded)) >= 3 and not re.match(r"[\d.,]+", folded)


def name_total(rows: list[FundRow]) -> None:
    """Mark the row that carries the execution score: by its label, else the first with points, else by what follows it.

    Of several funds none of which is the others' sum, none is the total.
    """
    named = (row for row in rows if row.label and _is_total(row.label))
    weighted = (row for row in rows if _POINTS.fullmatch(plain_row(row.values.get("weight") or "")))
    total = next(named, None) or next(weighted, None) or next((row for row in rows if _sums_up(row, rows)), None)
    if total is not None:
        total.role = "total"


def _sums_up(row: FundRow, rows: list[FundRow]) -> bool:
    """Whether a row stands alone with amounts, comes right before its parts (``其中``), or is the sum of the others."""
    others = [other for other in rows if other is not row and any(other.values.get(name) for name in AMOUNT_FIELDS)]
    if not others:
        return row is rows[0] or any(row.values.get(name) for name in AMOUNT_FIELDS)
    after = rows[rows.index(row) + 1 :]
    if row is rows[0] and after and _is_part_label(after[0].label or ""):
        return True
    sums = [(_number(row, name), [_number(other, name) for other in others]) for name in AMOUNT_FIELDS]
    known = [(own, parts) for own, parts in sums if own and None not in parts]
    return bool(known) and all(abs(own - sum(part or 0 for part in parts)) < _CENT for own, parts in known)


def _number(row: FundRow, name: str) -> float | None:
    """An amount as a number, 0 where it is blank, None where it cannot be read."""
    text = plain_row(row.values.get(name) or "")
    return 0.0 if not text or is_placeholder(text) else amount_in(text)


def _is_part_label(label: str) -> bool:
    return pattern("fund_rows", "part").match(plain(label)) is not None


@lru_cache(maxsize=4096)
def _is_total(label: str) -> bool:
    if _is_part_label(label):
        return False
    return is_one_of(label, "fund_rows", "total") or contains(label, "fund_rows", "total_words")
