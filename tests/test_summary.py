"""``汇总.xlsx``: every figure read back by another library, nothing from a form that acts, any number of forms."""

from __future__ import annotations

import tracemalloc
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args
from xml.etree import ElementTree

import openpyxl
import pytest
from made_results import a_run, form, no_form, ranked
from openpyxl.worksheet.worksheet import Worksheet
from python_calamine import CalamineWorkbook

from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Lang, PerfevalError
from perfeval_xlsx.form.model import Kind
from perfeval_xlsx.output.brief import brief_from, briefs_of, pieces_of
from perfeval_xlsx.output.sheets import columns
from perfeval_xlsx.output.style import style_numbers
from perfeval_xlsx.output.summary import detail_fragment, head, write_summary
from perfeval_xlsx.output.summary_rows import dimension_of
from perfeval_xlsx.scoring.result import FormResult, FormStatus, RowStatus

TABLES = ("rank", "detail", "funds", "replaced", "unscored")
FIGURES = ("weight", "self_score", "score", "low", "high")


def written(folder: Path, run: list[FormResult], **options: Any) -> Path:
    path = folder / "汇总.xlsx"
    write_summary(path, ranked(run), run, **options)
    return path


def table(path: Path, name: str, lang: Lang = "zh", suffix: str = "") -> list[dict[str, Any]]:
    """The rows of a sheet by column key; the header must be what the data file says."""
    sheet = openpyxl.load_workbook(path)[load("outputs.toml")[name]["name"][lang] + suffix]
    keys = [column.key for column in columns(name, lang)]
    assert [cell.value for cell in sheet[2]] == [column.header for column in columns(name, lang)]
    return [dict(zip(keys, row, strict=True)) for row in sheet.iter_rows(min_row=3, values_only=True)]


def number(text: str | None) -> float | None:
    return None if text is None else float(text.rstrip("%")) / (100 if text.endswith("%") else 1)


@pytest.fixture(scope="module")
def run() -> list[FormResult]:
    return a_run()


@pytest.fixture(scope="module")
def book(run: list[FormResult], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("summary"), run)


def test_every_figure_of_the_ranking(run: list[FormResult], book: Path) -> None:
    forms = [result for result in ranked(run) if result["sheet"]]
    rows = table(book, "rank")
    assert len(rows) == len(forms) == 27
    for place, (row, result) in enumerate(zip(rows, forms, strict=True), start=1):
        execution = result["execution"]
        assert execution
        assert [row[key] for key in ("org", "title", "sheet", "path", "grade", "self_grade", "year")] == [
            result[key] for key in ("org", "title", "sheet", "path", "grade", "self_grade", "year")  # type: ignore[literal-required]
        ]  # fmt: skip
        assert row["rank"] == (place if result["status"] == "scored" else None)
        for key in ("total", "low", "high", "self_total"):
            assert row[key] == number(result[key])  # type: ignore[literal-required]
        assert (row["rate"], row["execution"]) == (pytest.approx(number(execution["rate"])), number(execution["score"]))
        scores = {"output": "产出", "benefit": "效益", "satisfaction": "满意", "cost": "成本", "other": "管理"}
        for key, word in scores.items():
            level = next((level for level in result["levels"] if word in level["name"]), None)
            assert row[key] == (number(level["score"]) if level else None)
        for severity in ("error", "warning", "hint"):
            assert row[severity] == sum(finding["severity"] == severity for finding in result["findings"])
        assert row["person"] == sum(line["status"] in {"judged", "unscorable"} for line in result["indicators"])
        if result["total"] and result["self_total"]:
            assert row["difference"] == pytest.approx(float(result["total"]) - float(result["self_total"]), abs=1e-9)


def test_every_indicator_row(run: list[FormResult], book: Path) -> None:
    expected = [(result, line) for result in run for line in result["indicators"]]
    rows = table(book, "detail")
    assert len(rows) == len(expected) > 300
    words = {key: entry["zh"] for key, entry in load("outputs.toml")["row_status"].items()}
    for row, (result, line) in zip(rows, expected, strict=True):
        for key in ("level1", "level2", "level3", "target", "actual", "basis", "deviation", "cell"):
            assert row[key] == line[key]  # type: ignore[literal-required]
        for key in FIGURES:
            assert row[key] == number(line[key])  # type: ignore[literal-required]
            assert not isinstance(row[key], str)
        assert (row["org"], row["sheet"], row["path"]) == (result["org"], result["sheet"], result["path"])
        assert row["status"] == words[line["status"]]


