from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from factory import a_finding, a_form, a_row
from hypothesis import given, settings
from hypothesis import strategies as st

from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Lang, PerfevalError
from perfeval_xlsx.output.desk_book import fit_name, link_to
from perfeval_xlsx.output.problem_store import collect_problems
from perfeval_xlsx.output.problems import check_words, write_problems
from perfeval_xlsx.output.returns import file_stem, write_returns
from perfeval_xlsx.scoring.compare import compare
from perfeval_xlsx.scoring.result import FormResult
from perfeval_xlsx.workbook import open_workbook

HEADER = 3


def three_departments() -> list[FormResult]:
    return [
        a_form("上报/水利局.xlsx", "市水利局", findings=[a_finding("S08", None)]),
        a_form("上报/教育局.xlsx", "市教育局", findings=[a_finding("S01", "H12"), a_finding("S02", "G9")]),
        a_form("上报/无名.xlsx", None, findings=[a_finding("S07", None, found="110", expected="100")]),
        a_form("上报/教育局2.xlsx", " 市教 育局", findings=[a_finding("S07", None), a_finding("S06", "I6")]),
    ]


def written(tmp_path: Path, results: list[FormResult], lang: Any = "zh", before: Any = None) -> Any:
    path = tmp_path / "问题清单.xlsx"
    with collect_problems(results, compare(results, before) if before else None, lang) as problems:
        write_problems(path, problems, lang=lang)
    return openpyxl.load_workbook(path)


def links_of(sheet: Any) -> list[Any]:
    return [cell.hyperlink for row in sheet.iter_rows() for cell in row if cell.hyperlink]


def table(sheet: Any) -> list[dict[str, Any]]:
    head, *rows = sheet.iter_rows(min_row=HEADER, values_only=True)
    return [dict(zip(head, row, strict=True)) for row in rows]


def test_departments_are_ranked_by_the_weight_of_their_findings(tmp_path: Path) -> None:
    rows = table(written(tmp_path, three_departments())["单位排名"])
    weight = {name: entry["weight"] for name, entry in load("desk.toml")["severity"].items()}
    fields = ("名次", "单位", "表数", "问题权重", "错误", "警告", "提示")
    assert [tuple(row[field] for field in fields) for row in rows] == [
        (1, "市教育局", 2, weight["error"] + 3 * weight["warning"], 1, 3, 0),
        (2, "（未填单位）无名", 1, weight["error"], 1, 0, 0),
        (3, "市水利局", 1, 0, 0, 0, 1),
    ]


def test_findings_follow_the_rank_and_their_severity(tmp_path: Path) -> None:
    book = written(tmp_path, three_departments())
    rows = table(book["问题明细"])
    assert [(row["序号"], row["单位"], row["检查项"], row["程度"], row["单元格"]) for row in rows] == [
        (1, "市教育局", "S07", "错误", None),
        (2, "市教育局", "S02", "警告", "G9"),
        (3, "市教育局", "S01", "警告", "H12"),
        (4, "市教育局", "S06", "警告", "I6"),
        (5, "（未填单位）无名", "S07", "错误", None),
        (6, "市水利局", "S08", "提示", None),
    ]
    assert [row["指标"] for row in rows] == ["全表", None, "培训人次", "预算执行", "全表", "全表"]
    assert (rows[4]["现填"], rows[4]["应为"]) == ("110", "100")
    assert "状态" not in rows[0]


def test_a_cell_links_to_its_place_in_the_copy_or_the_form(tmp_path: Path) -> None:
    results = [
        a_form("a.xlsx", "甲局", copy="annotated/a b.xlsx", sheet="自评'表", findings=[a_finding("S01", "H12")]),
        a_form(str(tmp_path / "in" / "b.xlsx"), "乙局", findings=[a_finding("S01", "H12")]),
        a_form("c#1.xlsx", "丙局", findings=[a_finding("S01", "H12")]),
        a_form("d%41.xlsx", "丁局", copy="annotated/d%41.xlsx", findings=[a_finding("S01", "H12")]),
    ]
    links = links_of(written(tmp_path, results)["问题明细"])
    assert sorted((link.target.replace("\\", "/"), link.location) for link in links) == [
        ("annotated/a%20b.xlsx", "'自评''表'!H12"),
        ("in/b.xlsx", "'自评表'!H12"),
    ]


def test_links_can_be_left_out(tmp_path: Path) -> None:
    path = tmp_path / "p.xlsx"
    with collect_problems(three_departments()) as problems:
        write_problems(path, problems, links=False)
    book = openpyxl.load_workbook(path)
    assert not links_of(book["问题明细"])
    assert table(book["问题明细"])[1]["单元格"] == "G9"


