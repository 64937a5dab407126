"""The indicator grid: rows below the header, levels carried down, rows that do not count, the total row."""

from __future__ import annotations

from dataclasses import dataclass, field

from perfeval_xlsx.form.grid import Grid
from perfeval_xlsx.form.labels import is_one_of, is_placeholder, is_unused, opens_note, plain_row, split_points
from perfeval_xlsx.form.locate import Column, Header, is_fund_header, is_indicator_header, is_title
from perfeval_xlsx.form.model import INDICATOR_FIELDS, IndicatorRow

_ONCE = frozenset({"weight", "score"})
"""Fields of which a cell merged over several rows counts once, in its first row."""
_VALUES = ("target", "actual", "score", "weight")
_WIDE = 0.6


@dataclass(slots=True)
class Body:
    """What stands below an indicator header.

    Attributes:
        rows: Rows that count; ``left_out`` the others, with their reason.
        total_row: Sheet row of the total, None where the grid has none.
        last: Last sheet row of the grid, the total row included.
    """

    rows: list[IndicatorRow] = field(default_factory=list)
    left_out: list[IndicatorRow] = field(default_factory=list)
    total_row: int | None = None
    last: int = 0


@dataclass(slots=True)
class _Carried:
    """The levels in force."""

    level1: str | None = None
    points: float | None = None
    level2: str | None = None
    cells: dict[str, str] = field(default_factory=dict)


def read_body(grid: Grid, header: Header, limit: int, repeats: frozenset[int] = frozenset()) -> Body:
    """Read the grid below ``header``, up to its total, a note, the next block or ``limit``.

    Args:
        grid: The sheet.
        header: The grid's header.
        limit: Last row the grid may reach.
        repeats: Rows of the same header, repeated for the next page: passed over.
    """
    body = Body(last=header.bottom)
    carried = _Carried()
    rows = list(grid.rows_between(header.bottom + 1, limit))
    for row in _with_merged(grid, header, rows, limit):
        if row in repeats:
            continue
        if _is_total(grid, row, header):
            if not _goes_on(grid, header, row, rows):
                body.total_row = body.last = row
                break
            body.left_out.append(_row(grid, row, header, carried, "subtotal"))
        elif _closes(grid, row, header):
            break
        elif any(grid.own(row, c) for c in range(header.left, header.right + 1)) or _covered(grid, row, header):
            _take(body, _row(grid, row, header, carried, None))
        body.last = row
    return body


def _with_merged(grid: Grid, header: Header, rows: list[int], limit: int) -> list[int]:
    """Rows with content, and blank ones that a merged level reaches over."""
    wanted = set(rows)
    for row in rows:
        for level in ("level1", "level2"):
            if level in header.columns:
                bottom = grid.bottom(row, header.columns[level].left)
                wanted.update(range(row, min(bottom, limit, row + 200) + 1))
    return sorted(wanted)


def _covered(grid: Grid, row: int, header: Header) -> bool:
    return any(
        grid.anchor(row, header.columns[level].left)[0] > header.bottom and grid.text(row, header.columns[level].left)
        for level in ("level1", "level2")
        if level in header.columns
    )


def _take(body: Body, row: IndicatorRow) -> None:
    row.reason = _why_left_out(row)
    (body.rows if row.reason is None else body.left_out).append(row)


def _why_left_out(row: IndicatorRow) -> str | None:
    """Why a row does not count: a template's unfilled row, a blank one, a subtotal."""
    values = row.values
    names = [values.get(level) or "" for level in ("level1", "level2", "level3")]
    if any(is_one_of(name, "rows", "subtotal") for name in names if name):
        return "subtotal"
    if not all(is_placeholder(values.get(name) or "") for name in ("target", "actual")):
        return None
    if any(_is_figure(values.get(name)) for name in ("weight", "score")):
        return None
    if names[2] and not is_unused(names[2]):
        return None
    return "unused" if names[2] else "blank"


def _is_figure(text: str | None) -> bool:
    return any(char.isdigit() and char != "0" for char in plain_row(text or ""))


def _row(grid: Grid, row: int, header: Header, carried: _Carried, reason: str | None) -> IndicatorRow:
    """Read one row; levels that are blank take what stands above them."""
    _carry(grid, row, header, carried)
    values: dict[str, str | None] = {"level1": carried.level1, "level2": carried.level2}
    cells = dict(carried.cells)
    for name in INDICATOR_FIELDS[2:]:
        column = header.columns.get(name)
        if column is not None:
            values[name], cells[name] = _value(grid, row, column, name, header.bottom)
    _adjusted(grid, row, header, values, cells)
    extra = {column.label: _value(grid, row, column, "extra", header.bottom)[0] for column in header.extra}
    return IndicatorRow(row, values, cells, carried.points, extra, reason)


