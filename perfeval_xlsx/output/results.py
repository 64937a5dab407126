"""Scored frames to results: the dictionaries that JSON, the summary, the run's record and the copy are made from."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Finding, Lang
from perfeval_xlsx.form.model import Form
from perfeval_xlsx.output.outcome import finding_result
from perfeval_xlsx.scoring.columns import Coded, Objects
from perfeval_xlsx.scoring.figures import show, show_percent
from perfeval_xlsx.scoring.result import (
    ROW_KEYS,
    SCHEMA,
    ExecutionResult,
    FindingResult,
    FormResult,
    LevelResult,
    RowResult,
    RowResults,
)
from perfeval_xlsx.scoring.score import ScoredTables

_NOISE = 1e-9
_TEXTS = ("level1", "level2", "level3", "target", "actual", "deviation")
Floats = npt.NDArray[np.float64]
Record = Mapping[Hashable, Any]
"""One row of a frame by column."""


@dataclass(slots=True)
class Rows:
    """The indicator rows of a chunk as plain lists, ready to be cut by form.

    Attributes:
        results: One result a row; ``columns`` the same by key.
        shown: Typed scores as displayed, by row.
        levels: Level-1 dimensions by form_id.
        typed: Typed scores by row, NaN where there is none; ``scores`` the ruled ones.
        cells: Addresses by field, by row.
        noted: Positions of rows that may raise a finding, in order.
        spans: First and last position (exclusive) by form_id.
    """

    results: list[RowResult]
    columns: dict[str, Sequence[Any]]
    shown: Sequence[str | None]
    levels: dict[str, list[LevelResult]]
    typed: list[float]
    scores: list[float]
    cells: list[dict[str, str]]
    noted: list[int]
    spans: dict[str, tuple[int, int]]


def form_results(forms: Sequence[Form], scored: ScoredTables, lang: Lang = "zh") -> list[FormResult]:
    """Build one result a form, in order, with the findings of reading and of scoring."""
    rows = _rows(scored.indicators)
    funds = {record["form_id"]: record for record in _records(scored.funds)}
    results = []
    for form, record in zip(forms, _records(scored.forms), strict=True):
        first, last = rows.spans.get(form.id, (0, 0))
        execution = _execution(funds.get(form.id))
        found = [
            *form.findings,
            *_row_findings(rows, first, last),
            *_execution_findings(funds.get(form.id), record),
            *_total_findings(record),
        ]
        own = _own(form, rows, first, last)
        levels, findings = rows.levels.get(form.id, []), [finding_result(f, lang) for f in found]
        results.append(_result(form, record, execution, levels, own, findings))
    return results


def _own(form: Form, rows: Rows, first: int, last: int) -> RowResults:
    """The rows of one form."""
    own = rows.results[first:last]
    if form.pages:
        _place_rows(form, own)
        return RowResults(own)
    columns = {key: values[first:last] for key, values in rows.columns.items()}
    return RowResults(own, columns, rows.shown[first:last])


def _records(frame: pd.DataFrame) -> Iterable[Record]:
    """The rows of a small frame; ``to_dict`` takes three times as long."""
    names = frame.columns.tolist()
    return (dict(zip(names, row, strict=True)) for row in frame.to_numpy(dtype=object).tolist())


def _rows(frame: pd.DataFrame) -> Rows:
    """Turn the columns into lists once; a list of dictionaries made row by row takes three times as long."""
    rows = Coded(frame)
    figures = {name: frame[name].to_numpy(dtype=np.float64) for name in ("points", "typed", "score", "low", "high")}
    points, typed, *ruled = _shown(list(figures.values()))
    status, method = rows.column("status"), rows.column("method").tolist()
    level1, level2, level3, target, actual, deviation = map(rows.texts, _TEXTS)
    columns: list[Sequence[Any]] = [
        frame["row"].tolist(), level1, level2, level3, target, actual, _either(points, rows, "weight"),
        _either(typed, rows, "self_score"), *ruled, status.tolist(), method, frame["basis"].tolist(),
        [address.get("score") for address in rows.cells], deviation,
    ]  # fmt: skip
    results: list[RowResult] = [
        {
            "row": row, "level1": l1, "level2": l2, "level3": l3, "target": target, "actual": actual, "weight": weight,
            "self_score": self_score, "score": score, "low": low, "high": high, "status": state, "method": how,
            "basis": basis, "cell": cell, "deviation": deviation,
        }
        for row, l1, l2, l3, target, actual, weight, self_score, score, low, high, state, how, basis, cell, deviation
        in zip(*columns, strict=True)
    ]  # fmt: skip
    raising = {name for name, entry in load("methods.toml")["method"].items() if entry.get("finding")}
    noted = (status == "judged") | np.fromiter(map(raising.__contains__, method), np.bool_, len(method))
    spans = _spans(rows.column("form_id"))
    levels, places = _levels(rows, figures, spans), np.flatnonzero(noted).tolist()
    typed_figures, scores = figures["typed"].tolist(), figures["score"].tolist()
    by_key = dict(zip(ROW_KEYS, columns, strict=True))
    return Rows(results, by_key, rows.texts("self_score"), levels, typed_figures, scores, rows.cells, places, spans)


def _place_rows(form: Form, rows: Iterable[RowResult]) -> None:
    """Give rows of a form over several sheets their own sheet's row, and its name where it is another."""
    names = {page.sheet_index: page.sheet for page in form.pages}
    for row in rows:
        index, row["row"] = form.row_place(row["row"])
        if index != form.sheet_index:
            row["sheet"] = names[index]