def test_a_sheet_a_check_and_links_between_them(tmp_path: Path) -> None:
    book = written(tmp_path, three_departments())
    rows = {row["检查项"]: row for row in table(book["检查项"])}
    assert {code: (row["问题数"], row["涉及单位"], row["涉及表"]) for code, row in rows.items()} == {
        "S01": (1, 1, 1), "S02": (1, 1, 1), "S06": (1, 1, 1), "S07": (2, 2, 2), "S08": (1, 1, 1),
    }  # fmt: skip
    assert book.sheetnames[3:] == [
        "S01 缺目标值或实际完成值", "S02 目标与实际单位对不上", "S06 执行率无法计算", "S07 分值合计不是100",
        "S08 没有分值或得分栏，只读取、不计分",
    ]  # fmt: skip
    assert {link.location for link in links_of(book["检查项"])} == {f"'{name}'!A1" for name in book.sheetnames[3:]}
    assert [row["单位"] for row in table(book["S07 分值合计不是100"])] == ["市教育局", "（未填单位）无名"]


def test_many_checks_share_sheets_by_family(tmp_path: Path) -> None:
    codes = [f"B{number:02}" for number in range(1, 23)]
    book = written(tmp_path, [a_form(findings=[a_finding(code, None) for code in ["S07", *codes]])])
    assert book.sheetnames[3:] == ["文件", "计分"]
    assert {row["检查项"] for row in table(book["文件"])} == set(codes)


def test_what_was_put_right_is_listed_but_weighs_nothing(tmp_path: Path) -> None:
    before = three_departments()
    now = three_departments()
    now[1]["findings"] = [now[1]["findings"][0], a_finding("S04", "G30")]
    del now[0]
    book = written(tmp_path, now, before=before)
    rows = table(book["问题明细"])
    assert [(row["检查项"], row["状态"]) for row in rows if row["单位"] == "市教育局"] == [
        ("S07", "未整改"), ("S01", "未整改"), ("S04", "新增"), ("S06", "未整改"), ("S02", "已整改"),
    ]  # fmt: skip
    first = table(book["单位排名"])[0]
    assert (first["警告"], first["新增"], first["未整改"], first["已整改"]) == (3, 1, 3, 1)
    assert not [name for name in book.sheetnames if name.startswith("S02")]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_code_has_a_title_that_fits_a_sheets_name(lang: Lang) -> None:
    families = set(load("desk.toml")["family"])
    codes = [code for code in load("messages.toml")["finding"] if code[0] in families and "." not in code]
    titles = {code: check_words(code, lang)[0] for code in codes}
    assert all(0 < len(f"{code} {title}") <= 37 for code, title in titles.items())
    names = {fit_name(f"{code} {check_words(code, lang)[0]}") for code in [*codes, *load("checks.toml")["check"]]}
    assert len(names) == len(codes) + len(load("checks.toml")["check"])
    assert max(map(len, names)) <= 28


def test_a_title_with_an_apostrophe_is_linked(tmp_path: Path) -> None:
    book = written(tmp_path, [a_form(findings=[a_finding("X07", None)])], "en")
    (link,) = links_of(book["Checks"])
    assert link.location == "'{}'!A1".format(book.sheetnames[3].replace("'", "''"))


def test_what_a_check_says_better_is_said_once(tmp_path: Path) -> None:
    twice = [
        a_finding("S07", None), a_finding("W01", "G30"), a_finding("S01", "E12"), a_finding("I02", "H12"),
        a_finding("S01", "E13"), a_finding("S12", "H14"),
    ]  # fmt: skip
    book = written(tmp_path, [a_form(findings=twice)])
    assert [(row["检查项"], row["单元格"]) for row in table(book["问题明细"])] == [
        ("I02", "H12"), ("W01", "G30"), ("S01", "E13"), ("S12", "H14"),
    ]  # fmt: skip
    with collect_problems([a_form(findings=twice)]) as problems:
        (path,) = write_returns(tmp_path / "退回", problems)
    codes = [cell.value for cell in openpyxl.load_workbook(path).active["C"]]
    assert [value for value in codes if value in {"H12", "G30", "E13", "H14"}] == ["H12", "E13", "G30"]


def test_a_department_that_handed_in_nothing_again_is_listed(tmp_path: Path) -> None:
    rows = table(written(tmp_path, three_departments()[1:], before=three_departments())["单位排名"])
    assert (rows[-1]["单位"], rows[-1]["表数"], rows[-1]["上次有本次未报的表"]) == ("市水利局", 0, 1)
    assert [row["上次有本次未报的表"] for row in rows[:-1]] == [0, 0]


