"""What stands in a column confirms its label, or contradicts it: then a finding says so."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache

from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Finding
from perfeval_xlsx.form.grid import Grid
from perfeval_xlsx.form.header import Column, Header
from perfeval_xlsx.form.heading import year_in
from perfeval_xlsx.form.labels import contains, find, is_one_of, is_placeholder, pattern, plain_row, split_points
from perfeval_xlsx.form.model import Form, IndicatorRow
from perfeval_xlsx.form.title import is_title
from perfeval_xlsx.workbook import a1

_NO_YEAR = 9999
_YEAR = re.compile(r"20\d\d(?=年)")
_POINTS = re.compile(r"\d{1,3}(?:\.\d+)?分?")
_SEVERAL, _CLOSE = 3, 0.005
_AMOUNT = re.compile(r"-?[\d,]*\d(?:\.\d+)?(?:%|分|万|[百千万亿]*元)?")
_TOLD = re.compile(r"\d(?:\.\d+)?[百千万亿]*元")
_AMOUNTS = ("initial_budget", "annual_budget", "executed")
_FUND_ROWS = 8
"""Rows below a fund header in which amounts are looked for."""
_SHARE = 0.5
"""From this share of contradicting cells on, a column is not what its label says."""


def settle_doubles(grid: Grid, header: Header, limit: int) -> None:
    """Where two columns carry one field's label, keep the one whose cells fit it; the other becomes an extra column.

    A column of nothing but comparators holds the signs, whatever its label says.
    """
    if header.extra and "sign" not in header.columns:
        _find_signs(grid, header, limit)
    for name, others in list(header.double.items()):
        candidates = [header.columns[name], *others]
        if name == "weight" and "score" not in header.columns:
            candidates = _part_scores(header, candidates)
        if name == "level2" and "level1" not in header.columns:
            candidates = _part_levels(grid, header, candidates, limit)
        if name in {"weight", "score"}:
            _drop_points_of_levels(header, candidates)
        if name == "target" and _join(grid, header, candidates, limit):
            continue
        hidden = grid.sheet.hidden_columns
        if name == "score":
            candidates.sort(key=lambda column: (column.left in hidden, _is_reviewed(column)))
        else:
            fits = {id(column): _fit(name, _texts(grid, column, header, limit)) for column in candidates}
            right = {id(column): name != "weight" or fits[id(column)][0] >= _SHARE for column in candidates}
            year = _year_above(grid, header, candidates)
            sure = {id(c): (c.left not in hidden, right[id(c)], *_named(c, year)) for c in candidates}
            candidates.sort(key=lambda column: (*sure[id(column)], fits[id(column)]), reverse=True)
        _choose(header, name, candidates)
        year = _year_above(grid, header, candidates)
        header.double[name] = [other for other in candidates[1:] if _named(other, year) >= _named(candidates[0], year)]


def _find_signs(grid: Grid, header: Header, limit: int) -> None:
    comparator = pattern("levels", "comparator")
    for column in header.extra:
        texts = _texts(grid, column, header, limit)
        if len(texts) >= _SEVERAL and all(comparator.match(text) for text in texts):
            header.columns["sign"] = column
            header.extra = [other for other in header.extra if other is not column]
            return


def _join(grid: Grid, header: Header, candidates: list[Column], limit: int) -> bool:
    """Make one column of two beside each other of which each row fills in one (``定量指标值 | 定性指标值``)."""
    first, *others = sorted(candidates, key=lambda column: column.left)
    if len(others) != 1 or others[0].left != first.right + 1:
        return False
    rows = grid.rows_between(header.bottom + 1, limit)
    filled = [(bool(grid.own(row, first.left)), bool(grid.own(row, others[0].left))) for row in rows]
    if (True, True) in filled or not {(True, False), (False, True)} <= set(filled):
        return False
    first.right = others[0].right
    header.columns["target"], header.double["target"] = first, []
    return True


def _part_scores(header: Header, candidates: list[Column]) -> list[Column]:
    """Of two columns of points one that says 得分 (``权重 | 权重得分``) holds the scores, where no other does."""
    scores = [column for column in candidates if is_one_of(column.label, "extra", "points_scored")]
    if len(scores) != 1 or len(candidates) == 1:
        return candidates
    header.columns["score"] = scores[0]
    return [column for column in candidates if column is not scores[0]]


def _part_levels(grid: Grid, header: Header, candidates: list[Column], limit: int) -> list[Column]:
    """Of two columns of level 2 one that holds names of level 1 (``指标类别 | 二级指标``) is that."""
    for column in candidates:
        texts = [split_points(text)[0] for text in _texts(grid, column, header, limit)]
        if sum(is_one_of(text, "levels", "level1") for text in texts) > _SHARE * len(texts):
            header.columns["level1"] = column
            return [other for other in candidates if other is not column]
    return candidates


def _year_above(grid: Grid, header: Header, candidates: Sequence[Column]) -> int | None:
    """The year that the rows above a header name, where labels of its columns name years."""
    if not any(_YEAR.search(column.label) for column in candidates):
        return None
    rows = grid.rows_between(1, header.top - 1)
    title = next((row for row in reversed(rows) if is_title(grid, row)), 0)
    return year_in(text for row in rows if row >= title for _, text in grid.texts(row))


def _named(column: Column, year: int | None) -> tuple[int, int]:
    """How sure a label names its field: by the form's year or none rather than another's, then by the plainer name.

    Where the form names no year a label without one counts, else the latest (``2021年完成值 | 2022年完成值``).
    """
    years = [int(found) for found in _YEAR.findall(column.label)]
    if year is None:
        return max(years, default=_NO_YEAR), column.rank
    return (2 if year in years else 0 if years else 1), column.rank


def _drop_points_of_levels(header: Header, candidates: list[Column]) -> None:
    """Leave out points that stand between the levels' columns (一级指标 | 分值 | 二级指标 | 分值 | 三级指标 | 分值)."""
    deepest = header.columns.get("level3")
    own = [column for column in candidates if deepest is None or column.left > deepest.left]
    if own and len(own) < len(candidates):
        header.extra += [column for column in candidates if column not in own]
        candidates[:] = own


