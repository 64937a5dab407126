"""The formulas of a form: their saved results, stale ones told apart, missing ones computed or said to be missing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from perfeval_xlsx.findings import Finding
from perfeval_xlsx.form.model import Form, FormulaCell
from perfeval_xlsx.workbook import AnyWorkbook, Cell, Sheet, a1, row_column
from perfeval_xlsx.workbook.formulas import Computed, compute, doubt_zeros, is_installed, without_results
from perfeval_xlsx.workbook.recompute import recompute

_SAME = 1e-6
"""Two results this close, in proportion, are one."""
_NAMED = 8
"""Cells named in a finding; of more only their number is told."""


def formulas_of(sheet: Sheet, first: int, last: int) -> list[FormulaCell]:
    """Return the cells between two rows that hold a formula or an error value, in sheet order."""
    return [
        FormulaCell(a1(*position), cell.formula, cell.text if cell.cached else None, _stale(sheet, cell))
        for position, cell in sheet.calculations()
        if first <= position[0] <= last
    ]


def _stale(sheet: Sheet, cell: Cell) -> str | None:
    """What a simple formula gives on the values of its sheet, where that is not the figure it was saved with."""
    if cell.value is None or cell.type != "n" or not cell.cached or not cell.formula:
        return None
    value = recompute(sheet.cells, cell.formula)
    if value is None or abs(value - cell.value) <= _SAME * max(1.0, abs(cell.value)):
        return None
    return f"{value * 100:.10g}%" if cell.text.endswith("%") else f"{value:.10g}"


def trusted(book: AnyWorkbook) -> Iterator[Sheet]:
    """Yield a workbook's sheets; formulas whose saved zeros mean nothing carry no result in them."""
    for sheet in book.sheets():
        doubt_zeros(book, sheet)
        yield sheet


def complete(book: AnyWorkbook, by_sheet: Sequence[tuple[Sheet, list[Form]]]) -> Computed:
    """Compute what the formulas of forms were saved without, in their sheets: these are to be read again.

    Where no sheet holds a form, a formula may stand where its labels should, so all sheets are completed.
    """
    none = not any(forms for _, forms in by_sheet)
    lacking = [
        sheet for sheet, forms in by_sheet if any(_bare(form) for form in forms) or (none and without_results(sheet))
    ]
    return compute(book, lacking) if lacking else {}


def _bare(form: Form) -> list[FormulaCell]:
    """Formulas of a form that were saved without their results."""
    return [found for found in form.formulas if found.formula is not None and found.value is None]


def tell(forms: Iterable[Form], sheets: Iterable[Sheet], computed: Computed) -> None:
    """Note in forms which formulas were saved without results, and which of them were computed."""
    cells = {sheet.index: sheet.cells for sheet in sheets}
    for form in forms:
        bare = _bare(form)
        if bare:
            places = {found.cell: form.place(found.cell) for found in bare}
            done = {cell for cell, (index, own) in places.items() if row_column(own) in computed.get(index, ())}
            form.formulas = [
                replace(found, recomputed=cells[places[found.cell][0]][row_column(places[found.cell][1])].text)
                if found.cell in done
                else found
                for found in form.formulas
            ]
            form.findings += _findings([found.cell for found in bare], done)


def _findings(cells: Sequence[str], done: set[str]) -> list[Finding]:
    """One finding for the formulas that were computed, one for those that were not."""
    left = [cell for cell in cells if cell not in done]
    told = [("R17", [cell for cell in cells if cell in done]), ("R19" if is_installed() else "R18", left)]
    return [Finding(code, named[0], None, _named(named)) for code, named in told if named]


def _named(cells: Sequence[str]) -> str:
    return "、".join(cells[:_NAMED]) + (f" … ({len(cells)})" if len(cells) > _NAMED else "")
