from __future__ import annotations

import re
import shutil
import subprocess
import zipfile
from hashlib import sha256
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlwt
from factory import a_finding
from hypothesis import given, settings
from hypothesis import strategies as st

from perfeval_xlsx.data import load
from perfeval_xlsx.form.frames import to_frames
from perfeval_xlsx.form.model import Form
from perfeval_xlsx.form.read import find_forms
from perfeval_xlsx.output.annotate import annotate_all
from perfeval_xlsx.output.fill import Filling
from perfeval_xlsx.output.results import form_results
from perfeval_xlsx.scoring.result import FormResult
from perfeval_xlsx.scoring.rulebook_file import choose_rulebook
from perfeval_xlsx.scoring.score import score
from perfeval_xlsx.workbook import open_any, open_workbook, row_column
from perfeval_xlsx.workbook.layout import Layout, PlainRow
from perfeval_xlsx.workbook.restyle import Look, add_formats, widen

SAMPLES = Path(__file__).parent.parent / "sample_workbooks"
ROADS = SAMPLES / "市交通运输局_农村公路养护项目支出绩效自评表.xlsx"
MUSEUM = SAMPLES / "市文化馆_两个项目支出绩效自评表.xlsx"
WITH_FORMS = [path for path in sorted(SAMPLES.rglob("*.xlsx")) if "清单" not in path.name]
OPINION = load("desk.toml")["annotate"]["opinion"]["zh"]
FILLS = load("desk.toml")["annotate"]["fill"]
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def annotated(
    source: Path, target: Path, findings: Any = (), changes: Any = None
) -> tuple[list[Form], list[FormResult]]:
    book = open_workbook(source)
    forms = find_forms(book)
    rulebooks = {form.id: choose_rulebook(form.kind, form.province, form.year, ()) for form in forms}
    results = form_results(forms, score(to_frames(forms), rulebooks))
    results[0]["findings"].extend(findings)
    for result in results:
        result.update(changes or {})
    assert annotate_all([Filling(book, forms, results, target)]) == [None]
    return forms, results


def cells(path: Path) -> dict[str, dict[str, Any]]:
    book = openpyxl.load_workbook(path)
    return {sheet.title: {c.coordinate: c for row in sheet.iter_rows() for c in row} for sheet in book}


def look(cell: Any) -> list[str]:
    facts = (cell.font, cell.border, cell.number_format, cell.alignment, cell.protection, cell.fill)
    return [repr(fact) for fact in facts]


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as package:
        return {name: package.read(name) for name in package.namelist()}


@pytest.mark.parametrize("source", WITH_FORMS, ids=lambda path: path.stem)
def test_nothing_but_the_new_columns_and_the_marks_changes(source: Path, tmp_path: Path) -> None:
    digest = sha256(source.read_bytes()).digest()
    target = tmp_path / "copy.xlsx"
    forms, _ = annotated(source, target, [a_finding("S01", "C5"), a_finding("S08", "B4")])
    before, after = members(source), members(target)
    assert sha256(source.read_bytes()).digest() == digest
    assert list(before) == list(after)
    changed = {name for name in before if before[name] != after[name]}
    assert all(re.fullmatch(r"xl/(worksheets/sheet\d+|styles|workbook)\.xml", name) for name in changed)
    old, new = cells(source), cells(target)
    columns = {form.sheet: first_new_column(old[form.sheet], new[form.sheet]) for form in forms}
    for sheet, known in old.items():
        for address, cell in known.items():
            assert new[sheet][address].value == cell.value
            if repr(new[sheet][address].fill) == repr(cell.fill):
                assert look(new[sheet][address]) == look(cell)
            else:
                assert look(new[sheet][address])[:-1] == look(cell)[:-1]
                assert new[sheet][address].fill.fgColor.rgb in {f"FF{fill}" for fill in FILLS.values()}
        fresh = {a: c for a, c in new[sheet].items() if a not in known and c.value is not None}
        assert {row_column(address)[1] for address in fresh} <= {columns.get(sheet), columns.get(sheet, 0) + 1}