def settle_funds(grid: Grid, header: Header, last: int) -> list[Finding]:
    """Where two columns of a fund table carry one field's label, keep the one that holds amounts; say where both do."""
    found = []
    limit = min(last, header.bottom + _FUND_ROWS)
    for name, others in list(header.double.items()):
        candidates = [header.columns[name], *others]
        amounts = [sum(bool(_AMOUNT.fullmatch(text)) for text in _texts(grid, c, header, limit)) for c in candidates]
        order = sorted(range(len(candidates)), key=lambda at: -amounts[at])
        _choose(header, name, [candidates[at] for at in order])
        if name in _AMOUNTS and amounts[order[1]]:
            column, other = (candidates[at] for at in order[:2])
            found.append(Finding("R06", a1(header.top, column.left), name, column.label, other.label))
    return found


def _choose(header: Header, name: str, candidates: list[Column]) -> None:
    """Give a field the first of its candidates; the others become extra columns."""
    header.columns[name] = candidates[0]
    header.double[name] = candidates[1:]
    header.extra += candidates[1:]
    header.extra.sort(key=lambda column: column.left)


def _is_reviewed(column: Column) -> bool:
    return any(word in column.label for word in _review_words())


@cache
def _review_words() -> tuple[str, ...]:
    return tuple(load("labels.toml")["extra"]["review_words"])


def _texts(grid: Grid, column: Column, header: Header, limit: int) -> list[str]:
    """The filled cells of a column below the header, placeholders left out."""
    texts = []
    for row in grid.rows_between(header.bottom + 1, limit):
        text = plain_row(grid.own(row, column.left))
        if text and not is_placeholder(text):
            texts.append(text)
    return texts