def _spans(form_ids: Objects) -> dict[str, tuple[int, int]]:
    """Where each form's rows begin and end; they follow each other."""
    starts = np.flatnonzero(form_ids[1:] != form_ids[:-1]) + 1
    bounds = [0, *starts.tolist(), len(form_ids)] if len(form_ids) else []
    return {form_ids[first]: (first, last) for first, last in pairwise(bounds)}


def _either(figures: Sequence[str | None], rows: Coded, column: str) -> Sequence[str | None]:
    """The figure, or where there is none the text of the column as displayed."""
    if None not in figures:
        return figures
    return [text if figure is None else figure for figure, text in zip(figures, rows.texts(column), strict=True)]


def _shown(columns: Sequence[Floats]) -> list[list[str | None]]:
    """Columns of figures as they are shown, None where there is none; each distinct figure once."""
    codes, distinct = pd.factorize(np.concatenate(columns), use_na_sentinel=False)
    texts = np.array([*map(_figure, distinct.tolist()), None], dtype=object)
    return [part.tolist() for part in np.split(texts[codes], len(columns))]


def _figure(value: object) -> str | None:
    return show(value) if isinstance(value, float) and value == value else None


def _text(value: object) -> str | None:
    return None if value is None or value != value else str(value)


def _execution(record: Record | None) -> ExecutionResult | None:
    if record is None:
        return None
    cells = record["cells"]
    assert isinstance(cells, dict)
    rate = float(str(record["rate"]))
    return {
        "budget": _text(record["budget_text"]),
        "executed": _text(record["executed"]),
        "rate": None if np.isnan(rate) else show_percent(rate),
        "weight": _figure(record["points"]),
        "score": _figure(record["score"]),
        "low": _figure(record["low"]),
        "high": _figure(record["high"]),
        "self_rate": _text(record["self_rate"]),
        "self_score": _figure(record["typed"]) or _text(record["self_score"]),
        "status": record["status"],
        "method": str(record["method"]),
        "basis": str(record["basis"]),
        "cell": cells.get("score"),
    }


