"""Lists of units, last year's forms and comparisons over a whole run, at the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from forms import SAMPLES, SEED, perfeval, put

from perfeval_xlsx.batch.options import Options
from perfeval_xlsx.batch.roster import read_roster
from perfeval_xlsx.batch.run import open_run
from perfeval_xlsx.findings import PerfevalError

ROAD = SAMPLES / "市交通运输局_农村公路养护项目支出绩效自评表.xlsx"
NAMES = ("市体育局", "临江市河道管理处", "株洲市教育局")


def workbook(path: Path, *rows: tuple[object, ...]) -> Path:
    book = openpyxl.Workbook()
    assert book.active is not None
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


def csv_file(path: Path, text: str, encoding: str) -> Path:
    path.write_text(text, encoding=encoding)
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_a_csv_is_read_in_any_usual_encoding(tmp_path: Path, encoding: str) -> None:
    text = "序号,单位名称,联系人\n1,市体育局,张\n2, 临江市河道管理处 ,李\n3,株洲市教育局,王\n,合计,3\n"
    assert read_roster(csv_file(tmp_path / "名单.csv", text, encoding)) == NAMES


def test_a_workbook_with_a_title_above_its_heading(tmp_path: Path) -> None:
    rows = (
        ("2023年度应报单位名单",),
        (),
        ("序号", "部门（单位）名称"),
        *enumerate(NAMES, 1),
        ("", "合 计"),
        (4, NAMES[0]),
    )
    assert read_roster(workbook(tmp_path / "名单.xlsx", *rows)) == NAMES


def test_a_single_column_needs_no_heading(tmp_path: Path) -> None:
    assert read_roster(csv_file(tmp_path / "名单.csv", "\n".join(NAMES), "utf-8")) == NAMES
    assert read_roster(workbook(tmp_path / "名单.xlsx", *((name,) for name in NAMES))) == NAMES


@pytest.mark.parametrize("text", ["", "甲,乙\n丙,丁\n", "单位名称\n", "单位名称\n合计\n"])
def test_a_list_without_names_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(PerfevalError, match=r"名单\.csv") as caught:
        read_roster(csv_file(tmp_path / "名单.csv", text, "utf-8"))
    assert caught.value.finding.code == "L04"


def test_a_missing_list_is_named() -> None:
    with pytest.raises(PerfevalError, match=r"没有这份\.csv"):
        read_roster("没有这份.csv")


# At the command line


def rows(path: Path, sheet: str) -> list[dict[str, Any]]:
    table = list(openpyxl.load_workbook(path)[sheet].iter_rows(min_row=3, values_only=True))
    return [dict(zip(map(str, table[0]), row, strict=True)) for row in table[1:] if any(row)]


def test_units_that_handed_in_nothing_are_listed_and_settled_later(tmp_path: Path) -> None:
    roster = csv_file(tmp_path / "名单.csv", "单位\n市体育局\n临江市公路养护中心\n", "utf-8")
    source, first, second = tmp_path / "in", tmp_path / "五月", tmp_path / "六月"
    put(ROAD, source / "公路.xlsx")
    done = perfeval("audit", source, "-o", first, "--roster", roster, "--json")
    assert "1 个单位整体需要关注" in done.err
    form, unit = map(json.loads, done.out.splitlines())
    assert (unit["status"], unit["org"], unit["path"], unit["sheet"]) == ("unit", "市体育局", "市体育局", None)
    assert [(f["code"], f["cell"], f["expected"]) for f in unit["findings"]] == [("X06", None, "市体育局")]
    assert form["org"] == "临江市公路养护中心"
    assert {row["单位"] for row in rows(first / "问题清单.xlsx", "X06 名单中的单位没有报送")} == {"市体育局"}
    assert not (first / "退回" / "市体育局.xlsx").exists(), "who handed in nothing has nothing to correct"
    run = json.loads((first / "run.json").read_text(encoding="utf-8"))
    assert [each["org"] for each in run["units"]] == ["市体育局"]

    book = openpyxl.load_workbook(ROAD)
    assert book.active is not None
    for row in book.active.iter_rows():
        for cell in row:
            if isinstance(cell.value, str):
                cell.value = cell.value.replace("临江市公路养护中心", "市体育局")
    book.save(source / "体育.xlsx")
    arguments = ("audit", source, "-o", second, "--roster", roster, "--since", first / "run.json", "--json", "-q")
    units = [value for value in map(json.loads, perfeval(*arguments).out.splitlines()) if value["status"] == "unit"]
    assert {unit["org"]: [f["code"] for f in unit["fixed"]] for unit in units}["市体育局"] == ["X06"]
    states = {row["单位"]: row["状态"] for row in rows(second / "问题清单.xlsx", "问题明细") if row["检查项"] == "X06"}
    assert states == {"市体育局": "已整改"}


def test_last_year_s_form_filed_again_is_found(tmp_path: Path) -> None:
    before = put(SEED, tmp_path / "去年" / "教育.xlsx")
    now = put(SEED, tmp_path / "今年" / "教育.xlsx")
    book = openpyxl.load_workbook(now)
    assert book.active is not None
    for row in book.active.iter_rows():
        for cell in row:
            if isinstance(cell.value, str):
                cell.value = cell.value.replace("2021", "2022")
    book.save(now)
    (tmp_path / "去年" / "坏.xlsx").write_bytes(b"PK")
    done = perfeval("audit", now, "--last-year", before.parent, "--json", "-q")
    form, unread = map(json.loads, done.out.splitlines())
    (found,) = (finding for finding in form["findings"] if finding["code"] == "X05")
    assert "2021" in found["message"]
    assert (done.code, unread["status"], Path(unread["path"]).name) == (1, "failed", "坏.xlsx")
    assert "坏.xlsx" in done.err
    alone = json.loads(perfeval("audit", now, "--json", "-q").out.splitlines()[0])
    assert "X05" not in {finding["code"] for finding in alone["findings"]}


def test_what_only_all_forms_show_does_not_depend_on_how_they_are_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from perfeval_xlsx.data import load

    put(ROAD, tmp_path / "in" / "一.xlsx")
    book = openpyxl.load_workbook(ROAD)
    assert book.active is not None
    book.active["F13"] = "99公里"
    book.save(tmp_path / "in" / "二.xlsx")
    put(SEED, tmp_path / "in" / "三.xlsx")
    found = []
    for most in (1, 2, 16):
        monkeypatch.setitem(load("run.toml")["chunk"], "small", most)
        with open_run([tmp_path / "in"], None, Options(audit=True, copies=False)) as run:
            run.execute()
            found.append([(result["path"], result["findings"]) for result in run.results()])
    assert found[0] == found[1] == found[2]
    assert "X04" in {finding["code"] for _, findings in found[0] for finding in findings}
