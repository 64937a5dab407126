"""What stands in a column confirms its label, or contradicts it: then a finding says so."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache

from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Finding
from perfeval_xlsx.form.grid import Grid
from perfeval_xlsx.form.labels import is_placeholder, plain_row
from perfeval_xlsx.form.locate import Column, Header
from perfeval_xlsx.form.model import Form, IndicatorRow
from perfeval_xlsx.workbook import a1

_POINTS = re.compile(r"\d{1,3}(?:\.\d+)?分?")
_SEVERAL, _CLOSE = 3, 0.005
_SHARE = 0.5
"""From this share of contradicting cells on, a column is not what its label says."""


def settle_doubles(grid: Grid, header: Header, limit: int) -> None:
    """Where two columns carry one field's label, keep the one whose cells fit it; the other becomes an extra column."""
    for name, others in list(header.double.items()):
        candidates = [header.columns[name], *others]
        if name == "score":
            candidates.sort(key=lambda column: any(word in column.label for word in _review_words()))
        else:
            candidates.sort(key=lambda column: -_fit(name, _texts(grid, column, header, limit)))
        header.columns[name] = candidates[0]
        header.extra += candidates[1:]
        header.extra.sort(key=lambda column: column.left)


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


def _fit(name: str, texts: Sequence[str]) -> float:
    """Share of texts that fit a field: points are small figures; other columns fit by being filled."""
    if not texts:
        return -1.0
    if name in {"weight", "score"}:
        return sum(bool(_POINTS.fullmatch(text)) and float(text.rstrip("分")) <= 100 for text in texts) / len(texts)
    return float(len(texts))


def column_findings(header: Header, form: Form) -> list[Finding]:
    """Findings about columns: missing ones, two of a kind, and labels that their cells contradict."""
    found = [
        Finding("R05", a1(header.top, header.left), name)
        for name in ("target", "actual")
        if name not in header.columns and not (name == "target" and "adjusted_target" in header.columns)
    ]
    for name in header.double:
        if name not in {"score", "adjusted_target"}:
            column = header.columns[name]
            found.append(Finding("R06", a1(header.top, column.left), name, column.label))
    for name in ("weight", "score"):
        cells = [(row.values.get(name), row.cells.get(name)) for row in form.indicators]
        filled = [(plain_row(text), cell) for text, cell in cells if text and not is_placeholder(text)]
        wrong = [(text, cell) for text, cell in filled if not _POINTS.fullmatch(text.lstrip("-"))]
        if wrong and len(wrong) > _SHARE * len(filled):
            column = header.columns[name]
            found.append(Finding("R07", wrong[0][1], name, wrong[0][0], args={"label": column.label}))
    found += _swapped(header, form)
    if not form.indicators:
        found.append(Finding("R08", a1(header.top, header.left)))
    return found


def _swapped(header: Header, form: Form) -> Iterator[Finding]:
    """Columns whose cells say they were exchanged.

    Scores that add up to the levels' points where the points do not; comparators among the actuals where the targets
    have none.
    """
    columns, rows = header.columns, form.indicators
    if {"weight", "score"} <= columns.keys() and _adds_up(rows, "score") and _adds_up(rows, "weight") is False:
        yield Finding("R09", a1(header.top, columns["weight"].left), "weight", columns["weight"].label)
    if {"target", "actual"} <= columns.keys():
        signed = {name: sum(_signed(row.values.get(name)) for row in rows) for name in ("target", "actual")}
        if signed["actual"] >= _SEVERAL and signed["actual"] > _SHARE * len(rows) and not signed["target"]:
            signs = any(row.values.get("sign") for row in rows)
            if not signs:
                yield Finding("R09", a1(header.top, columns["target"].left), "target", columns["target"].label)


def _signed(text: str | None) -> bool:
    return bool(text) and plain_row(text or "")[0] in "≥≤><≧≦"


def _adds_up(rows: Sequence[IndicatorRow], name: str) -> bool | None:
    """Whether a column adds up to every level's points; None where the points or figures are not all there."""
    sums: dict[tuple[str | None, float], float] = {}
    for row in rows:
        text = plain_row(row.values.get(name) or "").rstrip("分")
        if row.level1_points is None or not (text == "" or _POINTS.fullmatch(text)):
            return None
        key = (row.values["level1"], row.level1_points)
        sums[key] = sums.get(key, 0.0) + float(text or 0)
    return all(abs(total - points) < _CLOSE for (_, points), total in sums.items()) if sums else None
