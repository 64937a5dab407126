"""Bytes to cells and back: packages, sheets, displayed text, lossless patching.

Names are fetched from their modules when they are first used: a run's driver needs addresses, not the readers.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from perfeval_xlsx.workbook.book import Workbook, open_workbook
    from perfeval_xlsx.workbook.cells import Cell, Merge, Sheet, a1, on_sheet, row_column, split_sheet
    from perfeval_xlsx.workbook.legacy import AnyWorkbook, LegacyWorkbook, open_any
    from perfeval_xlsx.workbook.refusals import Refusal
    from perfeval_xlsx.workbook.save import save_copy

__all__ = [
    "AnyWorkbook", "Cell", "LegacyWorkbook", "Merge", "Refusal", "Sheet", "Workbook", "a1", "on_sheet", "open_any",
    "open_workbook", "row_column", "save_copy", "split_sheet",
]  # fmt: skip

_MODULES = {
    "book": ("Workbook", "open_workbook"),
    "cells": ("Cell", "Merge", "Sheet", "a1", "on_sheet", "row_column", "split_sheet"),
    "legacy": ("AnyWorkbook", "LegacyWorkbook", "open_any"),
    "refusals": ("Refusal",),
    "save": ("save_copy",),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Fetch a name from its module."""
    module = _MODULE_OF.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{module}"), name)
    return value
