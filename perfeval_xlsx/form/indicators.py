"""The indicator grid: rows below the header, levels carried down, rows that do not count, the total row."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field

from perfeval_xlsx.form.columns import PARTED, part
from perfeval_xlsx.form.grid import Grid
from perfeval_xlsx.form.header import Column, Header
from perfeval_xlsx.form.labels import (
    begins_note,
    is_one_of,
    opens_note,
    pattern,
    plain_row,
    split_points,
    total_label,
)
from perfeval_xlsx.form.levels import settle_levels
from perfeval_xlsx.form.locate import is_fund_header
from perfeval_xlsx.form.model import IndicatorRow
from perfeval_xlsx.form.rows import IndicatorRows
from perfeval_xlsx.form.title import is_continued, is_title
from perfeval_xlsx.form.unused import is_figure_in, why_left_out
from perfeval_xlsx.form.usual_rows import Carried, Plan, UsualRows, plan_of
from perfeval_xlsx.workbook import a1

_ONCE = frozenset({"weight", "score"})
"""Fields of which a cell merged over several rows counts once, in its first row."""
_POINTS = re.compile(r"\d{1,3}(?:\.\d+)?")
_NOTES_ABOVE_TOTAL = 3
_LONGEST_LEVEL = 200
"""Rows a merged level is followed over where nothing else stands in them."""


@dataclass(slots=True)
class Body:
    """What stands below an indicator header.

    Attributes:
        rows: Rows that count; ``left_out`` the others, with their reason.
        total_row: Sheet row of the total, None where the grid has none.
        notes: Rows of notes between the indicators and the total.
        last: Last sheet row of the grid, the total row included.
    """

    rows: IndicatorRows = field(default_factory=IndicatorRows)
    left_out: list[IndicatorRow] = field(default_factory=list)
    total_row: int | None = None
    notes: list[int] = field(default_factory=list)
    last: int = 0


def read_body(grid: Grid, header: Header, limit: int, repeats: frozenset[int] = frozenset()) -> Body:
    """Read the grid below ``header``, up to its total, a note, the next block or ``limit``.

    Args:
        grid: The sheet.
        header: The grid's header.
        limit: Last row the grid may reach.
        repeats: Rows of the same header, repeated for the next page: passed over.
    """
    body, plan, carried = Body(last=header.bottom), plan_of(header), Carried()
    rows = grid.rows_between(header.bottom + 1, limit)
    own = _with_merged(grid, plan, rows, limit)
    own = [row for row in own if row not in repeats] if repeats else own
    usual, at = UsualRows(grid, own, plan), 0
    while at < len(own):
        run = usual.run(at, carried)
        if run is not None:
            body.rows.add(run)
            at += len(run)
            body.last = own[at - 1]
            continue
        row, at = own[at], at + 1
        if is_continued(grid, row) or _opens_section(grid, row, plan, carried):
            pass
        elif _is_total(grid, row, plan):
            if not body.rows and _opens_grid(grid, row, plan, rows):
                body.total_row = row
            elif not _goes_on(grid, row, plan, rows):
                body.total_row = body.last = row
                break
            else:
                body.left_out.append(_row(grid, row, plan, carried, "subtotal"))
        elif _closes(grid, row, plan):
            if _sums_up(grid, row, plan, rows):
                body.total_row = body.last = row
                break
            if _resumes(grid, row, plan, rows):
                body.notes.append(row)
                continue
            _total_below(body, grid, row, plan, rows)
            break
        elif _inside(grid, row, plan):
            _take(body, grid, plan, _row(grid, row, plan, carried, None))
        body.last = row
    if body.total_row is None and body.left_out and body.left_out[-1].row == body.last:
        _end_with_sum(body, grid, plan, rows)
    if body.rows and plan.level1 is not None:
        settle_levels(body.rows)
    return body


def _end_with_sum(body: Body, grid: Grid, plan: Plan, rows: list[int]) -> None:
    """Take a last row left out as a subtotal for the total where it holds the sum of points and scores."""
    if _sums_up(grid, body.last, plan, rows):
        body.total_row = body.left_out.pop().row


def _total_below(body: Body, grid: Grid, row: int, plan: Plan, rows: list[int]) -> None:
    """Take in a total that stands right below a note (其他需要说明的问题) which closes the grid."""
    if is_fund_header(grid, row):
        return
    below = [later for later in rows if row < later <= row + _NOTES_ABOVE_TOTAL]
    columns = plan.columns
    figures = [columns[name].left for name in ("weight", "score") if name in columns]
    for later in below:
        if _is_total(grid, later, plan) and any(is_figure_in(grid.own(later, column)) for column in figures):
            body.notes += [row, *(other for other in below if other < later)]
            body.total_row = body.last = later
            return
        if is_title(grid, later) or is_fund_header(grid, later):
            return


def _opens_section(grid: Grid, row: int, plan: Plan, carried: Carried) -> bool:
    """Take up a level without a column that stands in a row of its own (``一、产出指标（50分）``)."""
    texts = grid.texts(row)
    if plan.level1 is not None or not texts or any(column < plan.first_points for column, _ in texts[1:]):
        return False
    column, text = texts[0]
    label, points = split_points(pattern("levels", "number").sub("", plain_row(text)))
    label = label.rstrip(":").removesuffix("合计")
    if is_one_of(label, "levels", "level1"):
        weight = plan.columns.get("weight")
        stated = plain_row(grid.own(row, weight.left)).removesuffix("分") if weight is not None else ""
        points = float(stated) if points is None and _POINTS.fullmatch(stated) else points
        carried.level1, carried.points, carried.level2 = label, points, None
        carried.cells = {"level1": grid.address(row, column)}
    elif len(texts) == 1 and plan.level2 is None and is_one_of(label, "levels", "level2"):
        carried.level2 = label
        carried.cells["level2"] = grid.address(row, column)
    else:
        return False
    return True


def _resumes(grid: Grid, row: int, plan: Plan, rows: list[int]) -> bool:
    """Whether indicators go on below a remark: a row with a name, a target and points, before another block begins."""
    columns = plan.columns
    wanted = [columns[name].left for name in ("level3", "target") if name in columns]
    for later in rows[bisect_left(rows, row) :]:
        if is_title(grid, later) or is_fund_header(grid, later) or _is_total(grid, later, plan):
            return False
        if later > row and all(grid.own(later, column) for column in wanted) and _weighs(grid, later, plan):
            return True
    return False


def _weighs(grid: Grid, row: int, plan: Plan) -> bool:
    """Whether a row has points; in a grid without them, the name of a level."""
    weight = plan.columns.get("weight")
    if weight is not None:
        return is_figure_in(grid.own(row, weight.left))
    levels = (column.left for column in (plan.level1, plan.level2) if column is not None)
    return any(is_one_of(split_points(grid.text(row, left))[0], "levels", "names") for left in levels)


def _inside(grid: Grid, row: int, plan: Plan) -> bool:
    """Whether anything of the row stands in the grid's columns, a level merged down included."""
    if any(plan.left <= column <= plan.right for column, _ in grid.texts(row)):
        return True
    levels = (column.left for column in (plan.level1, plan.level2) if column is not None)
    return any(grid.anchor(row, left)[0] > plan.bottom and grid.text(row, left) for left in levels)


