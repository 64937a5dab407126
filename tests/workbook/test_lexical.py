"""The fast way through a sheet gives what the thorough way gives, or leaves the sheet to it."""

from __future__ import annotations

import re
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perfeval_xlsx.findings import PerfevalError
from perfeval_xlsx.workbook import lexical
from perfeval_xlsx.workbook import sheet as sheets
from perfeval_xlsx.workbook.cells import Cell, Sheet, a1
from perfeval_xlsx.workbook.layout import PlainRow
from perfeval_xlsx.workbook.row_cells import RowCells
from perfeval_xlsx.workbook.spellings import IrregularError

from .make import STRINGS, STYLES, opened, pack, parts, sheet_xml, strings_xml, styles_xml

PLAIN = [
    "", "<v>1</v>", "<v>0.973</v>", "<v>-1.5E-3</v>", "<v>45291</v>", "<v></v>", "<v/>", "<v> 7 </v>", "<v>nan</v>", "<v>1_0</v>",
    "<f>A1+1</f><v>2</v>", "<f>A1+1</f>", "<f>A1&amp;B1</f><v>2</v>", '<f t="shared" ref="A1:B1" si="0">A1</f><v>1</v>',
    '<f t="array" ref="A1:B2">A1:B2</f><v>1</v>', "<f/><v>3</v>", "<v>1</v><extLst/>", "<!-- 注 --><v>4</v>", "<v>99</v>",
]  # fmt: skip
TEXT = [
    "<is><t>文</t></is>", '<is><t xml:space="preserve"> a </t></is>', "<is><r><t>一</t></r><r><t>二</t></r></is>", "<is><t/></is>",
    "<is><t>a&lt;b</t></is>", "<is><t>_x000D_</t></is>", "<is><t>一\r\n二</t></is>", "", "<is/>",
]  # fmt: skip
CELL = st.tuples(
    st.sampled_from(["", "", "", ' s="1"', ' s="2"', ' s="0"', ' s="70000"', ' cm="1"']),
    st.one_of(
        st.tuples(
            st.sampled_from(["", ' t="n"', ' t="s"', ' t="str"', ' t="b"', ' t="e"', ' t="d"']), st.sampled_from(PLAIN)
        ),
        st.tuples(st.just(' t="inlineStr"'), st.sampled_from(TEXT)),
    ),
    st.sampled_from([1, 1, 1, 1, 2, 5, 0, -1, 300]),
    st.sampled_from(["", "", "", " ", "\n"]),
)
ROW = st.tuples(
    st.sampled_from([1, 1, 1, 1, 2, 7, 3_000, 0]),
    st.sampled_from(
        ["", "", ' spans="1:3"', ' hidden="1"', ' s="1" customFormat="1"', ' s="2"', ' ht="20" customHeight="1"']
    ),
    st.lists(CELL, max_size=5),
    st.sampled_from(["", "", "\n  "]),
)
USUAL_CELL = st.tuples(
    st.sampled_from(["", ' s="1"', ' s="2"']),
    st.one_of(
        st.tuples(
            st.just(""),
            st.sampled_from(["", "<v>1</v>", "<v>0.973</v>", "<v>1.5E-3</v>", "<f>A1</f><v>2</v>", "<f>A1</f>"]),
        ),
        st.tuples(st.just(' t="s"'), st.sampled_from(["<v>0</v>", "<v>1</v>", "<v>2</v>"])),
        st.tuples(st.just(' t="str"'), st.sampled_from(["<f>A1</f><v>文</v>", "<v>文</v>", "<v></v>"])),
        st.tuples(st.just(' t="inlineStr"'), st.sampled_from(["<is><t>_x0041_</t></is>", "<is><t>一\n二</t></is>"])),
    ),
    st.sampled_from([1, 1, 2]),
    st.sampled_from(["", "\n"]),
)
USUAL_ROW = st.tuples(
    st.sampled_from([1, 1, 3]),
    st.sampled_from(["", ' hidden="1"', ' s="1" customFormat="1"']),
    st.lists(USUAL_CELL, max_size=4),
    st.just(""),
)
COLUMNS = "ABCDEFGH"


