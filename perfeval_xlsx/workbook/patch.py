"""Set cells in a sheet part in place: bytes of all other cells stay as they are."""

from __future__ import annotations

import math
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from operator import itemgetter

from perfeval_xlsx.workbook import refusals as why
from perfeval_xlsx.workbook.cells import Merge, Sheet, a1
from perfeval_xlsx.workbook.layout import Layout, PlainRow, Row
from perfeval_xlsx.workbook.lexical import PLAIN_CELL
from perfeval_xlsx.workbook.refusals import Refusal, refusal
from perfeval_xlsx.workbook.strings import clean, escape

Value = str | float | int | Decimal
Edits = Mapping[tuple[int, int], Value]
Splice = tuple[int, int, bytes]

_ATTRIBUTES = rb"(?:\s+[^\s=>]+\s*=\s*(?:\"[^\"]*\"|'[^']*'))*"
TAG = re.compile(rb"<([^\s/>!?]+)(" + _ATTRIBUTES + rb")\s*(/?)>")
ATTRIBUTE = re.compile(rb"\s+([^\s=>]+)\s*=\s*(\"[^\"]*\"|'[^']*')")
_MARKUP = re.compile(
    rb"<!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?.*?\?>|</(?P<end>[^\s>]+)\s*>|<(?P<start>[^\s/>!?]+)"
    + _ATTRIBUTES
    + rb"\s*(?P<empty>/?)>",
    re.DOTALL,
)
BARE_CELL = re.compile(
    rb'<c r="[A-Z]++[0-9]++"((?: s="[0-9]++")?+)(?: t="[a-zA-Z]++")?+(?:/>|>(?:<v>[^<]*+</v>)?+</c>)'
)
"""A plainly spelled cell without a formula or a text of its own: its style."""
FIGURE, FIGURE_END, TEXT, TEXT_END = b"><v>", b"</v></c>", b' t="inlineStr">', b"</c>"
"""What stands around a figure and around a text in a plainly spelled cell, from behind its style on."""
_LONGEST_TEXT = 32_767
_LARGEST = 1e307
_SHORT = 64
"""Up to so many characters the spelling of a text is remembered: grades and rates are few."""
_ORDER = itemgetter(0, 1)


def patch(layout: Layout, sheet: Sheet, edits: Edits, columns: int) -> tuple[bytes, Edits, list[Refusal]]:
    """Set cells in a sheet part.

    Args:
        layout: Where everything stands in the part.
        sheet: The sheet as it was read.
        edits: New value by row and column, 1-based; an empty string blanks a cell.
        columns: Last column that may be written.

    Returns:
        The new part, the edits that were made, and those that were refused.
    """
    ordered = dict(sorted(edits.items()))
    covered = _covered(sheet, ordered)
    splices, rest = _usual(layout, ordered, covered, columns)
    refused: list[Refusal] = []
    for (row, column), value in rest.items():
        code = _objection(layout, row, column, value, covered, columns)
        if code is not None:
            refused.append(refusal(sheet.index, row, column, code))
    for one in refused:
        del ordered[one.row, one.column], rest[one.row, one.column]
    return spliced(layout.part, [*splices, *_splices(layout, rest)] if rest else splices), ordered, refused


def _usual(
    layout: Layout, edits: Edits, covered: Mapping[int, list[Merge]], columns: int
) -> tuple[list[Splice], dict[tuple[int, int], Value]]:
    """Return the splices of plainly spelled cells that get what nothing can be said against, and all other edits."""
    if layout.arrays or layout.opaque or layout.data < 0:
        return [], dict(edits)
    splices: list[Splice] = []
    rest: dict[tuple[int, int], Value] = {}
    for place, value in edits.items():
        content = _usual_content(value) if place[0] not in covered and 0 < place[1] <= columns else None
        spot = bare_cell(layout, place) if content is not None else None
        if content is None or spot is None:
            rest[place] = value
        else:
            splices.append((*spot, content))
    return splices, rest


def bare_cell(layout: Layout, place: tuple[int, int]) -> tuple[int, int] | None:
    """Return where address and style of a cell as ``BARE_CELL`` in a plainly spelled row end, and where it does."""
    known = layout.bare
    if place not in known:
        start = layout.places.find(*place)
        found = BARE_CELL.match(layout.part, start) if start >= 0 else None
        known[place] = None if found is None else (found.end(1), found.end())
    return known[place]


def _usual_content(value: Value) -> bytes | None:
    """Return a plain cell's bytes behind its style: of a figure, or of a short text without anything odd; else None."""
    if type(value) is float:
        return _float_content(value) if -_LARGEST < value < _LARGEST else None
    if type(value) is str and 0 < len(value) <= _SHORT and value.isprintable():
        return b"%b%b%b" % (TEXT, inline_text(value), TEXT_END)
    return None


