"""Rows and links of the auditor's tables as XML, many at once: XlsxWriter takes ten times as long for each."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from html import escape
from itertools import chain, repeat

from perfeval_xlsx.findings import Lang
from perfeval_xlsx.output.cell_texts import clean
from perfeval_xlsx.output.parts import Pieces, Spool, pack
from perfeval_xlsx.output.sheets import Column
from perfeval_xlsx.workbook.cells import a1

_LINE, _TALLEST = 14.0, 409.0
_FIGURE = re.compile(r"-?\d{1,15}(\.\d+)?", re.ASCII)
_OPENING, _CLOSING = 't="inlineStr"><is><t xml:space="preserve">', "</t></is></c>"
_BLANK = f" {_OPENING}{_CLOSING}"
_MOST_CELLS, _MOST_TEXTS = 1 << 12, 1 << 10
_INTERNAL, _EXTERNAL = "internal:", "external:"
_DRIVE = re.compile(r"[A-Za-z]:|\\\\")
_ESCAPED = str.maketrans({mark: f"%{ord(mark):02x}" for mark in '%" <>[]^`{}'} | {"%": "%25", "/": "\\"})
_RELATIONS = (
    b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
)
_RELATION = (
    '<Relationship Id="rId{number}" Target="{target}" TargetMode="External"'
    ' Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/hyperlink"/>'
)

Value = str | int | float | None
Row = Mapping[str, Value]
Marks = Mapping[str, str]


def rows_xml(
    columns: Sequence[Column], rows: Sequence[Row], marks: Sequence[Marks], numbers: Mapping[str, int], lang: Lang
) -> str:
    """Make the XML of some rows.

    Args:
        columns: Of the table.
        rows: Values by column key; one in a column that holds no texts becomes a number where it is one.
        marks: For each row, styles by column key, instead of the columns' own.
        numbers: Number of every style in the workbook.
        lang: Language of the words that say a text was cut.
    """
    by_column = [[row.get(column.key) for row in rows] for column in columns]
    tall = heights(columns, by_column, len(rows))
    pieces: list[Iterable[str]] = [repeat('<row ht="'), tall, repeat('" customHeight="1">')]
    marked = set(chain.from_iterable(marks))
    for column, values in zip(columns, by_column, strict=True):
        key, style = column.key, column.style
        if key in marked:
            styles = [numbers[mark.get(key, style)] for mark in marks]
            pieces.append([_cell(v, s, column.text, lang) for v, s in zip(values, styles, strict=True)])
        elif column.text:
            texts = clean([v if isinstance(v, str) else "" if v is None else str(v) for v in values], lang)
            pieces += [repeat(f'<c s="{numbers[style]}" {_OPENING}'), texts, repeat(_CLOSING)]
        else:
            pieces.append([_cell(value, numbers[style], column.text, lang) for value in values])
    return "".join(chain.from_iterable(zip(*pieces, repeat("</row>"), strict=False))).replace(_BLANK, "/>")


def row_xml(texts: Sequence[str], style: int, height: float, lang: Lang) -> str:
    """Make the XML of one row of texts in one style; ``height`` is in points."""
    cells = "".join(f'<c s="{style}" {_OPENING}{text}{_CLOSING}' for text in clean(texts, lang))
    return f'<row ht="{_in_pixels(height)}" customHeight="1">{cells}</row>'.replace(_BLANK, "/>")


@lru_cache(maxsize=_MOST_CELLS)
def _cell(value: Value, style: int, text: bool, lang: Lang) -> str:
    """One cell; blank for None and for an empty text."""
    if value is None or value == "":
        return f'<c s="{style}"/>'
    figure = value if isinstance(value, (int, float)) else None if text else figure_of(value)
    if figure is not None:
        return f'<c s="{style}"><v>{figure:.16G}</v></c>'
    return f'<c s="{style}" {_OPENING}{clean([str(value)], lang)[0]}{_CLOSING}'


def figure_of(text: str | None) -> float | None:
    """The number a result's figure stands for (``"98.62"``), None where it is text."""
    return float(text) if text and _FIGURE.fullmatch(text) else None


