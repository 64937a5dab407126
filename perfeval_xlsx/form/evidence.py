"""What stands in a column confirms its label, or contradicts it: then a finding says so."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import filterfalse, groupby, islice
from operator import itemgetter
from typing import Any

from perfeval_xlsx.findings import Finding
from perfeval_xlsx.form.amounts import FIGURE, POINTS
from perfeval_xlsx.form.grid import Grid
from perfeval_xlsx.form.header import Column, Header
from perfeval_xlsx.form.labels import contains, find, is_one_of, is_placeholder, pattern, plain_row
from perfeval_xlsx.form.model import Form, IndicatorRow
from perfeval_xlsx.form.rows import column_of, columns_of
from perfeval_xlsx.workbook import a1

_SEVERAL, _CLOSE = 3, 0.005
_TOLD = re.compile(r"\d(?:\.\d+)?[百千万亿]*元")
_LOOKED_AT = (
    "level1", "level2", "level3", "target", "actual", "sign", "weight", "score", "row", "cells", "level1_points"
)  # fmt: skip
Columns = dict[str, list[Any]]
_SIGNS = frozenset("≥≤><≧≦＞＜")
_SHARE = 0.5
"""From this share of contradicting cells on, a column is not what its label says."""


def column_findings(grid: Grid, header: Header, form: Form) -> list[Finding]:
    """Findings about the grid: columns missing, doubled or contradicted by their cells, rows that are hidden."""
    found = [
        Finding("R05", a1(header.top, header.left), name)
        for name in ("target", "actual")
        if name not in header.columns and not (name == "target" and "adjusted_target" in header.columns)
    ]
    by_name = dict(zip(_LOOKED_AT, columns_of(form.indicators, _LOOKED_AT), strict=True))
    for name in header.double:
        if header.double[name] and name not in {"score", "adjusted_target"}:
            column, other = header.columns[name], header.double[name][0]
            found.append(Finding("R06", a1(header.top, column.left), name, column.label, other.label))
    for name in ("weight", "score"):
        texts = by_name[name]
        unlike = {*filterfalse(_like_points, filter(None, {*texts}))}
        wrong = [at for at, text in enumerate(texts) if text in unlike] if unlike else ()
        if wrong and len(wrong) > _SHARE * sum(bool(text) and not is_placeholder(text or "") for text in texts):
            cell, told = by_name["cells"][wrong[0]].get(name), texts[wrong[0]]
            found.append(Finding("R07", cell, name, told, args={"label": header.columns[name].label}))
    hidden = [row for row in by_name["row"] if row in grid.sheet.hidden_rows] if grid.sheet.hidden_rows else []
    if hidden:
        found.append(Finding("R24", a1(hidden[0], header.left), None, "、".join(map(str, hidden))))
    found += _swapped(header, by_name)
    found += _levels_missing(form, by_name)
    if not form.indicators:
        found.append(Finding("R08", a1(header.top, header.left)))
    return found


def block_findings(grid: Grid, header: Header, funds: Header | None, form: Form, first: int) -> Iterator[Finding]:
    """Findings about what was not understood: funds without a total or a table, figures under labels nobody knows.

    Args:
        grid: The sheet.
        header: The indicator grid's header.
        funds: The fund table's header, None where there is none.
        form: The form as it was read.
        first: Its first sheet row.
    """
    for block in (header,) if funds is None else (funds, header):
        for column, meant in block.damaged:
            if column in block.columns.values():
                yield Finding("R25", a1(block.top, column.left), None, column.label, meant)
    if form.funds and all(fund.role != "total" for fund in form.funds):
        cell = next(iter(form.funds[0].cells.values()), None)
        yield Finding("R11", cell, "funds", form.funds[0].label)
    if not form.funds:
        yield from _unread_funds(grid, first, header.top - 1)
    if funds is not None and funds.extra:
        missing = [name for name in ("annual_budget", "executed") if name not in funds.columns]
        yield from _unknown(grid, funds, "fund", missing, [fund.row for fund in form.funds], FIGURE)
    if header.extra:
        missing = [name for name in ("score", "weight") if name not in header.columns]
        yield from _unknown(grid, header, "indicator", missing, column_of(form.indicators, "row"), POINTS)
    yield from _total_unlabelled(form.indicators)
    yield from _total_unread(grid, header, form)


def _unknown(
    grid: Grid, header: Header, block: str, missing: Sequence[str], rows: Sequence[int], shape: re.Pattern[str]
) -> Iterator[Finding]:
    """Filled columns under a label that names nothing: of figures where a field has no column, or of anything."""
    for column in header.extra:
        in_hand = "annual_budget" in missing and is_one_of(column.label, "fund_extra", "in_hand")
        if (find(block, column.label) is not None and not in_hand) or _is_share(column, block):
            continue
        texts = [text for row in rows if (text := plain_row(grid.own(row, column.left))) and not is_placeholder(text)]
        figures = bool(texts) and all(shape.fullmatch(text) for text in texts)
        if missing and figures:
            yield Finding("R12", a1(header.top, column.left), missing[0], column.label)
        elif figures or (block != "fund" and any(text != plain_row(column.label) for text in texts)):
            yield Finding("R14", a1(header.top, column.left), None, column.label)


def _is_share(column: Column, block: str) -> bool:
    """Whether a column only splits up what a label over it says: amounts by source, reasons by kind, values by year."""
    over = find(block, column.group) if column.group else None
    if over is None:
        return False
    return block == "fund" or over.field == "deviation" or bool(pattern("year", "alone").match(plain_row(column.label)))


def _total_unlabelled(rows: Sequence[IndicatorRow]) -> Iterator[Finding]:
    """A last row without values that weighs no less than all rows above it."""
    if len(rows) < _SEVERAL or column_of(rows, "target")[-1]:
        return
    actuals, points = columns_of(rows, ("actual", "weight"))
    if actuals[-1]:
        return
    texts = [plain_row(text or "").rstrip("分") for text in points]
    weights = [float(text) if POINTS.fullmatch(text) else 0.0 for text in texts]
    if weights[-1] and weights[-1] >= sum(weights[:-1]) - _CLOSE:
        names = [rows[-1].values.get(level) for level in ("level3", "level2", "level1")]
        yield Finding("R15", rows[-1].cells.get("weight"), "weight", next((name for name in names if name), None))


def _total_unread(grid: Grid, header: Header, form: Form) -> Iterator[Finding]:
    """A row right below the indicators that was no indicator, nor a total by its label, but holds points."""
    if "weight" in form.total_cells or "score" in form.total_cells:
        return
    rows = column_of(form.indicators, "row") + [row.row for row in form.left_out]
    if not rows:
        return
    below = next(iter(grid.rows_between(max(rows) + 1, max(rows) + 1)), None)
    columns = [header.columns[name].left for name in ("weight", "score") if name in header.columns]
    if below is not None and any(POINTS.fullmatch(plain_row(grid.own(below, column))) for column in columns):
        yield Finding("R15", a1(below, columns[0]), "weight", plain_row(grid.texts(below)[0][1]))


def _unread_funds(grid: Grid, first: int, last: int) -> Iterator[Finding]:
    """The first row above the grid that speaks of funds and holds an amount."""
    for row in grid.rows_between(first, last):
        texts = grid.texts(row)
        for column, text in texts:
            amounts = (plain_row(other).rpartition(":")[2] for _, other in texts)
            told = any(_TOLD.search(plain_row(other)) for _, other in texts)
            if contains(text, "fund_rows", "unread") and (told or any(map(FIGURE.fullmatch, amounts))):
                yield Finding("R13", a1(row, column), "funds", plain_row(text))
                return


def _levels_missing(form: Form, by_name: Columns) -> Iterator[Finding]:
    """The first row without a level 1, or the very first without a level 2, in a grid that has them."""
    letter = form.columns.get("level3", ("", ""))[0]
    for level in ("level1", "level2"):
        texts = by_name[level]
        if all(texts) or None not in texts or not any(texts):
            continue
        at = texts.index(None)
        cell = by_name["cells"][at].get("level3")
        if level == "level1" or (at == 0 and (cell or "").rstrip("0123456789") == letter):
            yield Finding("R22", cell, level, by_name["level3"][at])
            return


def _swapped(header: Header, by_name: Columns) -> Iterator[Finding]:
    """Columns whose cells say they were exchanged.

    Scores that add up to the levels' points where the points do not; comparators among the actuals where the targets
    have none.
    """
    columns, stated = header.columns, (by_name["level1"], by_name["level1_points"])
    full = {"weight", "score"} <= columns.keys() and _adds_up(by_name["score"], *stated)
    if full and _adds_up(by_name["weight"], *stated) is False:
        yield Finding("R09", a1(header.top, columns["weight"].left), "weight", columns["weight"].label)
    if {"target", "actual"} <= columns.keys() and not any(_signed(by_name["target"])) and not any(by_name["sign"]):
        signed = sum(_signed(by_name["actual"]))
        if signed >= _SEVERAL and signed > _SHARE * len(by_name["actual"]):
            yield Finding("R09", a1(header.top, columns["target"].left), "target", columns["target"].label)


def _signed(texts: Iterable[str | None]) -> Iterator[bool]:
    """Of every filled text whether it begins with a comparator."""
    return map(_SIGNS.__contains__, map(itemgetter(0), filter(None, texts)))


@lru_cache(maxsize=4096)
def _like_points(text: str) -> bool:
    """Whether a cell holds points, a share, or nothing but a placeholder."""
    return bool(POINTS.fullmatch(plain_row(text).lstrip("-").removesuffix("%"))) or is_placeholder(text)


def _adds_up(texts: Sequence[str | None], levels: Sequence[str | None], stated: Sequence[float | None]) -> bool | None:
    """Whether a column adds up to every level's points; None where the points or figures are not all there."""
    figures: dict[str | None, Any] = {text: _points_in(text or "") for text in {*texts}}
    if (not all(stated) and None in stated) or None in figures.values():
        return None
    least: dict[str | None, Any] = dict(zip(levels, stated, strict=True))
    known = [*map(figures.__getitem__, texts)]
    if sum(known) < sum(least.values()) - len(texts) * _CLOSE:
        return False  # as most scores do, they fall short altogether
    by_level: defaultdict[tuple[Any, Any], list[Any]] = defaultdict(list)
    rest = iter(known)
    for level, rows in groupby([*zip(levels, stated, strict=True)]):
        by_level[level] += islice(rest, len([*rows]))
    return all(abs(sum(own) - points) < _CLOSE for (_, points), own in by_level.items()) if by_level else None


@lru_cache(maxsize=4096)
def _points_in(text: str) -> float | None:
    """The points a cell holds, 0 where it is blank, None where it holds anything else."""
    figure = plain_row(text).rstrip("分")
    return float(figure or 0) if not figure or POINTS.fullmatch(figure) else None
