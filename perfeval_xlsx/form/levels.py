"""Level-1 labels that do not stand in the first row of their block: in the middle of it, or one character a row."""

from __future__ import annotations

from collections.abc import Sequence

from perfeval_xlsx.data import load
from perfeval_xlsx.form.labels import is_one_of, plain_row, split_points
from perfeval_xlsx.form.model import IndicatorRow
from perfeval_xlsx.form.rows import column_of

_PIECE = 2
"""Characters of a label that a row holds at most where it is written down its block."""


def settle_levels(rows: Sequence[IndicatorRow]) -> None:
    """Give the rows of a grid their level 1 where its labels stand elsewhere than in a block's first row."""
    first = column_of(rows, "level1")[0]
    if first is None:
        _settle_floating(rows)
    elif len(first) <= _PIECE and not is_one_of(first, "levels", "level1"):
        _join_pieces(rows)


def _join_pieces(rows: Sequence[IndicatorRow]) -> None:
    """Put labels together that are written down their blocks (``产 | 出 | 指 | 标``); none where they make no label."""
    begins: list[int] = []
    names: list[str] = []
    pending = ""
    for at, row in enumerate(rows):
        if at and row.cells.get("level1") == rows[at - 1].cells.get("level1"):
            continue
        if not pending:
            begins.append(at)
        pending += plain_row(row.values["level1"] or "")
        if is_one_of(split_points(pending)[0], "levels", "whole"):
            names.append(pending)
            pending = ""
    whole = not pending and len(names) == len(begins)
    for name, start, end in zip(names, begins, [*begins[1:], len(rows)], strict=False) if whole else ():
        label, points = split_points(name)
        for row in rows[start:end]:
            row.values["level1"], row.level1_points = label, points
            row.cells = {**row.cells, "level1": rows[start].cells["level1"]}
    if not whole and len(rows[0].values["level1"] or "") == 1:
        for row in rows:  # a single character is no level
            row.values["level1"] = None


def _settle_floating(rows: Sequence[IndicatorRow]) -> None:
    """Give rows the level 1 that their level 2 is a part of, where its labels stand in the middle of their blocks.

    Rows whose level 2 says nothing, or whose level 1 is not there, are left without one.
    """
    labels = {label: row for row in reversed(rows) if (label := row.values["level1"]) is not None}
    carried = [(dict(row.cells), row.level1_points) for row in rows]
    places = {label: carried[rows.index(row)] for label, row in labels.items()}
    for row in rows:
        words = _part_of(row.values["level2"] or "")
        fitting = next((found for word in words if (found := [x for x in places if word in plain_row(x)])), [])
        row.values["level1"] = fitting[0] if len(fitting) == 1 else None
        row.cells = {name: cell for name, cell in row.cells.items() if name != "level1"}
        row.level1_points = None
        if len(fitting) == 1:
            cells, row.level1_points = places[fitting[0]]
            row.cells["level1"] = cells["level1"]


def _part_of(level2: str) -> list[str]:
    """Words of the level 1 that a level 2 is a part of, the likeliest first."""
    words: dict[str, list[str]] = load("labels.toml")["levels"]["within"]
    return next((words[word] for word in words if word in plain_row(level2)), [])
