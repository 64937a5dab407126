"""Funds without a table: amounts beside their labels, or as rows of a table on its side."""

from __future__ import annotations

from typing import Literal

from perfeval_xlsx.data import load
from perfeval_xlsx.form.amounts import is_amount
from perfeval_xlsx.form.funds import ends, name_total
from perfeval_xlsx.form.grid import Grid
from perfeval_xlsx.form.labels import find, is_one_of, is_placeholder, plain_row, points_stated, squeeze
from perfeval_xlsx.form.model import FUND_FIELDS, FundRow

_Places = dict[str, tuple[int, int]]
"""Row and column of a value by its field."""


def read_columns(grid: Grid, first: int, last: int) -> list[FundRow]:
    """Read a table that stands on its side: amounts as rows (``全年预算数 | 100 | 60``), a fund a column."""
    lines: dict[str, tuple[int, int]] = {}
    for row in grid.rows_between(first, last):
        found = _line(grid, row)
        if found is not None:
            lines.setdefault(found[0], (row, found[1]))
        elif lines:
            break
    if "executed" not in lines or lines.keys().isdisjoint({"annual_budget", "initial_budget"}):
        return []
    top, left = min(lines.values())
    above = next(reversed(grid.rows_between(first, top - 1)), 0)
    rows = []
    filled = {c for row, _ in lines.values() for c, text in grid.texts(row) if c > left and is_amount(text)}
    for column in sorted(filled):
        cells = {field: grid.address(row, column) for field, (row, _) in lines.items()}
        values = {field: grid.text(row, column) or None for field, (row, _) in lines.items()}
        name = grid.text(above, column)
        label = None if ":" in plain_row(name) else squeeze(name)  # no fact of the head
        rows.append(FundRow(max(lines.values())[0], label, "part", values, cells))
    name_total(rows)
    return rows


def _line(grid: Grid, row: int) -> tuple[str, int] | None:
    """The field that the label before a row's amounts names, with its column."""
    texts = grid.texts(row)
    first = next((at for at, (_, text) in enumerate(texts) if is_amount(text)), 0)
    match = find("fund", texts[first - 1][1]) if first else None
    if match is None or not match.exact or match.field not in FUND_FIELDS:
        return None
    return match.field, texts[first - 1][0]


def read_pairs(grid: Grid, first: int, last: int) -> list[FundRow]:
    """Read amounts that stand beside their labels (``预算数：| 100 | 执行数：| 90``), as in forms before 2018."""
    rows: list[FundRow] = []
    places: dict[str, int] = {}
    above: _Places = {}
    for row in grid.rows_between(first, last):
        found = _pairs(grid, row)
        together: _Places = above | {name: (row, column) for name, column in found.items()}
        if rows and found and row == rows[0].row + 1 and found.keys().isdisjoint(rows[0].values):
            more = _pair_row(grid, {name: (row, column) for name, column in found.items()}, "total")
            rows[0].row, places = row, {}
            rows[0].values |= more.values
            rows[0].cells |= more.cells
        elif rows and row <= rows[-1].row + 1 and _are_parts(grid, row, places):
            rows.append(_pair_row(grid, {name: (row, column) for name, column in places.items()}, "part"))
        elif rows:
            break
        elif _is_whole(together) and max(len(found), len(above)) > 1:
            places = {} if above else found
            rows.append(_pair_row(grid, together, "total"))
        else:
            above = {name: (row, column) for name, column in found.items()}
    return rows


def _are_parts(grid: Grid, row: int, places: dict[str, int]) -> bool:
    """Whether a row below pairs holds their parts in the same columns, and is not the next block."""
    return bool(places) and not ends(grid, row) and all(_is_part(grid, row, column) for column in places.values())


def _is_whole(places: _Places) -> bool:
    return "executed" in places and not places.keys().isdisjoint({"annual_budget", "initial_budget"})


def _pairs(grid: Grid, row: int) -> dict[str, int]:
    """Column of the value by field, for labels with a value to their right or behind their colon."""
    found: dict[str, int] = {}
    texts = grid.texts(row)
    for at, (column, text) in enumerate(texts):
        label, _, inline = plain_row(text).partition(":")
        for name in load("labels.toml")["fund_pairs"]:
            after = _after(grid, row, texts, at)
            if inline and is_amount(inline) and is_one_of(label, "fund_pairs", name):
                _take(found, grid, row, name, column)
            elif is_one_of(text, "fund_pairs", name) and find("fund", grid.text(row, after)) is None:
                _take(found, grid, row, name, after)
    return found


def _after(grid: Grid, row: int, texts: list[tuple[int, str]], at: int) -> int:
    """Column of what stands right of a label: of the next amount, blank cells between, else of the cell beside."""
    beside = grid.right(row, texts[at][0]) + 1
    column, text = texts[at + 1] if at + 1 < len(texts) else (beside, "")
    return column if is_amount(text) else beside


def _take(found: dict[str, int], grid: Grid, row: int, name: str, column: int) -> None:
    """Note where a field's value stands; a label without one (``预算资金`` beside all the pairs) gives way."""
    if name not in found or not grid.text(row, found[name]):
        found[name] = column


def _behind_colon(text: str) -> str | None:
    """An amount without the label before it in the same cell (``执行数：118.5万元``)."""
    inline = plain_row(text).rpartition(":")[2]
    return (inline if is_amount(inline) else text) or None


def _is_part(grid: Grid, row: int, column: int) -> bool:
    """Whether a label stands left of a value's column, and an amount or nothing in it."""
    text = grid.text(row, column)
    amount = not text or is_placeholder(text) or is_amount(_behind_colon(text) or "")
    return amount and bool(grid.text(row, column - 1)) and grid.anchor(row, column - 1)[0] == row


def pair_points(grid: Grid, fund: FundRow) -> float | None:
    """Points of the execution score that the label of a pair states (``得分（10分） | 9.5``)."""
    return points_stated(*(text for _, text in grid.texts(fund.row) if is_one_of(text, "fund_pairs", "score")))


def _pair_row(grid: Grid, places: _Places, role: Literal["total", "part"]) -> FundRow:
    values = {name: _behind_colon(grid.text(*place)) for name, place in places.items()}
    cells = {name: grid.address(*place) for name, place in places.items()}
    row, column = min(places.values())
    return FundRow(max(places.values())[0], squeeze(grid.text(row, column - 1)), role, values, cells)
