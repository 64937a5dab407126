"""One pass over a sheet: what a person sees in each cell, and what the file says behind it."""

from __future__ import annotations

from pathlib import Path

import pytest

from perfeval_xlsx.findings import PerfevalError
from perfeval_xlsx.workbook import Cell, Merge, save_copy

from .make import (
    BOOK,
    HEAD,
    MAIN,
    SHEET,
    STRICT,
    STRICT_RELATIONS,
    STRINGS,
    STYLES,
    members_of,
    opened,
    pack,
    parts,
    read,
    refusal_of,
    sheet_xml,
    strings_xml,
    styles_xml,
    texts,
)


def test_one_pass_gives_values_formats_formulas_merges_and_what_is_hidden() -> None:
    rows = (
        '<row r="1"><c r="A1" s="1"><v>0.973</v></c><c r="B1" t="s"><v>0</v></c><c r="C1" t="b"><v>1</v></c>'
        '<c r="D1" t="e"><v>#DIV/0!</v></c><c r="E1" s="2"><v>45291</v></c></row>'
        '<row r="3" hidden="1"><c r="A3"><f>SUM(A1:A2)</f><v>0.973</v></c><c r="B3" t="str"><f>B1</f><v>文</v></c>'
        '<c r="C3"><f>A1</f></c><c r="D3" s="1"/></row>'
    )
    before = '<cols><col min="3" max="4" hidden="1"/><col min="6" max="6"/></cols>'
    after = '<sheetProtection sheet="1"/><mergeCells><mergeCell ref="A1:A2"/><mergeCell ref="$B$3:C4"/></mergeCells>'
    members = parts(sheet_xml(rows, before=before, after=after))
    members |= {STRINGS: strings_xml("<t>文</t>"), STYLES: styles_xml("General", "0.00%", 'yyyy"年"m"月"d"日"')}
    book = opened(pack(members))
    sheet = book.sheet(0)
    assert sheet.cells == {
        (1, 1): Cell("97.30%", 0.973, None, 1, "n"),
        (1, 2): Cell("文"),
        (1, 3): Cell("TRUE", type="b"),
        (1, 4): Cell("#DIV/0!", type="e"),
        (1, 5): Cell("2023年12月31日", 45291, None, 2, "d"),
        (3, 1): Cell("0.973", 0.973, "SUM(A1:A2)", 0, "n"),
        (3, 2): Cell("文", None, "B1"),
        (3, 3): Cell("", None, "A1", cached=False),
    }
    assert sheet.merges == [Merge(1, 1, 2, 1), Merge(3, 2, 4, 3)]
    assert (sheet.hidden_rows, sheet.hidden_columns, sheet.protected) == ({3}, {3, 4}, True)
    assert (book.style_at(0, 3, 4), book.number_format(1), book.number_format(99)) == (1, "0.00%", "General")
    assert book.has_formulas(0)


def test_rich_text_is_joined_and_phonetic_guides_are_left_out() -> None:
    rich = '<r><rPr><b/></rPr><t>年度</t></r><r><t xml:space="preserve"> 目标</t></r><rPh sb="0" eb="2"><t>ねんど</t></rPh>'
    rows = f'<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="inlineStr"><is>{rich}</is></c></row>'
    assert texts(read(rows, strings=strings_xml(rich))) == {(1, 1): "年度 目标", (1, 2): "年度 目标"}


def test_escapes_and_line_ends_are_decoded() -> None:
    strings = strings_xml("<t>第一行_x000D_\n第二行</t>", "<t>_x005F_x000D_</t>", "<t>a&amp;b&#10;c</t>", "<t/>")
    rows = "".join(f'<row r="{i}"><c r="A{i}" t="s"><v>{i - 1}</v></c></row>' for i in range(1, 5))
    assert texts(read(rows, strings=strings)) == {(1, 1): "第一行\n第二行", (2, 1): "_x000D_", (3, 1): "a&b\nc"}


def test_a_shared_string_that_does_not_exist_is_damage_not_an_empty_cell() -> None:
    data = pack(parts(sheet_xml('<row r="1"><c r="A1" t="s"><v>5</v></c></row>')) | {STRINGS: strings_xml("<t>一</t>")})
    finding = refusal_of(data)
    assert finding is not None
    assert (finding.code, finding.found) == ("B19", SHEET)


def test_rows_and_cells_without_addresses_follow_one_another() -> None:
    rows = '<row><c><v>1</v></c><c/><c><v>3</v></c></row><row r="4"><c r="C4"><v>4</v></c><c><v>5</v></c></row><row><c><v>6</v></c></row>'
    assert texts(read(rows)) == {(1, 1): "1", (1, 3): "3", (4, 3): "4", (4, 4): "5", (5, 1): "6"}


