"""Rows of the usual kind, which nearly all of a grid are, read many at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from perfeval_xlsx.form.grid import Grid
from perfeval_xlsx.form.header import Header
from perfeval_xlsx.form.labels import is_placeholder, is_plain_name
from perfeval_xlsx.form.model import INDICATOR_FIELDS, IndicatorRow
from perfeval_xlsx.workbook import Merge, a1

_VALUES = ("target", "actual", "score", "weight")
_WIDE = 0.6
_REMEMBERED = 256
"""Rows below one cell of a level whose addresses are remembered."""


@dataclass(slots=True)
class Carried:
    """The levels in force; the addresses of rows of the usual kind below them, as far as they are known."""

    level1: str | None = None
    points: float | None = None
    level2: str | None = None
    cells: dict[str, str] = field(default_factory=dict)
    merges: tuple[Merge | None, Merge | None] = (None, None)
    addresses: dict[int, dict[str, str]] = field(default_factory=dict)


class Plan:
    """A header's columns, laid out for reading many rows."""

    __slots__ = (
        "adjusted", "bottom", "extra", "fields", "first_points", "first_value", "header", "left", "lefts", "level1",
        "level2", "level3", "name", "note_column", "places", "right", "target", "values", "wide",
    )  # fmt: skip

    def __init__(self, header: Header) -> None:
        columns = header.columns
        self.header, self.bottom = header, header.bottom
        self.left, self.right = header.left, header.right
        self.fields = [(name, columns[name]) for name in INDICATOR_FIELDS[2:] if name in columns]
        self.extra = header.extra
        self.adjusted = columns.get("adjusted_target")
        self.level1, self.level2, self.level3 = (columns.get(name) for name in ("level1", "level2", "level3"))
        self.values = [columns[name].left for name in ("target", "actual", "score") if name in columns]
        self.first_value = min((columns[name].left for name in _VALUES if name in columns), default=self.right)
        points = [columns[name].left for name in ("weight", "score") if name in columns]
        self.first_points = min(points, default=self.first_value)
        # Notes open left of the indicators' names, or in their column where there are no levels.
        levels = [column.left for column in (self.level1, self.level2, self.level3) if column is not None]
        self.note_column = max(min(column.left for column in columns.values()), min(levels))
        self.wide = _WIDE * (self.right - self.left + 1)
        self.lefts = tuple(column.left for _, column in self.fields)
        self.places = tuple((name, column.left) for name, column in self.fields)
        self.name = self.target = 0
        usual = {"level1", "level2", "level3", "target"} <= columns.keys() and not self.extra and self.adjusted is None
        if usual and all(column.left == column.right for column in columns.values()):
            self.name, self.target = columns["level3"].left, columns["target"].left


def usual_rows(grid: Grid, rows: Iterable[int], plan: Plan, carried: Carried) -> list[IndicatorRow]:
    """Read rows of the usual kind at once, up to the first of another kind.

    Usual: the levels merged above go on, name and target are filled in, no value is merged, every column is single.
    """
    found: list[IndicatorRow] = []
    if plan.name and carried.level1 is not None and None not in carried.merges and grid.small:
        level1, level2 = plan.level1.left, plan.level2.left  # type: ignore[union-attr]
        base: dict[str, str | None] = {"level1": carried.level1, "level2": carried.level2}
        base |= dict.fromkeys(name for name, _ in plan.places)
        lines, merged, merges, known = grid.lines, grid.merged, carried.merges, carried.addresses
        for row in rows:
            line = lines.get(row)
            if line is None or (merged.get((row, level1)), merged.get((row, level2))) != merges:
                break
            target = line.get(plan.target)
            if target is None or next(iter(line)) != plan.name or not is_plain_name(line[plan.name]):
                break
            if is_placeholder(target) or not grid.merged_columns(row).isdisjoint(plan.lefts):
                break
            values = base.copy()
            for name, column in plan.places:
                values[name] = line.get(column)
            cells = known.get(row) or _add_addresses(carried, row, plan)
            found.append(IndicatorRow(row, values, cells, carried.points))
    return found


def _add_addresses(carried: Carried, row: int, plan: Plan) -> dict[str, str]:
    """Address by field of a row of the usual kind."""
    cells = carried.cells | {name: a1(row, column) for name, column in plan.places}
    if len(carried.addresses) < _REMEMBERED:
        carried.addresses[row] = cells
    return cells


@lru_cache(maxsize=256)
def addresses_below(
    _columns: tuple[tuple[str, int], ...], _levels: tuple[tuple[str, str], ...]
) -> dict[int, dict[str, str]]:
    """What is known of the addresses of rows by their columns and their levels' cells, for forms of one layout."""
    return {}
