"""The tidy tables: one row a form, a fund row, an indicator row.

Texts are as displayed in the cell (object dtype, None when blank); figures are float64 (NaN when there is none).

forms
    form_id (path#number) · path · sheet · number · kind (department, project, transfer) · title · org · year (float,
    NaN unknown) · unit (万元, 元, None) · province · execution_points · self_total, self_grade (as displayed);
    ``score`` adds rulebook · total · low · high (points) · grade · status.
funds
    form_id · row · label · role (total, part) · initial_budget, annual_budget, executed, weight, self_rate, self_score
    (as displayed) · cells (field → A1); ``score`` adds to the total rows points · rate (1 = 100 %) · score · low · high
    · status · method · basis.
indicators
    form_id · row · level1 · level2 · level3 · target · actual · sign · unit · weight · self_score · deviation (as
    displayed) · level1_points · cells (field → A1); ``score`` adds points (weight as a number) · kind (of the target) ·
    target_value, actual_value (base units: 元, 人, percentage points, days) · ratio (1 = target reached) · score · low ·
    high (points) · status · method · basis.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from perfeval_xlsx.form.model import Form

FORM_COLUMNS = (
    "form_id", "path", "sheet", "number", "kind", "title", "org", "year", "unit", "province", "execution_points",
    "self_total", "self_grade",
)  # fmt: skip
FUND_COLUMNS = (
    "form_id", "row", "label", "role", "initial_budget", "annual_budget", "executed", "weight", "self_rate",
    "self_score", "reason", "cells",
)  # fmt: skip
INDICATOR_COLUMNS = (
    "form_id", "row", "level1", "level2", "level3", "target", "actual", "sign", "unit", "weight", "self_score",
    "deviation", "level1_points", "cells",
)  # fmt: skip
_VALUE_FIELDS = ("level1", "level2", "level3", "target", "actual", "sign", "unit", "weight", "score", "deviation")


@dataclass(slots=True)
class Tables:
    """The three frames of a chunk of forms; rows keep the order of the forms and of their sheet rows.

    Attributes:
        forms: One row a form.
        funds: One row a fund row.
        indicators: One row an indicator row that counts.
        notes: Footnotes by form_id.
    """

    forms: pd.DataFrame
    funds: pd.DataFrame
    indicators: pd.DataFrame
    notes: dict[str, tuple[str, ...]]


def to_frames(forms: Sequence[Form]) -> Tables:
    """Lay ``forms`` out as tidy tables (see the module's docstring for every column)."""
    return Tables(
        forms=_forms(forms),
        funds=_funds(forms),
        indicators=_indicators(forms),
        notes={form.id: tuple(form.notes) for form in forms},
    )


def _frame(rows: list[tuple[object, ...]], columns: tuple[str, ...], numbers: tuple[str, ...]) -> pd.DataFrame:
    series = zip(*rows, strict=True) if rows else ([] for _ in columns)
    return pd.DataFrame(
        {
            name: pd.Series(list(values), dtype="float64" if name in numbers else "object")
            for name, values in zip(columns, series, strict=True)
        }
    )


def _forms(forms: Sequence[Form]) -> pd.DataFrame:
    rows: list[tuple[object, ...]] = [
        (
            form.id, form.path, form.sheet, form.number, form.kind, form.title, form.org, form.year, form.unit,
            form.province, form.execution_points, form.total.get("score"), form.total.get("grade"),
        )
        for form in forms
    ]  # fmt: skip
    return _frame(rows, FORM_COLUMNS, ("year", "execution_points"))


def _funds(forms: Sequence[Form]) -> pd.DataFrame:
    rows: list[tuple[object, ...]] = []
    for form in forms:
        for fund in form.funds:
            value = fund.values.get
            rows.append(
                (
                    form.id, fund.row, fund.label, fund.role, value("initial_budget"), value("annual_budget"),
                    value("executed"), value("weight"), value("rate"), value("score"), value("reason"), fund.cells,
                )
            )  # fmt: skip
    return _frame(rows, FUND_COLUMNS, ())


def _indicators(forms: Sequence[Form]) -> pd.DataFrame:
    rows: list[tuple[object, ...]] = []
    for form in forms:
        for indicator in form.indicators:
            value = indicator.values.get
            rows.append(
                (
                    form.id, indicator.row, *map(value, _VALUE_FIELDS), indicator.level1_points, indicator.cells,
                )
            )  # fmt: skip
    return _frame(rows, INDICATOR_COLUMNS, ("level1_points",))