def spelled(rows: list[Any]) -> str:
    """The rows as XML: numbers step by the given amounts, columns too."""
    text, number = "", 0
    for step, attributes, cells, gap in rows:
        number += step
        inside, column = "", 0
        for style, (kind, content), move, space in cells:
            column += move
            name = COLUMNS[column - 1] if 0 < column <= len(COLUMNS) else "KN"
            address = f' r="{name}{number}"'
            inside += space + (f"<c{address}{style}{kind}>{content}</c>" if content else f"<c{address}{style}{kind}/>")
        text += (
            f'{gap}<row r="{number}"{attributes}>{inside}</row>' if inside else f'{gap}<row r="{number}"{attributes}/>'
        )
    return text


def read(data: bytes) -> Any:
    """Everything a sheet and its layout say, or the code of the refusal."""
    book = opened(data)
    try:
        sheet, layout = book.sheet(0), book.layout(0)
    except PerfevalError as error:
        return error.finding.code
    assert layout is not None
    calculated = any(cell.formula is not None or cell.type == "e" for cell in sheet.cells.values())
    assert sheet.calculated or not calculated
    known = {place: style for place, style in layout.blanks.items() if style}
    return (
        list(sheet.cells.items()), sheet.merges, sheet.hidden_rows, sheet.hidden_columns, known, layout.arrays, layout.opaque,
        layout.formulas, layout.ordered, layout.last, layout.data, layout.data_end, list(layout.rows), sheet.calculations(),
        lines_of(sheet),
    )  # fmt: skip


def lines_of(sheet: Sheet) -> list[tuple[int, list[tuple[int, str]]]]:
    """A sheet's texts by row and column, as its reader laid them out or as they are laid out from its cells."""
    lines: dict[int, dict[int, str]] = {}
    for (row, column), cell in sorted(sheet.cells.items()):
        if cell.text.strip():
            lines.setdefault(row, {})[column] = cell.text.strip()
    return [(row, list(line.items())) for row, line in (lines if sheet.lines is None else sheet.lines).items()]


def never(*_: object) -> None:
    raise IrregularError


def both(data: bytes) -> tuple[Any, Any]:
    """What the two ways say."""
    fast = read(data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sheets, "read_data", never)
        return fast, read(data)


def workbook(sheet: str | bytes) -> bytes:
    strings, styles = strings_xml("<t>一</t>", "<r><t>二</t></r>", "<t/>"), styles_xml("General", "0.00%", "yyyy/m/d")
    return pack(parts(sheet) | {STRINGS: strings, STYLES: styles})


@settings(max_examples=250, deadline=None)
@given(
    st.one_of(st.lists(USUAL_ROW, max_size=6), st.lists(ROW, max_size=4)),
    st.sampled_from(["", '<mergeCells><mergeCell ref="A1:B2"/></mergeCells>']),
)
def test_both_ways_say_the_same(rows: list[Any], after: str) -> None:
    fast, thorough = both(workbook(sheet_xml(spelled(rows), after=after)))
    assert fast == thorough


WHOLE = sheet_xml(
    '<row r="1" spans="1:2"><c r="A1" s="1"><v>0.5</v></c><c r="B1" t="s"><v>0</v></c></row>'
    '<row r="2"><c r="A2" t="inlineStr"><is><t>文</t></is></c><c r="B2"><f>A1</f><v>1</v></c></row>'
).encode()
ODD = [
    b"&", b"<", b">", b'"', b"\xff", b"\0", b" ", b"&#65;", b"\r", b"<v>7</v>", b"<f>1</f>", b' r="A1"', b' s="9"', b' t="b"', b"<c/>",
    b'<row r="3"/>', b' spans="1:2"', b' 1a="x"', b' x:y="1"', b' a:b:c="1"', b"5", b"-", b"nan", b"\xc3", b"</row>", b"<sheetData>", b"</sheetData>", b"<!--", b"-->", b"<![CDATA[", b"]]>",
]  # fmt: skip


