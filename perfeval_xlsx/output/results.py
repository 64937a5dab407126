"""Scored frames to results: the dictionaries that JSON, the summary, the run's record and the copy are made from."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Finding, Lang
from perfeval_xlsx.form.model import Form
from perfeval_xlsx.output.outcome import finding_result
from perfeval_xlsx.scoring.columns import Coded, Objects
from perfeval_xlsx.scoring.figures import show
from perfeval_xlsx.scoring.result import (
    ROW_KEYS,
    SCHEMA,
    ExecutionResult,
    FindingResult,
    FormResult,
    LevelResult,
    RowResult,
    RowResults,
    rows_of,
)
from perfeval_xlsx.scoring.rounding import show_figures, show_percents
from perfeval_xlsx.scoring.score import ScoredTables

_NOISE = 1e-9
_OFF = 0.005
_TEXTS = ("level1", "level2", "level3", "target", "actual", "deviation")
_FIGURES = ("points", "typed", "score", "low", "high")
_FORM_TEXTS = ("status", "rulebook", "support", "grade", "low_grade", "high_grade", "self_total", "self_grade")
_FORM_FIGURES = ("points", "total", "low", "high", "self_total_value")
_FUND_TEXTS = ("form_id", "budget_text", "executed", "self_rate", "self_score", "status", "method", "basis")
Floats = npt.NDArray[np.float64]


@dataclass(slots=True)
class Rows:
    """The indicator rows of a chunk as plain lists, ready to be cut by form.

    Attributes:
        columns: The rows' values by key, in the order of ``ROW_KEYS``.
        shown: Typed scores as displayed, by row.
        levels: Level-1 dimensions by form_id.
        typed: Typed scores by row, NaN where there is none; ``scores`` the ruled ones.
        cells: Addresses by field, by row.
        noted: Positions of rows that may raise a finding, in order.
        spans: First and last position (exclusive) by form_id.
    """

    columns: dict[str, Sequence[Any]]
    shown: Sequence[str | None]
    levels: dict[str, list[LevelResult]]
    typed: Floats
    scores: Floats
    cells: list[dict[str, str]]
    noted: list[int]
    spans: dict[str, tuple[int, int]]


class _Head(NamedTuple):
    """What is known of a form beside its rows, figures as texts: columns of the forms frame."""

    status: str
    rulebook: str
    support: str
    grade: str | None
    low_grade: str | None
    high_grade: str | None
    typed_total: str | None
    typed_grade: str | None
    points: str | None
    total: str | None
    low: str | None
    high: str | None
    self_total: str | None
    off: bool
    cells: Mapping[str, str]


def form_results(forms: Sequence[Form], scored: ScoredTables, lang: Lang = "zh") -> list[FormResult]:
    """Build one result a form, in order, with the findings of reading and of scoring."""
    rows = _rows(scored.rows())
    executions, heads = _executions(_columns(scored.funds)), _columns(scored.forms)
    results = []
    for form, form_id, head in zip(forms, heads["form_id"], _heads(heads), strict=True):
        first, last = rows.spans.get(form_id, (0, 0))
        execution, cells = executions.get(form_id, (None, {}))
        found = [
            *form.findings,
            *_row_findings(rows, first, last),
            *_form_findings(head, execution, cells),
        ]
        levels, own = rows.levels.get(form_id, []), _own(form, rows, first, last)
        findings = [finding_result(f, lang) for f in found]
        results.append(_result(form, head, execution, levels, own, findings))
    return results


def _own(form: Form, rows: Rows, first: int, last: int) -> Sequence[RowResult]:
    """The rows of one form."""
    columns = {key: values[first:last] for key, values in rows.columns.items()}
    return _place_rows(form, rows_of(columns)) if form.pages else RowResults(columns, rows.shown[first:last])


def _heads(forms: Mapping[str, Sequence[Any]]) -> Iterable[_Head]:
    """The rows of the forms frame."""
    figures = np.array([forms[name] for name in _FORM_FIGURES], dtype=np.float64)
    off = np.abs(figures[_FORM_FIGURES.index("points")] - 100.0) >= _OFF
    texts = [_texts(forms[name]) for name in _FORM_TEXTS]
    return map(_Head, *texts, *show_figures(figures).tolist(), off.tolist(), forms["cells"])


def _columns(frame: pd.DataFrame) -> dict[str, Sequence[Any]]:
    """The columns of a small frame, all at once: one by one they take three times as long."""
    return dict(zip(frame.columns, frame.to_numpy(dtype=object).T.tolist(), strict=True))


def _texts(column: Sequence[Any]) -> list[str | None]:
    return [None if text != text else text for text in column]


def _rows(rows: Coded) -> Rows:
    """Turn the columns into lists once, instead of taking rows out of the frame one by one."""
    frame = rows.frame
    figures = {name: frame[name].to_numpy(dtype=np.float64) for name in _FIGURES}
    points, typed, *ruled = show_figures(np.array([*figures.values()])).tolist()
    status, method = rows.column("status"), rows.column("method").tolist()
    level1, level2, level3, target, actual, deviation = map(rows.texts, _TEXTS)
    columns: list[Sequence[Any]] = [
        frame["row"].tolist(), level1, level2, level3, target, actual, _either(points, rows, "weight"),
        _either(typed, rows, "self_score"), *ruled, status.tolist(), method, rows.column("basis").tolist(),
        rows.addresses("score"), deviation,
    ]  # fmt: skip
    raising = {name for name, entry in load("methods.toml")["method"].items() if entry.get("finding")}
    noted = (status == "judged") | np.fromiter(map(raising.__contains__, method), np.bool_, len(method))
    spans = _spans(rows.column("form_id"))
    levels, places = _levels(rows, figures, spans), np.flatnonzero(noted).tolist()
    by_key, written = dict(zip(ROW_KEYS, columns, strict=True)), rows.texts("self_score")
    return Rows(by_key, written, levels, figures["typed"], figures["score"], rows.cells, places, spans)


def _place_rows(form: Form, rows: list[RowResult]) -> list[RowResult]:
    """Give rows of a form over several sheets their own sheet's row, and its name where it is another."""
    names = {page.sheet_index: page.sheet for page in form.pages}
    for row in rows:
        index, row["row"] = form.row_place(row["row"])
        if index != form.sheet_index:
            row["sheet"] = names[index]
    return rows


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


