"""Blank forms: what is written is fit to fill in and to print, and is read back and scored without a finding."""

from __future__ import annotations

import re
import shutil
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import perfeval_xlsx as pe
from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Finding, PerfevalError
from perfeval_xlsx.form.model import Form, Kind
from perfeval_xlsx.form.read import find_forms
from perfeval_xlsx.output.template import safe_name, write_templates
from perfeval_xlsx.output.template_blank import Indicator, in_columns
from perfeval_xlsx.scoring.rulebook_file import builtin_rulebooks, load_rulebook
from perfeval_xlsx.workbook import open_workbook

SAMPLES = Path(__file__).parent.parent / "sample_workbooks"

LIST = """单位,项目名称,主管部门,一级指标,二级指标,三级指标,指标性质,指标值,度量单位,分值
市水利局,河道治理项目,临江市水利局,产出指标,数量指标,治理河道长度,≥,12.5,公里,20
,,,,,清淤土方量,≥,4.2,万立方米,10
,,,,质量指标,单元工程质量合格率,＝,100,%,10
,,,,时效指标,主体工程完工时间,,2024年11月30日前,,10
,,,效益指标,社会效益指标,受益人口,≥,3.2,万人,20
,,,,可持续影响指标,河道管护机制,定性,建立健全,,10
,,,满意度指标,服务对象满意度指标,沿河居民满意度,≥,90,%,10
市教育局,“明眸”工程,,产出指标,数量指标,筛查学生,≥,38508,人,50
,,,效益指标,社会效益指标,近视率下降,≥,1,个百分点,30
,,,满意度指标,服务对象满意度指标,家长满意度,≥,90,%,10
"""


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    path = tmp_path / "名单.csv"
    path.write_text(LIST, encoding="utf-8")
    return path


def read(path: Path) -> Form:
    (form,) = find_forms(open_workbook(path))
    return form


def refusal(run: Any, *args: Any, **kwargs: Any) -> Finding:
    with pytest.raises(PerfevalError) as raised:
        run(*args, **kwargs)
    return raised.value.finding


# What is written, filled in and scored.

CASES: list[tuple[Kind, str | None]] = [
    ("project", None),
    ("department", None),
    ("project", "sichuan-2023"),
    ("project", "national-2021-core"),
    ("project", "anhui"),
    ("department", "beijing-haidian"),
    ("project", "beijing-haidian"),
    ("project", "guangxi"),
    ("department", "hubei-2020"),
    ("transfer", None),
]
ALL_FULL = {"T04"}
"""Everything was met and scored in full, as the test types it: a hint of the audit."""
UNSCORED = {"S08", "K01"}
"""The layout has no points, and both scoring and audit say so."""


def fill_in(path: Path, form: Form) -> Path:
    """Type what a clerk would into the open cells and let the formulas be computed again."""
    formualizer = pytest.importorskip("formualizer")
    book = openpyxl.load_workbook(path)
    values = typed(form)
    execution = form.funds[0].cells.get("score")
    if execution and book.active[execution].data_type != "f":
        values[execution] = 10
    for cell, value in values.items():
        assert not book.active[cell].protection.locked, f"{cell} cannot be typed into"
        book.active[cell] = value
    filled = path.with_name("填好.xlsx")
    book.save(filled)
    formualizer.recalculate_file(str(filled))
    return filled


def typed(form: Form) -> dict[str, Any]:
    cells: dict[str, Any] = {form.goal_cells["expected"]: "治理河道", form.goal_cells["actual"]: "治理完成"}
    for fund in form.funds if len(form.funds) == 1 else form.funds[1:]:
        cells |= {fund.cells[name]: 100 for name in fund.cells if name.endswith(("budget", "executed"))}
    for row in form.indicators:
        target = str(row.values["target"]).lstrip("≥＝")
        cells[row.cells["actual"]] = float(target) if re.fullmatch(r"[\d.]+", target) else target
        if "score" in row.cells:
            cells[row.cells["score"]] = float(row.values.get("weight") or 8)
    return cells