def test_text_of_a_form_is_never_a_formula_or_a_link(tmp_path: Path) -> None:
    hostile = ["=1+1", "+cmd|' /C calc'!A0", "@SUM(A1)", "-2+3", "http://x.example/", "mailto:a@b", "internal:A1"]
    rows = [a_row(12 + i, text) for i, text in enumerate(hostile)]
    findings = [
        a_finding("S01", f"H{12 + i}", found=text, expected=text, message=text, basis=text, suggestion=text)
        for i, text in enumerate(hostile)
    ]
    form = a_form("x.xlsx", '=HYPERLINK("http://x")', sheet="=1", title="=2", indicators=rows, findings=findings)
    folder = tmp_path / "退回"
    book = written(tmp_path, [form])
    with collect_problems([form]) as problems:
        (path,) = write_returns(folder, problems, due="=NOW()")
    for workbook in (book, openpyxl.load_workbook(path)):
        for sheet in workbook:
            assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "n", "inlineStr"}
            targets = [link.target for link in links_of(sheet) if link.target]
            assert all(target.replace("\\", "/").endswith("x.xlsx") for target in targets)
    texts = {cell.value for row in book["问题明细"].iter_rows() for cell in row}
    assert set(hostile) <= texts


NASTY = st.text(st.characters(codec=None), max_size=60)