def heights(columns: Sequence[Column], values: Sequence[Sequence[Value]], rows: int) -> list[str]:
    """The height in points that each row's wrapped texts need: not every program fits rows when it opens a file.

    Args:
        columns: Of the table.
        values: Of each column, those of all rows.
        rows: How many rows.
    """
    lines = [1] * rows
    for column, texts in zip(columns, values, strict=True):
        width = column.width
        # most texts are short, and a number always is: only the others are measured
        long = {t for t in set(texts) if isinstance(t, str) and (2 * len(t) >= width or "\n" in t)}
        if long:
            counts = {text: line_count(text, width) for text in long}
            lines = [max(count, counts.get(text, 1)) for count, text in zip(lines, texts, strict=True)]  # type: ignore[arg-type]
    return [height_of(count) for count in lines]


@cache
def height_of(lines: int) -> str:
    """The height of a row of so many lines."""
    return _in_pixels(min(_TALLEST, lines * _LINE + 3))


def _in_pixels(points: float) -> str:
    """Points in whole pixels, three quarters of a point each."""
    return f"{int(points * 4 / 3 + 0.5) * 0.75:g}"


@lru_cache(maxsize=_MOST_TEXTS)
def line_count(text: str, width: float) -> int:
    """How many lines a text takes in a column ``width`` characters wide; a Chinese character is two wide."""
    return sum(max(1, math.ceil(wide(line) / (width - 1))) for line in text.split("\n"))


def wide(line: str) -> int:
    """How many characters wide a line is; a Chinese character is two wide."""
    return 2 * len(line) - len(line.encode("latin-1", "ignore"))


class Hyperlinks:
    """The links of one sheet: places in the sheet part, targets in its relationships.

    Attributes:
        count: Links so far.
    """

    def __init__(self) -> None:
        self.count = self._outside = 0
        self._places, self._relations = Spool(b"<hyperlinks>"), Spool(_RELATIONS)

    def add(self, links: Sequence[tuple[int, int, str, str]]) -> None:
        """Add links, given as row and column (1-based), target as of ``link_to``, and what the cell shows."""
        places, relations = [], []
        for row, column, target, text in links:
            if target.startswith(_INTERNAL):
                where = f'location="{_attribute(target[len(_INTERNAL) :])}" display="{_attribute(text)}"'
            else:
                file, _, location = target.removeprefix(_EXTERNAL).partition("#")
                self._outside += 1
                relations.append(_RELATION.format(number=self._outside, target=_file(file)))
                where = f'r:id="rId{self._outside}" location="{_attribute(location)}"'
            letters = a1(1, column)[:-1]  # remembered by column: whole addresses would fill its cache
            places.append(f'<hyperlink ref="{letters}{row}" {where}/>')
        self.count += len(places)
        self._places.add(pack("".join(places).encode()))
        self._relations.add(pack("".join(relations).encode()))

    def places(self) -> Pieces:
        """The ``hyperlinks`` element of the sheet part; nothing when there is no link."""
        return [self._places, b"</hyperlinks>"] if self.count else []

    def relationships(self) -> Pieces:
        """The sheet's relationships part; nothing when no link leads out of the workbook."""
        return [self._relations, b"</Relationships>"] if self._outside else []

    def close(self) -> None:
        """Remove the temporary files."""
        self._places.close()
        self._relations.close()


def _attribute(text: str) -> str:
    return escape(text).replace("\n", "&#xA;")


@lru_cache(maxsize=256)
def _file(path: str) -> str:
    """A file as the target of a relationship, spelled as Excel does; absolute where a drive or a share is named."""
    target = path.translate(_ESCAPED)
    return escape(f"file:///{target}" if _DRIVE.match(target) else target)