@pytest.mark.parametrize(("kind", "rulebook"), CASES)
def test_what_is_filled_in_is_scored_without_a_finding(
    kind: Kind, rulebook: str | None, listed: Path, tmp_path: Path
) -> None:
    book = load_rulebook(rulebook) if rulebook else None
    first, _ = write_templates(tmp_path / "out", kind=kind, rulebook=book, indicators=listed, year=2024)
    filled = fill_in(first, read(first))
    form = read(filled)
    assert (form.kind, form.org, form.year, form.unit) == (kind, "市水利局", 2024, "万元")
    (result,) = pe.audit(filled, rules=rulebook)
    codes = {finding["code"] for finding in result["findings"]}
    if kind == "transfer" or rulebook == "hubei-2020":
        assert result["status"] == "reported"
        assert codes <= UNSCORED
        return
    assert codes <= ALL_FULL
    assert (result["status"], result["total"], result["grade"], result["self_total"]) == ("scored", "100", "优", "100")
    assert result["execution"] is not None
    assert (result["execution"]["self_rate"], result["execution"]["self_score"]) == ("100.00%", "10")


@pytest.mark.parametrize(("kind", "rulebook"), [CASES[0], CASES[2], CASES[3]])
def test_scores_left_blank_are_filled_in_and_the_formulas_show_it(
    kind: Kind, rulebook: str | None, listed: Path, tmp_path: Path
) -> None:
    formualizer = pytest.importorskip("formualizer")
    book = load_rulebook(rulebook) if rulebook else None
    first, _ = write_templates(tmp_path / "in", kind=kind, rulebook=book, indicators=listed, year=2024)
    filled = fill_in(first, read(first))
    workbook = openpyxl.load_workbook(filled)
    for row in read(filled).indicators:
        workbook.active[row.cells["score"]] = None
    workbook.save(filled)
    formualizer.recalculate_file(str(filled))
    (result,) = pe.score(filled, out=tmp_path / "out", rules=rulebook)
    assert (result["total"], result["grade"], result["findings"], result["replaced"]) == ("100", "优", [], [])
    assert result["copy"] is not None
    copy = read(tmp_path / "out" / result["copy"])
    assert copy.total == {"weight": "100", "score": "100", "grade": "优"}
    assert [row.values["score"] for row in copy.indicators] == [row.values["weight"] for row in copy.indicators]


@pytest.mark.parametrize(("kind", "rulebook"), CASES)
def test_every_indicator_is_read_back(kind: Kind, rulebook: str | None, listed: Path, tmp_path: Path) -> None:
    book = load_rulebook(rulebook) if rulebook else None
    first, second = write_templates(tmp_path / "out", kind=kind, rulebook=book, indicators=listed, year=2024)
    values = [row.values for row in read(first).indicators]
    names = [line.split(",")[5] for line in LIST.splitlines()[1:8]]
    assert [value["level3"] for value in values] == names
    assert [value["level1"] for value in values] == ["产出指标"] * 4 + ["效益指标"] * 2 + ["满意度指标"]
    written = ["".join(filter(None, (v.get("sign"), v["target"], v.get("unit")))) for v in values]
    assert [text.removeprefix("定性") for text in written] == [
        "≥12.5公里", "≥4.2万立方米", "＝100%", "2024年11月30日前", "≥3.2万人", "建立健全", "≥90%",
    ]  # fmt: skip
    assert (read(second).org, len(read(second).indicators)) == ("市教育局", 3)