def test_execution_replaced_and_unscored(run: list[FormResult], book: Path) -> None:
    forms = [result for result in ranked(run) if result["execution"]]
    for row, result in zip(table(book, "funds"), forms, strict=True):
        execution = result["execution"]
        assert execution
        assert (row["budget"], row["executed"], row["self_rate"]) == (4753.66, "3824.26万元", 1)
        assert row["rate"] == pytest.approx(number(execution["rate"]))
        assert row["score"] == number(execution["score"])
        assert row["basis"] == execution["basis"]
    replaced = [(r["path"], e["cell"], e["old"], e["new"]) for r in ranked(run) for e in r["replaced"]]
    assert [(r["path"], r["cell"], r["old"], r["new"]) for r in table(book, "replaced")] == replaced
    others = [r for r in ranked(run) if not r["sheet"]]
    assert [(r["path"], r["reason"], r["advice"]) for r in table(book, "unscored")] == [
        (r["path"], r["findings"][0]["message"], "请核对") for r in others
    ]


def test_statistics_agree_with_the_results(run: list[FormResult], book: Path) -> None:
    rows = [row[:3] for row in openpyxl.load_workbook(book)["分级统计"].iter_rows(values_only=True)]
    forms = [result for result in run if result["kind"]]
    for grade in ("优", "良", "中", "差"):
        expected = [sum(result[key] == grade for result in forms) for key in ("grade", "self_grade")]
        assert (grade, *expected) in rows
    assert ("合计", len(run), None) in rows
    start = rows.index(("执行率", "份数", None)) + 1
    assert sum(row[1] for row in rows[start : start + 8]) == len(forms)  # type: ignore[misc]
    start = rows.index(("差额（分）", "份数", None)) + 1
    assert sum(row[1] for row in rows[start : start + 8]) == sum(  # type: ignore[misc]
        bool(result["total"] and result["self_total"]) for result in forms
    )
    with zipfile.ZipFile(book) as package:
        assert sum(name.startswith("xl/charts/chart") for name in package.namelist()) == 4


def test_equal_totals_share_a_place(tmp_path: Path) -> None:
    totals = ("98", "97", "97", "95")
    path = written(tmp_path, [form(i, 1, total=total) for i, total in enumerate(totals)])
    assert [row["rank"] for row in table(path, "rank")] == [1, 2, 2, 4]


ATTACKS = (
    "=1+1", "+1", "-1", "@SUM(A1)", "=HYPERLINK(\"http://example.org\",\"x\")", "http://example.org/x", "mailto:a@b.cn",
    "100", "1e5", "86.18%", "007", "TRUE", "#REF!", "{=1}", "<f>1+1</f>", "</v></c></row>", "a & b", "_x0041_", "%s %d",
    "一行\n二行", "'=1", " 前后空格 ", "𠮷野家",
)  # fmt: skip


def hostile(text: str) -> FormResult:
    made = form(1, 2, org=text, title=text, sheet=text, path=text, copy=f"scored/{text}.xlsx")
    for line in made["indicators"]:
        line.update(level1=text, level2=text, level3=text, target=text, actual=text, basis=text, deviation=text)  # type: ignore[call-arg]
    made["replaced"][0].update(old=text, new=text)  # type: ignore[call-arg]
    return made


@pytest.mark.parametrize("text", ATTACKS)
def test_a_forms_text_stays_text(tmp_path: Path, text: str) -> None:
    path = written(tmp_path, [hostile(text), no_form("failed", text, text)])
    shown = text.replace("_x0041_", "_x005F_x0041_")  # openpyxl does not decode the escape that Excel does
    for name, keys in {
        "rank": ("org", "title", "sheet", "path"),
        "detail": ("org", "level1", "level3", "target", "actual", "basis", "deviation"),
        "replaced": ("old", "new"),
        "unscored": ("path", "reason"),
    }.items():
        row = table(path, name)[0]
        assert [row[key] for key in keys] == [shown] * len(keys)
    for sheet in openpyxl.load_workbook(path):
        for cells in sheet.iter_rows():
            assert not [cell for cell in cells if cell.data_type == "f"]
    with zipfile.ZipFile(path) as package:
        links = [name for name in package.namelist() if "_rels/sheet" in name and b"hyperlink" in package.read(name)]
        assert len(links) == 1
        targets = [relation.get("Target", "") for relation in ElementTree.fromstring(package.read(links[0]))]
        assert [target.startswith("scored/") for target in targets] == [True]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x00b\x07c\x1fd", "abcd"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("lone \ud800 half", "lone  half"),
        ("\ufffe\uffff", None),
        ("长" * 40_000, "长" * 32_757 + "……（过长，已截断）"),
        ("𠮷" * 20_000, "𠮷" * 16_378 + "……（过长，已截断）"),
        ("长" * 32_767, "长" * 32_767),
    ],
)
def test_what_a_cell_cannot_hold_is_left_out(tmp_path: Path, text: str, shown: str | None) -> None:
    path = written(tmp_path, [hostile(text)], links=False)
    row = table(path, "detail")[0]
    assert row["level3"] == row["basis"] == row["org"] == shown


