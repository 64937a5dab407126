"""The machine interface: one JSON object a form, with the keys ``docs/interface.md`` fixes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from perfeval_xlsx.data import load
from perfeval_xlsx.form.model import INDICATOR_FIELDS, Form
from perfeval_xlsx.scoring.compare import indicator_of
from perfeval_xlsx.scoring.result import SCHEMA, FormResult

_FUND_FIELDS = ("initial_budget", "annual_budget", "executed", "weight", "rate", "score")
_TOTAL_FIELDS = ("weight", "score", "grade")
_FIGURE = re.compile(r"[+-]?[\d,]+(\.\d+)?%?", re.ASCII)
_LINE_ENDS = {0x85: "\\u0085", 0x2028: "\\u2028", 0x2029: "\\u2029"}


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
    return {key: value for key, value in result.items() if copy or key != "copy"}


def csv_rows(results: Iterable[FormResult]) -> Iterator[list[str]]:
    """The findings of a run as rows of texts, a heading first; ``docs/interface.md`` fixes the columns.

    Args:
        results: With or without their rows; findings that were put right since an earlier run are rows as well.
    """
    columns = load("desk.toml")["csv"]["columns"]
    yield list(columns)
    for result in results:
        place = {name: result.get(name) for name in ("org", "path", "sheet", "form")}
        for finding in (*result["findings"], *result.get("fixed", ())):
            facts = {**finding, **place, "indicator": indicator_of(result, finding)}
            yield [_harmless(facts.get(name)) for name in columns]


def _harmless(value: object) -> str:
    """A value as a text that no spreadsheet takes for a formula; plain figures stay as they are."""
    text = "" if value is None else str(value)
    formula = text.startswith(tuple(load("desk.toml")["csv"]["formula"])) and not _FIGURE.fullmatch(text)
    return f"'{text}" if formula else text


def json_line(value: dict[str, Any]) -> str:
    """One object on one line: whatever a cell holds, also what only some programs take for the end of a line."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).translate(_LINE_ENDS)


def _values(values: dict[str, str | None], fields: tuple[str, ...]) -> dict[str, str | None]:
    return {name: values.get(name) for name in fields}