def _fit(name: str, texts: Sequence[str]) -> tuple[float, int]:
    """Share of texts that fit a field, and how many there are: points are small figures, anything else fits."""
    if not texts:
        return -1.0, 0
    if name in {"weight", "score"}:
        right = sum(bool(_POINTS.fullmatch(text)) and float(text.rstrip("分")) <= 100 for text in texts)
        return right / len(texts), len(texts)
    return 1.0, len(texts)


def column_findings(header: Header, form: Form) -> list[Finding]:
    """Findings about columns: missing ones, two of a kind, and labels that their cells contradict."""
    found = [
        Finding("R05", a1(header.top, header.left), name)
        for name in ("target", "actual")
        if name not in header.columns and not (name == "target" and "adjusted_target" in header.columns)
    ]
    for name in header.double:
        if header.double[name] and name not in {"score", "adjusted_target"}:
            column, other = header.columns[name], header.double[name][0]
            found.append(Finding("R06", a1(header.top, column.left), name, column.label, other.label))
    for name in ("weight", "score"):
        texts = [row.values.get(name) for row in form.indicators]
        unlike = {text for text in {*texts} if text and not _like_points(text)}
        wrong = [row for row, text in zip(form.indicators, texts, strict=True) if text in unlike] if unlike else ()
        if wrong and len(wrong) > _SHARE * sum(bool(text) and not is_placeholder(text or "") for text in texts):
            cell, told = wrong[0].cells.get(name), wrong[0].values[name]
            found.append(Finding("R07", cell, name, told, args={"label": header.columns[name].label}))
    found += _swapped(header, form)
    found += _levels_missing(form)
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
    if form.funds and all(fund.role != "total" for fund in form.funds):
        cell = next(iter(form.funds[0].cells.values()), None)
        yield Finding("R11", cell, "funds", form.funds[0].label)
    if not form.funds:
        yield from _unread_funds(grid, first, header.top - 1)
    if funds is not None:
        missing = [name for name in ("annual_budget", "executed") if name not in funds.columns]
        yield from _unknown(grid, funds, "fund", missing, [fund.row for fund in form.funds], _AMOUNT)
    missing = [name for name in ("score", "weight") if name not in header.columns]
    yield from _unknown(grid, header, "indicator", missing, [row.row for row in form.indicators], _POINTS)
    yield from _total_unlabelled(form.indicators)
    yield from _total_unread(grid, header, form)


def _unknown(
    grid: Grid, header: Header, block: str, missing: Sequence[str], rows: Sequence[int], shape: re.Pattern[str]
) -> Iterator[Finding]:
    """Filled columns under a label that names nothing: of figures where a field has no column, or of anything."""
    for column in header.extra:
        if find(block, column.label) is not None or _is_share(column, block):
            continue
        texts = [text for row in rows if (text := plain_row(grid.own(row, column.left))) and not is_placeholder(text)]
        figures = bool(texts) and all(shape.fullmatch(text) for text in texts)
        if missing and figures:
            yield Finding("R12", a1(header.top, column.left), missing[0], column.label)
        elif figures or (block != "fund" and any(text != plain_row(column.label) for text in texts)):
            yield Finding("R14", a1(header.top, column.left), None, column.label)


def _is_share(column: Column, block: str) -> bool:
    """Whether a column only splits up what a label over it says: amounts by source, reasons by kind."""
    over = find(block, column.group) if column.group else None
    return over is not None and (block == "fund" or over.field == "deviation")


def _total_unlabelled(rows: Sequence[IndicatorRow]) -> Iterator[Finding]:
    """A last row without values that weighs no less than all rows above it."""
    if len(rows) < _SEVERAL or rows[-1].values.get("target") or rows[-1].values.get("actual"):
        return
    texts = [plain_row(row.values.get("weight") or "").rstrip("分") for row in rows]
    weights = [float(text) if _POINTS.fullmatch(text) else 0.0 for text in texts]
    if weights[-1] and weights[-1] >= sum(weights[:-1]) - _CLOSE:
        names = [rows[-1].values.get(level) for level in ("level3", "level2", "level1")]
        yield Finding("R15", rows[-1].cells.get("weight"), "weight", next((name for name in names if name), None))


