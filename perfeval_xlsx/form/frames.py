"""The tidy tables: one row a form, a fund row, an indicator row.

Texts are as displayed in the cell (object dtype, None when blank); figures are float64 (NaN when there is none).

forms
    form_id (path#number) · path · sheet · number · kind (department, project, transfer) · title · org · year (float,
    NaN unknown) · unit (万元, 元, None) · province · execution_points · self_total, self_grade (as displayed) ·
    goal_expected, goal_actual · total_weight (as displayed) · cells (title, org, year, unit, goal_expected,
    goal_actual, total_weight, self_total, self_grade → A1, those the form has); ``score`` adds rulebook · total · low ·
    high (points) · grade · status.
funds
    form_id · row · label · role (total, part) · initial_budget, annual_budget, executed, weight, self_rate, self_score
    (as displayed) · cells (field → A1); ``score`` adds to the total rows points · rate (1 = 100 %) · score · low · high
    · status · method · basis.
indicators
    form_id · row · level1 · level2 · level3 · target · actual · sign · unit · weight · self_score · deviation (as
    displayed) · level1_points · cells (field → A1) · extra (label → displayed text of further columns); ``score`` adds
    points (weight as a number) · kind (of the target) · target_value, actual_value (base units: 元, 人, percentage
    points, days) · ratio (1 = target reached) · score · low · high (points) · status · method · basis.
left_out
    The grid's rows that do not count: form_id · row · level1 · level2 · level3 · target · actual · weight ·
    self_score · reason (unused, blank) · cells.
formulas
    Cells with a formula or an error value: form_id · cell · formula (without =, None for a typed error) · value
    (cached, as displayed) · recomputed (where it is another figure, or none is cached).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pandas as pd

from perfeval_xlsx.form.model import Form

FORM_COLUMNS = (
    "form_id", "path", "sheet", "number", "kind", "title", "org", "year", "unit", "province", "execution_points",
    "self_total", "self_grade", "goal_expected", "goal_actual", "total_weight", "cells",
)  # fmt: skip
FUND_COLUMNS = (
    "form_id", "row", "label", "role", "initial_budget", "annual_budget", "executed", "weight", "self_rate",
    "self_score", "reason", "cells",
)  # fmt: skip
INDICATOR_COLUMNS = (
    "form_id", "row", "level1", "level2", "level3", "target", "actual", "sign", "unit", "weight", "self_score",
    "deviation", "level1_points", "cells", "extra",
)  # fmt: skip
LEFT_OUT_COLUMNS = (
    "form_id", "row", "level1", "level2", "level3", "target", "actual", "weight", "self_score", "reason", "cells",
)  # fmt: skip
FORMULA_COLUMNS = ("form_id", "cell", "formula", "value", "recomputed")
_LEFT_OUT_FIELDS = ("level1", "level2", "level3", "target", "actual", "weight", "score")
_VALUE_FIELDS = ("level1", "level2", "level3", "target", "actual", "sign", "unit", "weight", "score", "deviation")


@dataclass(slots=True)
class Tables:
    """The frames of a chunk of forms; rows keep the order of the forms and of their sheet rows.

    Attributes:
        forms: One row a form.
        funds: One row a fund row.
        indicators: One row an indicator row that counts.
        notes: Footnotes by form_id.
        left_out: One row a row of the grid that does not count.
        formulas: One row a cell with a formula or an error value.
        note_cells: A1 addresses of the notes by form_id, empty where the reader does not say.
    """

    forms: pd.DataFrame
    funds: pd.DataFrame
    indicators: pd.DataFrame
    notes: dict[str, tuple[str, ...]]
    left_out: pd.DataFrame = field(default_factory=lambda: _frame([], LEFT_OUT_COLUMNS, ()))
    formulas: pd.DataFrame = field(default_factory=lambda: _frame([], FORMULA_COLUMNS, ()))
    note_cells: dict[str, tuple[str, ...]] = field(default_factory=dict)


def to_frames(forms: Sequence[Form]) -> Tables:
    """Lay ``forms`` out as tidy tables (see the module's docstring for every column)."""
    return Tables(
        forms=_forms(forms),
        funds=_funds(forms),
        indicators=_indicators(forms),
        notes={form.id: tuple(form.notes) for form in forms},
        left_out=_left_out(forms),
        formulas=_formulas(forms),
        note_cells={form.id: tuple(form.note_cells) for form in forms},
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
            form.goals.get("expected"), form.goals.get("actual"), form.total.get("weight"), _form_cells(form),
        )
        for form in forms
    ]  # fmt: skip
    return _frame(rows, FORM_COLUMNS, ("year", "execution_points"))


_TOTAL_NAMES = {"weight": "total_weight", "score": "self_total", "grade": "self_grade"}


def _form_cells(form: Form) -> dict[str, str]:
    goals = {f"goal_{name}": cell for name, cell in form.goal_cells.items()}
    totals = {_TOTAL_NAMES[name]: cell for name, cell in form.total_cells.items() if name in _TOTAL_NAMES}
    return {**form.head_cells, **goals, **totals}


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
                    indicator.extra,
                )
            )  # fmt: skip
    return _frame(rows, INDICATOR_COLUMNS, ("level1_points",))


def _left_out(forms: Sequence[Form]) -> pd.DataFrame:
    rows: list[tuple[object, ...]] = [
        (form.id, left.row, *map(left.values.get, _LEFT_OUT_FIELDS), left.reason, left.cells)
        for form in forms
        for left in form.left_out
    ]
    return _frame(rows, LEFT_OUT_COLUMNS, ())


def _formulas(forms: Sequence[Form]) -> pd.DataFrame:
    rows: list[tuple[object, ...]] = [
        (form.id, found.cell, found.formula, found.value, found.recomputed) for form in forms for found in form.formulas
    ]
    return _frame(rows, FORMULA_COLUMNS, ())