def _with_merged(grid: Grid, plan: Plan, rows: list[int], limit: int) -> list[int]:
    """Rows with content, and blank ones that a merged level reaches over."""
    if rows and rows[-1] - rows[0] < len(rows) and grid.merged_to <= rows[-1]:
        return rows
    wanted = set(rows)
    levels = [column.left for column in (plan.level1, plan.level2) if column is not None]
    for merge in grid.sheet.merges:
        if plan.bottom < merge.top < merge.bottom and any(merge.left <= left <= merge.right for left in levels):
            filled = rows[bisect_left(rows, merge.top) : bisect_right(rows, merge.bottom)]
            if filled:
                wanted.update(range(filled[0], min(merge.bottom, limit, filled[-1] + _LONGEST_LEVEL) + 1))
    return sorted(wanted)


def _take(body: Body, grid: Grid, plan: Plan, row: IndicatorRow) -> None:
    row.reason = why_left_out(row)
    if row.values.get("level3") is None and row.reason is None:
        column, text = grid.texts(row.row)[0]
        if column < plan.left and is_one_of(text, "rows", "subtotal"):  # beside the grid, under the side label
            row.reason = "subtotal"
    (body.rows if row.reason is None else body.left_out).append(row)


def _row(grid: Grid, row: int, plan: Plan, carried: Carried, reason: str | None) -> IndicatorRow:
    """Read one row; levels that are blank take what stands above them."""
    _carry(grid, row, plan, carried)
    values: dict[str, str | None] = {"level1": carried.level1, "level2": carried.level2}
    cells = dict(carried.cells)
    line, merged = grid.lines.get(row, {}), grid.merged_columns(row)
    for name, column in plan.fields:
        if column.left == column.right and column.left not in merged and grid.small:
            values[name], cells[name] = line.get(column.left), a1(row, column.left)
            continue
        values[name], cells[name] = _value(grid, row, column, name, plan.bottom)
        if column.right > column.left and name in PARTED and values[name] is not None:
            part(grid, row, column, name, values, cells)
    if plan.adjusted is not None:
        # An adjusted target counts where it is filled in, and where there is no other.
        text, address = _value(grid, row, plan.adjusted, "target", plan.bottom)
        if text is not None or "target" not in values:
            values["target"], cells["target"] = text, address
    extra = {column.label: _value(grid, row, column, "extra", plan.bottom)[0] for column in plan.extra}
    return IndicatorRow(row, values, cells, carried.points, extra, reason)


