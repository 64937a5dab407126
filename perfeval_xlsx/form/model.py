"""A form as it was read: what stands in which cell, before any meaning is given to a value."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from perfeval_xlsx.findings import Finding

Kind = Literal["department", "project", "transfer"]

FUND_FIELDS = ("initial_budget", "annual_budget", "executed", "weight", "rate", "score", "reason")
INDICATOR_FIELDS = ("level1", "level2", "level3", "target", "actual", "sign", "unit", "weight", "score", "deviation")


@dataclass(slots=True)
class FundRow:
    """One row of the fund table.

    Attributes:
        row: Sheet row.
        label: Label as written, white space squeezed.
        role: ``total`` for the row that carries the execution score, ``part`` for the others.
        values: Displayed text by field of ``FUND_FIELDS``, None when blank; only fields whose column exists.
        cells: A1 address by field, for every field whose column exists, blank or not.
    """

    row: int
    label: str | None
    role: Literal["total", "part"]
    values: dict[str, str | None]
    cells: dict[str, str]


@dataclass(slots=True)
class IndicatorRow:
    """One row of the indicator grid.

    Attributes:
        row: Sheet row.
        values: Displayed text by field of ``INDICATOR_FIELDS``, None when blank; level1/level2 carried down, level1
            without its points.
        cells: A1 address (a merged range's anchor) by field whose column exists.
        level1_points: Points in the level-1 label (``产出指标（50分）`` → 50), or None.
        extra: Displayed text of columns the form has beyond ours, by their label (``得分计算方法``, ``second score``).
        reason: Why the row was left out (``unused`` template row, ``blank``), None for a row that counts.
    """

    row: int
    values: dict[str, str | None]
    cells: dict[str, str]
    level1_points: float | None = None
    extra: dict[str, str | None] = field(default_factory=dict)
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class FormulaCell:
    """A cell of the form that holds a formula or an error value.

    Attributes:
        cell: Its A1 address.
        formula: The formula without ``=``, None for an error value that was typed or pasted.
        value: The cached result as displayed (``#REF!`` for an error), None where the file carries none.
        recomputed: What the formula gives when it is computed again, where that is another figure than ``value``, or
            where there is no value and it could be computed; else None.
    """

    cell: str
    formula: str | None = None
    value: str | None = None
    recomputed: str | None = None


@dataclass(slots=True)
class Form:
    """One form of one sheet.

    Attributes:
        path: The workbook's path as it was given.
        sheet: Name of the sheet; ``sheet_index`` its position in the workbook, 0-based.
        number: 1-based number of the form in the workbook.
        kind: department, project or transfer.
        project: Name of the project or transfer, where the head gives one.
        unit: ``万元``, ``亿元`` or ``元``, or None where the form does not say.
        execution_points: Points of the execution score that a header states (``得分（20分*执行率）``), or None.
        goals: ``expected`` and ``actual`` annual goals, None when blank.
        total: ``weight``, ``score``, ``grade`` as displayed, None when blank.
        total_cells: A1 address by key of ``total``, only those the form has.
        left_out: Rows of the grid that do not count, with their ``reason``.
        columns: Header as understood: field → column letter and label, for ``perfeval read``.
        notes: Text of the rows below the grid and around it (footnotes), in order.
        extent: First and last sheet row of the form.
        findings: What reading found.
        head_cells: A1 address of ``title``, ``org``, ``year`` and ``unit``: where the value stands, or the blank cell
            beside its label; only those the form has.
        note_cells: A1 address of each of ``notes``, in the same order; empty where the reader does not say.
        formulas: Cells within the extent that hold a formula or an error value, in sheet order.
    """

    path: str
    sheet: str
    sheet_index: int
    number: int
    kind: Kind
    title: str | None = None
    org: str | None = None
    project: str | None = None
    year: int | None = None
    unit: str | None = None
    province: str | None = None
    execution_points: float | None = None
    funds: list[FundRow] = field(default_factory=list)
    goals: dict[str, str | None] = field(default_factory=lambda: {"expected": None, "actual": None})
    goal_cells: dict[str, str] = field(default_factory=dict)
    indicators: list[IndicatorRow] = field(default_factory=list)
    left_out: list[IndicatorRow] = field(default_factory=list)
    total: dict[str, str | None] = field(default_factory=dict)
    total_cells: dict[str, str] = field(default_factory=dict)
    columns: dict[str, tuple[str, str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    extent: tuple[int, int] = (0, 0)
    findings: list[Finding] = field(default_factory=list)
    head_cells: dict[str, str] = field(default_factory=dict)
    note_cells: list[str] = field(default_factory=list)
    formulas: list[FormulaCell] = field(default_factory=list)

    @property
    def first_cell(self) -> str:
        """The cell a person looks at first: the title's row."""
        return f"A{max(1, self.extent[0])}"

    @property
    def id(self) -> str:
        """Identity within a run: path and number."""
        return f"{self.path}#{self.number}"
