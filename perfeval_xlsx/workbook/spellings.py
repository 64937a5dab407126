"""What is spelled behind a cell's address (style, type and value), remembered by its spelling."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from perfeval_xlsx.workbook.cells import Cell
from perfeval_xlsx.workbook.display import Format, compiled
from perfeval_xlsx.workbook.row_shapes import FIGURE, Numbers, Shapes, number
from perfeval_xlsx.workbook.strings import unescape

_TEXT = rb"[^<>&\x00-\x08\x0b-\x1f\x7f]*+"
_INLINE = rb'<is><t(?: xml:space="preserve")?>' + _TEXT + rb"</t></is>"
_HELD = re.compile(
    rb'(?: s="([0-9]{1,5})")?(?: t="(n|s|str|inlineStr)")?(?:/>|>(?:<v>(' + _TEXT + rb")</v>)?"
    rb"(<f>" + _TEXT + rb"</f>(?:<v>" + _TEXT + rb"</v>|" + _INLINE + rb")?|" + _INLINE + rb")?</c>)[ \t\r\n]*+"
)
"""A cell behind its address: style, type, plain value, and anything else it holds; white space may follow."""
USUAL = re.compile(rb'(?: s="([0-9]{1,5})")?( t="s")?(?:/>|><v>(-?[0-9]+(?:\.[0-9]+)?)</v></c>)')
"""The same of a blank cell, a number or a shared string: style, whether it is a shared string, value."""
PLAIN_RESULT = re.compile(rb"(?:<f>([^<]*)</f>)?(?:<v>([^<]*)</v>|<is><t[^<>]*>([^<]*)</t></is>)?")
_COMMON = frozenset({b"s", b"", b"n"})
_GENERAL = compiled("General")
KEPT, LONGEST = 16_384, 160
"""How many spellings are remembered, for each table of formats, and how long the longest is, in bytes."""


class IrregularError(Exception):
    """The part is spelled in another way: read it the thorough way."""


@lru_cache(maxsize=8)
def table_of(formats: tuple[Format, ...], date1904: bool) -> Spelled:
    """What is known of cells under a table of formats."""
    return Spelled(formats, date1904)


class Spelled(dict[bytes, Any]):
    """What a cell holds, by all that is spelled behind its address: 0 for nothing.

    A cell, or a shared string's index with the cell's style, and its format if that shapes text.
    """

    __slots__ = ("date1904", "formats", "shapes")

    def __init__(self, formats: tuple[Format, ...], date1904: bool) -> None:
        self.formats, self.date1904, self.shapes = formats, date1904, Shapes()

    def form(self, style: int) -> Format:
        """Return the format of a style."""
        return self.formats[style] if style < len(self.formats) else _GENERAL

    def numbers(self, style: int) -> Numbers:
        """Return where a shape's numbers of a style are looked up."""
        return self.shapes.numbers(self.form(style), self.date1904)

    def __missing__(self, held: bytes) -> Any:
        found = USUAL.fullmatch(held)
        if found is None:
            made = self.read(held)
        else:
            raw_style, shared, raw = found.groups()
            style = int(raw_style or 0)
            form = self.form(style)
            made = 0 if raw is None else self.shared(raw, style, form) if shared else self.number(raw, style, form)
        if len(held) <= LONGEST and len(self) < KEPT:
            self[held] = made
        return made

    def read(self, held: bytes) -> Any:
        """Return what a cell holds, by the expression that matches all plain spellings."""
        found = _HELD.fullmatch(held)
        if found is None:
            raise IrregularError
        raw_style, kind, raw, rest = found.groups(b"")
        style = int(raw_style or 0)
        form = self.form(style)
        if not raw and not rest:
            return 0
        if rest or kind not in _COMMON:
            return self.rare(kind, raw, rest, style, form) or 0
        if kind == b"s":
            return self.shared(raw, style, form)
        if not FIGURE.fullmatch(raw):
            raise IrregularError
        return self.number(raw, style, form)

    def shared(self, raw: bytes, style: int, form: Format) -> tuple[int, int, Format | None]:
        """Return what is known of a shared string's cell without its strings."""
        if not raw.isdigit():
            raise IrregularError
        return int(raw), style, form if form.shapes_text else None

    def text(self, known: tuple[int, int, Format | None], strings: Sequence[str]) -> Cell | None:
        """Return a shared string's cell of what is known of it, None where the string is empty."""
        index, style, form = known
        text = strings[index]
        return Cell(form.text(text) if form else text, None, None, style, "s", True) if text else None

    def number(self, raw: bytes, style: int, form: Format) -> Cell:
        """Return a number's cell."""
        value = number(raw)
        return Cell(form.number(value, self.date1904), value, None, style, "d" if form.date else "n")

    def rare(self, kind: bytes, raw: bytes, rest: bytes, style: int, form: Format) -> Cell | None:
        """Return the cell of a formula, of an inline string or of a text result."""
        found = PLAIN_RESULT.fullmatch(rest)
        if found is None or (raw and rest):
            raise IrregularError
        formula, inner, inline = found.groups()
        value = raw or inner
        try:
            source = None if formula is None else formula.decode()
            text = unescape((inline if inline is not None else value or b"").decode())
        except UnicodeDecodeError as error:
            raise IrregularError from error
        if kind == b"inlineStr":
            if inline is None or formula is not None:
                raise IrregularError
        elif inline is not None:
            raise IrregularError
        elif formula is not None and not value:
            return Cell("", None, source, style, "s", kind == b"str" and value is not None)
        elif kind == b"str":
            pass
        elif kind in {b"", b"n"} and value and FIGURE.fullmatch(value):
            return self.number(value, style, form)._replace(formula=source)
        else:
            raise IrregularError
        if not text and formula is None:
            return None
        return Cell(form.text(text) if form.shapes_text else text, None, source, style, "s", True)
