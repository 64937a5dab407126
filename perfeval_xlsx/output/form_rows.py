"""Rows of one form on a sheet of all forms, column by column: what repeats is made once, texts are written at once.

Most of what a run writes comes from here: sixty rows of seventeen cells a form.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from perfeval_xlsx.findings import Lang
from perfeval_xlsx.output.cell_texts import as_bytes, stand
from perfeval_xlsx.output.sheets import (
    Column,
    Wraps,
    cell_xml,
    cells_of,
    columns,
    height,
    row_lines,
    width_of,
    wraps,
)
from perfeval_xlsx.output.style import style_numbers

Row = dict[str, str | None]
"""Text by column key; ``key:style`` names a style that the cell has instead of its column's."""

RowColumns = Mapping[str, Sequence[Any]]
"""The values of a form's rows by key."""

_AFTER = b"</v></c>"
"""What stands behind the text of a cell."""
_MOST_BLOCKS = 1 << 12
_MOST_KNOWN = 32
"""Characters of a text whose cell is remembered: a figure or word."""


class Cleaned(NamedTuple):
    """A text as it is written, and its width (``sheets.width_of``)."""

    text: bytes
    width: int


def cleaned(texts: Mapping[str, str | None], lang: Lang) -> dict[str, Cleaned]:
    """Clean some texts by key."""
    (made,) = cleaned_all([texts], lang)
    return made


def cleaned_all(rows: Sequence[Mapping[str, str | None]], lang: Lang) -> list[dict[str, Cleaned]]:
    """Clean some texts of each row by key."""
    plain = [text or "" for row in rows for text in row.values()]
    made = map(Cleaned, as_bytes(plain, lang), map(width_of, plain))
    return [dict(zip(row, made, strict=False)) for row in rows]


class _Block(dict[Any, bytes]):
    """Neighbouring cells as XML by the values they are made of, of which there are few; made when first met.

    Attributes:
        made_of: Keys of those values: the columns' own, and what else their looks depend on. A single value is its own
            key, several are one as a tuple.
    """

    def __init__(
        self, layout: Sequence[Column], lang: Lang, needs: Mapping[str, str], look: Callable[[Row], Row]
    ) -> None:
        self._marked = [(column.key, f"{column.key}:style", column.style) for column in layout]
        self._lang, self._look = lang, look
        own = [column.key for column in layout]
        self.made_of = tuple(dict.fromkeys([*own, *(needs[key] for key in own if key in needs)]))

    def of(self, values: RowColumns) -> Iterable[bytes]:
        """These cells of each row."""
        if len(self.made_of) == 1:
            return map(self.__getitem__, values[self.made_of[0]])
        return map(self.__getitem__, zip(*map(values.__getitem__, self.made_of), strict=True))

    def made(self, values: Any) -> bytes:
        """These cells of one row by its key."""
        row = self._look(dict(zip(self.made_of, values if len(self.made_of) > 1 else (values,), strict=True)))
        cells = []
        for key, mark, usual in self._marked:
            text, style = row[key], row.get(mark) or usual
            known = text is None or len(text) <= _MOST_KNOWN
            cells.append(cells_of(style)[text] if known else cell_xml(text, style, self._lang))
        return b"".join(cells)

    def __missing__(self, values: Any) -> bytes:
        if len(self) >= _MOST_BLOCKS:
            self.clear()
        self[values] = made = self.made(values)
        return made


class _Between(_Block):
    """A block with what stands before and behind it in every row, so that fewer pieces are joined."""

    def __init__(self, before: bytes, block: _Block, after: bytes) -> None:
        self.made_of, self._before, self._block, self._after = block.made_of, before, block, after

    def made(self, values: Any) -> bytes:
        return self._before + self._block.made(values) + self._after


_Run = list[bytes | tuple[str, int]]
"""What stands between two pieces of a row that differ: cells as XML, or key and style of what a form has in common."""