@settings(max_examples=250, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(WHOLE)), st.sampled_from(ODD), st.integers(0, 3)), min_size=1, max_size=2))
def test_damage_is_the_same_to_both_ways(changes: list[tuple[int, bytes, int]]) -> None:
    part = WHOLE
    for place, inserted, removed in changes:
        part = part[:place] + inserted + part[place + removed :]
    fast, thorough = both(workbook(part))
    assert fast == thorough


def test_plain_spelling_goes_the_fast_way(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[bool] = []
    fast = sheets.read_data

    def watched(*arguments: Any) -> None:
        fast(*arguments)
        taken.append(True)

    monkeypatch.setattr(sheets, "read_data", watched)
    assert not isinstance(read(workbook(WHOLE)), str)
    assert taken == [True]


VALUES = ["1", "0", "2", "0.973", "-1.5E-3", "45291", "99", "", " 7 ", "nan", "1_0", "-1", "00", "文", "1</v><v>2"]
TEMPLATE_CELL = st.tuples(
    st.sampled_from(["", ' s="1"', ' s="2"']), st.sampled_from(["", "", ' t="s"', ' t="str"', ' t="n"', None])
)
TEMPLATE = st.lists(st.lists(TEMPLATE_CELL, max_size=4), min_size=1, max_size=4)


def filled(template: list[Any], values: list[str]) -> str:
    """A template's rows with values in their cells, in turn."""
    text, turn = "", 0
    for number, cells in enumerate(template, 1):
        inside = ""
        for column, (style, kind) in zip(COLUMNS, cells, strict=False):
            inside += f'<c r="{column}{number}"{style}{kind or ""}' + (
                "/>" if kind is None else f"><v>{values[turn % len(values)]}</v></c>"
            )
            turn += kind is not None
        text += f'<row r="{number}" spans="1:4">{inside}</row>'
    return text


@settings(max_examples=150, deadline=None)
@given(TEMPLATE, st.lists(st.lists(st.sampled_from(VALUES), min_size=1, max_size=6), min_size=4, max_size=4))
def test_rows_of_a_template_met_before_say_the_same(template: list[Any], values: list[list[str]]) -> None:
    usual = sheet_xml(filled(template, ["1", "0"]))
    for sheet in (usual, usual, usual, *(sheet_xml(filled(template, own)) for own in values)):
        fast, thorough = both(workbook(sheet))
        assert fast == thorough


STRANGE = [
    "", '<row r="{row}"/>', '<row r="{row}"/><row r="{next}"><c r="A{next}"><v>1</v></c></row>', '<row r="{row}" hidden="1"/>\n',
    '<row r="{row}"><c r="A{row}" t="inlineStr"><is><t>v></t></is></c></row>', '<row r="{row}" ht="{row}"><c r="B{row}" t="s"><v>1</v></c></row>',
    '<row r="{row}"><c r="A{row}" t="inlineStr"><is><t>av>b</t></is></c><c r="B{row}"><v>3</v></c></row>',
    '<row r="{row}"><c r="A{row}" t="str"><v></v></c></row>', '<row r="{row}"><c r="A{row}"><f>B1</f><v>1</v></c></row>',
    '<row r="{row}"><c r="A{row}"><v>1</v><v>2</v></c></row>', '<row r="3000"><c r="A3000"><v>1</v></c></row>', '<row r="1"><c r="A1"/></row>',
    '<row r="{row}"><c r="A{row}" t="s"><v>3</v></c></row>', '<row r="{row}"><c r="A{row}" s="2"/><c r="KN{row}"><v>1</v></c></row>',
    '<row r="{row}" x:y="1"><c r="A{row}"><v>1</v></c></row>', '<row r="{row}"></row>', '<row r="{row}"><c r="A{row}"></v></c></row>',
    '<row r="{row}" outlineLevel="1"><c r="A{row}"><v>1</v></c></row>', '<row r="{row}" hidden="1" vv="1"><c r="A{row}"/></row>',
    '<row r="{row}" r:y="1"><c r="A{row}"><v>1</v></c></row>', '<row r="{row}"><c r="A{row}" t="e"><v>#N/A</v></c></row>',
]  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(
    TEMPLATE, st.lists(st.tuples(st.integers(0, 4), st.sampled_from(STRANGE)), min_size=1, max_size=3), st.booleans()
)
def test_strange_rows_among_those_of_a_template_say_the_same(
    template: list[Any], strange: list[tuple[int, str]], twice: bool
) -> None:
    """Rows are numbered by tens, so that others may stand between them."""
    rows = [by_tens(f"{row}</row>") for row in filled(template, ["1", "0"]).split("</row>")[:-1]]
    for _ in range(3):
        read(workbook(sheet_xml("".join(rows))))
    for place, row in strange:
        at = min(place, len(rows))
        rows.insert(at, row.format(row=10 * at + 1 + len(rows) % 8, next=10 * at + 9))
    for _ in range(1 + twice):
        fast, thorough = both(workbook(sheet_xml("".join(rows))))
        assert fast == thorough


def by_tens(row: str) -> str:
    """A row of a template ten times as far down."""
    return re.sub(r'( r="[A-Z]?)([0-9]+)"', r'\g<1>\g<2>0"', row)


OUTLINED = [
    '<row r="{row}" outlineLevel="1" spans="1:3"><c r="A{row}" t="s"><v>{value}</v></c><c r="C{row}"><v>{value}</v></c></row>',
    '<row r="{row}" spans="1:3"><c r="A{row}"/><c r="B{row}" s="1"><v>{value}</v></c></row>',
    '<row r="{row}" x="v>"/><row r="{next}" spans="1:3"><c r="B{next}"><v>{value}</v></c></row>',
]  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 12)), min_size=1, max_size=12))
def test_rows_that_spell_the_letter_of_values_elsewhere_say_the_same(rows: list[tuple[int, int]]) -> None:
    """Whichever rows begin a sheet: cut in another place, a row with the letter moves all values behind it."""
    text = "".join(
        OUTLINED[kind].format(row=2 * at, next=2 * at + 1, value=value % 2) for at, (kind, value) in enumerate(rows, 1)
    )
    for _ in range(4):
        fast, thorough = both(workbook(sheet_xml(text)))
        assert fast == thorough


