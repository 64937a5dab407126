"""Rows of one form on a sheet of all forms, column by column: what repeats is made once, texts are written at once.

Most of what a run writes comes from here: sixty rows of seventeen cells a form.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from itertools import chain, repeat
from typing import Any, NamedTuple, TypeVar

from perfeval_xlsx.findings import Lang
from perfeval_xlsx.output.cell_texts import as_bytes, as_they_stand, clean
from perfeval_xlsx.output.sheets import Column, cell_xml, cells_of, columns, height, heights, lines_of, width_of
from perfeval_xlsx.output.style import style_numbers

Row = dict[str, str | None]
"""Text by column key; ``key:style`` names a style that the cell has instead of its column's."""

RowColumns = Mapping[str, Sequence[Any]]
"""The values of a form's rows by key."""

Text = TypeVar("Text", str, bytes)
_MOST_BLOCKS = 1 << 12


class Cleaned(NamedTuple):
    """A text as it is written, and its width (``sheets.width_of``)."""

    text: bytes
    width: int


def cleaned(texts: Mapping[str, str | None], lang: Lang) -> dict[str, Cleaned]:
    """Clean some texts by key."""
    plain = [text or "" for text in texts.values()]
    return dict(zip(texts, map(Cleaned, as_bytes(plain, lang), map(width_of, plain)), strict=True))


class _Block(dict[tuple[str | None, ...], bytes]):
    """Neighbouring cells as XML by the values they are made of, of which there are few; made when first met.

    Attributes:
        made_of: Keys of those values: the columns' own, and what else their looks depend on.
    """

    def __init__(
        self, layout: Sequence[Column], lang: Lang, needs: Mapping[str, str], look: Callable[[Row], Row]
    ) -> None:
        self._layout, self._lang, self._look = layout, lang, look
        own = [column.key for column in layout]
        self.made_of = tuple(dict.fromkeys([*own, *(needs[key] for key in own if key in needs)]))

    def __missing__(self, values: tuple[str | None, ...]) -> bytes:
        if len(self) >= _MOST_BLOCKS:
            self.clear()
        row = self._look(dict(zip(self.made_of, values, strict=True)))
        looks = [(row[column.key], row.get(f"{column.key}:style") or column.style) for column in self._layout]
        self[values] = made = b"".join([cell_xml(text, style, self._lang) for text, style in looks])
        return made


class FormRows:
    """Makes the rows of forms on one sheet.

    Args:
        sheet: Table of ``data/outputs.toml``.
        lang: Language of the words we add.
        common: Keys of columns that are the same in all rows of a form.
        needs: By column key, what else a cell's look depends on.
        look: Turns the values of some cells of a row into texts and styles, where they are not what is shown.
        tall: Whether a row is at least as high as what is common needs.
    """

    def __init__(
        self, sheet: str, lang: Lang, common: Sequence[str], needs: Mapping[str, str] | None = None,
        look: Callable[[Row], Row] = dict, *, tall: bool = False,
    ) -> None:  # fmt: skip
        self._lang, self._layout = lang, columns(sheet, lang)
        self._plan: list[Column | _Block] = []  # a text column, a common column, or a block of others
        run: list[Column] = []
        for column in self._layout:
            if column.key not in common and (column.repeats or not column.text):
                run.append(column)
                continue
            self._plan += [*([_Block(run, lang, needs or {}, look)] if run else []), column]
            run = []
        self._plan += [_Block(run, lang, needs or {}, look)] if run else []
        self._wrapping = [column for column in self._layout if column.wraps and column.key not in common]
        self._tall = [column for column in self._layout if tall and column.key in common]
        self._texts = [c.key for c in self._plan if isinstance(c, Column) and c.key not in common]

    def xml(self, values: RowColumns, common: Mapping[str, Cleaned]) -> bytes:
        """The rows of one form, at least one, as XML.

        Args:
            values: By key, one value a row.
            common: By key, what is the same in all of them.
        """
        plain, written = self._texts_of(values)
        least = lines_of(self._tall, {key: text.width for key, text in common.items()}) if self._tall else 1
        sizes = heights(self._wrapping, plain or values, written if plain else None, least)
        fixed, pieces = b"", list[Iterable[bytes]]()
        for part in self._plan:
            if isinstance(part, _Block):
                cells: Iterable[bytes] = map(part.__getitem__, zip(*map(values.__getitem__, part.made_of), strict=True))
                opening = closing = b""
            elif part.key in written:
                opening, cells, closing = _text_cells(written[part.key], part.style)
            else:
                fixed += _text_cell(common[part.key].text if part.key in common else b"", style_numbers()[part.style])
                continue
            pieces += [repeat(fixed + opening) if pieces else _starts(sizes, fixed + opening), cells]
            fixed = closing
        return b"".join(chain.from_iterable(zip(*pieces, repeat(fixed + b"</row>"), strict=False)))

    def _texts_of(self, values: RowColumns) -> tuple[dict[str, Sequence[str]], dict[str, Sequence[bytes]]]:
        """The texts of each column that has any, as they are where all can be written so, and ready to be written."""
        keys = [key for key in self._texts if any(values[key])]
        flat: list[str] = []
        for key in keys:
            column = values[key]
            flat += [text or "" for text in column] if None in column else column
        ready = as_they_stand(flat)
        if ready is None:
            return {}, _divided(keys, [text.encode() for text in clean(flat, self._lang)])
        return _divided(keys, flat), _divided(keys, ready)