def _value(grid: Grid, row: int, column: Column, name: str, header_row: int) -> tuple[str | None, str]:
    """Text and address of a field in a row: the first filled sheet column of those the header spans."""
    at = column.left
    for candidate in range(column.left, column.right + 1):
        if grid.text(row, candidate) and grid.anchor(row, candidate)[0] > header_row:
            at = candidate
            break
    anchor_row = grid.anchor(row, at)[0]
    text = grid.text(row, at) if anchor_row > header_row else ""
    if name in _ONCE and anchor_row < row:
        text = ""
    return text or None, grid.address(row, at)


def _adjusted(
    grid: Grid, row: int, header: Header, values: dict[str, str | None], cells: dict[str, str]
) -> None:
    """An adjusted target counts where it is filled in, and where there is no other."""
    column = header.columns.get("adjusted_target")
    if column is None:
        return
    text, address = _value(grid, row, column, "target", header.bottom)
    if text is not None or "target" not in header.columns:
        values["target"], cells["target"] = text, address


def _carry(grid: Grid, row: int, header: Header, carried: _Carried) -> None:
    """Bring the levels up to date with a row: a new level 1 ends the level 2 above it."""
    columns = header.columns
    first = _level(grid, row, columns.get("level1"), header.bottom)
    if first is not None and (first[0] != carried.cells.get("level1") or carried.level1 is None):
        label, points = split_points(first[1])
        if not (label and label == carried.level1 and points == carried.points):
            carried.level2 = None
            carried.cells.pop("level2", None)
        carried.level1, carried.points = label or None, points
        carried.cells["level1"] = first[0]
    second = _level(grid, row, columns.get("level2"), header.bottom)
    if second is not None and second[0] != carried.cells.get("level1"):
        carried.level2 = second[1]
        carried.cells["level2"] = second[0]


def _level(grid: Grid, row: int, column: Column | None, header_row: int) -> tuple[str, str] | None:
    """Address and text of a level's cell in a row, None where it is blank."""
    if column is None:
        return None
    for at in range(column.left, column.right + 1):
        text = grid.text(row, at)
        if text and grid.anchor(row, at)[0] > header_row:
            return grid.address(row, at), text
    return None


def _is_total(grid: Grid, row: int, header: Header) -> bool:
    """Whether a row's first text is a total's label, left of the values."""
    last = min((header.columns[name].left for name in _VALUES if name in header.columns), default=header.right)
    return any(
        is_one_of(text, "rows", "total") and grid.anchor(row, column)[0] == row
        for column, text in grid.texts(row)
        if column < last
    )


def _goes_on(grid: Grid, header: Header, row: int, rows: list[int]) -> bool:
    """Whether indicators and another total follow a total row: then it was a subtotal."""
    seen = False
    for later in rows:
        if later <= row:
            continue
        if _is_total(grid, later, header):
            return seen
        if _closes(grid, later, header):
            return False
        name = header.columns["level3"]
        seen = seen or bool(grid.own(later, name.left) and any(
            grid.own(later, header.columns[f].left) for f in ("target", "weight") if f in header.columns
        ))
    return False


def _closes(grid: Grid, row: int, header: Header) -> bool:
    """Whether a row is no indicator any more: a note, a sentence over the whole width, the next block."""
    texts = [(column, text) for column, text in grid.texts(row)]
    if not texts:
        return False
    column, text = texts[0]
    if _spans(grid, row, column, header):
        return True
    if is_title(grid, row) and len(texts) == 1 and column <= header.columns["level3"].left:
        return True
    in_values = any(
        grid.own(row, header.columns[name].left) for name in ("target", "actual", "score") if name in header.columns
    )
    if not in_values and grid.anchor(row, column)[0] == row and opens_note(text) and column <= _name_column(header):
        return grid.bottom(row, column) == row or column < header.left
    return is_fund_header(grid, row) or is_indicator_header(grid, row)


def _name_column(header: Header) -> int:
    """Notes open left of the indicators' names, or in their column where there are no levels."""
    columns = header.columns
    first = min(column.left for column in columns.values())
    return max(first, min(columns[name].left for name in ("level1", "level2", "level3") if name in columns))


def _spans(grid: Grid, row: int, column: int, header: Header) -> bool:
    """Whether a cell reaches over most of the grid, names and values alike."""
    right = grid.right(row, column)
    width = header.right - header.left + 1
    over = min(right, header.right) - max(column, header.left) + 1
    values = [header.columns[name].left for name in ("target", "actual") if name in header.columns]
    return over >= _WIDE * width and bool(values) and column <= header.columns["level3"].left and right >= min(values)