@settings(deadline=None, max_examples=12)
@given(texts=st.lists(NASTY, min_size=5, max_size=5))
def test_any_text_can_be_written_and_read_back(texts: list[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("nasty")
    org, path, sheet, message, found = texts
    form = a_form(path or "x", org, sheet=sheet, findings=[a_finding("S07", "H12", found=found, message=message)])
    with collect_problems([form]) as problems:
        write_problems(folder / "p.xlsx", problems)
        returned = write_returns(folder / "退回", problems)
    for workbook in (folder / "p.xlsx", *returned):
        list(open_workbook(workbook).sheets())
        openpyxl.load_workbook(workbook)
    assert len(returned) == 1


def test_a_text_too_long_for_a_cell_is_cut_and_says_so(tmp_path: Path) -> None:
    rows = table(written(tmp_path, [a_form(findings=[a_finding("S07", None, message="长" * 40_000)])])["问题明细"])
    assert rows[0]["问题"].endswith(load("outputs.toml")["words"]["cut"]["zh"])


def test_every_sheet_is_fit_to_print(tmp_path: Path) -> None:
    book = written(tmp_path, three_departments())
    for sheet in book:
        assert sheet.freeze_panes is not None
        assert sheet.auto_filter.ref.startswith(f"A{HEADER}:")
        assert sheet.page_setup.paperSize == 9
        assert sheet.page_setup.orientation == "landscape"
        assert (sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight) in ((None, 0), (1, 0))
        assert sheet.print_title_rows == f"$1:${HEADER}"
        assert "&P" in sheet.oddFooter.right.text


def test_a_table_goes_on_in_further_sheets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("perfeval_xlsx.output.desk_book.ROW_LIMIT", HEADER + 3)
    monkeypatch.setattr("perfeval_xlsx.output.desk_book._LINK_LIMIT", 2)
    found = [a_finding("S01", f"H{row}", found=str(row)) for row in range(12, 19)]
    book = written(tmp_path, [a_form(findings=found)])
    sheets = [book[name] for name in ("问题明细", "问题明细（续2）", "问题明细（续3）")]
    assert [[row["单元格"] for row in table(sheet)] for sheet in sheets] == [
        ["H12", "H13", "H14"], ["H15", "H16", "H17"], ["H18"],
    ]  # fmt: skip
    assert [row["序号"] for sheet in sheets for row in table(sheet)] == list(range(1, 8))
    assert [len(links_of(sheet)) for sheet in sheets] == [2, 2, 1]
    assert [sheet.auto_filter.ref for sheet in sheets] == ["A3:N6", "A3:N6", "A3:N4"]
    assert "S01 缺目标值或实际完成值（续3）" in book.sheetnames


def test_spaces_and_line_breaks_of_a_text_are_kept(tmp_path: Path) -> None:
    texts = ["  前后  ", "一\n二", "\t缩进", "_x0041_ _x005F_", "<&>\"'"]
    book = written(tmp_path, [a_form(findings=[a_finding("S01", None, found=text) for text in texts])])
    again = open_workbook(tmp_path / "问题清单.xlsx").sheets()
    assert {row["现填"] for row in table(book["问题明细"])} >= set(texts) - {"_x0041_ _x005F_"}
    shown = {cell.text for sheet in again for cell in sheet.cells.values()}
    assert set(texts) <= shown


def test_english(tmp_path: Path) -> None:
    book = written(tmp_path, three_departments(), "en")
    assert book.sheetnames[:3] == ["Departments", "Findings", "Checks"]
    assert table(book["Findings"])[0]["Severity"] == "error"


def test_no_findings_at_all(tmp_path: Path) -> None:
    book = written(tmp_path, [a_form(findings=[])])
    assert table(book["问题明细"])[0]["问题"] == "没有发现问题"
    with collect_problems([a_form(findings=[])]) as problems:
        assert write_returns(tmp_path / "退回", problems) == []


def test_the_same_findings_give_the_same_bytes(tmp_path: Path) -> None:
    first, second = tmp_path / "1", tmp_path / "2"
    for folder in (first, second):
        written(folder, three_departments())
    assert (first / "问题清单.xlsx").read_bytes() == (second / "问题清单.xlsx").read_bytes()


def test_a_list_that_cannot_be_written_is_a_finding(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with collect_problems([]) as problems, pytest.raises(PerfevalError) as caught:
        write_problems(tmp_path / "file" / "p.xlsx", problems)
    assert caught.value.finding.code == "B26"


def test_a_failed_list_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "p.xlsx"
    path.write_bytes(b"old")
    problems = collect_problems(three_departments())
    with problems:
        pass
    with pytest.raises(Exception, match="closed"):
        write_problems(path, problems)
    assert [child.name for child in tmp_path.iterdir()] == ["p.xlsx"]
    assert path.read_bytes() == b"old"


def test_a_list_for_each_department_that_has_something_to_correct(tmp_path: Path) -> None:
    with collect_problems(three_departments()) as problems:
        paths = write_returns(tmp_path / "退回", problems, due="2024年5月31日")
    assert [path.name for path in paths] == ["市教育局.xlsx", "（未填单位）无名.xlsx"]
    sheet = openpyxl.load_workbook(paths[0]).active
    texts = [cell.value for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert "市教育局：" in texts
    assert any(all(part in text for part in ("2张", "4处", "错误1处、警告3处", "2024年5月31日")) for text in texts)
    assert any(text.startswith("填报人") for text in texts)
    head = texts.index("序号")
    assert [cell.value for cell in sheet["C"] if cell.value in {"G9", "H12", "I6"}] == ["G9", "H12", "I6"]
    assert texts[head + 1 : head + 9][-1] == "整改情况"
    assert (sheet.page_setup.paperSize, sheet.page_setup.fitToHeight) == (9, 0)


def test_what_was_put_right_is_not_asked_for_again(tmp_path: Path) -> None:
    before, now = [a_form(findings=[a_finding("S07", None)])], [a_form(findings=[])]
    with collect_problems(now, compare(now, before)) as problems:
        assert write_returns(tmp_path, problems) == []


HOSTILE_NAMES = [
    "CON", "nul.txt", "Lpt1", "a/b\\c", "..", "局.", "局 . ", "a:b*c?", "\x00\x1f", "x" * 300, "", "  ", "局\n处",
]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_names_fit_for_windows(name: str) -> None:
    stem = file_stem(name, set())
    assert stem == stem.strip(". ")
    assert 0 < len(stem) <= 61
    assert not set(stem) & set('<>:"/\\|?*\n\0\x1f')
    assert stem.partition(".")[0].upper() not in {"CON", "NUL", "LPT1"}


@settings(deadline=None, max_examples=100)
@given(names=st.lists(st.one_of(NASTY, st.sampled_from([*HOSTILE_NAMES, "局", "局_2", "Ju", "JU"])), max_size=8))
def test_names_never_collide(names: list[str]) -> None:
    taken: set[str] = set()
    stems = [file_stem(name, taken) for name in names]
    assert len({stem.casefold() for stem in stems}) == len(names)
    for stem in stems:
        f"{stem}.xlsx".encode()


def test_departments_of_the_same_file_name_get_lists_of_their_own(tmp_path: Path) -> None:
    orgs = ["甲/局", "甲:局", "甲_局"]
    forms = [a_form(f"{i}.xlsx", org, findings=[a_finding("S07", None)]) for i, org in enumerate(orgs)]
    with collect_problems(forms) as problems:
        paths = write_returns(tmp_path, problems)
    assert len({path.name for path in paths}) == 3
    assert all(zipfile.is_zipfile(path) for path in paths)


def test_links_are_refused_where_they_would_lead_astray(tmp_path: Path) -> None:
    assert link_to(tmp_path, "a#b.xlsx", "表", "A1") is None
    assert link_to(tmp_path, "a.xlsx", None, "A1") is None
    assert link_to(tmp_path, None, "表", "A1") is None
    assert link_to(tmp_path, "x" * 2_000, "表", "A1") is None
    assert link_to(tmp_path, str(tmp_path / "a.xlsx"), "表", None) == "external:a.xlsx#'表'!A1"
