"""The list of units that should hand in forms: a .csv or a workbook with one name a row."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Finding, PerfevalError
from perfeval_xlsx.form.labels import bare
from perfeval_xlsx.output.template_list import table_rows


def read_roster(path: Path | str) -> tuple[str, ...]:
    """Read the names of a list.

    A column headed 单位 (or another word of ``[roster]`` in ``data/desk.toml``) holds the names; without such a heading
    a list of a single column does. Rows that are sums are left out, a name that stands twice counts once.

    Args:
        path: A .csv in UTF-8, UTF-16 or GBK, or a workbook.

    Raises:
        PerfevalError: The file cannot be read, or no column holds names (``L04``).
    """
    path = Path(path)
    rows = [cells for _, cells in table_rows(path, lambda cells: _column(cells) is not None)]
    headed = next(((at, column) for at, cells in enumerate(rows) if (column := _column(cells)) is not None), None)
    if headed is not None:
        names = [cells[headed[1]] for cells in rows[headed[0] + 1 :] if len(cells) > headed[1]]
    else:
        names = _single([cells for _, cells in table_rows(path, bool)])
    sums = load("desk.toml")["roster"]["sums"]
    found = tuple(dict.fromkeys(name for name in names if name and bare(name) not in sums))
    if not found:
        raise PerfevalError(Finding("L04", found=str(path)))
    return found


def _column(cells: Sequence[str]) -> int | None:
    """The column whose heading is a word for units."""
    words = load("desk.toml")["roster"]["headings"]
    return next((at for at, text in enumerate(cells) if text and bare(text) in words), None)


def _single(rows: Sequence[Sequence[str]]) -> list[str]:
    """The names of a list without a heading, which must have a single column."""
    texts = [[text for text in cells if text] for cells in rows]
    return [row[0] for row in texts] if all(len(row) == 1 for row in texts) else []