@pytest.mark.parametrize(
    "run", [[], [form(1)], [no_form("skipped", "a.xlsx", "没有表格")]], ids=["none", "one", "no form"]
)
def test_few_forms(tmp_path: Path, run: list[FormResult]) -> None:
    path = written(tmp_path, run)
    forms = [result for result in run if result["sheet"]]
    assert [row["path"] for row in table(path, "rank")] == [result["path"] for result in forms]
    assert len(table(path, "detail")) == sum(len(result["indicators"]) for result in run)
    assert [row["path"] for row in table(path, "unscored")] == [r["path"] for r in run if not r["sheet"]]


def test_more_rows_than_a_sheet_takes(tmp_path: Path) -> None:
    run = [form(i, 7) for i in range(30)]
    path = written(tmp_path, run, row_limit=22)
    parts = [table(path, "detail", suffix=suffix) for suffix in ("", *(f" {i}" for i in range(2, 16)))]
    assert {len(part) for part in parts} == {14}
    assert [row["level3"] for part in parts for row in part] == [x["level3"] for r in run for x in r["indicators"]]
    assert [len(table(path, "rank", suffix=suffix)) for suffix in ("", " 2")] == [20, 10]
    sheet = openpyxl.load_workbook(path)["排名汇总 2"]
    linked = [cell.row for row in sheet.iter_rows() for cell in row if cell.hyperlink]
    assert linked == list(range(3, 13))


def test_a_form_longer_than_a_sheet_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="7 rows"):
        written(tmp_path, [form(1, 7)], row_limit=8)
    assert list(tmp_path.iterdir()) == []


def test_links_lead_to_the_copies(run: list[FormResult], book: Path, tmp_path: Path) -> None:
    copies = [result["copy"] for result in ranked(run) if result["sheet"]]
    assert copies[-1] is None
    assert [cell.hyperlink and cell.hyperlink.target for cell in last_column(book)] == copies
    without = written(tmp_path, run, links=False)
    assert not any(cell.hyperlink for cell in last_column(without))


def last_column(path: Path) -> list[Any]:
    sheet = openpyxl.load_workbook(path)["排名汇总"]
    return [row[-1] for row in sheet.iter_rows(min_row=3)]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_sheets_are_ready_to_filter_and_print(tmp_path: Path, run: list[FormResult], lang: Lang) -> None:
    workbook = openpyxl.load_workbook(written(tmp_path, run, lang=lang))
    data = load("outputs.toml")
    names = ["rank", "statistics", "detail", "funds", "replaced", "unscored", "notes"]
    assert workbook.sheetnames == [data[name]["name"][lang] for name in names]
    for name in TABLES:
        sheet: Worksheet = workbook[data[name]["name"][lang]]
        assert (sheet.page_setup.paperSize, sheet.page_setup.orientation) == (9, "landscape")
        assert (sheet.sheet_properties.pageSetUpPr.fitToPage, sheet.page_setup.fitToHeight) == (True, 0)  # type: ignore[union-attr]
        assert sheet.print_title_rows == "$1:$2"
        assert sheet.auto_filter.ref == f"A2:{sheet.cell(sheet.max_row, sheet.max_column).coordinate}"
        assert str(sheet.freeze_panes).endswith("3")
        assert "&P" in str(sheet.oddFooter.right.text)
        font = sheet["A3"].font.name
        assert font == data["font"][lang]["body"]