@lru_cache(maxsize=4_096)
def _float_content(value: float) -> bytes:
    """The same of a float; scores are few and the same again and again."""
    return b"%b%b%b" % (FIGURE, number_text(value).encode(), FIGURE_END)


def _covered(sheet: Sheet, edits: Edits) -> dict[int, list[Merge]]:
    """Return the merged ranges that may hold some cells, which are in order, by row."""
    covered: dict[int, list[Merge]] = {}
    rows = list(dict.fromkeys([row for row, _ in edits]))
    columns = [column for _, column in edits]
    if not rows:
        return covered
    top, bottom, left, right = rows[0], rows[-1], min(columns), max(columns)
    near = [m for m in sheet.merges if m[2] >= top and m[0] <= bottom and m[1] <= right and m[3] >= left]
    for merge in near:
        for row in rows[bisect_left(rows, merge[0]) : bisect_right(rows, merge[2])]:
            covered.setdefault(row, []).append(merge)
    return covered


def _objection(
    layout: Layout,
    row: int,
    column: int,
    value: Value,
    covered: Mapping[int, list[Merge]],
    columns: int,
) -> str | None:
    """Return the code of the reason why a cell must not be set, or None."""
    if not _writable(value):
        return why.BAD_VALUE
    if not (0 < row <= layout.last and 0 < column <= columns) or layout.data < 0:
        return why.OUT_OF_RANGE
    for merge in covered.get(row, ()):
        if _inside(merge, row, column) and merge[:2] != (row, column):
            return why.IN_MERGE
    if layout.arrays and any(_inside(m, row, column) for m in layout.arrays):
        return why.IN_ARRAY
    if (row, column) in layout.opaque:
        return why.METADATA
    place = layout.rows.get(row)
    return None if (place.ordered if place else layout.ordered) else why.DISORDER


def _inside(merge: Merge, row: int, column: int) -> bool:
    return merge[0] <= row <= merge[2] and merge[1] <= column <= merge[3]


def _writable(value: Value) -> bool:
    if isinstance(value, str):
        return 2 * len(value) <= _LONGEST_TEXT or len(clean(value).encode("utf-16-le")) // 2 <= _LONGEST_TEXT
    return math.isfinite(value) and abs(float(value)) < _LARGEST


def _splices(layout: Layout, edits: Edits) -> Iterator[Splice]:
    """Yield (start, end, replacement), in the order of rows and columns."""
    part, rows = layout.part, layout.rows
    new: dict[int, dict[int, Value]] = {}
    for (number, column), value in edits.items():
        row = rows.get(number)
        place = None if row is None else row.place(part, number, column)
        if place is not None:
            yield _replaced(part, place, value)
        elif value != "":
            new.setdefault(number, {})[column] = value
    for number in [number for number in new if number in rows]:
        yield from _new_cells(layout, number, rows[number], new.pop(number))
    if new:
        yield from _new_rows(layout, new)


def spliced(part: bytes, splices: Iterable[Splice]) -> bytes:
    """Return a part with places replaced.

    Args:
        part: The part.
        splices: First and last byte of each place and what stands there instead; none reach into each other.
    """
    pieces: list[bytes] = []
    position = 0
    # A new cell goes before the one that stands at its place, also where that one is replaced.
    for start, end, replacement in sorted(splices, key=_ORDER):
        pieces += [part[position:start], replacement]
        position = end
    return b"".join([*pieces, part[position:]])


def _new_cells(layout: Layout, number: int, row: Row | PlainRow, new: Mapping[int, Value]) -> Iterator[Splice]:
    """Yield the splices of cells that do not exist yet in a row that does."""
    tag = _tag(layout.part, row.start)
    prefix = _prefix(tag[1])
    there = row.places(layout.part)
    columns = list(there)
    places: dict[int, list[bytes]] = {}
    for column, value in new.items():
        following = bisect_right(columns, column)
        place = there[columns[following]] if following < len(columns) else row.end
        places.setdefault(place, []).append(_new_cell(prefix, number, column, row.style, value))
    if tag[3]:
        yield _opened(tag, b"".join(b"".join(cells) for cells in places.values()))
        return
    for place, fresh in places.items():
        yield place, place, b"".join(fresh)


def _new_rows(layout: Layout, rows: Mapping[int, Mapping[int, Value]]) -> Iterator[Splice]:
    """Yield the splices of rows that do not exist yet."""
    tag = _tag(layout.part, layout.data)
    prefix = _prefix(tag[1])
    numbers = list(layout.rows)
    places: dict[int, list[bytes]] = {}
    for number, cells in rows.items():
        fresh = [_new_cell(prefix, number, column, 0, value) for column, value in cells.items()]
        following = bisect_right(numbers, number)
        place = layout.rows[numbers[following]].start if following < len(numbers) else layout.data_end
        row = b'<%brow r="%d">%b</%brow>' % (prefix, number, b"".join(fresh), prefix)
        places.setdefault(place, []).append(row)
    if tag[3]:
        yield _opened(tag, b"".join(b"".join(fresh) for fresh in places.values()))
        return
    for place, fresh in places.items():
        yield place, place, b"".join(fresh)