PREFIXED = (
    f'{HEAD}<x:worksheet xmlns:x="{MAIN}" xmlns:o="urn:other"><x:sheetData><x:row r="2"><o:c r="A2"><o:v>9</o:v></o:c>'
    '<x:c r="B2" t="inlineStr"><x:is><x:t>文</x:t></x:is></x:c></x:row></x:sheetData>'
    '<x:mergeCells><x:mergeCell ref="B2:C2"/></x:mergeCells></x:worksheet>'
)


def test_prefixed_namespaces_are_read_and_patched_with_their_prefix(tmp_path: Path) -> None:
    members = parts(PREFIXED)
    book = members[BOOK]
    assert isinstance(book, str)
    for tag in ("workbook", "sheets", "sheet"):
        book = (
            book.replace(f"<{tag} ", f"<x:{tag} ").replace(f"<{tag}>", f"<x:{tag}>").replace(f"</{tag}>", f"</x:{tag}>")
        )
    members[BOOK] = book.replace(f'xmlns="{MAIN}"', f'xmlns:x="{MAIN}"')
    workbook = opened(pack(members))
    assert (texts(workbook.sheet(0)), workbook.sheet(0).merges) == ({(2, 2): "文"}, [Merge(2, 2, 2, 3)])
    assert save_copy(workbook, {0: {(1, 1): 1, (2, 2): "新", (2, 5): 2.5, (9, 1): "末"}}, tmp_path / "a.xlsx") == []
    copy = (tmp_path / "a.xlsx").read_bytes()
    assert texts(opened(copy).sheet(0)) == {(1, 1): "1", (2, 2): "新", (2, 5): "2.5", (9, 1): "末"}
    part = members_of(copy)[SHEET].decode()
    assert '<x:row r="1"><x:c r="A1"><x:v>1</x:v></x:c></x:row><x:row r="2">' in part
    assert '<o:c r="A2"><o:v>9</o:v></o:c>' in part


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "gb18030", "utf-8-sig"])
def test_parts_in_other_encodings_are_read_and_patched(encoding: str, tmp_path: Path) -> None:
    rows = '<row r="1"><c r="A1" t="inlineStr"><is><t>优良中差𠮷</t></is></c></row>'
    declared = {"utf-8-sig": "UTF-8", "gb18030": "GB18030"}.get(encoding, "UTF-16")
    text = sheet_xml(rows).replace('encoding="UTF-8"', f'encoding="{declared}"')
    book = opened(pack(parts(text.encode(encoding))))
    assert texts(book.sheet(0)) == {(1, 1): "优良中差𠮷"}
    assert save_copy(book, {0: {(2, 1): "新𠮷"}}, tmp_path / "a.xlsx") == []
    copy = opened((tmp_path / "a.xlsx").read_bytes())
    assert texts(copy.sheet(0)) == {(1, 1): "优良中差𠮷", (2, 1): "新𠮷"}


@pytest.mark.parametrize("encoding", ["punycode", "unicode_escape", "rot13", "klingon"])
def test_an_unknown_encoding_is_damage(encoding: str) -> None:
    text = sheet_xml("").replace('encoding="UTF-8"', f'encoding="{encoding}"')
    finding = refusal_of(pack(parts(text.encode("ascii"))))
    assert finding is not None
    assert (finding.code, finding.found) == ("B19", SHEET)


def test_strict_workbooks_are_read_and_patched(tmp_path: Path) -> None:
    sheet = sheet_xml('<row r="1"><c r="A1" t="d" s="1"><v>2023-12-31</v></c></row>', namespace=STRICT)
    members = parts(sheet, relations=STRICT_RELATIONS, namespace=STRICT)
    members[STYLES] = styles_xml("General", "yyyy/m/d").replace(MAIN, STRICT)
    book = opened(pack(members))
    assert book.sheet(0).cells == {(1, 1): Cell("2023/12/31", 45291, None, 1, "d")}
    assert save_copy(book, {0: {(1, 2): 3}}, tmp_path / "a.xlsx") == []
    assert texts(opened((tmp_path / "a.xlsx").read_bytes()).sheet(0)) == {(1, 1): "2023/12/31", (1, 2): "3"}