def _value(grid: Grid, row: int, column: Column, name: str, header_row: int) -> tuple[str | None, str]:
    """Text and address of a field in a row: the first filled sheet column of those the header spans."""
    anchor = grid.anchor(row, column.left)
    text = grid.own(*anchor) if anchor[0] > header_row else ""
    if not text and column.right > column.left:
        for at in range(column.left + 1, column.right + 1):
            other = grid.anchor(row, at)
            if other[0] > header_row and grid.own(*other):
                anchor, text = other, grid.own(*other)
                break
    if (anchor[0] < row and name in _ONCE) or (anchor[1] < column.left and name != "level3"):
        text = ""
    return text or None, a1(*anchor)


def _carry(grid: Grid, row: int, plan: Plan, carried: Carried) -> None:
    """Bring the levels up to date with a row: a new level 1 ends the level 2 above it."""
    first = _level(grid, row, plan.level1, plan.bottom)
    if first is not None:
        carried.take_level1(first[0], *split_points(first[1]))
    second = _level(grid, row, plan.level2, plan.bottom)
    if second is not None and second[0] != carried.cells.get("level1"):
        carried.take_level2(second[0], split_points(second[1])[0])


def _level(grid: Grid, row: int, column: Column | None, header_row: int) -> tuple[str, str] | None:
    """Address and text of a level's cell in a row, None where it is blank."""
    if column is None:
        return None
    for at in range(column.left, column.right + 1):
        text = grid.text(row, at)
        if text and grid.anchor(row, at)[0] > header_row:
            return grid.address(row, at), text
    return None


def _is_total(grid: Grid, row: int, plan: Plan) -> bool:
    """Whether a row has a total's label left of the values, or left of its points where nothing stands before it."""
    texts = grid.texts(row)
    alone = bool(texts) and (len(texts) == 1 or total_label(texts[0][1])[0] or opens_note(texts[0][1]))
    for column, text in texts:
        if column >= (plan.first_points if alone else plan.first_value):
            return False
        if total_label(text)[0] and grid.anchor(row, column)[0] == row:
            return True
    return False


def _sums_up(grid: Grid, row: int, plan: Plan, rows: list[int]) -> bool:
    """Whether a row of the points' sum (``分值合计``) holds that of the scores too, and no total comes below."""
    texts, score = grid.texts(row), plan.columns.get("score")
    if not texts or score is None or not is_one_of(texts[0][1], "rows", "points"):
        return False
    later = rows[bisect_right(rows, row) :]
    return is_figure_in(grid.own(row, score.left)) and not any(_is_total(grid, other, plan) for other in later)


def total_below(grid: Grid, header: Header, first: int, last: int) -> int | None:
    """The row of a total that stands apart from its grid, below another table; None where there is none."""
    plan = plan_of(header)
    return next((row for row in grid.rows_between(first, last) if _is_total(grid, row, plan)), None)


def _opens_grid(grid: Grid, row: int, plan: Plan, rows: list[int]) -> bool:
    """Whether a total stands above the indicators instead of below them: an indicator follows at once."""
    columns = plan.columns
    below = next(iter(rows[bisect_right(rows, row) :]), 0)
    filled = any(grid.own(below, columns[name].left) for name in ("target", "weight") if name in columns)
    return filled and not _is_total(grid, below, plan) and bool(grid.own(below, columns["level3"].left))


def _goes_on(grid: Grid, row: int, plan: Plan, rows: list[int]) -> bool:
    """Whether indicators and another total follow a total row: then it was a subtotal."""
    seen = False
    columns = plan.columns
    for later in rows[bisect_right(rows, row) :]:
        if _is_total(grid, later, plan):
            return seen
        if _closes(grid, later, plan):
            return False
        filled = any(grid.own(later, columns[name].left) for name in ("target", "weight") if name in columns)
        seen = seen or (filled and bool(grid.own(later, columns["level3"].left)))
    return False


def _closes(grid: Grid, row: int, plan: Plan) -> bool:
    """Whether a row is no indicator any more: a note, a sentence over the whole width, the next block."""
    texts = grid.texts(row)
    if not texts:
        return False
    column, text = texts[0]
    if _spans(grid, row, column, plan):
        return True
    if column < plan.left and len(texts) == 2 and _spans(grid, row, texts[1][0], plan):
        return True
    if len(texts) == 1 and (is_title(grid, row) or is_title(grid, row + 1)):
        return True
    notes = column <= plan.note_column and (opens_note(text) or _notes_aside(column, text, plan))
    if notes and grid.anchor(row, column)[0] == row:
        in_values = any(grid.own(row, value) for value in plan.values)
        if not in_values and (grid.bottom(row, column) == row or column < plan.left):
            return True
    return is_fund_header(grid, row)


def _notes_aside(column: int, text: str, plan: Plan) -> bool:
    """Whether a text left of the names begins with a note's word, whatever follows it."""
    return begins_note(text) and plan.level3 is not None and column < plan.level3.left


def _spans(grid: Grid, row: int, column: int, plan: Plan) -> bool:
    """Whether a cell reaches over most of the grid, names and values alike."""
    right = grid.right(row, column)
    if right == column or plan.level3 is None or column > plan.level3.left:
        return False
    over = min(right, plan.right) - max(column, plan.left) + 1
    return over >= plan.wide and bool(plan.values) and right >= min(plan.values[:2])