def _divided(keys: Sequence[str], flat: Sequence[Text]) -> dict[str, Sequence[Text]]:
    """Columns of the same length, by key, that stand one after the other."""
    count = len(flat) // max(len(keys), 1)
    return {key: flat[at * count : (at + 1) * count] for at, key in enumerate(keys)}


def _text_cells(texts: Sequence[bytes], style: str) -> tuple[bytes, Sequence[bytes], bytes]:
    """What stands before, in and behind the cells of a column of texts."""
    number = style_numbers()[style]
    if all(texts):
        return b'<c s="%d" t="str"><v>' % number, texts, b"</v></c>"
    return b"", [_text_cell(text, number) for text in texts], b""


def _text_cell(text: bytes, number: int) -> bytes:
    """A cell of a text in UTF-8 that was cleaned, by the number of its style."""
    return b'<c s="%d" t="str"><v>%b</v></c>' % (number, text) if text else b'<c s="%d"/>' % number


def row_xml(sheet: str, row: Row, lang: Lang, texts: Mapping[str, Cleaned], gap: str = "") -> bytes:
    """One row of a sheet as XML.

    Args:
        sheet: Table of ``data/outputs.toml``.
        row: The cells' texts and styles.
        lang: Language of the headers.
        texts: By key, those that were cleaned already.
        gap: Key of a cell that is put in later; NUL stands in its place.
    """
    numbers = style_numbers()
    cells = [b'<row ht="%b">' % height(lines_of(_wrapped(sheet, lang), {key: t.width for key, t in texts.items()}))]
    for column, mark in _marked(sheet, lang):
        style = row.get(mark) or column.style
        if column.key in texts:
            cells.append(_text_cell(texts[column.key].text, numbers[style]))
        else:
            cells.append(b"\0" if column.key == gap else cells_of(style)[row[column.key]])
    return b"".join([*cells, b"</row>"])


@cache
def _marked(sheet: str, lang: Lang) -> list[tuple[Column, str]]:
    """The columns of a sheet with the key that a cell's own style has."""
    return [(column, f"{column.key}:style") for column in columns(sheet, lang)]


@cache
def _wrapped(sheet: str, lang: Lang) -> list[Column]:
    return [column for column in columns(sheet, lang) if column.wraps]


def _starts(sizes: Sequence[bytes], following: bytes) -> Iterable[bytes]:
    """How each row begins, by its height."""
    made = {size: b'<row ht="%b">%b' % (size, following) for size in set(sizes)}
    return map(made.__getitem__, sizes)