def _levels(
    rows: Coded, figures: Mapping[str, Floats], spans: Mapping[str, tuple[int, int]]
) -> dict[str, list[LevelResult]]:
    """By form, points, typed and ruled scores per level-1 dimension; a sum with an open row is None."""
    kept = np.flatnonzero(~np.isnan(figures["points"]))
    names = {name: place for place, name in enumerate(dict.fromkeys(name or "" for name in rows.codes("level1")[0]))}
    codes = np.array([names[name or ""] for name in rows.codes("level1")[0]], dtype=np.int64)[rows.codes("level1")[1]]
    form = np.repeat(np.arange(len(spans)), [last - first for first, last in spans.values()])
    groups, distinct = pd.factorize((form * len(names) + codes)[kept])
    added = [np.bincount(groups, figures[name][kept], len(distinct)) for name in ("points", "typed", "score")]
    sums = [_near(each.astype(np.float64)) for each in added]
    ids, shown = list(spans), list(names)
    levels: dict[str, list[LevelResult]] = {form_id: [] for form_id in ids}
    for group, weight, typed, score in zip(distinct.tolist(), *_shown(sums), strict=True):
        position, code = divmod(group, len(names))
        level: LevelResult = {"name": shown[code], "weight": weight or "0", "self_score": typed, "score": score}
        levels[ids[position]].append(level)
    return levels


def _near(sums: Floats) -> Floats:
    """Sums to six places, which a sum of hundredths is at once."""
    hundredths = np.rint(sums * 100) / 100
    for place in np.flatnonzero(np.abs(sums - hundredths) > _NOISE).tolist():
        hundredths[place] = round(float(sums[place]), 6)
    return hundredths


def _result(
    form: Form,
    record: Record,
    execution: ExecutionResult | None,
    levels: list[LevelResult],
    indicators: list[RowResult],
    findings: list[FindingResult],
) -> FormResult:
    low_grade, high_grade = _text(record["low_grade"]), _text(record["high_grade"])
    return {
        "schema": SCHEMA,
        "path": form.path,
        "sheet": form.sheet,
        "form": form.number,
        "status": record["status"],
        "copy": None,
        "kind": form.kind,
        "title": form.title,
        "org": form.org,
        "year": form.year,
        "rulebook": _text(record["rulebook"]),
        "support": _text(record["support"]),
        "total": _figure(record["total"]),
        "grade": _text(record["grade"]),
        "grade_final": low_grade is not None and low_grade == high_grade,
        "low": _figure(record["low"]),
        "high": _figure(record["high"]),
        "low_grade": low_grade,
        "high_grade": high_grade,
        "self_total": _figure(record["self_total_value"]) or _text(record["self_total"]),
        "self_grade": _text(record["self_grade"]),
        "execution": execution,
        "levels": levels,
        "indicators": indicators,
        "replaced": [],
        "findings": findings,
    }


def _row_findings(rows: Rows, first: int, last: int) -> Iterable[Finding]:
    """Findings that a row's method raises, and typed scores outside their band."""
    methods = load("methods.toml")["method"]
    for i in rows.noted[bisect_left(rows.noted, first) : bisect_left(rows.noted, last)]:
        row, cells = rows.results[i], rows.cells[i]
        facts = {"target": row["target"] or "", "actual": row["actual"] or ""}
        facts["name"] = (row["level3"] or row["level2"] or "")[:40]
        code = methods[row["method"]].get("finding")
        if code:
            field: Literal["target", "actual"] = "target" if row["method"] == "missing_target" else "actual"
            yield Finding(code, cells.get(field), field, row[field], args=facts)
        typed, score = rows.typed[i], rows.scores[i]
        if row["status"] == "judged" and "score" in cells and abs(typed - score) > 0:
            yield Finding("S12", cells["score"], "score", show(typed), show(score), facts)


def _execution_findings(fund: Record | None, form: Record) -> Iterable[Finding]:
    if fund is not None and form["status"] != "reported" and fund["method"] == "execution_missing":
        cells = fund["cells"]
        assert isinstance(cells, dict)
        yield Finding("S06", cells.get("executed"), "executed", _text(fund["executed"]))


def _total_findings(form: Record) -> Iterable[Finding]:
    if form["status"] == "reported":
        yield Finding("S08")
    elif abs(float(str(form["points"])) - 100.0) >= 0.005:
        yield Finding("S07", _weight_cell(form), "weight", show(float(str(form["points"]))), "100")


def _weight_cell(form: Record) -> str | None:
    """The cell of the points' sum, where the form has one."""
    cells = form["cells"]
    return cells.get("total_weight") if isinstance(cells, dict) else None
