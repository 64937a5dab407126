"""The machine interface: one JSON object a form, with fixed keys (``docs/interface.md``, ``tests/test_interface.py``)."""

from __future__ import annotations

import json
from typing import Any

from perfeval_xlsx.form.model import INDICATOR_FIELDS, Form
from perfeval_xlsx.scoring.result import SCHEMA, FindingResult, FormResult

_FUND_FIELDS = ("initial_budget", "annual_budget", "executed", "weight", "rate", "score")
_TOTAL_FIELDS = ("weight", "score", "grade")
_ROW_KEYS = (
    "level1", "level2", "level3", "target", "actual", "weight", "self_score", "score", "low", "high", "status",
    "method", "basis", "cell",
)  # fmt: skip
_EXECUTION_KEYS = ("rate", "score", "self_score", "low", "high", "status", "method", "basis", "cell")
_FORM_KEYS = ("kind", "title", "org", "year", "rulebook", "total", "grade", "self_total", "self_grade", "low", "high")
_FINDING_KEYS = ("code", "severity", "cell", "field", "found", "expected", "message", "suggestion")


def read_object(form: Form) -> dict[str, Any]:
    """What ``perfeval read --json`` says of a form: every value as displayed, null where blank.

    ``level1`` and ``level2`` are carried down; ``level1_points`` holds the points a level-1 label gives in brackets.
    """
    return {
        "schema": SCHEMA,
        "path": form.path,
        "sheet": form.sheet,
        "form": form.number,
        "kind": form.kind,
        "title": form.title,
        "org": form.org,
        "year": form.year,
        "unit": form.unit,
        "funds": [
            {"label": fund.label, "role": fund.role, **_values(fund.values, _FUND_FIELDS), "cells": fund.cells}
            for fund in form.funds
        ],
        "goals": {name: form.goals.get(name) for name in ("expected", "actual")},
        "indicators": [
            {
                **_values(row.values, INDICATOR_FIELDS),
                "level1_points": None if row.level1_points is None else f"{row.level1_points:g}",
                "cells": row.cells,
            }
            for row in form.indicators
        ],
        "total": {**_values(form.total, _TOTAL_FIELDS), "cells": form.total_cells},
    }


def score_object(result: FormResult, *, copy: bool = True) -> dict[str, Any]:
    """What ``perfeval score --json`` says of a form; ``audit`` says the same without ``copy``.

    A file without a form, a second copy of one, and a file that cannot be read have the same keys, with nulls.
    """
    execution = result["execution"]
    return {
        "schema": SCHEMA,
        "path": result["path"],
        "sheet": result["sheet"],
        "form": result["form"],
        "status": result["status"],
        **({"copy": result["copy"]} if copy else {}),
        **{key: result[key] for key in _FORM_KEYS},  # type: ignore[literal-required]
        "execution": None if execution is None else _taken(execution, _EXECUTION_KEYS),
        "indicators": [_taken(row, _ROW_KEYS) for row in result["indicators"]],
        "findings": [finding_object(finding) for finding in result["findings"]],
    }


def finding_object(finding: FindingResult) -> dict[str, Any]:
    """A finding as the machine interface and ``run.json`` give it."""
    return _taken(finding, _FINDING_KEYS)


def json_line(value: dict[str, Any]) -> str:
    """One object on one line; a sheet's text may hold any character, line ends are escaped."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _values(values: dict[str, str | None], fields: tuple[str, ...]) -> dict[str, str | None]:
    return {name: values.get(name) for name in fields}


def _taken(value: Any, keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: value[key] for key in keys}
