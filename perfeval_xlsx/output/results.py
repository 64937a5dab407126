"""Scored frames to results: the dictionaries that JSON, the summary, the run's record and the copy are made from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Finding, Lang
from perfeval_xlsx.form.model import Form
from perfeval_xlsx.output.outcome import finding_result
from perfeval_xlsx.scoring.result import SCHEMA, ExecutionResult, FindingResult, FormResult, LevelResult, RowResult
from perfeval_xlsx.scoring.rounding import show, show_percent
from perfeval_xlsx.scoring.score import ScoredTables

_ROW_COLUMNS = [
    "form_id", "row", "level1", "level2", "level3", "target", "actual", "weight", "points", "self_score", "typed",
    "score", "low", "high", "status", "method", "basis", "cells", "deviation",
]  # fmt: skip


def form_results(forms: Sequence[Form], scored: ScoredTables, lang: Lang = "zh") -> list[FormResult]:
    """Build one result a form, in order, with the findings of reading and of scoring."""
    rows = _grouped(scored.indicators[_ROW_COLUMNS])
    funds = {record["form_id"]: record for record in scored.funds.to_dict("records")}
    results = []
    for form, record in zip(forms, scored.forms.to_dict("records"), strict=True):
        mine = rows.get(form.id, [])
        execution = _execution(funds.get(form.id))
        found = [
            *form.findings,
            *_row_findings(mine),
            *_execution_findings(funds.get(form.id), record),
            *_total_findings(record),
        ]
        results.append(_result(form, record, mine, execution, [finding_result(f, lang) for f in found]))
    return results


def _grouped(frame: pd.DataFrame) -> dict[str, list[dict[str, object]]]:
    groups: dict[str, list[dict[str, object]]] = {}
    columns = list(frame.columns)
    for values in zip(*(frame[name].tolist() for name in columns), strict=True):
        groups.setdefault(str(values[0]), []).append(dict(zip(columns, values, strict=True)))
    return groups


def _figure(value: object) -> str | None:
    number = float(value) if isinstance(value, (int, float, np.floating)) else float("nan")
    return None if np.isnan(number) else show(number)


def _text(value: object) -> str | None:
    return None if value is None or value != value else str(value)


def _row(record: dict[str, object]) -> RowResult:
    cells = record["cells"]
    assert isinstance(cells, dict)
    return {
        "row": int(str(record["row"])),
        "level1": _text(record["level1"]),
        "level2": _text(record["level2"]),
        "level3": _text(record["level3"]),
        "target": _text(record["target"]),
        "actual": _text(record["actual"]),
        "weight": _figure(record["points"]) or _text(record["weight"]),
        "self_score": _figure(record["typed"]) or _text(record["self_score"]),
        "score": _figure(record["score"]),
        "low": _figure(record["low"]),
        "high": _figure(record["high"]),
        "status": record["status"],  # type: ignore[typeddict-item]
        "method": str(record["method"]),
        "basis": str(record["basis"]),
        "cell": cells.get("score"),
        "deviation": _text(record["deviation"]),
    }


def _execution(record: dict[str, object] | None) -> ExecutionResult | None:
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
        "status": record["status"],  # type: ignore[typeddict-item]
        "method": str(record["method"]),
        "basis": str(record["basis"]),
        "cell": cells.get("score"),
    }


def _levels(rows: Iterable[dict[str, object]]) -> list[LevelResult]:
    """Points, typed and ruled scores per level-1 dimension; a sum with an open row is None."""
    sums: dict[str, list[list[float]]] = {}
    for row in rows:
        points = float(str(row["points"]))
        if not np.isnan(points):
            figures = [points, float(str(row["typed"])), float(str(row["score"]))]
            sums.setdefault(_text(row["level1"]) or "", []).append(figures)
    levels: list[LevelResult] = []
    for name, figures in sums.items():
        weight, typed, score = (_figure(round(sum(column), 6)) for column in zip(*figures, strict=True))
        levels.append({"name": name, "weight": weight or "0", "self_score": typed, "score": score})
    return levels


def _result(
    form: Form,
    record: dict[str, object],
    rows: list[dict[str, object]],
    execution: ExecutionResult | None,
    findings: list[FindingResult],
) -> FormResult:
    low_grade, high_grade = _text(record["low_grade"]), _text(record["high_grade"])
    return {
        "schema": SCHEMA,
        "path": form.path,
        "sheet": form.sheet,
        "form": form.number,
        "status": record["status"],  # type: ignore[typeddict-item]
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
        "levels": _levels(rows),
        "indicators": [_row(row) for row in rows],
        "replaced": [],
        "findings": findings,
    }


def _row_findings(rows: Iterable[dict[str, object]]) -> Iterable[Finding]:
    """Findings that a row's method raises, and typed scores outside their band."""
    methods = load("methods.toml")["method"]
    for row in rows:
        cells = row["cells"]
        assert isinstance(cells, dict)
        facts = {name: _text(row[name]) or "" for name in ("target", "actual")}
        facts["name"] = (_text(row["level3"]) or _text(row["level2"]) or "")[:40]
        code = methods[str(row["method"])].get("finding")
        if code:
            field = "target" if row["method"] == "missing_target" else "actual"
            yield Finding(code, cells.get(field), field, _text(row[field]), args=facts)
        if row["status"] == "judged" and "score" in cells:
            typed, score = float(str(row["typed"])), float(str(row["score"]))
            if typed != score and not np.isnan(typed) and not np.isnan(score):
                yield Finding("S12", cells["score"], "score", show(typed), show(score), facts)


def _execution_findings(fund: dict[str, object] | None, form: dict[str, object]) -> Iterable[Finding]:
    if fund is not None and form["status"] != "reported" and fund["method"] == "execution_missing":
        cells = fund["cells"]
        assert isinstance(cells, dict)
        yield Finding("S06", cells.get("executed"), "executed", _text(fund["executed"]))


def _total_findings(form: dict[str, object]) -> Iterable[Finding]:
    if form["status"] == "reported":
        yield Finding("S08")
    elif abs(float(str(form["points"])) - 100.0) >= 0.005:
        yield Finding("S07", None, "weight", show(float(str(form["points"]))), "100")