def _total_unread(grid: Grid, header: Header, form: Form) -> Iterator[Finding]:
    """A row right below the indicators that was no indicator, nor a total by its label, but holds points."""
    rows = [row.row for row in (*form.indicators, *form.left_out)]
    if not rows or {"weight", "score"} & form.total_cells.keys():
        return
    below = next(iter(grid.rows_between(max(rows) + 1, max(rows) + 1)), None)
    columns = [header.columns[name].left for name in ("weight", "score") if name in header.columns]
    if below is not None and any(_POINTS.fullmatch(plain_row(grid.own(below, column))) for column in columns):
        yield Finding("R15", a1(below, columns[0]), "weight", plain_row(grid.texts(below)[0][1]))


def _unread_funds(grid: Grid, first: int, last: int) -> Iterator[Finding]:
    """The first row above the grid that speaks of funds and holds an amount."""
    for row in grid.rows_between(first, last):
        texts = grid.texts(row)
        for column, text in texts:
            amounts = (plain_row(other).rpartition(":")[2] for _, other in texts)
            told = any(_TOLD.search(plain_row(other)) for _, other in texts)
            if contains(text, "fund_rows", "unread") and (told or any(map(_AMOUNT.fullmatch, amounts))):
                yield Finding("R13", a1(row, column), "funds", plain_row(text))
                return


def _levels_missing(form: Form) -> Iterator[Finding]:
    """The first row without a level 1, or the very first without a level 2, in a grid that has them."""
    rows = form.indicators
    column = form.columns.get("level3", ("", ""))[0]
    own = [row for row in rows[:1] if row.cells.get("level3", "").rstrip("0123456789") == column]
    for level, looked_at in (("level1", rows), ("level2", own)):
        without = next((row for row in looked_at if row.values.get(level) is None), None)
        if without is not None and any(row.values.get(level) for row in rows):
            yield Finding("R22", without.cells.get("level3"), level, without.values.get("level3"))
            return


def _swapped(header: Header, form: Form) -> Iterator[Finding]:
    """Columns whose cells say they were exchanged.

    Scores that add up to the levels' points where the points do not; comparators among the actuals where the targets
    have none.
    """
    columns, rows = header.columns, form.indicators
    if {"weight", "score"} <= columns.keys() and _adds_up(rows, "weight") is False and _adds_up(rows, "score"):
        yield Finding("R09", a1(header.top, columns["weight"].left), "weight", columns["weight"].label)
    if {"target", "actual"} <= columns.keys():
        signed = sum(_signed(row.values.get("actual")) for row in rows)
        told = (_signed(row.values.get("target")) or row.values.get("sign") for row in rows)
        if signed >= _SEVERAL and signed > _SHARE * len(rows) and not any(told):
            yield Finding("R09", a1(header.top, columns["target"].left), "target", columns["target"].label)


@lru_cache(maxsize=4096)
def _like_points(text: str) -> bool:
    """Whether a cell holds points, a share, or nothing but a placeholder."""
    return bool(_POINTS.fullmatch(plain_row(text).lstrip("-").removesuffix("%"))) or is_placeholder(text)


def _signed(text: str | None) -> bool:
    return bool(text) and (text or "")[0] in "≥≤><≧≦＞＜"


def _adds_up(rows: Sequence[IndicatorRow], name: str) -> bool | None:
    """Whether a column adds up to every level's points; None where the points or figures are not all there."""
    sums: dict[tuple[str | None, float], float] = {}
    for row in rows:
        points = _points_in(row.values.get(name) or "")
        if row.level1_points is None or points is None:
            return None
        key = (row.values["level1"], row.level1_points)
        sums[key] = sums.get(key, 0.0) + points
    return all(abs(total - points) < _CLOSE for (_, points), total in sums.items()) if sums else None


@lru_cache(maxsize=4096)
def _points_in(text: str) -> float | None:
    """The points a cell holds, 0 where it is blank, None where it holds anything else."""
    figure = plain_row(text).rstrip("分")
    return float(figure or 0) if not figure or _POINTS.fullmatch(figure) else None
