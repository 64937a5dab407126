"""Give cells other formats and columns other widths, in place: what is not named stays byte for byte as it is.

New formats are copies of formats the file has, with another fill or alignment, put behind the last one, so that no
index in the file changes its meaning.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from perfeval_xlsx.workbook.book import Workbook
from perfeval_xlsx.workbook.cells import Sheet, a1
from perfeval_xlsx.workbook.layout import Context, Layout, PlainRow, Row
from perfeval_xlsx.workbook.patch import ATTRIBUTE, TAG, Splice, spliced
from perfeval_xlsx.workbook.save import Finish
from perfeval_xlsx.workbook.sheet import read_sheet
from perfeval_xlsx.workbook.xml import local, new_parser, run, utf8

MOST_FORMATS = 65_000
_ALIGNMENT = re.compile(rb"<((?:[^\s<>/:]+:)?alignment)\b[^>]*?(?:/>|>.*?</\1\s*>)", re.DOTALL)


class Look(NamedTuple):
    """A cell format made from one the file has.

    Attributes:
        base: Index of the format to copy.
        fill: Colour of the ground as ``RRGGBB``, None to keep it.
        wrapped: Break lines, from the top left; else the alignment stays.
        general: Show numbers as they are, whatever the copied format rounds to.
    """

    base: int
    fill: str | None = None
    wrapped: bool = False
    general: bool = False


Looks = Mapping[tuple[int, int], Look]
Widths = Mapping[int, float]


def dressing(book: Workbook, looks: Mapping[int, Looks], widths: Mapping[int, Widths]) -> Finish:
    """Return what gives a copy of ``book`` formats and widths, for :func:`~perfeval_xlsx.workbook.save_copy`.

    Where the file has no formats to build on, its cells keep theirs.

    Args:
        book: The workbook.
        looks: By position of the sheet, the look of cells by row and column (1-based).
        widths: By position of the sheet, widths in characters by column.
    """

    def finish(replaced: dict[str, bytes], _made: object) -> None:
        styles = _new_styles(book, looks, replaced)
        context = Context(book.shared_strings(), (), book.date1904, book.package.limits)
        for index in sorted({*looks, *widths}):
            layout, name = book.layout(index), book.sheet_part(index)
            if layout is None or name is None:
                continue
            part = replaced.get(name, layout.part)
            if styles:
                wanted = {place: styles[look] for place, look in looks.get(index, {}).items()}
                part = restyle(part, name, context, wanted)
            replaced[name] = widen(part, name, layout, widths.get(index, {}))

    return finish


def _new_styles(book: Workbook, looks: Mapping[int, Looks], replaced: dict[str, bytes]) -> dict[Look, int]:
    """Append the looks to the styles part; empty where that cannot be."""
    name = book.styles_part()
    wanted = list(dict.fromkeys(look for sheet in looks.values() for look in sheet.values()))
    if name is None or not wanted:
        return {}
    grown = add_formats(utf8(book.package.read(name), name), name, wanted)
    if grown is None:
        return {}
    replaced[name], numbers = grown
    return dict(zip(wanted, numbers, strict=True))


class _Element(NamedTuple):
    """An element of a part: where its start tag begins, where it ends, where its children are."""

    start: int
    end: int
    children: list[tuple[int, int]]


def _element(part: bytes, name: str, tag: str) -> _Element | None:
    """Find the first element ``tag`` below the root, with its children; None where there is none."""
    parser = new_parser()
    level, inside, began = 0, False, 0
    place: list[int] = []
    children: list[tuple[int, int]] = []

    def start(found: str, _attributes: dict[str, str]) -> None:
        nonlocal level, inside, began
        level += 1
        if level == 2 and not place and local(found) == tag:
            place.append(parser.CurrentByteIndex)
            inside = True
        elif level == 3 and inside:
            began = parser.CurrentByteIndex

    def end(_found: str) -> None:
        nonlocal level, inside
        level -= 1
        if inside and level == 2:
            children.append((began, _end(part, began, parser.CurrentByteIndex)))
        elif inside and level == 1:
            place.append(_end(part, place[0], parser.CurrentByteIndex))
            inside = False

    parser.StartElementHandler, parser.EndElementHandler = start, end
    run(parser, part, name)
    return _Element(place[0], place[1], children) if place else None


def _end(part: bytes, start: int, closed: int) -> int:
    """Where an element ends; ``closed`` is where expat saw its end: the end tag, or behind an empty element."""
    tag = TAG.match(part, start)
    return tag.end() if tag is not None and tag[3] else part.index(b">", closed) + 1


def add_formats(part: bytes, name: str, looks: Sequence[Look]) -> tuple[bytes, list[int]] | None:
    """Append cell formats to a styles part.

    Args:
        part: The part in UTF-8.
        name: Its name, for messages.
        looks: The formats wanted.

    Returns:
        The new part and the index of each look; None where the file has no formats to copy or has as many as it may.

    Raises:
        PerfevalError: The part is not well-formed.
    """
    fills, formats = _element(part, name, "fills"), _element(part, name, "cellXfs")
    if fills is None or formats is None or not fills.children or not formats.children:
        return None
    if len(formats.children) + len(looks) > MOST_FORMATS:
        return None
    colours = list(dict.fromkeys(look.fill for look in looks if look.fill is not None))
    prefix = _prefix(part, fills.start)
    new_fills = [_solid(prefix, colour) for colour in colours]
    number = {colour: len(fills.children) + i for i, colour in enumerate(colours)}
    bases = [part[slice(*formats.children[look.base if look.base < len(formats.children) else 0])] for look in looks]
    new_formats = [
        _copied(base, look, number[look.fill] if look.fill is not None else None)
        for base, look in zip(bases, looks, strict=True)
    ]
    splices = [*_grown(part, fills, new_fills), *_grown(part, formats, new_formats)]
    return spliced(part, splices), [len(formats.children) + i for i in range(len(looks))]


def _prefix(part: bytes, position: int) -> bytes:
    tag = TAG.match(part, position)
    if tag is None:
        raise AssertionError(f"no tag at byte {position}")
    prefix, colon, _ = tag[1].rpartition(b":")
    return prefix + colon


def _solid(prefix: bytes, colour: str) -> bytes:
    parts = (b'patternFill patternType="solid"', b'fgColor rgb="FF%b"/' % colour.encode(), b'bgColor indexed="64"/')
    inner = b"".join(b"<%b%b>" % (prefix, piece) for piece in parts)
    return b"<%bfill>%b</%bpatternFill></%bfill>" % (prefix, inner, prefix, prefix)


def _copied(base: bytes, look: Look, fill: int | None) -> bytes:
    """A copy of an ``xf`` element with what the look changes."""
    tag = TAG.match(base)
    if tag is None:
        raise AssertionError("no xf")
    changed: dict[bytes, bytes] = {}
    if fill is not None:
        changed |= {b"fillId": b"%d" % fill, b"applyFill": b"1"}
    if look.general:
        changed |= {b"numFmtId": b"0", b"applyNumberFormat": b"1"}
    if look.wrapped:
        changed |= {b"applyAlignment": b"1"}
    attributes = _attributes(tag[2], changed)
    closing = b"</%b>" % tag[1]
    inner = b"" if tag[3] else base[tag.end() : base.rindex(b"</")]
    if look.wrapped:
        prefix = _prefix(base, 0)
        inner = _ALIGNMENT.sub(b"", inner)
        inner = b'<%balignment horizontal="left" vertical="top" wrapText="1"/>%b' % (prefix, inner)
    return b"<%b%b>%b%b" % (tag[1], attributes, inner, closing) if inner else b"<%b%b/>" % (tag[1], attributes)


def _attributes(text: bytes, changed: Mapping[bytes, bytes]) -> bytes:
    """Attributes as they stand, some with another value, new ones behind."""
    kept = b"".join(found[0] for found in ATTRIBUTE.finditer(text) if found[1] not in changed)
    return kept + b"".join(b' %b="%b"' % item for item in changed.items())


def _grown(part: bytes, element: _Element, children: Sequence[bytes]) -> Iterator[Splice]:
    """The splices that put children behind those an element has and count them."""
    if not children:
        return
    tag = TAG.match(part, element.start)
    if tag is None:
        raise AssertionError(f"no tag at byte {element.start}")
    count = b"%d" % (len(element.children) + len(children))
    yield tag.start(), tag.end(), b"<%b%b>" % (tag[1], _attributes(tag[2], {b"count": count}))
    last = element.children[-1][1]
    yield last, last, b"".join(children)


def restyle(part: bytes, name: str, context: Context, styles: Mapping[tuple[int, int], int]) -> bytes:
    """Set the format of cells in a sheet part; blank cells are made where their row exists, others are left out.

    Args:
        part: The part in UTF-8.
        name: Its name, for messages.
        context: Shared strings and limits of its workbook.
        styles: Index of the format by row and column, 1-based.

    Raises:
        PerfevalError: The part is not well-formed.
    """
    layout = read_sheet(part, name, Sheet(""), context)
    by_row: dict[int, dict[int, int]] = {}
    for (row, column), style in styles.items():
        by_row.setdefault(row, {})[column] = style
    splices: list[Splice] = []
    for number, wanted in by_row.items():
        place = layout.rows.get(number)
        if place is not None and place.ordered:
            splices += _in_row(part, number, place, wanted)
    return spliced(part, splices)


def _in_row(part: bytes, number: int, row: Row | PlainRow, wanted: Mapping[int, int]) -> Iterator[Splice]:
    """The splices that give cells of one row their formats."""
    there = row.places(part)
    columns = list(there)
    opening = TAG.match(part, row.start)
    fresh: dict[int, list[bytes]] = {}
    for column, style in sorted(wanted.items()):
        if column in there:
            tag = TAG.match(part, there[column])
            if tag is not None:
                # Right behind the address, as nearly all writers spell it, so that the copy is verified quickly.
                address, *others = (found[0] for found in ATTRIBUTE.finditer(tag[2]) if found[1] != b"s")
                attributes = b"".join([address, b' s="%d"' % style, *others])
                yield tag.start(), tag.end(), b"<%b%b%b>" % (tag[1], attributes, tag[3])
        elif opening is not None and not opening[3]:
            following = bisect_right(columns, column)
            place = there[columns[following]] if following < len(columns) else row.end
            cell = b'<%bc r="%b" s="%d"/>' % (_prefix(part, row.start), a1(number, column).encode(), style)
            fresh.setdefault(place, []).append(cell)
    for place, cells in fresh.items():
        yield place, place, b"".join(cells)


def widen(part: bytes, name: str, layout: Layout, widths: Widths) -> bytes:
    """Set the widths of columns in a sheet part, visible ones; where one entry covers several it is divided.

    Args:
        part: The part in UTF-8.
        name: Its name, for messages.
        layout: Where everything stands in it.
        widths: Width in characters by column, 1-based.

    Raises:
        PerfevalError: The part is not well-formed.
    """
    if not widths or layout.data < 0:
        return part
    known = _element(part, name, "cols")
    if known is None:
        prefix = _prefix(part, layout.data)
        made = b"".join(_column(prefix, number, width) for number, width in sorted(widths.items()))
        return spliced(part, [(layout.data, layout.data, b"<%bcols>%b</%bcols>" % (prefix, made, prefix))])
    prefix, left = _prefix(part, known.start), dict(widths)
    splices: list[Splice] = []
    last = known.children[-1][1] if known.children else None
    for start, end in known.children:
        first, final = _range(part, start)
        before = sorted(number for number in left if number < first)
        inside = sorted(number for number in left if first <= number <= final)
        if before:
            splices.append((start, start, b"".join(_column(prefix, n, left.pop(n)) for n in before)))
        if inside:
            splices.append((start, end, b"".join(_divided(part[start:end], first, final, inside, left))))
    if left and last is not None:
        splices.append((last, last, b"".join(_column(prefix, n, width) for n, width in sorted(left.items()))))
    return spliced(part, splices)


def _column(prefix: bytes, number: int, width: float, style: bytes = b"") -> bytes:
    return b'<%bcol min="%d" max="%d" width="%b"%b customWidth="1"/>' % (
        prefix, number, number, f"{width:g}".encode(), style,
    )  # fmt: skip


def _range(part: bytes, position: int) -> tuple[int, int]:
    tag = TAG.match(part, position)
    values = {found[1]: found[2] for found in ATTRIBUTE.finditer(tag[2])} if tag else {}
    first, last = (int(values.get(key, b'"0"')[1:-1]) for key in (b"min", b"max"))
    return first, last


def _divided(column: bytes, first: int, last: int, inside: Sequence[int], left: dict[int, float]) -> Iterator[bytes]:
    """One ``col`` entry around the columns that get a width of their own."""
    tag = TAG.match(column)
    if tag is None:
        raise AssertionError("no col")
    prefix = _prefix(column, 0)
    style = b"".join(found[0] for found in ATTRIBUTE.finditer(tag[2]) if found[1] == b"style")
    for number in inside:
        if first < number:
            yield b"<%b%b/>" % (tag[1], _attributes(tag[2], {b"min": b"%d" % first, b"max": b"%d" % (number - 1)}))
        yield _column(prefix, number, left.pop(number), style)
        first = number + 1
    if first <= last:
        yield b"<%b%b/>" % (tag[1], _attributes(tag[2], {b"min": b"%d" % first, b"max": b"%d" % last}))