def test_english_has_no_chinese_of_ours(tmp_path: Path) -> None:
    run = [form(1, 2, org="Office", title="Form", path="a.xlsx", sheet="Sheet")]
    for line in run[0]["indicators"]:
        line.update(level1="x", level2="x", level3="x", target="x", actual="x", basis="x", deviation="x")  # type: ignore[call-arg]
    run[0]["execution"].update(executed="1", basis="x")  # type: ignore[union-attr]
    workbook = openpyxl.load_workbook(written(tmp_path, run, lang="en"))
    texts = [
        str(cell.value) for sheet in workbook for row in sheet.iter_rows() for cell in row if cell.value is not None
    ]
    grades = {"优", "良", "中", "差"}
    assert not [text for text in texts if text not in grades and any("一" <= c <= "鿿" for c in text)]


def test_dimensions_that_no_form_has_are_hidden(tmp_path: Path) -> None:
    run = [form(1, levels=[{"name": "产出指标", "weight": "90", "self_score": "90", "score": "90"}])]
    with zipfile.ZipFile(written(tmp_path, run)) as package:
        cols = [e for e in ElementTree.fromstring(package.read("xl/worksheets/sheet1.xml")).iter() if e.get("min")]
    hidden = [i for e in cols if e.get("hidden") for i in range(int(e.attrib["min"]) - 1, int(e.attrib["max"]))]
    assert {"benefit", "satisfaction", "cost", "other"} == {columns("rank", "zh")[i].key for i in hidden}


def test_fragments_and_heads_make_the_same_file(tmp_path: Path, run: list[FormResult], book: Path) -> None:
    path = tmp_path / "again.xlsx"
    write_summary(path, map(head, ranked(run)), map(detail_fragment, run))
    assert path.read_bytes() == book.read_bytes()


def test_briefs_make_the_same_file_though_they_went_as_bytes(tmp_path: Path, run: list[FormResult], book: Path) -> None:
    path = tmp_path / "again.xlsx"
    pieces = [pieces_of(brief) for brief in briefs_of([head(result) for result in ranked(run)])]
    assert not any(b"\0" in piece for each in pieces for piece in each)
    write_summary(path, map(brief_from, pieces), run)
    assert path.read_bytes() == book.read_bytes()


def test_the_package_is_well_formed(book: Path, run: list[FormResult]) -> None:
    with zipfile.ZipFile(book) as package:
        assert package.testzip() is None
        for name in package.namelist():
            ElementTree.fromstring(package.read(name))
        order = [
            child.tag.rpartition("}")[2] for child in ElementTree.fromstring(package.read("xl/worksheets/sheet1.xml"))
        ]
    assert order == [
        "sheetPr", "sheetViews", "sheetFormatPr", "cols", "sheetData", "autoFilter", "hyperlinks",
        "printOptions", "pageMargins", "pageSetup", "headerFooter",
    ]  # fmt: skip
    workbook = CalamineWorkbook.from_path(book)
    assert len(workbook.get_sheet_by_name("指标明细").to_python()) == 2 + sum(len(r["indicators"]) for r in run)


def test_nothing_is_left_behind_when_the_target_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "汇总.xlsx").mkdir()
    with pytest.raises(PerfevalError) as error:
        written(tmp_path, [form(1)])
    assert error.value.finding.code == "B26"
    assert [path.name for path in tmp_path.iterdir()] == ["汇总.xlsx"]


def test_memory_does_not_grow_with_the_number_of_forms(tmp_path: Path) -> None:
    made = form(1, 20)
    block = detail_fragment(made)

    def peak(count: int) -> int:
        def stream(thing: Any) -> Iterator[Any]:
            return (thing for _ in range(count))

        tracemalloc.start()
        write_summary(tmp_path / "汇总.xlsx", stream(made), stream(block))
        top = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return top

    peak(10)
    assert peak(2_000) < peak(200) + 1_500_000


def test_every_style_that_is_named_exists() -> None:
    data = load("outputs.toml")
    named = {column.style for name in TABLES for column in columns(name, "zh")}
    named |= {entry["style"] for table in ("form_status", "row_status") for entry in data[table].values()}
    assert named <= style_numbers().keys()
    assert [*style_numbers().values()] == list(range(1, len(data["style"]) + 1))


def test_every_status_and_field_has_its_words() -> None:
    data = load("outputs.toml")
    assert data["form_status"].keys() == set(get_args(FormStatus)) - {"unit"}, "a whole unit is no row of the summary"
    assert data["row_status"].keys() == set(get_args(RowStatus))
    assert data["kind"].keys() == set(get_args(Kind))
    assert data["field"].keys() == {"score", "rate", "weight", "total", "grade"}


def test_a_level_written_down_its_cell_belongs_where_it_would_across() -> None:
    assert dimension_of("产\n出\n指\n标") == dimension_of("产出指标") != dimension_of("其他")
