"""Bytes to cells and back: packages, sheets, displayed text, lossless patching."""

from perfeval_xlsx.workbook.book import Workbook, open_workbook
from perfeval_xlsx.workbook.cells import Cell, Merge, Sheet, a1, on_sheet, row_column, split_sheet
from perfeval_xlsx.workbook.legacy import AnyWorkbook, LegacyWorkbook, open_any
from perfeval_xlsx.workbook.refusals import Refusal
from perfeval_xlsx.workbook.save import save_copy

__all__ = [
    "AnyWorkbook", "Cell", "LegacyWorkbook", "Merge", "Refusal", "Sheet", "Workbook", "a1", "on_sheet", "open_any",
    "open_workbook", "row_column", "save_copy", "split_sheet",
]  # fmt: skip
