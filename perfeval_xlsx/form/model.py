"""A form as it was read: what stands in which cell, before any meaning is given to a value."""

from __future__ import annotations

from collections.abc import MutableSequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from perfeval_xlsx.findings import Finding
from perfeval_xlsx.workbook import on_sheet, row_column, split_sheet

Kind = Literal["department", "project", "transfer"]

FUND_FIELDS = ("initial_budget", "annual_budget", "executed", "weight", "rate", "score", "reason")
AMOUNT_FIELDS = FUND_FIELDS[:3]
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
        row: Row of the form: its sheet's, or counted on from there (``Form.pages``).
        values: Displayed text by field of ``INDICATOR_FIELDS``, None when blank; level1/level2 carried down, level1
            without its points.
        cells: A1 address (a merged range's anchor) by field whose column exists; shared by forms of one layout, so not
            to be changed in place.
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


class Page(NamedTuple):
    """Rows of one sheet, in a form that goes on over several.

    Attributes:
        sheet: Name of the sheet; ``sheet_index`` its position in the workbook, 0-based.
        first: Its first row in the form; ``last`` its last one.
        above: What makes a row of the sheet a row of the form, added to it.
    """

    sheet: str
    sheet_index: int
    first: int
    last: int
    above: int


@dataclass(slots=True)
class Form:
    """One form, of one sheet or going on over several.

    Its rows are those of its sheet; where it goes on, those of the next sheet count on below them (``pages``) and their
    addresses carry that sheet's name (``续表!H5``).

    Attributes:
        path: The workbook's path as it was given.
        sheet: Name of the (first) sheet; ``sheet_index`` its position in the workbook, 0-based.
        number: 1-based number of the form in the workbook.
        kind: department, project or transfer.
        project: Name of the project or transfer, where the head gives one.
        unit: ``万元``, ``元``, ``千元``, ``亿元`` …, or None where the form does not say.
        execution_points: Points of the execution score that a header states (``得分（20分*执行率）``), or None.
        goals: ``expected`` and ``actual`` annual goals, None when blank.
        total: ``weight``, ``score``, ``grade`` as displayed, None when blank.
        total_cells: A1 address by key of ``total``, only those the form has.
        left_out: Rows of the grid that do not count, with their ``reason``.
        columns: Header as understood: field → column letter and label, for ``perfeval read``.
        others: Columns of the grid beyond ours: letter and label.
        headers: First and last row of the header of ``funds`` and ``grid``, of each that has one.
        notes: Text of the rows below the grid and around it (footnotes), in order.
        extent: First and last row of the form.
        findings: What reading found.
        head_cells: A1 address of ``title``, ``org``, ``year`` and ``unit``: where the value stands, or the blank cell
            beside its label; only those the form has.
        note_cells: A1 address of each of ``notes``, in the same order; empty where the reader does not say.
        formulas: Cells within the extent that hold a formula or an error value, in sheet order.
        pages: The rows of each sheet, in the form's order, where it goes on over several; else empty.
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
    indicators: MutableSequence[IndicatorRow] = field(default_factory=list)
    left_out: list[IndicatorRow] = field(default_factory=list)
    total: dict[str, str | None] = field(default_factory=dict)
    total_cells: dict[str, str] = field(default_factory=dict)
    columns: dict[str, tuple[str, str]] = field(default_factory=dict)
    others: list[tuple[str, str]] = field(default_factory=list)
    headers: dict[str, tuple[int, int]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    extent: tuple[int, int] = (0, 0)
    findings: list[Finding] = field(default_factory=list)
    head_cells: dict[str, str] = field(default_factory=dict)
    note_cells: list[str] = field(default_factory=list)
    formulas: list[FormulaCell] = field(default_factory=list)
    pages: list[Page] = field(default_factory=list)

    def place(self, address: str) -> tuple[int, str]:
        """Return the position of an address's sheet in the workbook, and the address there."""
        if not self.pages:
            return self.sheet_index, address
        name, cell = split_sheet(address)
        index = next((page.sheet_index for page in self.pages if page.sheet == name), self.sheet_index)
        return index, cell

    def address(self, sheet_index: int, cell: str) -> str:
        """Return a cell of one of the form's sheets as the form's addresses tell it."""
        name = next((page.sheet for page in self.pages if page.sheet_index == sheet_index), None)
        return cell if name is None or sheet_index == self.sheet_index else on_sheet(name, cell)

    def row_of(self, address: str) -> int:
        """Return the form's row of an address."""
        index, cell = self.place(address)
        row = row_column(cell)[0]
        pages = (page for page in self.pages if page.sheet_index == index and page.first <= row <= page.last)
        return row + next((page.above for page in pages), 0)

    def row_place(self, row: int) -> tuple[int, int]:
        """Return the position of a row's sheet in the workbook, and the row there."""
        page = next((page for page in self.pages if page.first <= row - page.above <= page.last), None)
        return (self.sheet_index, row) if page is None else (page.sheet_index, row - page.above)

    def spans(self) -> list[tuple[int, int, int]]:
        """Return sheet, first and last row of each stretch of the form, in the sheets' own rows."""
        own = [(self.sheet_index, *self.extent)]
        return [(page.sheet_index, page.first, page.last) for page in self.pages] or own

    def holds(self, sheet_index: int, row: int) -> bool:
        """Whether a row of a sheet is the form's."""
        return any(index == sheet_index and first <= row <= last for index, first, last in self.spans())

    @property
    def first_cell(self) -> str:
        """The cell a person looks at first: the title's row."""
        return f"A{max(1, self.extent[0])}"

    @property
    def id(self) -> str:
        """Identity within a run: path and number."""
        return f"{self.path}#{self.number}"