def test_sums_rates_and_the_grade_are_computed_as_typed(listed: Path, tmp_path: Path) -> None:
    first, _ = write_templates(tmp_path / "out", indicators=listed, year=2024)
    formualizer = pytest.importorskip("formualizer")
    book = openpyxl.load_workbook(first)
    for cell, value in {"D7": 60, "E7": 80, "F7": 70, "E8": 20, "F8": 20}.items():
        book.active[cell] = value
    for row, points in zip(range(13, 20), (18, 9, 10, 5, 20, 8, 10), strict=True):
        book.active[f"H{row}"] = points
    book.save(first)
    formualizer.recalculate_file(str(first))
    sheet = openpyxl.load_workbook(first, data_only=True).active
    shown = {cell: sheet[cell].value for cell in ("D6", "E6", "F6", "G6", "H6", "I6", "G20", "H20", "I20")}
    assert shown == {
        "D6": 60, "E6": 100, "F6": 90, "G6": 10, "H6": 0.9, "I6": 9, "G20": 100, "H20": 89, "I20": "良",
    }  # fmt: skip


@pytest.mark.parametrize(("kind", "rulebook"), CASES)
def test_cached_values_are_those_of_the_formulas(
    kind: Kind, rulebook: str | None, listed: Path, tmp_path: Path
) -> None:
    """A formula of the blank form carries its value: reading it needs no calculation."""
    formualizer = pytest.importorskip("formualizer")
    book = load_rulebook(rulebook) if rulebook else None
    for path in write_templates(tmp_path / "out", kind=kind, rulebook=book, indicators=listed, year=2024):
        sheet = next(open_workbook(path).sheets())
        formulas = {at: cell for at, cell in sheet.cells.items() if cell.formula is not None}
        assert all(cell.cached for cell in formulas.values())
        computed = formualizer.load_workbook(str(path))
        for (row, column), cell in formulas.items():
            value = computed.evaluate_cell(sheet.name, row, column)
            assert (value or "") == (cell.text if cell.value is None else cell.value), f"{row},{column}: {cell.formula}"
        assert formulas


@pytest.mark.parametrize("rulebook", [book.id for book in builtin_rulebooks()])
def test_a_form_for_every_rulebook(rulebook: str, tmp_path: Path) -> None:
    kinds: tuple[Kind, ...] = ("department", "project", "transfer")
    for kind in kinds:
        (path,) = write_templates(
            tmp_path, kind=kind, rulebook=load_rulebook(rulebook), names=["临江市水利局"], year=2024
        )
        form = read(path)
        assert (form.kind, form.org, form.year) == (kind, "临江市水利局", 2024)
        assert form.indicators == []
        assert len(form.left_out) > 10


