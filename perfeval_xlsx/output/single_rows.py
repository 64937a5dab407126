"""Rows of sheets that have one row a form, made for many forms at once: column by column, then joined row by row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache

from perfeval_xlsx.findings import Lang
from perfeval_xlsx.output.form_rows import Cleaned, Row, RowColumns, lines_of, text_cell
from perfeval_xlsx.output.sheets import Column, Wraps, cells_of, columns, height, wraps
from perfeval_xlsx.output.style import style_numbers

GAP = b"\0"
"""Stands in the place of a cell that is put in later."""


def row_xml(sheet: str, row: Row, lang: Lang, texts: Mapping[str, Cleaned]) -> bytes:
    """One row of a sheet as XML, as of ``rows_xml``."""
    (made,) = rows_xml(sheet, {key: [text] for key, text in row.items()}, lang, [texts])
    return made


def rows_xml(
    sheet: str, values: RowColumns, lang: Lang, texts: Sequence[Mapping[str, Cleaned]], gap: str = ""
) -> list[bytes]:
    """Rows of a sheet as XML.

    Args:
        sheet: Table of ``data/outputs.toml``.
        values: The cells' texts by key, one a row; ``key:style`` names styles that the cells have instead of their
            column's.
        lang: Language of the headers.
        texts: By row and key, those that were cleaned already; of the same keys in all rows.
        gap: Key of a cell that is put in later (``GAP``).
    """
    if not texts:
        return []
    layout, count = columns(sheet, lang), len(texts)
    size = len(layout) + 2
    pieces = [*[b""] * (size - 1), b"</row>"] * count
    pieces[::size] = [b'<row ht="%b">' % height(lines_of(_wraps(sheet, lang), own)) for own in texts]
    for place, column in enumerate(layout, start=1):
        pieces[place::size] = [GAP] * count if column.key == gap else _cells(column, values, texts)
    return [b"".join(pieces[at : at + size]) for at in range(0, size * count, size)]


def _cells(column: Column, values: RowColumns, texts: Sequence[Mapping[str, Cleaned]]) -> Iterable[bytes]:
    key, styles = column.key, values.get(f"{column.key}:style")
    if key in texts[0]:
        numbers = map(style_numbers().__getitem__, styles or [column.style] * len(texts))
        return [text_cell(own[key].text, number) for own, number in zip(texts, numbers, strict=True)]
    if styles is None:
        return map(cells_of(column.style).__getitem__, values[key])
    return [cells_of(style)[text] for style, text in zip(styles, values[key], strict=True)]


@cache
def _wraps(sheet: str, lang: Lang) -> Wraps:
    return wraps(columns(sheet, lang))
