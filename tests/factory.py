"""Results made by hand: what a run would know about a form, with only the facts a test is about."""

from __future__ import annotations

from typing import Any, cast

from perfeval_xlsx.findings import Finding
from perfeval_xlsx.scoring.result import SCHEMA, ExecutionResult, FindingResult, FormResult, RowResult


def a_row(row: int = 12, level3: str | None = "培训人次", **facts: Any) -> RowResult:
    """An indicator row that is met and full: 10 of 10."""
    base = {
        "row": row, "level1": "产出指标", "level2": "数量指标", "level3": level3, "target": "≥100人次",
        "actual": "100人次", "weight": "10", "self_score": "10", "score": "10", "low": "10", "high": "10",
        "status": "ruled", "method": "met", "basis": "达到目标，得满分", "cell": f"H{row}", "deviation": None,
    }  # fmt: skip
    return cast(RowResult, base | facts)


def an_execution(**facts: Any) -> ExecutionResult:
    """Everything spent: 10 of 10."""
    base = {
        "budget": "100", "executed": "100", "rate": "100.00%", "weight": "10", "score": "10", "low": "10",
        "high": "10", "self_rate": "100%", "self_score": "10", "status": "ruled", "method": "execution",
        "basis": "执行率 100/100 = 100.00%", "cell": "I6",
    }  # fmt: skip
    return cast(ExecutionResult, base | facts)


def a_finding(code: str = "S01", cell: str | None = "H12", **facts: Any) -> FindingResult:
    """A finding; facts that are not its own keys go into its message."""
    own = {name: facts.pop(name, None) for name in ("field", "found", "expected")}
    replaced = {name: facts.pop(name) for name in ("message", "basis", "suggestion", "severity") if name in facts}
    finding = Finding(code, cell, args={key: str(value) for key, value in facts.items()}, **own)
    made = {
        "code": code, "severity": finding.severity, "cell": cell, **own, "message": finding.text("message"),
        "basis": finding.text("basis"), "suggestion": finding.text("suggestion"),
    }  # fmt: skip
    return cast(FindingResult, made | replaced)


def a_form(path: str = "市教育局.xlsx", org: str | None = "市教育局", **facts: Any) -> FormResult:
    """A scored form with one full row; its execution and findings as given."""
    known = {
        "schema": SCHEMA, "path": path, "copy": None, "support": None, "levels": [], "replaced": [], "findings": [],
        "sheet": "自评表", "form": 1, "status": "scored", "kind": "department", "org": org, "year": 2023,
        "title": "部门整体支出绩效自评表", "rulebook": "national-2020", "total": "95", "grade": "优", "low": "95",
        "high": "95", "low_grade": "优", "high_grade": "优", "grade_final": True, "self_total": "95",
        "self_grade": "优", "execution": an_execution(), "indicators": [a_row()],
    }  # fmt: skip
    return cast(FormResult, known | facts)