@pytest.mark.parametrize(
    ("flag", "first", "last"), [("", "1900/1/1", "2023/12/31"), ('date1904="1"', "1904/1/2", "2028/1/1")]
)
def test_both_date_systems(flag: str, first: str, last: str) -> None:
    rows = '<row r="1"><c r="A1" s="0"><v>1</v></c><c r="B1" s="0"><v>45291</v></c></row>'
    book = opened(pack(parts(sheet_xml(rows), workbook=f"<workbookPr {flag}/>") | {STYLES: styles_xml("yyyy/m/d")}))
    assert texts(book.sheet(0)) == {(1, 1): first, (1, 2): last}
    assert book.date1904 == bool(flag)


def test_sheets_come_in_order_with_their_states_and_protection_of_the_structure() -> None:
    members = parts(
        *[sheet_xml(f'<row r="1"><c r="A1"><v>{i}</v></c></row>') for i in range(3)],
        workbook="<workbookProtection lockStructure='1'/>",
    )
    book = members[BOOK]
    assert isinstance(book, str)
    members[BOOK] = book.replace('name="表2"', 'name="表2" state="hidden"').replace(
        'name="表3"', 'name="a&amp;b" state="veryHidden"'
    )
    opened_book = opened(pack(members))
    assert opened_book.sheet_names == ["表1", "表2", "a&b"]
    assert opened_book.sheet_states == ["visible", "hidden", "veryHidden"]
    assert [texts(sheet) for sheet in opened_book.sheets()] == [{(1, 1): str(i)} for i in range(3)]
    assert opened_book.protected_structure


def test_the_sheet_is_found_through_relations_never_by_name() -> None:
    members = parts(
        sheet_xml('<row r="1"><c r="A1"><v>1</v></c></row>'), sheet_xml('<row r="1"><c r="A1"><v>2</v></c></row>')
    )
    rels = "xl/_rels/workbook.xml.rels"
    links = members[rels]
    assert isinstance(links, str)
    swapped = (
        links.replace("sheet1.xml", "sheetX.xml")
        .replace("sheet2.xml", "sheet1.xml")
        .replace("sheetX.xml", "sheet2.xml")
    )
    assert [texts(s) for s in opened(pack(members | {rels: swapped})).sheets()] == [{(1, 1): "2"}, {(1, 1): "1"}]
    absolute = links.replace('Target="worksheets/sheet1.xml"', 'Target="/xl/Worksheets/Sheet1.XML"')
    assert [texts(s) for s in opened(pack(members | {rels: absolute})).sheets()] == [{(1, 1): "1"}, {(1, 1): "2"}]


def test_a_listed_sheet_without_a_part_is_refused_by_its_name() -> None:
    members = parts(sheet_xml())
    del members[SHEET]
    finding = refusal_of(pack(members))
    assert finding is not None
    assert (finding.code, finding.found) == ("B24", "表1")


def test_a_chart_sheet_is_a_sheet_without_cells() -> None:
    members = parts(sheet_xml('<row r="1"><c r="A1"><v>1</v></c></row>'), f'<chartsheet xmlns="{MAIN}"/>')
    rels = "xl/_rels/workbook.xml.rels"
    links = members[rels]
    assert isinstance(links, str)
    head, _, tail = links.rpartition("/worksheet")
    book = opened(pack(members | {rels: f"{head}/chartsheet{tail}"}))
    assert book.sheet_names == ["表1", "表2"]
    assert [sheet.name for sheet in book.sheets()] == ["表1"]
    assert book.sheet(1).cells == {}
    with pytest.raises(IndexError):
        book.sheet(2)


def test_numbers_that_are_none_show_as_they_stand() -> None:
    rows = '<row r="1"><c r="A1"><v> 12.5 </v></c><c r="B1"><v>1_0</v></c><c r="C1"><v>nan</v></c><c r="D1"><v>1e400</v></c></row>'
    sheet = read(rows)
    assert [(cell.text, cell.value) for cell in sheet.cells.values()] == [
        ("12.5", 12.5),
        ("1_0", None),
        ("nan", None),
        ("1e400", None),
    ]


def test_comments_sections_and_foreign_elements_around_cells_do_not_matter() -> None:
    rows = '<!-- 注 --><row r="1"><?pi x?><c r="A1" t="str"><v><![CDATA[<b>&]]></v></c><extLst><ext><v>7</v></ext></extLst></row>'
    assert texts(read(rows)) == {(1, 1): "<b>&"}


@pytest.mark.parametrize(
    "row", ['<row r="0"/>', '<row r="1048577"/>', '<row r="2"><c r="A3"/></row>', '<row r="1"><c r="1A"/></row>']
)
def test_addresses_that_mean_nothing_are_damage(row: str) -> None:
    with pytest.raises(PerfevalError) as refused:
        read(row)
    assert refused.value.finding.code == "B19"