def _tag(part: bytes, position: int) -> re.Match[bytes]:
    """Return the start tag at a position; the parser found one there, so there is one."""
    tag = TAG.match(part, position)
    if tag is None:
        raise AssertionError(f"no tag at byte {position}")
    return tag


def _prefix(name: bytes) -> bytes:
    """Return a tag's namespace prefix with its colon, or nothing."""
    prefix, colon, _ = name.rpartition(b":")
    return prefix + colon


def _opened(tag: re.Match[bytes], content: bytes) -> Splice:
    """Return the splice that opens a self-closing element around new content."""
    return tag.start(), tag.end(), b"<%b%b>%b</%b>" % (tag[1], tag[2], content, tag[1])


def _new_cell(prefix: bytes, row: int, column: int, style: int, value: Value) -> bytes:
    kind, content = _content(prefix, value, formula=False)
    styled = b' s="%d"' % style if style else b""
    return b'<%bc r="%b"%b%b>%b</%bc>' % (prefix, a1(row, column).encode(), styled, kind, content, prefix)


def _replaced(part: bytes, start: int, value: Value) -> Splice:
    """Return the splice for an existing cell: its formula, style and extensions stay, type and value change."""
    plain = PLAIN_CELL.match(part, start)
    if plain is not None and plain[5] is None:
        head = part[start : part.index(b'"', plain.end(1 if plain[2] is None else 2)) + 1]
        if not isinstance(value, str):
            return start, plain.end(), b"%b><v>%b</v></c>" % (head, number_text(value).encode())
        kind, content = _content(b"", value, formula=False)
        return start, plain.end(), b"%b%b>%b</c>" % (head, kind, content) if content else head + b"/>"
    tag = _tag(part, start)
    end, children = (tag.end(), []) if tag[3] else _children(part, tag)
    kept = {name: part[first:last] for name, first, last in children if name not in {b"v", b"is"}}
    # Byte for byte, the master of a shared formula too: the cells that share it live by its text, reach and index, none
    # of which changes with the result that is saved beside it.
    formula = kept.pop(b"f", b"")
    kind, content = _content(_prefix(tag[1]), value, formula=bool(formula))
    attributes = b"".join(found[0] for found in ATTRIBUTE.finditer(tag[2]) if found[1] != b"t")
    inner = formula + content + b"".join(kept.values())
    if not inner:
        return start, end, b"<%b%b/>" % (tag[1], attributes)
    return start, end, b"<%b%b%b>%b</%b>" % (tag[1], attributes, kind, inner, tag[1])


def _children(part: bytes, tag: re.Match[bytes]) -> tuple[int, list[tuple[bytes, int, int]]]:
    """Return the end of an element and its children: local name, start, end."""
    children: list[tuple[bytes, int, int]] = []
    depth, name, first = 0, b"", 0
    for token in _MARKUP.finditer(part, tag.end()):
        if token["start"] is not None:
            if depth == 0:
                name, first = token["start"].rpartition(b":")[2], token.start()
            depth += not token["empty"]
        elif token["end"] is None:
            continue
        elif depth == 0:
            return token.end(), children
        else:
            depth -= 1
        if depth == 0:
            children.append((name, first, token.end()))
    raise AssertionError(f"no end of the element at byte {tag.start()}")


def _content(prefix: bytes, value: Value, *, formula: bool) -> tuple[bytes, bytes]:
    """Return the type attribute and the value's element."""
    if not isinstance(value, str):
        return b"", b"<%bv>%b</%bv>" % (prefix, number_text(value).encode(), prefix)
    if formula:
        return b' t="str"', b"<%bv>%b</%bv>" % (prefix, escape(value).encode(), prefix)
    if not escape(value):
        return b"", b""
    return b' t="inlineStr"', inline_text(value, prefix)


def inline_text(value: str, prefix: bytes = b"") -> bytes:
    """Return the element that holds a text within its cell."""
    return (_inline_text if len(value) <= _SHORT else _inline_text.__wrapped__)(value, prefix)


@lru_cache(maxsize=1_024)
def _inline_text(value: str, prefix: bytes) -> bytes:
    space = b' xml:space="preserve"' if value != value.strip() or "\n" in value or "  " in value else b""
    return b"<%bis><%bt%b>%b</%bt></%bis>" % (prefix, prefix, space, escape(value).encode(), prefix, prefix)


def number_text(value: float | int | Decimal) -> str:
    """Return a number as a file holds it: ``10``, not ``10.0``."""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, Decimal):
        return format(value, "f") if -30 < value.adjusted() < 30 else repr(float(value))
    return str(int(value))