@settings(max_examples=100, deadline=None)
@given(TEMPLATE, st.sampled_from(["", "-", "97354"]), st.booleans(), st.randoms())
def test_cells_stand_where_their_rows_tell(template: list[Any], longer: str, strange: bool, mixed: Random) -> None:
    rows = filled(template, ["1", "0"])
    for _ in range(3):
        read(workbook(sheet_xml(rows)))
    rows = re.sub(r'(<c r="\w+"(?: s="\d")?><v>)', rf"\g<1>{longer}", rows)
    rows += '<row r="7"/><row r="9"><c r="B9" t="inlineStr"><is><t>v</t></is></c></row>' * strange
    layout = opened(workbook(sheet_xml(rows))).layout(0)
    assert layout is not None
    places = [(row, column) for row in range(11) for column in range(1, 9)]
    mixed.shuffle(places)
    found = {place: layout.places.find(*place) for place in places}
    for (row, column), place in found.items():
        line = layout.rows.get(row)
        assert place == (line.places(layout.part).get(column, -1) if isinstance(line, PlainRow) else -1)
    thorough = {match[1]: match.start() for match in re.finditer(rb'<c r="(\w+)"', layout.part)}
    assert {a1(*place).encode(): at for place, at in found.items() if at >= 0} == thorough


