"""Sheets sketched in text: ``A1:C1=标题 | D2=10``, one row a line, merged ranges by their corners."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from perfeval_xlsx.form.model import Form
from perfeval_xlsx.form.read import find_forms, why_none
from perfeval_xlsx.workbook import Cell, Merge, Sheet, row_column


def sheet(text: str, name: str = "自评表", index: int = 0, state: str = "visible") -> Sheet:
    """Build a sheet from its sketch; ``\\n`` in a text is a line break."""
    made = Sheet(name, index, state)
    for line in text.strip().splitlines():
        for item in line.split("|"):
            place, _, value = item.strip().partition("=")
            first, _, last = place.partition(":")
            top, left = row_column(first)
            if last:
                made.merges.append(Merge(top, left, *row_column(last)))
            if value:
                made.cells[top, left] = Cell(value.replace("\\n", "\n"))
    return made


class Book:
    """As much of a workbook as the reader looks at."""

    def __init__(self, *sheets: Sheet, path: str = "表.xlsx") -> None:
        self.path, self._sheets = Path(path), sheets

    def sheets(self) -> Any:
        """The sheets."""
        return iter(self._sheets)


def read(*sheets: Sheet | str, path: str = "表.xlsx") -> list[Form]:
    """Read sketched sheets."""
    made = [sheet(each, index=i) if isinstance(each, str) else each for i, each in enumerate(sheets)]
    book: Any = Book(*made, path=path)
    return find_forms(book)


def reasons(*sheets: Sheet | str) -> list[str]:
    """Codes that say why sketched sheets hold no form."""
    book: Any = Book(*(sheet(each) if isinstance(each, str) else each for each in sheets))
    return [finding.code for finding in why_none(book)]