def first_new_column(old: dict[str, Any], new: dict[str, Any]) -> int:
    return min(
        row_column(a)[1] for a, c in new.items() if c.value is not None and (a not in old or old[a].value is None)
    )


@pytest.mark.parametrize("source", WITH_FORMS, ids=lambda path: path.stem)
def test_styles_are_appended_and_nothing_before_them_moves(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "copy.xlsx"
    annotated(source, target)
    before, after = (members(path)["xl/styles.xml"].decode() for path in (source, target))
    for tag in ("numFmts", "fonts", "borders", "cellStyleXfs", "cellStyles", "dxfs"):
        assert re.findall(rf"<{tag}\b.*?</{tag}>", before, re.S) == re.findall(rf"<{tag}\b.*?</{tag}>", after, re.S)
    for tag, child in (("fills", "fill"), ("cellXfs", "xf")):
        old, new = (re.search(rf'<{tag} count="(\d+)">(.*?)</{tag}>', text, re.S) for text in (before, after))
        assert old is not None
        assert new is not None
        assert new[2].startswith(old[2])
        assert int(new[1]) == len(re.findall(rf"<{child}[ >]", new[2]))


def test_scores_and_opinions_stand_beside_their_rows(tmp_path: Path) -> None:
    target = tmp_path / "copy.xlsx"
    annotated(ROADS, target, [a_finding("S01", "H17", message="得分有误")])
    sheet = cells(target)["项目自评表"] if "项目自评表" in cells(target) else next(iter(cells(target).values()))
    headings = {address for address, cell in sheet.items() if cell.value == "复核得分"}
    assert len(headings) == 2
    column = headings.pop()[0]
    opinion = chr(ord(column) + 1)
    assert sheet[f"{column}13"].value == 9
    assert sheet[f"{opinion}13"].value == "自评10分，规则9分"
    assert sheet[f"{opinion}14"].value is None
    assert sheet[f"{opinion}16"].value == "S12 待判定：允许0～9.9分，暂按5分"
    assert sheet[f"{opinion}17"].value == "自评10分，规则8分\nS01 缺目标值或实际完成值"
    assert sheet["H17"].fill.fgColor.rgb == f"FF{FILLS['warning']}"
    assert sheet[f"{column}16"].fill.fgColor.rgb == f"FF{FILLS['open']}"
    assert sheet[f"{opinion}16"].alignment.wrapText
    total = next(cell for cell in sheet.values() if isinstance(cell.value, str) and cell.value.startswith("规则总分"))
    assert total.value == "规则总分79.71，等级中（范围73.21～86.1）"
    assert sheet[f"{column}{total.row}"].value == 79.71


def test_two_forms_on_a_sheet_share_the_columns(tmp_path: Path) -> None:
    target = tmp_path / "copy.xlsx"
    forms, _ = annotated(MUSEUM, target)
    sheet = cells(target)[forms[0].sheet]
    columns = {cell.column for cell in sheet.values() if cell.value == "复核得分"}
    assert len(columns) == 1
    assert sum(cell.value == "复核得分" for cell in sheet.values()) == 4


def test_a_reviewed_row_shows_the_decision_and_its_words(tmp_path: Path) -> None:
    target = tmp_path / "copy.xlsx"
    reviewed(ROADS, target, "复核6分（意见：合理）；原依据")
    values = {cell.value for cell in next(iter(cells(target).values())).values() if cell.row == 16}
    assert 6 in values
    assert any(str(value).endswith("复核6分（意见：合理）；原依据") for value in values)


def test_the_opinions_leave_the_form_room_on_its_page(tmp_path: Path) -> None:
    target = tmp_path / "copy.xlsx"
    annotated(ROADS, target, [a_finding(code, "H17") for code in ("C02", "C05", "I11", "I13")])
    sheet = openpyxl.load_workbook(target).worksheets[0]
    (head,) = {cell.column_letter for row in sheet.iter_rows() for cell in row if cell.value == OPINION}
    assert sheet.column_dimensions[head].width <= 45
    assert sheet[f"{head}17"].alignment.wrapText
    before = openpyxl.load_workbook(ROADS).worksheets[0]
    assert {n: d.height for n, d in sheet.row_dimensions.items()} == {
        n: d.height for n, d in before.row_dimensions.items()
    }


def test_a_low_row_has_one_line_and_a_high_one_all(tmp_path: Path) -> None:
    target = tmp_path / "copy.xlsx"
    found = [a_finding(code, f"H{row}") for row in (14, 17) for code in ("I13", "I11", "I05")]
    annotated(ROADS, target, found)
    sheet = openpyxl.load_workbook(target).worksheets[0]
    (column,) = {cell.column for row in sheet.iter_rows() for cell in row if cell.value == OPINION}
    before = openpyxl.load_workbook(ROADS).worksheets[0]
    assert (before.row_dimensions[14].height, before.row_dimensions[17].height) == (21.75, 36)
    assert sheet.cell(14, column).value == "I11 时限晚于年度，或延期完成仍得满分 I05 I13"
    assert sheet.cell(17, column).value == "I11 I05 I13 自评10分，规则8分"


def test_a_form_without_scores_gets_its_findings_only(tmp_path: Path) -> None:
    target = tmp_path / "copy.xlsx"
    forms, results = annotated(SAMPLES / "石桥镇人民政府_部门整体绩效自评表.xlsx", target)
    assert results[0]["status"] == "reported"
    new = cells(target)[forms[0].sheet].values()
    column = next(cell.column for cell in new if cell.value == "复核得分")
    assert {cell.value for cell in new if cell.column == column} <= {None, "复核得分"}
    assert any("只读取、不计分" in str(cell.value) for cell in new)


def reviewed(source: Path, target: Path, basis: str) -> list[FormResult]:
    """Annotate a workbook whose row 16 a reviewer decided, with the words ``basis``."""
    book = open_workbook(source)
    forms = find_forms(book)
    rulebooks = {form.id: choose_rulebook(form.kind, form.province, form.year, ()) for form in forms}
    results = form_results(forms, score(to_frames(forms), rulebooks))
    row = next(row for row in results[0]["indicators"] if row["cell"] == "H16")
    row.update({"status": "reviewed", "score": "6", "low": "6", "high": "6", "basis": basis})
    assert annotate_all([Filling(book, forms, results, target)]) == [None]
    return results


def test_hostile_opinions_stay_text(tmp_path: Path) -> None:
    target = tmp_path / "copy.xlsx"
    reviewed(ROADS, target, "=1+1\x00<&>\ud800 _x0041_" + "长" * 40_000)
    book = openpyxl.load_workbook(target)
    (opinion,) = (str(c.value) for sheet in book for row in sheet.iter_rows() for c in row if "长长" in str(c.value))
    assert "=1+1" in opinion
    assert opinion.endswith("长…")
    assert len(opinion) < 70
    assert all(cell.data_type != "f" for sheet in book for row in sheet.iter_rows() for cell in row if cell.column > 9)


def test_what_cannot_be_written_is_a_finding(tmp_path: Path) -> None:
    source = tmp_path / "表.xlsx"
    with zipfile.ZipFile(source, "w") as package:
        for name, content in members(ROADS).items():
            twice = re.sub(rb'(<row r="14".*?)(<c r="A14".*?)(<c r="B14")', rb"\1\2\2\3", content, count=1, flags=re.S)
            package.writestr(name, twice if name == "xl/worksheets/sheet1.xml" else content)
    _, results = annotated(source, tmp_path / "copy.xlsx", [a_finding("S01", "H14")])
    refused = {finding["cell"] for finding in results[0]["findings"] if finding["code"] == "S11"}
    assert refused
    assert all(cell.endswith("14") for cell in refused)


def test_an_old_workbook_is_laid_out_anew(tmp_path: Path) -> None:
    source, target = tmp_path / "表.xls", tmp_path / "表.xls.xlsx"
    old = xlwt.Workbook(encoding="utf-8")
    page = old.add_sheet("自评表")
    for (row, column), cell in open_workbook(ROADS).sheet(0).cells.items():
        page.write(row - 1, column - 1, cell.text if cell.value is None else cell.value)
    old.save(str(source))
    book = open_any(source)
    forms = find_forms(book)
    rulebooks = {form.id: choose_rulebook(form.kind, form.province, form.year, ()) for form in forms}
    results = form_results(forms, score(to_frames(forms), rulebooks))
    assert annotate_all([Filling(book, forms, results, target)]) == [None]
    values = [cell.value for cell in cells(target)["自评表"].values()]
    assert values.count("复核得分") == 2
    assert "B61" in {finding["code"] for finding in results[0]["findings"]}


def test_a_copy_reads_as_quickly_as_its_original(tmp_path: Path) -> None:
    annotated(ROADS, tmp_path / "copy.xlsx", [a_finding("S01", "H17")])
    for path in (ROADS, tmp_path / "copy.xlsx"):
        layout = open_workbook(path).layout(0)
        assert layout is not None
        assert {type(row) for row in layout.rows.values()} == {PlainRow}


def test_copies_made_together_are_those_made_one_by_one(tmp_path: Path) -> None:
    def filling(source: Path, target: Path) -> Filling:
        book = open_workbook(source)
        forms = find_forms(book)
        rulebooks = {form.id: choose_rulebook(form.kind, form.province, form.year, ()) for form in forms}
        return Filling(book, forms, form_results(forms, score(to_frames(forms), rulebooks)), target)

    sources = [ROADS, ROADS, MUSEUM]
    (tmp_path / "1.xlsx").mkdir()
    together = [filling(source, tmp_path / f"{at}.xlsx") for at, source in enumerate(sources)]
    failures = annotate_all(together, durable=False)
    assert [failed and failed.finding.code for failed in failures] == [None, "B26", None]
    for at in (0, 2):
        alone = filling(sources[at], tmp_path / "alone.xlsx")
        assert annotate_all([alone], durable=False) == [None]
        assert (tmp_path / f"{at}.xlsx").read_bytes() == (tmp_path / "alone.xlsx").read_bytes()
        assert alone.results == together[at].results
    assert not list(tmp_path.glob(".*.tmp"))


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
def test_libreoffice_opens_the_copy_and_shows_the_same(tmp_path: Path) -> None:
    target, out = tmp_path / "copy.xlsx", tmp_path / "out"
    annotated(ROADS, target, [a_finding("S01", "H17")])
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    command = ["soffice", profile, "--headless", "--convert-to", "xlsx", "--outdir", str(out), str(target)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    shown = {sheet: {a: c.value for a, c in known.items()} for sheet, known in cells(target).items()}
    again = cells(out / "copy.xlsx")
    for sheet, values in shown.items():
        assert {a: again[sheet][a].value for a, value in values.items() if value is not None} == {
            a: value for a, value in values.items() if value is not None
        }
        assert repr(again[sheet]["H17"].fill.fgColor.rgb) == repr(f"FF{FILLS['warning']}")


STYLES = (
    b'<styleSheet xmlns="%b"><fonts count="1"><font/></fonts><fills count="9"><fill/><fill><patternFill/></fill></fills>'
    b'<cellXfs count="2"><xf numFmtId="9" fontId="0" xfId="0"><alignment horizontal="center"><!-- --></alignment>'
    b'<protection locked="0"/></xf><xf numFmtId="0"/></cellXfs></styleSheet>' % MAIN.encode()
)


def test_formats_are_copies_with_what_was_asked_for() -> None:
    grown = add_formats(
        STYLES, "styles.xml", [Look(0, "FF0000", wrapped=True), Look(1, "FF0000"), Look(0, general=True)]
    )
    assert grown is not None
    part, numbers = grown
    assert numbers == [2, 3, 4]
    assert b'<fills count="3"><fill/><fill><patternFill/></fill><fill><patternFill patternType="solid">' in part
    first, second, third = part.partition(b"</cellXfs>")[0].split(b"<xf ")[-3:]
    assert b'fillId="2"' in first
    assert b'numFmtId="9"' in first
    assert first.count(b"<alignment") == 1
    assert b'wrapText="1"' in first
    assert b'<protection locked="0"/>' in first
    assert second == b'numFmtId="0" fillId="2" applyFill="1"/>'
    assert b'numFmtId="0"' in third
    assert b'horizontal="center"' in third


def test_prefixes_are_kept() -> None:
    prefixed = re.sub(rb"<(/?)(?=[a-zA-Z])", rb"<\1x:", STYLES).replace(b"xmlns=", b"xmlns:x=")
    grown = add_formats(prefixed, "styles.xml", [Look(0, "FF0000", wrapped=True)])
    assert grown is not None
    assert grown[0].count(b"<x:fill>") == 2
    assert grown[0].count(b"<x:alignment") == 2
    assert b"<fill" not in grown[0]


@pytest.mark.parametrize("tag", [b"fills", b"cellXfs"])
def test_a_file_without_formats_keeps_its_look(tag: bytes) -> None:
    bare = re.sub(rb"<%b.*?</%b>" % (tag, tag), b"", STYLES, flags=re.S)
    assert add_formats(bare, "styles.xml", [Look(0, "FF0000")]) is None
    assert add_formats(STYLES, "styles.xml", [Look(0, "FF0000")] * 65_000) is None


RANGES = st.lists(st.integers(1, 12), unique=True, max_size=6).map(sorted)


@settings(deadline=None, max_examples=80)
@given(bounds=RANGES, wanted=st.dictionaries(st.integers(1, 14), st.sampled_from([10.0, 46.5]), min_size=1, max_size=3))
def test_widths_are_those_wanted_and_all_others_stay(bounds: list[int], wanted: dict[int, float]) -> None:
    entries = list(zip(bounds[::2], bounds[1::2], strict=False))
    cols = b"".join(b'<col min="%d" max="%d" width="%d" style="4" hidden="1"/>' % (a, b, a) for a, b in entries)
    head = b'<worksheet xmlns="%b">' % MAIN.encode() + (b"<cols>%b</cols>" % cols if cols else b"")
    part = head + b"<sheetData/></worksheet>"
    new = widen(part, "sheet1.xml", Layout(part, data=len(head)), wanted)
    before = {n: a for a, b in entries for n in range(a, b + 1)}
    found = [
        (number, dict(re.findall(rb'(\w+)="([^"]*)"', col)))
        for col in re.findall(rb"<col ([^>]*)/>", new)
        for number in range(int(re.findall(rb'min="(\d+)"', col)[0]), int(re.findall(rb'max="(\d+)"', col)[0]) + 1)
    ]
    assert [number for number, _ in found] == sorted({*before, *wanted})
    assert {number: float(col[b"width"]) for number, col in found} == {**before, **wanted}
    assert all((b"hidden" in col) == (number not in wanted) for number, col in found)
    assert all((col.get(b"style") == b"4") == (number in before) for number, col in found)


def test_entries_written_the_other_way_round_are_understood() -> None:
    head = b'<worksheet xmlns="%b"><cols><col width="9" max="16384" min="3"/></cols>' % MAIN.encode()
    part = head + b"<sheetData/></worksheet>"
    new = widen(part, "sheet1.xml", Layout(part, data=len(head)), {5: 20})
    assert b'max="4" ' in new or b'max="4"/' in new
    assert b'<col min="5" max="5" width="20" customWidth="1"/>' in new
    assert b'min="6"' in new
