"""Two columns that claim one field: what stands in them, their labels and years say which one is it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Finding
from perfeval_xlsx.form.amounts import FIGURE, POINTS, amount_in
from perfeval_xlsx.form.grid import Grid
from perfeval_xlsx.form.header import Column, Header
from perfeval_xlsx.form.heading import year_in
from perfeval_xlsx.form.labels import contains, is_one_of, is_placeholder, pattern, plain_row, split_points
from perfeval_xlsx.form.model import AMOUNT_FIELDS
from perfeval_xlsx.form.title import is_title
from perfeval_xlsx.workbook import a1

_NO_YEAR = 9999
_YEAR = re.compile(r"20\d\d(?=年)")
_SEVERAL = 3
_HALF = 0.51
"""Of its last place a rounded figure is off by no more."""
_FRACTION = 2
"""Places of a rate that may be a fraction instead of a percentage."""
_FUND_ROWS = 8
"""Rows below a fund header in which amounts are looked for."""
_SHARE = 0.5
"""From this share of cells that do not fit on, a column is not what its label says."""


def settle_doubles(grid: Grid, header: Header, limit: int) -> None:
    """Where two columns carry one field's label, keep the one whose cells fit it; the other becomes an extra column.

    A column of nothing but comparators holds the signs, whatever its label says.
    """
    if header.extra:
        _settle_extra(grid, header, limit)
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


def _settle_extra(grid: Grid, header: Header, limit: int) -> None:
    """Find missing fields among the columns that are not ours: signs by their cells, a score that is the only one."""
    if "sign" not in header.columns:
        comparator = pattern("levels", "comparator")
        for column in header.extra:
            texts = _texts(grid, column, header, limit)
            if len(texts) >= _SEVERAL and all(comparator.match(text) for text in texts):
                _promote(header, "sign", column)
                break
    if "score" not in header.columns:
        alone = [column for column in header.extra if is_one_of(column.label, "extra", "scored_alone")]
        if len(alone) == 1:
            _promote(header, "score", alone[0])


def _promote(header: Header, name: str, column: Column) -> None:
    """Make a column that was not ours a field's."""
    header.columns[name] = column
    header.extra = [other for other in header.extra if other is not column]


def _join(grid: Grid, header: Header, candidates: list[Column], limit: int) -> bool:
    """Make one column of two beside each other of which each row fills in one (``定量指标值 | 定性指标值``)."""
    first, *others = sorted(candidates, key=lambda column: column.left)
    if len(others) != 1 or others[0].left != first.right + 1:
        return False
    rows = grid.rows_between(header.bottom + 1, limit)
    filled = [(bool(grid.own(row, first.left)), bool(grid.own(row, others[0].left))) for row in rows]
    if (True, True) in filled or not {(True, False), (False, True)} <= set(filled):
        return False
    header.columns["target"], header.double["target"] = header.widen(first, others[0].right), []
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
    if not any(_YEAR.search(plain_row(column.label)) for column in candidates):
        return None
    rows = grid.rows_between(1, header.top - 1)
    title = next((row for row in reversed(rows) if is_title(grid, row)), 0)
    year = year_in(text for _, text in grid.texts(title))
    return year or year_in(text for row in rows if row >= title for _, text in grid.texts(row))


def _named(column: Column, year: int | None) -> tuple[int, int]:
    """How sure a label names its field: by the form's year or none rather than another's, then by the plainer name.

    Where the form names no year a label without one counts, else the latest (``2021年完成值 | 2022年完成值``).
    """
    years = [int(found) for found in _YEAR.findall(plain_row(column.label))]
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
    """Where two columns of a fund table carry one field's label, keep the form's year's, else the one with amounts.

    Where both hold amounts a finding says so.
    """
    found = []
    limit = min(last, header.bottom + _FUND_ROWS)
    if "annual_budget" not in header.columns:
        _find_base(grid, header, limit)
    if "annual_budget" in header.double and "initial_budget" not in header.columns:
        _part_budgets(header)
    for name, others in list(header.double.items()):
        if not others:
            continue
        candidates = [header.columns[name], *others]
        amounts = [sum(bool(FIGURE.fullmatch(text)) for text in _texts(grid, c, header, limit)) for c in candidates]
        year = _year_above(grid, header, candidates)
        named = [_named(column, year)[0] for column in candidates]
        order = sorted(range(len(candidates)), key=lambda at: (-named[at], -amounts[at]))
        _choose(header, name, [candidates[at] for at in order])
        if name in AMOUNT_FIELDS and amounts[order[1]] and named[order[0]] == named[order[1]]:
            column, other = (candidates[at] for at in order[:2])
            found.append(Finding("R06", a1(header.top, column.left), name, column.label, other.label))
    return found


def _find_base(grid: Grid, header: Header, limit: int) -> None:
    """Take money in hand (``到位资金``) for the budget where no column names that and the rates written bear it out."""
    columns = header.columns
    near = [column for column in header.extra if is_one_of(column.label, "fund_extra", "in_hand")]
    if len(near) != 1 or not {"executed", "rate"} <= columns.keys():
        return
    known = []
    for row in grid.rows_between(header.bottom + 1, limit):
        base, spent = (amount_in(grid.own(row, column.left)) for column in (near[0], columns["executed"]))
        rate = plain_row(grid.own(row, columns["rate"].left))
        if base and spent is not None and amount_in(rate) is not None:
            known.append(_is_share(rate, spent / base))
    if known and all(known):
        _promote(header, "annual_budget", near[0])


def _is_share(text: str, share: float) -> bool:
    """Whether a rate, rounded as it is written, is a share."""
    figure, places = amount_in(text), len(text.rstrip("%").partition(".")[2])
    scales = (100.0,) if text.endswith("%") or places < _FRACTION else (100.0, 1.0)
    return figure is not None and any(abs(share * scale - figure) <= _HALF * 10.0**-places for scale in scales)


def _part_budgets(header: Header) -> None:
    """Of two columns of budgets one that was granted (``批复预算数 | 全年预算数``) is the initial one."""
    candidates = [header.columns["annual_budget"], *header.double["annual_budget"]]
    granted = [column for column in candidates if contains(column.label, "fund_extra", "granted")]
    if len(granted) == 1:
        header.columns["initial_budget"] = granted[0]
        left = [column for column in candidates if column is not granted[0]]
        header.columns["annual_budget"], header.double["annual_budget"] = left[0], left[1:]


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
        right = sum(bool(POINTS.fullmatch(text)) and float(text.rstrip("分")) <= 100 for text in texts)
        return right / len(texts), len(texts)
    return 1.0, len(texts)
