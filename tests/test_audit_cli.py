"""An auditor at the command line, by real processes: lists, annotated copies, decisions, what was put right, reports."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import docx
import openpyxl
import pytest
from forms import SAMPLES, SEED, content, members, perfeval, put, tree

from perfeval_xlsx.data import load

ROAD = SAMPLES / "市交通运输局_农村公路养护项目支出绩效自评表.xlsx"
CARE = SAMPLES / "市民政局_养老服务补贴项目支出绩效自评表.xlsx"
SCORED_WRONG = {"H13", "H15", "H17", "H18", "H19", "H22"}
"""Score cells of the road form in which the typed score is not the rule's."""


def objects(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def rows(path: Path, sheet: str) -> list[dict[str, Any]]:
    """The rows of one of our tables by heading; title and note stand above it."""
    table = list(openpyxl.load_workbook(path)[sheet].iter_rows(min_row=3, values_only=True))
    return [dict(zip(map(str, table[0]), row, strict=True)) for row in table[1:] if any(row)]


def wrongly_scored(value: dict[str, Any]) -> set[str | None]:
    """Score cells that are not the rule's: C10 says so of those scored the wrong way round."""
    return {cell for code, cell in codes(value) if code in ("C02", "C10")}


def codes(value: dict[str, Any]) -> set[tuple[str, str | None]]:
    return {(finding["code"], finding["cell"]) for finding in value["findings"]}


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output folder of an audit of all samples, with annotated copies."""
    out = tmp_path_factory.mktemp("审核") / "结果"
    done = perfeval("audit", SAMPLES, "-o", out, "--annotate", "--due", "2024年5月31日")
    assert (done.code, done.out) == (1, "")
    for part in ("退回", "批注", "问题清单.xlsx", "复核表.xlsx", "处错误"):
        assert part in done.err
    return out


# Lists, letters, copies


def test_an_audit_leaves_the_forms_alone_and_writes_no_scores(tmp_path: Path) -> None:
    source = put(ROAD, tmp_path / "in" / "表.xlsx")
    before = tree(tmp_path / "in")
    assert perfeval("audit", tmp_path / "in", "-o", tmp_path / "out", "-q").code == 1
    assert tree(tmp_path / "in") == before
    names = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.xlsx")}
    assert names == {"汇总.xlsx", "问题清单.xlsx", "复核表.xlsx", "退回/临江市公路养护中心.xlsx"}
    assert source.exists()


def test_an_audit_without_errors_has_code_0(tmp_path: Path) -> None:
    done = perfeval("audit", SEED, "-o", tmp_path)
    assert done.code == 0
    assert "0 处错误" in done.err


def test_the_list_of_problems_ranks_departments_and_names_cells(audited: Path) -> None:
    ranking = rows(audited / "问题清单.xlsx", "单位排名")
    assert ranking[0]["单位"] == "临江市公路养护中心"
    weights = [row["问题权重"] for row in ranking]
    assert weights == sorted(weights, reverse=True)
    found = rows(audited / "问题清单.xlsx", "问题明细")
    wrong = [row["单元格"] for row in found if row["单位"] == "临江市公路养护中心" and row["检查项"] in ("C02", "C10")]
    assert sorted(wrong) == sorted(SCORED_WRONG), "each wrong score is listed once"
    assert all(row["依据"] and row["整改建议"] for row in found if row["检查项"] == "C02")


def test_links_lead_into_the_annotated_copies(audited: Path) -> None:
    sheet = openpyxl.load_workbook(audited / "问题清单.xlsx")["问题明细"]
    links = {
        str(cell.hyperlink.target).replace("\\", "/") for row in sheet.iter_rows() for cell in row if cell.hyperlink
    }
    assert links
    for link in links:
        assert link.startswith("批注/")
        assert (audited / link.partition("#")[0]).exists()


def test_annotated_copies_say_beside_the_form_what_is_wrong(audited: Path) -> None:
    sheet = openpyxl.load_workbook(audited / "批注" / ROAD.name).active
    assert sheet is not None
    opinion = load("desk.toml")["annotate"]["opinion"]["zh"]
    head = next(cell for row in sheet.iter_rows() for cell in row if cell.value == opinion)
    assert "C02 自评10分，规则9分" in str(sheet.cell(13, head.column).value)
    assert sheet.cell(13, head.column - 1).value == 9
    assert sheet["H13"].value == 10, "the form's own score stays"


def test_every_department_with_something_to_correct_gets_a_list(audited: Path) -> None:
    letters = {path.stem for path in (audited / "退回").iterdir()}
    assert letters == {"临江市公路养护中心", "临江市民政局", "云岭县明溪中学", "安陵县医疗保障局", "株洲市教育局"}
    sheet = openpyxl.load_workbook(audited / "退回" / "临江市公路养护中心.xlsx").active
    assert sheet is not None
    texts = "\n".join(str(cell) for row in sheet.iter_rows(values_only=True) for cell in row if cell)
    for part in ("临江市公路养护中心：", "请于2024年5月31日前", "H13", "整改情况"):
        assert part in texts


def test_a_list_that_nobody_is_to_get_any_more_goes(tmp_path: Path) -> None:
    source, out = put(ROAD, tmp_path / "in" / "表.xlsx"), tmp_path / "out"
    perfeval("audit", tmp_path / "in", "-o", out, "-q")
    own = out / "退回" / "抄送名单.txt"
    own.write_text("不动", encoding="utf-8")
    put(SEED, source)
    perfeval("audit", tmp_path / "in", "-o", out, "-q")
    assert {path.name for path in (out / "退回").iterdir()} == {"抄送名单.txt", "株洲市教育局.xlsx"}


def test_a_second_run_writes_nothing_and_a_lost_list_is_written_again(audited: Path) -> None:
    arguments = ("audit", SAMPLES, "-o", audited, "--annotate", "--due", "2024年5月31日")
    before = {path: path.stat().st_mtime_ns for path in audited.rglob("*.xlsx")}
    done = perfeval(*arguments)
    assert (done.code, "本次处理 0 个" in done.err) == (1, True)
    assert {path: path.stat().st_mtime_ns for path in audited.rglob("*.xlsx")} == before
    lost = audited / "退回" / "临江市民政局.xlsx"
    lost.unlink()
    assert perfeval(*arguments).code == 1
    assert lost.exists()


def test_the_size_of_chunks_and_the_number_of_workers_change_nothing(audited: Path, tmp_path: Path) -> None:
    script = "from perfeval_xlsx.data import load; load('run.toml')['chunk'] |= {'files': %d}\n"
    script += "from perfeval_xlsx.cli import main; main()"
    import subprocess
    import sys

    for name, jobs, most in (("一", 1, 1), ("二", 2, 5)):
        arguments = [
            "audit",
            str(SAMPLES),
            "-o",
            str(tmp_path / name),
            "--annotate",
            "--due",
            "2024年5月31日",
            "-j",
            str(jobs),
        ]
        command = [sys.executable, "-c", script % most, *arguments, "-q"]
        assert subprocess.run(command, capture_output=True).returncode == 1
        assert content(tmp_path / name) == content(audited)


# Machine interface


def test_json_says_the_same_as_score_without_copy_and_findings_are_complete() -> None:
    audit = objects(perfeval("audit", SAMPLES, "--json", "-q").out)
    score = objects(perfeval("score", SAMPLES, "--json", "-q").out)
    forms = [value for value in audit if value["status"] != "unit"]
    assert len(forms) == len(score) == 13
    for mine, other in zip(forms, score, strict=True):
        assert set(mine) == set(other) - {"copy"}
        assert {k: v for k, v in mine.items() if k != "findings"} == {
            k: v for k, v in other.items() if k not in ("findings", "copy")
        }
    (road,) = (value for value in forms if value["path"].endswith(ROAD.name))
    assert wrongly_scored(road) == SCORED_WRONG


def test_csv_has_a_mark_for_excel_and_fixed_columns(tmp_path: Path) -> None:
    done = perfeval("audit", ROAD, "--csv", "-q", env={"PYTHONIOENCODING": "gbk"}, cwd=tmp_path)
    assert done.code == 1
    assert done.raw.startswith(b"\xef\xbb\xbf")
    assert list(tmp_path.iterdir()) == []
    table = list(csv.DictReader(io.StringIO(done.raw.decode("utf-8-sig"), newline="")))
    assert list(table[0]) == load("desk.toml")["csv"]["columns"]
    by_cell = {row["cell"]: row for row in table if row["code"] in ("C02", "C10")}
    assert set(by_cell) == SCORED_WRONG
    assert (by_cell["H13"]["indicator"], by_cell["H13"]["found"], by_cell["H13"]["state"]) == ("养护公路里程", "10", "")
    (value, *_) = objects(perfeval("audit", ROAD, "--json", "-q").out)
    assert len(value["findings"]) == sum(row["path"] == value["path"] for row in table)


def test_no_text_of_a_form_is_a_formula_in_the_csv(tmp_path: Path) -> None:
    source = put(ROAD, tmp_path / "表.xlsx")
    book = openpyxl.load_workbook(source)
    assert book.active is not None
    book.active["D13"] = "=1+2"
    book.active["D13"].data_type = "s"
    book.active["F13"] = "－3"
    book.save(source)
    done = perfeval("audit", source, "--csv", "-q")
    cells = [cell for row in csv.reader(io.StringIO(done.raw.decode("utf-8-sig"), newline="")) for cell in row]
    assert any(cell.startswith("'=1+2") for cell in cells)
    assert not [cell for cell in cells if cell.startswith(("=", "@", "+"))]


@pytest.mark.parametrize("arguments", [[], ["--json", "--csv"]])
def test_an_audit_needs_one_place_for_its_results(arguments: list[str]) -> None:
    done = perfeval("audit", ROAD, *arguments)
    assert (done.code, done.out) == (2, "")
    assert done.err


# Decisions


def decide(table: Path, decisions: dict[str, tuple[object, str]]) -> dict[str, str]:
    """Fill in decisions by indicator; return the cells they stand in."""
    book = openpyxl.load_workbook(table)
    sheet = book["复核"]
    columns = {str(cell.value): cell.column for cell in sheet[3]}
    places = {}
    for row in range(4, sheet.max_row + 1):
        name = sheet.cell(row, columns["指标"]).value
        if name in decisions:
            cell = sheet.cell(row, columns["复核得分"])
            cell.value, sheet.cell(row, columns["复核意见"]).value = decisions[str(name)]
            places[str(name)] = cell.coordinate
    book.save(table)
    assert places.keys() == decisions.keys()
    return places


@pytest.mark.parametrize("command", ["score", "audit"])
def test_decisions_enter_scores_and_one_outside_its_band_is_refused(tmp_path: Path, command: str) -> None:
    out = tmp_path / "out"
    perfeval("audit", CARE, "-o", out, "-q")
    table = put(out / "复核表.xlsx", tmp_path / "复核表.xlsx")
    before = rows(table, "复核")
    (open_row,) = (row for row in before if row["规则得分"] is None)
    name, high = open_row["指标"], float(open_row["允许上限"])
    other = next(row["指标"] for row in before if row["性质"] == "待判定")
    places = decide(table, {name: (high - 1, "已核实凭证"), other: (99, "多给")})

    done = perfeval(command, CARE, "-o", out, "--reviews", table, "--json")
    assert f"复核表 {places[other]}" in done.err
    assert "超出允许范围" in done.err
    assert (done.code, "复核表有 1 处问题（见下）" in done.err) == (1, True)
    (form, *extra) = objects(done.out)
    errors = sum(finding["severity"] == "error" for finding in form["findings"])
    assert f"行待判定，{errors + 1} 处错误" in done.err, "a refused decision counts"
    assert form["status"] == "scored"
    (row,) = (row for row in form["indicators"] if row["level3"] == name)
    assert (row["status"], float(row["score"]), row["low"], row["high"]) == (
        "reviewed",
        high - 1,
        row["score"],
        row["score"],
    )
    assert "已核实凭证" in row["basis"]
    assert float(form["low"]) < float(form["high"]), "bounds stay until all rows are decided"
    assert [finding["code"] for value in extra for finding in value["findings"]] == ["V03"]

    run = json.loads((out / "run.json").read_text(encoding="utf-8"))
    record = {item["indicator"]: (item["score"], item["opinion"]) for item in run["reviews"]}
    assert record[name] == (f"{high - 1:g}", "已核实凭证")
    after = {row["指标"]: row for row in rows(out / "复核表.xlsx", "复核")}
    assert (after[name]["复核得分"], after[name]["复核意见"]) == (high - 1, "已核实凭证")
    again = perfeval(command, CARE, "-o", out, "--reviews", table)
    assert "本次处理 0 个" in again.err


def test_decisions_made_in_the_output_folder_itself_stand_and_settle(tmp_path: Path) -> None:
    perfeval("audit", CARE, "-o", tmp_path, "-q")
    table = tmp_path / "复核表.xlsx"
    decisions = {row["指标"]: (row["允许上限"], "同意") for row in rows(table, "复核")}
    decide(table, decisions)
    (form,) = objects(perfeval("audit", CARE, "-o", tmp_path, "--reviews", table, "--json", "-q").out)
    assert form["low"] == form["high"] == form["total"]
    assert form["grade_final"] is True
    assert "本次处理 0 个" in perfeval("audit", CARE, "-o", tmp_path, "--reviews", table).err


def test_a_decision_about_a_file_of_no_run_is_reported(tmp_path: Path) -> None:
    perfeval("audit", CARE, "-o", tmp_path, "-q")
    table = put(tmp_path / "复核表.xlsx", tmp_path / "表" / "复核表.xlsx")
    decide(table, {str(rows(table, "复核")[0]["指标"]): (None, "查无此表")})
    done = perfeval("audit", SEED, "--reviews", table, "--json", "-q")
    assert (done.code, CARE.name in done.err) == (0, True)
    assert [finding["code"] for finding in objects(done.out)[-1]["findings"]] == ["V04"]


# What was put right


def corrected(source: Path, **cells: object) -> Path:
    book = openpyxl.load_workbook(source)
    assert book.active is not None
    for cell, value in cells.items():
        book.active[cell] = value
    book.save(source)
    return source


def test_each_finding_is_new_open_or_fixed_since_an_earlier_run(tmp_path: Path) -> None:
    source, first, second = put(ROAD, tmp_path / "in" / "表.xlsx"), tmp_path / "五月", tmp_path / "六月"
    perfeval("audit", tmp_path / "in", "-o", first, "-q")
    corrected(source, H13=9, H20=9)
    done = perfeval("audit", tmp_path / "in", "-o", second, "--since", first / "run.json", "--json", "-q")
    (form, *_) = objects(done.out)
    states = {(finding["code"], finding["cell"]): finding["state"] for finding in form["findings"]}
    assert states["C02", "H15"] == "open"
    assert "new" in states.values()
    assert ("C02", "H13") in {(finding["code"], finding["cell"]) for finding in form["fixed"]}
    assert {finding["state"] for finding in form["fixed"]} == {"fixed"}

    (row,) = rows(second / "问题清单.xlsx", "单位排名")
    new, still, fixed = (row[name] for name in ("新增", "未整改", "已整改"))
    listed = [row["状态"] for row in rows(second / "问题清单.xlsx", "问题明细")]
    assert [listed.count(state) for state in ("新增", "未整改", "已整改")] == [new, still, fixed]
    assert min(new, still, fixed) > 0
    table = csv.DictReader(io.StringIO(perfeval("audit", source, "--since", first / "run.json", "--csv", "-q").out[1:]))
    assert {row["state"] for row in table} == {"new", "open", "fixed"}


def test_rows_inserted_above_change_no_state(tmp_path: Path) -> None:
    source = put(ROAD, tmp_path / "in" / "表.xlsx")
    perfeval("audit", source, "-o", tmp_path / "out", "-q")
    with zipfile.ZipFile(source) as package:
        parts = {name: package.read(name) for name in package.namelist()}

    def moved(match: re.Match[str]) -> str:
        return f"{match[1]}{int(match[2]) + 2}"

    name = "xl/worksheets/sheet1.xml"
    text = re.sub(r"((?<=r=\")[A-Z]*|(?<=[\":])[A-Z]+)(\d+)(?=[\":])", moved, parts[name].decode())
    with zipfile.ZipFile(source, "w") as package:
        for part, data in parts.items():
            package.writestr(part, text if part == name else data)
    done = perfeval("audit", source, "--since", tmp_path / "out" / "run.json", "--json", "-q")
    (form, *_) = objects(done.out)
    assert wrongly_scored(form) == {f"H{int(cell[1:]) + 2}" for cell in SCORED_WRONG}
    assert {finding["state"] for finding in form["findings"]} == {"open"}
    assert form["fixed"] == []


@pytest.mark.parametrize(
    ("option", "text", "code"),
    [
        ("--since", "{}", "run.json"),
        ("--since", "不是", "run.json"),
        ("--reviews", None, "复核表"),
        ("--roster", "a,b\n", ""),
    ],
)
def test_what_cannot_be_used_ends_the_run_at_once(tmp_path: Path, option: str, text: str | None, code: str) -> None:
    wrong = tmp_path / ("run.json" if option == "--since" else "名单.csv")
    if text is None:
        wrong = put(SEED, tmp_path / "别的.xlsx")
    else:
        wrong.write_text(text, encoding="utf-8")
    done = perfeval("audit", SEED, "-o", tmp_path / "out", option, wrong)
    assert (done.code, done.out) == (2, "")
    assert wrong.name in done.err
    assert code in done.err
    assert option in done.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("option", ["--reviews", "--roster", "--last-year", "--reports"])
def test_what_is_not_there_ends_the_run_at_once(tmp_path: Path, option: str) -> None:
    done = perfeval("audit", SEED, "-o", tmp_path / "out", option, tmp_path / "没有")
    assert (done.code, done.out) == (2, "")
    assert f"{option} 给出的“{tmp_path / '没有'}”不能使用：找不到文件" in done.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("option", ["--rules", "--password-file"])
def test_what_scoring_needs_and_is_not_there_ends_it_at_once(tmp_path: Path, option: str) -> None:
    done = perfeval("score", SEED, "-o", tmp_path / "out", option, tmp_path / "没有.toml")
    assert (done.code, done.out, "没有.toml" in done.err, "Errno" in done.err) == (2, "", True, False)
    assert not (tmp_path / "out").exists()


def test_a_file_of_last_year_that_cannot_be_read_is_refused_where_it_is_named(tmp_path: Path) -> None:
    wrong = tmp_path / "去年" / "表.xlsx"
    wrong.parent.mkdir()
    wrong.write_text("不是工作簿", encoding="utf-8")
    done = perfeval("audit", SEED, "-o", tmp_path / "out", "--last-year", wrong)
    assert (done.code, "--last-year" in done.err, str(wrong) in done.err) == (2, True, True)
    assert "不是工作簿" in done.err
    assert not (tmp_path / "out").exists()
    listed = perfeval("audit", SEED, "--json", "-q", "--last-year", wrong.parent)
    assert listed.code == 1
    assert "表.xlsx" in listed.err


# Reports


def report(path: Path, *sentences: str) -> None:
    document = docx.Document()
    for sentence in sentences:
        document.add_paragraph(sentence)
    path.parent.mkdir(parents=True, exist_ok=True)
    document.save(str(path))


@pytest.mark.parametrize("beside", [True, False], ids=["beside", "folder"])
def test_a_report_that_contradicts_the_form_is_quoted(tmp_path: Path, beside: bool) -> None:
    source = put(SEED, tmp_path / "in" / "表.xlsx")
    sentence = "2021年度部门整体支出绩效自评得分为97分，等级为优。"
    folder = tmp_path / "in" if beside else tmp_path / "报告" / "教育系统"
    report(folder / "株洲市教育局绩效自评报告.docx", "一、基本情况", sentence)
    report(folder / "别的单位报告.docx", "自评得分为12分。")
    where = [] if beside else ["--reports", tmp_path / "报告"]
    (form,) = objects(perfeval("audit", source, "--json", "-q", *where).out)
    told = [finding for finding in form["findings"] if finding["code"].startswith("N")]
    assert [(finding["found"], finding["expected"]) for finding in told] == [("97分", "99")]
    assert sentence in told[0]["message"]
    assert "株洲市教育局绩效自评报告.docx" in told[0]["message"]
    assert not [f for f in objects(perfeval("audit", SEED, "--json", "-q").out)[0]["findings"] if f["code"][0] == "N"]


def test_a_changed_report_is_read_again_and_a_broken_one_is_a_finding(tmp_path: Path) -> None:
    source, path = put(SEED, tmp_path / "in" / "表.xlsx"), tmp_path / "in" / "株洲市教育局报告.docx"
    report(path, "绩效自评得分为99分。")
    assert "N" not in {
        code[0] for code, _ in codes(objects(perfeval("audit", source, "-o", tmp_path / "out", "--json").out)[0])
    }
    path.write_bytes(b"PK broken")
    done = perfeval("audit", source, "-o", tmp_path / "out", "--json")
    assert "本次处理 0 个" in done.err
    assert "N10" in {code for code, _ in codes(objects(done.out)[0])}
    listed = rows(tmp_path / "out" / "问题清单.xlsx", "问题明细")
    assert "N10" in {row["检查项"] for row in listed}


def test_without_the_library_it_says_how_to_install_it(tmp_path: Path) -> None:
    source = put(SEED, tmp_path / "表.xlsx")
    report(tmp_path / "株洲市教育局报告.docx", "绩效自评得分为99分。")
    (tmp_path / "without" / "docx").mkdir(parents=True)
    (tmp_path / "without" / "docx" / "__init__.py").write_text("raise ImportError", encoding="utf-8")
    done = perfeval("audit", source, "--json", "-q", env={"PYTHONPATH": str(tmp_path / "without")})
    (finding,) = (f for f in objects(done.out)[0]["findings"] if f["code"] == "N11")
    assert 'pip install "perfeval-xlsx[reports]"' in finding["suggestion"]


# explain


def test_explain_tells_what_was_found_in_a_cell_and_by_a_check() -> None:
    by_cell = perfeval("explain", ROAD, "H13")
    for part in ("养护公路里程（H13）", "C02", "现填：10", "应为：9", "建议："):
        assert part in by_cell.out
    by_code = perfeval("explain", ROAD, "C02")
    assert {cell for cell in SCORED_WRONG if f"】{cell}：" in by_code.out} == SCORED_WRONG - {"H17"}
    none = perfeval("explain", ROAD, "F01")
    assert (none.code, "没有这项问题" in none.out, "允许误差" in none.out) == (0, True, True)
    assert perfeval("explain", ROAD, "C99").code == 2


def test_a_cell_with_a_finding_and_no_score_is_explained() -> None:
    (form, *_) = objects(
        perfeval("audit", SAMPLES / "东城区发展和改革局_部门预算项目支出绩效自评表.xlsx", "--json", "-q").out
    )
    (finding,) = (finding for finding in form["findings"] if finding["code"] == "F06")
    done = perfeval(
        "explain", SAMPLES / "东城区发展和改革局_部门预算项目支出绩效自评表.xlsx", finding["cell"], "--lang", "en"
    )
    assert (done.code, "F06" in done.out, "what to do" in done.out) == (0, True, True)


def test_annotated_copies_change_nothing_else(audited: Path) -> None:
    before, after = members(ROAD), members(audited / "批注" / ROAD.name)
    changed = {name for name in before if before[name] != after.get(name)}
    assert changed <= {"xl/worksheets/sheet1.xml", "xl/styles.xml"}
    assert after.keys() == before.keys()


def test_an_interrupted_run_leaves_the_review_table_alone(tmp_path: Path) -> None:
    from threading import Event

    from perfeval_xlsx.batch.options import Options
    from perfeval_xlsx.batch.run import open_run

    out, table = tmp_path / "out", tmp_path / "out" / "复核表.xlsx"
    put(CARE, tmp_path / "in" / "一.xlsx")
    perfeval("audit", tmp_path / "in", "-o", out, "-q")
    decide(table, {str(row["指标"]): (row["允许上限"], "同意") for row in rows(table, "复核")})
    put(CARE, tmp_path / "in" / "一.xlsx", "改")
    before, stop = table.read_bytes(), Event()
    stop.set()
    with open_run([tmp_path / "in"], out, Options(audit=True, copies=False, reviews=str(table)), stop) as run:
        assert run.execute().exit_code == 130
    assert table.read_bytes() == before


def test_a_score_run_lists_the_rows_a_person_must_settle_and_no_other(tmp_path: Path) -> None:
    perfeval("score", SAMPLES, "-o", tmp_path, "-q")
    table = rows(tmp_path / "复核表.xlsx", "复核")
    assert {row["性质"] for row in table} == {"待判定", "无法计分"}
    summary = openpyxl.load_workbook(tmp_path / "汇总.xlsx", data_only=True).worksheets[0]
    counted = next(cell.column for row in summary.iter_rows(max_row=8) for cell in row if cell.value == "需人工行数")
    assert len(table) == sum(
        cell
        for (cell,) in summary.iter_rows(min_col=counted, max_col=counted, values_only=True)
        if isinstance(cell, int)
    )