# The list.


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_encodings(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "名单.csv"
    path.write_text(LIST, encoding=encoding)
    written = write_templates(tmp_path / "out", indicators=path)
    assert [read(path).org for path in written] == ["市水利局", "市教育局"]


def test_a_workbook_as_list_gives_the_same_forms(listed: Path, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for line in LIST.splitlines():
        book.active.append([float(text) if re.fullmatch(r"[\d.]+", text) else text for text in line.split(",")])
    book.active.insert_rows(1, 2)
    book.active["A1"] = "2024年度绩效指标清单"
    book.save(tmp_path / "名单.xlsx")
    from_csv = write_templates(tmp_path / "a", indicators=listed)
    from_book = write_templates(tmp_path / "b", indicators=tmp_path / "名单.xlsx")
    assert [path.name for path in from_csv] == [path.name for path in from_book]
    for one, other in zip(from_csv, from_book, strict=True):
        assert [row.values for row in read(one).indicators] == [row.values for row in read(other).indicators]


def test_hundreds_by_name_with_the_same_indicators(tmp_path: Path) -> None:
    path = tmp_path / "共性指标.csv"
    path.write_text(
        "一级指标\t三级指标\t指标值\n产出指标\t办结件数\t≥120件\n满意度指标\t群众满意度\t≥90%\n", encoding="utf-8"
    )
    names = [f"第{number}预算单位" for number in range(120)]
    written = write_templates(tmp_path / "out", kind="department", names=names, indicators=path, year=2025)
    assert len({path.name for path in written}) == 120
    assert read(written[-1]).org == "第119预算单位"
    assert [row.values["level3"] for row in read(written[-1]).indicators] == ["办结件数", "群众满意度"]


def test_bad_rows_are_named_and_nothing_is_written(tmp_path: Path) -> None:
    path = tmp_path / "名单.csv"
    rows = [
        "单位,一级指标,三级指标,指标性质,分值",
        ",产出指标,没有单位的指标,≥,5",
        "市水利局,产出指标,治理河道长度,≥,五分",
        ",,,≥,5",
        ",产出指标,清淤土方量,大于,5",
        ",,治理护岸,,-3",
        ",,治理护岸,,3",
        ",,治理护岸,,3",
    ]
    path.write_text("\n".join(rows), encoding="utf-8")
    finding = refusal(write_templates, tmp_path / "out", indicators=path)
    message = finding.text()
    assert finding.code == "L02"
    for part in (
        "第2行：缺单位名称",
        "第3行：分值“五分”不是大于0的数字",
        "第4行：缺三级指标名称",
        "第5行：指标性质“大于”不在可选范围",
        "第6行：分值“-3”",
        "第8行：指标“治理护岸”重复",
    ):
        assert part in message
    assert "row 2: no unit" in finding.text(lang="en")
    assert not (tmp_path / "out").exists()


def test_points_that_do_not_come_to_100_are_refused(listed: Path, tmp_path: Path) -> None:
    listed.write_text(LIST.replace("人,50", "人,45"), encoding="utf-8")
    finding = refusal(write_templates, tmp_path / "out", indicators=listed)
    assert "合计85分，加预算执行率10分不是100分" in finding.text()


def test_many_bad_rows_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "名单.csv"
    path.write_text("单位,三级指标,分值\n" + "甲,指标,x\n" * 30, encoding="utf-8")
    assert re.search(r"；另有\d+处$", refusal(write_templates, tmp_path / "out", indicators=path).text())


def test_lists_that_cannot_be_read(tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert refusal(write_templates, out, indicators=tmp_path / "没有.csv").code == "B01"
    path = tmp_path / "名单.csv"
    path.write_bytes(b"\x00\xff\xfe\x81\xff")
    assert refusal(write_templates, out, indicators=path).code == "L03"
    for text in ("", "姓名,电话\n张三,1\n", "单位,三级指标\n"):
        path.write_text(text, encoding="utf-8")
        assert refusal(write_templates, out, indicators=path).code == "L01"
    assert refusal(write_templates, out, indicators=path, source=SAMPLES).code == "L07"


def test_names_choose_from_the_list(listed: Path, tmp_path: Path) -> None:
    (path,) = write_templates(tmp_path / "a", indicators=listed, names=["市教育局"])
    assert read(path).org == "市教育局"
    finding = refusal(write_templates, tmp_path / "b", indicators=listed, names=["市卫健委"])
    assert (finding.code, "市卫健委" in finding.text()) == ("L06", True)


# From last year.


def test_last_year_s_targets_and_points_are_carried_over(tmp_path: Path) -> None:
    old = read(SAMPLES / "市水利局_河道治理项目支出绩效自评表.xlsx")
    (path,) = write_templates(tmp_path, source=SAMPLES / "市水利局_河道治理项目支出绩效自评表.xlsx")
    new = read(path)
    assert (new.org, new.project, new.year) == (old.org, old.project, 2024)
    kept, gone = ("level1", "level2", "level3", "target", "weight"), ("actual", "score", "deviation")
    for before, after in zip(old.indicators, new.indicators, strict=True):
        squeezed = [re.sub(r"\s", "", before.values[name] or "") for name in kept]
        assert [re.sub(r"\s", "", after.values[name] or "") for name in kept] == squeezed
        assert [after.values[name] for name in gone] == [None] * 3
    assert new.total["score"] is None
    assert dict.fromkeys(("expected", "actual")) == new.goals


def test_a_folder_of_last_year_s_forms(tmp_path: Path) -> None:
    forms = tmp_path / "上年"
    shutil.copytree(SAMPLES, forms)
    shutil.copy(SAMPLES / "市水利局_河道治理项目支出绩效自评表.xlsx", forms / "汇总.xlsx")
    (forms / "~$市水利局.xlsx").write_bytes(b"lock")
    written = write_templates(tmp_path / "out", source=forms, year=2030)
    olds = [form for path in sorted(SAMPLES.rglob("*.xlsx")) for form in find_forms(open_workbook(path))]
    assert len(written) == len(olds) > 8
    for path, old in zip(written, olds, strict=True):
        new = read(path)
        assert (new.org, new.kind, new.year, len(new.indicators)) == (old.org, old.kind, 2030, len(old.indicators))


def test_signs_move_between_the_target_and_columns_of_their_own() -> None:
    joined, apart = Indicator("产出", target="≥12.5公里"), Indicator("产出", target="12.5", sign="≥", unit="公里")
    assert in_columns(joined, True, True) == apart
    assert in_columns(apart, False, False) == joined
    for sign, shown in {
        "≧": "≥",
        "大于等于": "≥",
        "＜": "＜",
        "═": "＝",
        "定性指标": "定性",
        "定量指标": "",
        "/": "",
    }.items():
        odd = Indicator("产出", target="2000", sign=sign, unit="篇")
        assert in_columns(odd, True, True).sign == shown
        assert in_columns(odd, False, False).target == shown.replace("定性", "") + "2000篇"
    for kept in ("建立健全", "2024年11月30日前", "95%-98%"):
        assert in_columns(Indicator("效益", target=kept), True, True).target == kept
    assert in_columns(Indicator("效益", target="建立健全", sign="定性"), False, False).target == "建立健全"


def test_a_source_without_a_form(tmp_path: Path) -> None:
    finding = refusal(write_templates, tmp_path / "out", source=SAMPLES / "2023年度项目库清单.xlsx")
    assert finding.code == "L05"


def test_files_of_last_year_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    forms = tmp_path / "上年"
    forms.mkdir()
    shutil.copy(SAMPLES / "市水利局_河道治理项目支出绩效自评表.xlsx", forms)
    for name in ("甲局.xlsx", "乙局.xlsx"):
        (forms / name).write_text("单位,得分\n", encoding="utf-8")
    finding = refusal(write_templates, tmp_path / "out", source=forms)
    assert (finding.code, "有2个文件读不出" in finding.text(), "甲局.xlsx (" in finding.text()) == ("L09", True, True)
    assert "乙局.xlsx" in finding.text(lang="en")
    assert not (tmp_path / "out").exists()
    assert refusal(write_templates, tmp_path / "out", source=forms / "甲局.xlsx").code != "L09"


# Files.


def test_an_existing_file_is_never_overwritten(tmp_path: Path) -> None:
    (path,) = write_templates(tmp_path, names=["市水利局"])
    before = path.read_bytes()
    assert refusal(write_templates, tmp_path, names=["市教育局", "市水利局"]).code == "L08"
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_names_that_windows_takes_for_the_same_or_refuses(tmp_path: Path) -> None:
    names = ["A局", "a局", "甲/乙:丙*", "CON", "x" * 300, "尾点. "]
    written = write_templates(tmp_path, names=names)
    stems = [path.stem.removesuffix("_项目支出绩效自评表") for path in written]
    assert len({path.name.casefold() for path in written}) == len(names)
    assert stems[0] == "A局"
    assert stems[2:] == ["甲_乙_丙_", "CON_", "x" * 60, "尾点"]
    assert [read(path).org for path in written[:4]] == names[:4]


@given(st.text(max_size=80))
@settings(deadline=None, max_examples=200)
def test_any_text_becomes_a_name_windows_accepts(text: str) -> None:
    name = safe_name(text)
    assert 0 < len(name) <= 61
    assert not re.search(r'[<>:"/\\|?*\x00-\x1f]', name)
    assert name == name.strip(". ")
    assert not re.fullmatch(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?", name)


# For the clerk.


def sheet_xml(path: Path) -> str:
    with zipfile.ZipFile(path) as package:
        return package.read("xl/worksheets/sheet1.xml").decode()


@pytest.mark.parametrize(("kind", "rulebook"), CASES)
def test_labels_are_protected_and_the_sheet_prints_on_a4(kind: Kind, rulebook: str | None, tmp_path: Path) -> None:
    book = load_rulebook(rulebook) if rulebook else None
    (path,) = write_templates(tmp_path, kind=kind, rulebook=book, names=["市水利局"])
    sheet = openpyxl.load_workbook(path).active
    assert sheet.protection.sheet
    assert all(cell.protection.locked for row in sheet.iter_rows() for cell in row if cell.data_type == "f")
    layouts = {layout["id"]: layout for layout in load("templates.toml")["layout"]}
    labels = {column["label"] for column in layouts["national"]["grid"]["columns"]}
    locked = {
        cell.value for row in sheet.iter_rows() for cell in row if cell.value in labels and cell.protection.locked
    }
    assert len(locked) >= 3
    assert (sheet.page_setup.paperSize, sheet.page_setup.fitToHeight) == (9, 0)
    assert sheet.sheet_properties.pageSetUpPr.fitToPage
    assert sheet.print_options.horizontalCentered
    assert sheet.freeze_panes is not None
    assert sheet.print_title_rows is not None


def test_drop_downs_and_checks(listed: Path, tmp_path: Path) -> None:
    first, _ = write_templates(tmp_path, indicators=listed, rulebook=load_rulebook("sichuan-2023"), lang="en")
    rules = {str(rule.sqref): rule for rule in openpyxl.load_workbook(first).active.data_validations.dataValidation}
    assert rules["E14"].formula1 == '"≥,＞,＝,＜,≤,定性"'
    assert rules["H14"].type is None
    tiers = ",".join(tier.name for tier in load_rulebook("sichuan-2023").qualitative.tiers)
    assert (rules["H19"].formula1, rules["H19"].showErrorMessage) == (f'"{tiers}"', False)
    assert "SUM($I$14:$I$20)<=100" in rules["I14"].formula1
    assert rules["J14"].formula1 == "AND(ISNUMBER(J14),J14>=0,J14<=I14)"
    assert "E6" not in rules
    assert (rules["E7"].type, rules["E7"].operator) == ("decimal", "greaterThanOrEqual")
    assert rules["I14"].promptTitle == "Points"


def test_texts_never_become_formulas_or_links(tmp_path: Path) -> None:
    path = tmp_path / "名单.csv"
    path.write_text('单位,一级指标,三级指标,指标值\n=1+1,产出指标,=HYPERLINK("x"),http://a.b/c\n', encoding="utf-8")
    (written,) = write_templates(tmp_path / "out", indicators=path)
    sheet = openpyxl.load_workbook(written).active
    written_as = {cell.value: cell.data_type for row in sheet.iter_rows() for cell in row if cell.value}
    xml = sheet_xml(written)
    assert written_as["http://a.b/c"] == "s"
    assert "hyperlink" not in xml.lower()
    assert "<f>1+1</f>" not in xml
    strings = [text for row in read(written).indicators for text in row.values.values()]
    assert ('=HYPERLINK("x")' in strings, read(written).org) == (True, "=1+1")


def test_points_taken_off_have_a_column_of_their_own(listed: Path, tmp_path: Path) -> None:
    guangxi = load_rulebook("guangxi")
    first, _ = write_templates(tmp_path / "out", indicators=listed, rulebook=guangxi, year=2024)
    filled = fill_in(first, read(first))
    book = openpyxl.load_workbook(filled)
    assert book.active["H12"].value == "扣减分数"
    book.active["H13"], book.active["I13"] = 3, 17
    book.active["J13"] = "少报一项，核减"
    book.save(filled)
    pytest.importorskip("formualizer").recalculate_file(str(filled))
    (result,) = pe.audit(filled, rules="guangxi")
    assert (result["total"], result["self_total"], result["findings"]) == ("97", "97", [])