def _executions(funds: Mapping[str, Sequence[Any]]) -> dict[str, tuple[ExecutionResult, Mapping[str, str]]]:
    """By form_id, what its total fund row says, and the row's addresses by field."""
    ids, budget, executed, self_rate, self_score, *words = (_texts(funds[name]) for name in _FUND_TEXTS)
    figures = np.array([funds[name] for name in _FIGURES], dtype=np.float64)
    points, typed, score, low, high = show_figures(figures).tolist()
    columns = [
        budget, executed, show_percents(np.array(funds["rate"], dtype=np.float64)), points, score, low, high, self_rate,
        [figure or text for figure, text in zip(typed, self_score, strict=True)], *words,
        [cells.get("score") for cells in funds["cells"]],
    ]  # fmt: skip
    keys = tuple(ExecutionResult.__annotations__)
    results = (dict(zip(keys, values, strict=True)) for values in zip(*columns, strict=True))
    return dict(zip(ids, zip(results, funds["cells"], strict=True), strict=True))  # type: ignore[arg-type]


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
    sums = show_figures(_near(np.array(added, dtype=np.float64))).tolist()
    ids, shown = list(spans), list(names)
    levels: dict[str, list[LevelResult]] = {form_id: [] for form_id in ids}
    for group, weight, self_score, ruled in zip(distinct.tolist(), *sums, strict=True):
        position, code = divmod(group, len(names))
        level: LevelResult = {"name": shown[code], "weight": weight or "0", "self_score": self_score, "score": ruled}
        levels[ids[position]].append(level)
    return levels


def _near(sums: Floats) -> Floats:
    """Sums to six places, which a sum of hundredths is at once."""
    hundredths = np.rint(sums * 100) / 100
    far = np.abs(sums - hundredths) > _NOISE
    hundredths[far] = [round(each, 6) for each in sums[far].tolist()]
    return hundredths


def _result(
    form: Form,
    head: _Head,
    execution: ExecutionResult | None,
    levels: list[LevelResult],
    indicators: Sequence[RowResult],
    findings: list[FindingResult],
) -> FormResult:
    return {
        "schema": SCHEMA,
        "path": form.path,
        "sheet": form.sheet,
        "form": form.number,
        "status": head.status,  # type: ignore[typeddict-item]
        "copy": None,
        "kind": form.kind,
        "title": form.title,
        "org": form.org,
        "year": form.year,
        "rulebook": head.rulebook,
        "support": head.support,
        "total": head.total,
        "grade": head.grade,
        "grade_final": head.low_grade is not None and head.low_grade == head.high_grade,
        "low": head.low,
        "high": head.high,
        "low_grade": head.low_grade,
        "high_grade": head.high_grade,
        "self_total": head.self_total or head.typed_total,
        "self_grade": head.typed_grade,
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
        row, cells = {key: values[i] for key, values in rows.columns.items()}, rows.cells[i]
        facts = {"target": row["target"] or "", "actual": row["actual"] or ""}
        facts["name"] = (row["level3"] or row["level2"] or "")[:40]
        code = methods[row["method"]].get("finding")
        if code:
            field: Literal["target", "actual"] = "target" if row["method"] == "missing_target" else "actual"
            yield Finding(code, cells.get(field), field, row[field], args=facts)
        typed, score = float(rows.typed[i]), float(rows.scores[i])
        if row["status"] == "judged" and "score" in cells and abs(typed - score) > 0:
            yield Finding("S12", cells["score"], "score", show(typed), show(score), facts)


def _form_findings(head: _Head, execution: ExecutionResult | None, cells: Mapping[str, str]) -> Iterable[Finding]:
    """A form without scores, a rate of execution that cannot be had, points that are not 100."""
    if head.status == "reported":
        yield Finding("S08")
        return
    if execution is not None and execution["method"] == "execution_missing":
        yield Finding("S06", cells.get("executed"), "executed", execution["executed"])
    if head.off:
        yield Finding("S07", head.cells.get("total_weight"), "weight", head.points, "100")