def test_single_cells_are_those_of_the_whole() -> None:
    template = [[(' s="1"', ""), ("", ' t="s"'), (' s="2"', None), ("", ' t="s"')] for _ in range(4)]
    data = workbook(sheet_xml(filled(template, ["0.5", "1", "2"])))
    for _ in range(4):
        read(data)
    asked, whole = opened(data).sheet(0).cells, opened(data).sheet(0).cells
    assert isinstance(asked, RowCells)
    places = [(row, column) for row in range(6) for column in range(6)]
    alone = {place: asked[place] for place in places if place in asked}
    assert alone == dict(whole) == whole
    assert len(alone) == 8  # an empty string is no cell
    assert asked.get((1, 3)) is None is asked.get((9, 9))
    with pytest.raises(KeyError):
        asked[2, 3]
    asked[2, 3] = asked[1, 1]
    del asked[1, 1]
    assert bool(asked)
    assert (2, 3) in asked
    assert (1, 1) not in asked
    assert len(asked) == len(alone)


def test_rows_of_many_cells_are_read_cell_by_cell_every_time(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"{first}{second}" for first in "ABCDEFGH" for second in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"]
    cells = "".join(f'<c r="{name}1" s="1"><v>0.5</v></c>' for name in names)
    for _ in range(4):
        fast, thorough = both(workbook(sheet_xml(f'<row r="1">{cells}</row>')))
        assert fast == thorough
    monkeypatch.setattr(lexical._Rows, "by_cell", never)
    book = opened(workbook(sheet_xml(f'<row r="1">{cells}</row>')))
    monkeypatch.setattr(sheets, "_read_thoroughly", never)
    with pytest.raises(IrregularError):
        book.sheet(0)


def test_a_changed_formula_is_told_by_the_cells_alone() -> None:
    rows = '<row r="1"><c r="A1"><v>2</v></c><c r="B1"><f>A1</f><v>0</v></c></row>'
    sheet = opened(workbook(sheet_xml(rows))).sheet(0)
    assert sheet.lines == {1: {1: "2", 2: "0"}}
    assert sheet.calculations() == [((1, 2), Cell("0", 0.0, "A1", 0, "n"))]
    sheet.change({})
    assert sheet.lines is not None
    sheet.change({(1, 2): Cell("2", 2.0, "A1", 0, "n", False)})
    assert sheet.lines is None
    assert [cell.text for cell in sheet.cells.values()] == ["2", "2"]
    assert sheet.calculations()[0][1].text == "2"


def test_a_sheet_of_nothing_but_white_space_has_cells() -> None:
    strings = strings_xml('<t xml:space="preserve"> </t>', "<t/>")
    for index, there in ((0, True), (1, False)):
        rows = "".join(f'<row r="{row}"><c r="A{row}" t="s"><v>{index}</v></c></row>' for row in range(1, 4))
        data = pack(parts(sheet_xml(rows)) | {STRINGS: strings})
        for _ in range(4):
            sheet = opened(data).sheet(0)
            assert bool(sheet.cells) is there
            assert sheet.lines == {}


def test_rows_of_a_template_are_read_by_their_shapes(monkeypatch: pytest.MonkeyPatch) -> None:
    template = [[(' s="1"', ""), ("", ' t="s"'), (' s="2"', None)] for _ in range(10)]
    taken: list[int] = []
    by_cell = lexical._Rows.by_cell

    def watched(self: Any, *arguments: Any) -> Any:
        taken[-1] += 1
        return by_cell(self, *arguments)

    monkeypatch.setattr(lexical._Rows, "by_cell", watched)
    for number in range(5):
        taken.append(0)
        cells = read(workbook(sheet_xml(filled(template, [f"0.{number}5", "1"]))))[0]
        assert [cell.text for _, cell in cells[:2]] == [f"{number}5.00%" if number else "5.00%", "二"]
    assert taken == [10, 10, 8, 0, 0]  # two met, met again, learned, known


def test_a_sheet_whose_rows_are_like_no_others_is_not_cut_for_long() -> None:
    first = '<row r="1"><c r="A1"><v>1</v></c></row>'
    for number in range(3):
        rows = "".join(f'<row r="{row}" ht="{row}.{number}"><c r="A{row}"><v>1</v></c></row>' for row in range(2, 60))
        fast, thorough = both(workbook(sheet_xml(first + rows)))
        assert fast == thorough