class _Line(NamedTuple):
    """How a row is put together.

    Attributes:
        pieces: Of one row, the first is how it begins; empty where they are filled in.
        common: Places of what is the same in all rows of a form, the beginning among them.
        cells: Places of what differs by row: a block, or a column of texts by its key.
        gaps: Places of columns of texts with blank cells among them, by key; with the number of their style.
    """

    pieces: list[bytes]
    common: list[tuple[int, _Run]]
    cells: list[tuple[int, _Block | str]]
    gaps: list[tuple[int, str, int]]


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
        self._lang, self._common, layout = lang, frozenset(common), columns(sheet, lang)
        self._plan: list[Column | _Block] = []  # a text column, a common column, or a block of others
        run: list[Column] = []
        for column in layout:
            if column.key not in common and (column.repeats or not column.text):
                run.append(column)
                continue
            self._plan += [*([_Block(run, lang, needs or {}, look)] if run else []), column]
            run = []
        self._plan += [_Block(run, lang, needs or {}, look)] if run else []
        self._wraps = wraps([column for column in layout if column.key not in common])
        self._tall = wraps([column for column in layout if tall and column.key in common])
        self._texts = [c.key for c in self._plan if isinstance(c, Column) and c.key not in common]
        self._lines: dict[tuple[bool | None, ...], _Line] = {}

    def xml(self, values: RowColumns, common: Mapping[str, Cleaned], raw: bytes | None = None) -> bytes:
        """The rows of one form, at least one, as XML.

        Args:
            values: By key, one value a row.
            common: By key, what is the same in all of them.
            raw: The values as JSON, where they are known.
        """
        texts = self._texts_of(values)
        plain = raw is not None and stand(raw, texts.values())
        written: dict[str, Sequence[bytes]] = {
            key: list(map(str.encode, column)) if plain else as_bytes(column, self._lang)
            for key, column in texts.items()
        }
        states = tuple(
            [
                (texts[key] is values[key] if plain else all(written[key])) if key in texts else None
                for key in self._texts
            ]
        )
        line = self._lines.get(states) or self._line(states)
        least = lines_of(self._tall, common) if self._tall else 1
        lines = row_lines(self._wraps, texts, written if plain else None, least)
        return _joined(line, values, written, common, lines or [least] * len(next(iter(values.values()))))

    def _texts_of(self, values: RowColumns) -> dict[str, Sequence[str]]:
        """The texts of each column that has any; empty ones where there are none."""
        texts: dict[str, Sequence[str]] = {}
        for key in self._texts:
            column = values[key]
            if all(column):
                texts[key] = column
            elif any(column):
                texts[key] = [text or "" for text in column]
        return texts

    def _line(self, states: tuple[bool | None, ...]) -> _Line:
        """How a row is put together where texts are so: whether all cells of a column are filled, None if none is."""
        parts, runs = self._parts(dict(zip(self._texts, states, strict=True)))
        fixed = [b"" if _varies(run) else b"".join(run) for run in runs]  # type: ignore[arg-type]
        for place, part in enumerate(parts):
            if isinstance(part, _Block):
                before = fixed[place] if place else b""  # the first run goes with the height
                parts[place] = _Between(before, part, fixed[place + 1])
                fixed[place : place + 2] = [b"" if place else fixed[place], b""]
        line = _Line([fixed[0]], [(0, runs[0])] if _varies(runs[0]) else [], [], [])
        for part, run, cells in zip(parts, runs[1:], fixed[1:], strict=True):
            if isinstance(part, tuple):
                line.gaps.append((len(line.pieces), *part))
            else:
                line.cells.append((len(line.pieces), part))
            line.pieces.append(b"")
            if _varies(run):
                line.common.append((len(line.pieces), run))
            if _varies(run) or cells:
                line.pieces.append(cells)
        self._lines[states] = line
        return line

    def _parts(self, states: Mapping[str, bool | None]) -> tuple[list[_Block | str | tuple[str, int]], list[_Run]]:
        """What differs by row, and what stands before, between and behind."""
        parts: list[_Block | str | tuple[str, int]] = []
        runs: list[_Run] = [[]]
        for part in self._plan:
            if isinstance(part, _Block):
                parts.append(part)
                runs.append([])
                continue
            number = style_numbers()[part.style]
            if part.key in self._common:
                runs[-1].append((part.key, number))
            elif states[part.key] is None:
                runs[-1].append(text_cell(b"", number))
            elif states[part.key]:
                runs[-1].append(_before(number))
                parts.append(part.key)
                runs.append([_AFTER])
            else:
                parts.append((part.key, number))
                runs.append([])
        runs[-1].append(b"</row>")
        return parts, runs


def _varies(run: _Run) -> bool:
    """Whether forms differ in what stands there."""
    return any(isinstance(cell, tuple) for cell in run)


def _joined(
    line: _Line, values: RowColumns, written: Mapping[str, Sequence[bytes]], common: Mapping[str, Cleaned],
    lines: Sequence[int],
) -> bytes:  # fmt: skip
    """The rows of a form by the lines that each of them has."""
    pieces, size = line.pieces.copy(), len(line.pieces)
    for place, run in line.common:
        pieces[place] = b"".join([cell if isinstance(cell, bytes) else _common_cell(common, *cell) for cell in run])
    starts = {count: b'<row ht="%b">%b' % (height(count), pieces[0]) for count in set(lines)}
    pieces *= len(lines)
    pieces[::size] = map(starts.__getitem__, lines)
    for place, cells in line.cells:
        pieces[place::size] = written[cells] if isinstance(cells, str) else cells.of(values)
    for place, key, number in line.gaps:
        blank, before = text_cell(b"", number), _before(number)
        pieces[place::size] = [before + text + _AFTER if text else blank for text in written[key]]
    return b"".join(pieces)


def lines_of(layout: Wraps, texts: Mapping[str, Cleaned]) -> int:
    """Lines of a row by its texts; those of columns that do not wrap do not count."""
    return max([wrap.lines[min(texts[wrap.key].width, wrap.most)] for wrap in layout if wrap.key in texts], default=1)


def _common_cell(common: Mapping[str, Cleaned], key: str, number: int) -> bytes:
    return text_cell(common[key].text if key in common else b"", number)


def text_cell(text: bytes, number: int) -> bytes:
    """A cell of a text in UTF-8 that was cleaned, by the number of its style."""
    return _before(number) + text + _AFTER if text else b'<c s="%d"/>' % number


@cache
def _before(number: int) -> bytes:
    """What stands before the text of a cell, by the number of its style."""
    return b'<c s="%d" t="str"><v>' % number
