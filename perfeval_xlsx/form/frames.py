"""The tidy tables: one row a form, a fund row, an indicator row.

Texts are as displayed in the cell (object dtype, None when blank); figures are float64 (NaN when there is none).

forms
    form_id (path#number) · path · sheet · number · kind (department, project, transfer) · title · org · year (float,
    NaN unknown) · unit (万元, 元, 千元 …, None) · province · execution_points · self_total, self_grade (as displayed) ·
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

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, repeat
from operator import attrgetter
from typing import TypeVar

import numpy as np
import pandas as pd

from perfeval_xlsx.form.model import FUND_FIELDS, INDICATOR_FIELDS, Form, FundRow, IndicatorRow
from perfeval_xlsx.form.rows import columns_of

_Row = TypeVar("_Row", FundRow, IndicatorRow)

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
_NUMBERS = frozenset({"year", "execution_points", "level1_points"})
_NAMES: dict[tuple[str, ...], pd.Index[str]] = {
    columns: pd.Index(columns)
    for columns in (FORM_COLUMNS, FUND_COLUMNS, INDICATOR_COLUMNS, LEFT_OUT_COLUMNS, FORMULA_COLUMNS)
}
"""Made once: an index takes longer than the frame."""
_LEFT_OUT_FIELDS = ("level1", "level2", "level3", "target", "actual", "weight", "score")
_ROW_FIELDS = ("row", *INDICATOR_FIELDS, "level1_points", "cells", "extra")


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
    left_out: pd.DataFrame = field(default_factory=lambda: _left_out((), ()))
    formulas: pd.DataFrame = field(default_factory=lambda: _formulas(()))
    note_cells: dict[str, tuple[str, ...]] = field(default_factory=dict)


def to_frames(forms: Sequence[Form]) -> Tables:
    """Lay ``forms`` out as tidy tables (see the module's docstring for every column)."""
    ids = [form.id for form in forms]
    return Tables(
        forms=_forms(forms, ids),
        funds=_funds(forms, ids),
        indicators=_indicators(forms, ids),
        notes=dict(zip(ids, [tuple(form.notes) for form in forms], strict=True)),
        left_out=_left_out(forms, ids),
        formulas=_formulas(forms),
        note_cells=dict(zip(ids, [tuple(form.note_cells) for form in forms], strict=True)),
    )


def _frame(values: Iterable[Iterable[object]], size: int, columns: tuple[str, ...]) -> pd.DataFrame:
    """A frame of columns of ``size`` objects, laid out end to end; those of ``_NUMBERS`` are floats, NaN for None."""
    cells = np.fromiter(chain.from_iterable(values), dtype=object, count=size * len(columns))
    block = cells.reshape(len(columns), size)
    frame = pd.DataFrame(block.T, columns=_NAMES[columns], dtype=object, copy=False)
    for place, name in enumerate(columns):
        if name in _NUMBERS:
            frame.isetitem(place, block[place].astype(np.float64))
    return frame


def _forms(forms: Sequence[Form], ids: Iterable[str]) -> pd.DataFrame:
    rows: list[tuple[object, ...]] = [
        (
            form_id, form.path, form.sheet, form.number, form.kind, form.title, form.org, form.year, form.unit,
            form.province, form.execution_points, form.total.get("score"), form.total.get("grade"),
            form.goals.get("expected"), form.goals.get("actual"), form.total.get("weight"), _form_cells(form),
        )
        for form_id, form in zip(ids, forms, strict=True)
    ]  # fmt: skip
    return _frame(zip(*rows, strict=True), len(rows), FORM_COLUMNS)


_TOTAL_NAMES = {"weight": "total_weight", "score": "self_total", "grade": "self_grade"}


def _form_cells(form: Form) -> dict[str, str]:
    cells = form.head_cells.copy()
    for name, cell in form.goal_cells.items():
        cells["goal_" + name] = cell
    for name, cell in form.total_cells.items():
        if name in _TOTAL_NAMES:
            cells[_TOTAL_NAMES[name]] = cell
    return cells


def _funds(forms: Sequence[Form], ids: Iterable[str]) -> pd.DataFrame:
    owners, rows = _owned([form.funds for form in forms], ids)
    parts = _parts(rows, "row", "label", "role"), _fields(rows, FUND_FIELDS), _parts(rows, "cells")
    return _frame(chain([owners], *parts), len(rows), FUND_COLUMNS)


def _indicators(forms: Sequence[Form], ids: Iterable[str]) -> pd.DataFrame:
    rows = [form.indicators for form in forms]
    sizes = list(map(len, rows))
    fields = zip(*map(columns_of, rows, repeat(_ROW_FIELDS)), strict=True) if rows else repeat((), len(_ROW_FIELDS))
    columns: Iterable[Iterable[Iterable[object]]] = chain([map(repeat, ids, sizes)], fields)
    return _frame(map(chain.from_iterable, columns), sum(sizes), INDICATOR_COLUMNS)


def _left_out(forms: Sequence[Form], ids: Iterable[str]) -> pd.DataFrame:
    owners, rows = _owned([form.left_out for form in forms], ids)
    parts = _parts(rows, "row"), _fields(rows, _LEFT_OUT_FIELDS), _parts(rows, "reason", "cells")
    return _frame(chain([owners], *parts), len(rows), LEFT_OUT_COLUMNS)


def _owned(rows: Sequence[Sequence[_Row]], ids: Iterable[str]) -> tuple[Iterable[object], list[_Row]]:
    """The rows of all forms, and of each the id of its form."""
    return chain.from_iterable(map(repeat, ids, map(len, rows))), list(chain.from_iterable(rows))


def _parts(rows: Sequence[FundRow | IndicatorRow], *names: str) -> Iterator[Iterable[object]]:
    """By attribute, that of all rows."""
    return (map(attrgetter(name), rows) for name in names)


def _fields(rows: Sequence[FundRow | IndicatorRow], names: tuple[str, ...]) -> Iterator[Iterable[object]]:
    """By field, what is displayed in all rows."""
    values = [row.values for row in rows]
    return (map(dict.get, values, repeat(name)) for name in names)


def _formulas(forms: Sequence[Form]) -> pd.DataFrame:
    rows: list[tuple[object, ...]] = [
        (form.id, found.cell, found.formula, found.value, found.recomputed) for form in forms for found in form.formulas
    ]
    return _frame(zip(*rows, strict=True), len(rows), FORMULA_COLUMNS)
