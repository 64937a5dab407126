"""The annual goals: texts below their labels, or beside them."""

from __future__ import annotations

from perfeval_xlsx.findings import Finding
from perfeval_xlsx.form.grid import Grid
from perfeval_xlsx.form.labels import find, is_one_of
from perfeval_xlsx.form.model import Form
from perfeval_xlsx.workbook import a1

_SHORT = 12
"""Longest label of a goals' column."""


def read_goals(form: Form, grid: Grid, first: int, last: int) -> int | None:
    """Fill in the annual goals from the rows between two tables; return their header row.

    Texts stand below their labels where both labels share a row without texts between them, else to the right of each.
    """
    labelled = []
    for row in grid.rows_between(first, last):
        places = _goal_labels(grid, row)
        if places:
            labelled.append((row, places))
        if len(places) > 1:
            if all(_goal_beside(grid, row, column)[1] for column in places.values()):
                _goals_beside(form, grid, row, places)
            else:
                _fill_goals(form, grid, row, places, last)
            return row
    for row, places in labelled:
        column = next(iter(places.values()))
        if _heads_columns(grid, row, column):
            _fill_goals(form, grid, row, places, last)
            after = grid.right(row, column) + 1
            form.findings.append(Finding("R14", grid.address(row, after), None, grid.text(row, after)))
            return row
        _goals_beside(form, grid, row, places)
    if labelled and not any(form.goals.values()):
        _fill_goals(form, grid, *labelled[0], last)
    return labelled[0][0] if any(form.goals.values()) else None


def _heads_columns(grid: Grid, row: int, column: int) -> bool:
    """Whether a label stands above its text, beside another short label above a text of its own that nobody knows."""
    after, below = grid.right(row, column) + 1, grid.bottom(row, column) + 1
    beside = grid.own(row, after)
    if not beside or len(beside) > _SHORT or any(place > after for place in grid.columns(row)):
        return False
    texts = [grid.own(below, place) for place in (column, after)]
    known = (find(block, text) for text in texts for block in ("goals", "indicator", "fund"))
    return bool(texts[1]) and not any(known)


def _goal_labels(grid: Grid, row: int) -> dict[str, int]:
    """Column of each goal label in a row; a side label gives way to the one nearer to the actuals."""
    places: dict[str, int] = {}
    for column, text in grid.texts(row):
        match = find("goals", text)
        if match is None:
            continue
        kept = places.get(match.field) if match.field == "actual" else None
        if kept is None or kept < places.get("expected", 0) or is_one_of(grid.own(row, kept), "goals_side", "exact"):
            places[match.field] = column
    if places and "actual" not in places and len(places) == 1:
        column = next(iter(places.values()))
        if is_one_of(grid.own(row, column), "goals_side", "exact") and grid.right(row, column) >= grid.last_column:
            return {}
    return places


def _fill_goals(form: Form, grid: Grid, row: int, places: dict[str, int], last: int) -> None:
    """Texts in the row below the labels, or in all rows beside which one label stands (年度总体目标).

    An adjusted goal counts where it is filled in.
    """
    bottom = max(grid.bottom(row, column) for column in places.values())
    beside = grid.bottom(row, min(places.values()) - 1)
    found: dict[str, list[tuple[str, str]]] = {name: [] for name in places}
    first = next(iter(grid.rows_between(bottom + 1, last)), bottom + 1)
    for below in range(first, min(last, max(beside, first)) + 1):
        for name, column in places.items():
            anchor = grid.anchor(below, column)
            if anchor[0] == below and (text := grid.own(*anchor)):
                found[name].append((a1(*anchor), text))
    if found.get("adjusted"):
        found["expected"] = found["adjusted"]
    for name in ("expected", "actual"):
        if name in places or found.get(name):
            texts = found.get(name, [])
            form.goals[name] = "\n".join(text for _, text in texts) or None
            cell = texts[0][0] if texts else grid.address(bottom + 1, places.get(name, min(places.values())))
            form.goal_cells[name] = cell


def _goals_beside(form: Form, grid: Grid, row: int, places: dict[str, int]) -> None:
    """Texts to the right of their labels."""
    for name, column in places.items():
        cell, text = _goal_beside(grid, row, column)
        if text and form.goals.get(name, None) is None:
            form.goals[name], form.goal_cells[name] = text, cell


def _goal_beside(grid: Grid, row: int, column: int) -> tuple[str, str | None]:
    """Address and text right of a label; None where nothing or another label stands there."""
    after = grid.right(row, column) + 1
    if not grid.text(row, after):
        after = next((filled for filled in grid.columns(row) if filled > after), after)
    text = grid.text(row, after)
    return grid.address(row, after), text if text and find("goals", text) is None else None
