from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from factory import a_form, a_row, an_execution
from hypothesis import given, settings
from hypothesis import strategies as st

from perfeval_xlsx.findings import PerfevalError
from perfeval_xlsx.form.frames import to_frames
from perfeval_xlsx.form.read import find_forms
from perfeval_xlsx.output.results import form_results
from perfeval_xlsx.output.review import write_review
from perfeval_xlsx.scoring.reviews import Applied, Reviews, apply_reviews, read_reviews
from perfeval_xlsx.scoring.rulebook import Rulebook
from perfeval_xlsx.scoring.rulebook_file import choose_rulebook
from perfeval_xlsx.scoring.score import ScoredTables, score
from perfeval_xlsx.workbook import open_workbook

SAMPLES = Path(__file__).parent.parent / "sample_workbooks"
ROADS = "市交通运输局_农村公路养护项目支出绩效自评表.xlsx"
ELDERLY = "市民政局_养老服务补贴项目支出绩效自评表.xlsx"
MUSEUM = "市文化馆_两个项目支出绩效自评表.xlsx"
SCHOOLS = "市教育局_部门整体支出绩效自评表.xlsx"
HEADER = 3
JUDGED: dict[str, Any] = {"status": "judged", "low": "8", "high": "10", "score": "9", "self_score": "9"}


class Run:
    """Some samples read and scored."""

    def __init__(self, *names: str) -> None:
        books = [open_workbook(SAMPLES / name) for name in names]
        self.forms = [form for book in books for form in find_forms(book, book.path.name)]
        self.rulebooks: dict[str, Rulebook] = {
            form.id: choose_rulebook(form.kind, form.province, form.year, ()) for form in self.forms
        }
        self.scored = score(to_frames(self.forms), self.rulebooks)

    def results(self, scored: ScoredTables | None = None) -> list[Any]:
        return form_results(self.forms, scored or self.scored)

    def apply(self, reviews: Reviews) -> Applied:
        return apply_reviews(self.scored, reviews, self.rulebooks)


@pytest.fixture(scope="module")
def run() -> Run:
    return Run(ROADS, ELDERLY, MUSEUM, SCHOOLS)


def columns(sheet: Any) -> dict[str, int]:
    return {cell.value: cell.column for cell in sheet[HEADER]}


def rows(path: Path, lang: str = "zh") -> list[dict[str, Any]]:
    sheet = openpyxl.load_workbook(path)["复核" if lang == "zh" else "Review"]
    head, *body = sheet.iter_rows(min_row=HEADER, values_only=True)
    return [dict(zip(head, row, strict=True)) for row in body]


def fill(path: Path, decisions: dict[tuple[str, str], Any], opinion: str | None = None) -> None:
    """Type decisions, by file and cell, as a reviewer would."""
    book = openpyxl.load_workbook(path)
    sheet = book["复核"]
    at = columns(sheet)
    for row in range(HEADER + 1, sheet.max_row + 1):
        place = sheet.cell(row, at["文件"]).value, sheet.cell(row, at["单元格"]).value
        if place in decisions:
            sheet.cell(row, at["复核得分"]).value = decisions[place]
            sheet.cell(row, at["复核意见"]).value = opinion
    book.save(path)


@pytest.fixture
def table(run: Run, tmp_path: Path) -> Path:
    path = tmp_path / "复核表.xlsx"
    write_review(path, run.results())
    return path


def test_lists_what_a_person_must_weigh(table: Path) -> None:
    found = {(row["文件"], row["单元格"]): row for row in rows(table)}
    late = found[ROADS, "H16"]
    facts = ("自评得分", "规则得分", "允许下限", "允许上限", "性质", "对等级的影响")
    assert [late[name] for name in facts] == [10, 5, 0, 9.9, "待判定", "此项即可改变等级"]
    assert found[ELDERLY, "H18"]["性质"] == "无法计分"
    assert found[ELDERLY, "H18"]["规则得分"] is None
    assert late["本表总分范围"] == "73.21～86.1分\n中～良"
    assert {row["复核得分"] for row in found.values()} == {None}


def test_decisions_that_can_change_a_grade_come_first(table: Path) -> None:
    order = ["此项即可改变等级", "与其他项一起可能改变等级", "只影响总分", "规则已算定，只能确认"]
    effects = [order.index(row["对等级的影响"]) for row in rows(table)]
    assert effects == sorted(effects)
    assert {0, 2, 3} <= set(effects)


def test_only_the_two_columns_can_be_changed(table: Path) -> None:
    sheet = openpyxl.load_workbook(table)["复核"]
    at = columns(sheet)
    assert sheet.protection.sheet
    assert sheet.protection.password is None
    open_cells = {
        cell.column for row in sheet.iter_rows(min_row=HEADER + 1) for cell in row if not cell.protection.locked
    }
    assert open_cells == {at["复核得分"], at["复核意见"]}
    (check,) = sheet.data_validations.dataValidation
    low, high = (sheet.cell(HEADER + 1, at[name]).coordinate for name in ("允许下限", "允许上限"))
    assert (check.type, check.operator or "between") == ("decimal", "between")
    assert (check.formula1.replace("$", ""), check.formula2.replace("$", "")) == (low, high)
    first = sheet.cell(HEADER + 1, at["复核得分"]).coordinate
    last = sheet.cell(sheet.max_row, at["复核得分"]).coordinate
    assert str(check.sqref) == f"{first}:{last}"
    assert check.showErrorMessage
    assert sheet.freeze_panes is not None


def test_a_sheet_explains_the_table(table: Path) -> None:
    guide = openpyxl.load_workbook(table)["说明"]
    assert any("允许下限" in str(cell.value) for cell in guide["A"])
    assert guide.page_setup.fitToHeight == 0


def test_decisions_come_back_and_count(run: Run, table: Path) -> None:
    fill(table, {(ROADS, "H16"): 9.9, (ROADS, "H21"): 2.5, (ELDERLY, "H18"): 8}, "资料已核实")
    reviews = read_reviews(table)
    assert not reviews.findings
    assert {(d.path, d.cell, d.score, d.opinion) for d in reviews.decisions} == {
        (ROADS, "H16", 9.9, "资料已核实"), (ROADS, "H21", 2.5, "资料已核实"), (ELDERLY, "H18", 8.0, "资料已核实"),
    }  # fmt: skip
    first = next(entry for entry in reviews.record() if entry["cell"] == "H16")
    place = {"path": ROADS, "sheet": "自评表", "form": 1, "cell": "H16", "indicator": "养护工程完工时间"}
    assert first == place | {"score": "9.9", "opinion": "资料已核实"}
    applied = run.apply(reviews)
    assert not applied.findings
    roads = run.results(applied.scored)[0]
    assert (roads["total"], roads["grade"], roads["low"], roads["high"]) == ("85.61", "良", "85.61", "85.61")
    assert roads["grade_final"]
    row = next(row for row in roads["indicators"] if row["cell"] == "H16")
    assert (row["status"], row["score"], row["low"], row["high"]) == ("reviewed", "9.9", "9.9", "9.9")
    assert row["basis"].startswith("复核9.9分（意见：资料已核实）；")


def test_a_form_has_a_total_once_its_open_rows_are_decided(run: Run, table: Path) -> None:
    before = run.results()[1]
    assert (before["status"], before["total"], before["low"], before["high"]) == ("pending", None, "64.5", "99.5")
    open_rows = [row["cell"] for row in before["indicators"] if row["status"] == "unscorable" and row["score"] is None]
    fill(table, {(ELDERLY, cell): 5 for cell in open_rows})
    after = run.results(run.apply(read_reviews(table)).scored)[1]
    assert after["status"] == "scored"
    assert after["grade"] is not None
    assert float(before["low"]) <= float(after["low"]) <= float(after["total"]) <= float(after["high"])


def test_what_is_not_decided_stays_as_it_is(run: Run, table: Path) -> None:
    before = run.results()
    applied = run.apply(read_reviews(table))
    assert applied.scored is run.scored
    fill(table, {(ROADS, "H16"): 9.9})
    after = run.results(run.apply(read_reviews(table)).scored)
    assert after[1:] == before[1:]
    assert run.results() == before


@pytest.mark.parametrize(("typed", "score"), [("1.5", 1.5), ("１．５分", 1.5), (1.505, 1.51), (0, 0.0), ("+2", 2.0)])
def test_a_number_is_read_however_it_is_typed(typed: Any, score: float, table: Path) -> None:
    fill(table, {(ROADS, "H21"): typed})
    (decision,) = read_reviews(table).decisions
    assert decision.score == score


@pytest.mark.parametrize(
    ("typed", "code"), [(3, "V03"), (-0.01, "V03"), ("满分", "V02"), ("1/2", "V02"), (1e300, "V03")]
)
def test_what_is_outside_the_band_is_refused_with_its_cell(typed: Any, code: str, table: Path) -> None:
    fill(table, {(ROADS, "H21"): typed}, "说明")
    reviews = read_reviews(table)
    (finding,) = reviews.findings
    sheet = openpyxl.load_workbook(table)["复核"]
    row = next(
        r for r in range(HEADER + 1, sheet.max_row + 1) if sheet.cell(r, columns(sheet)["单元格"]).value == "H21"
    )
    assert finding.code == code
    assert finding.cell == sheet.cell(row, columns(sheet)["复核得分"]).coordinate
    assert finding.cell in finding.text()
    (kept,) = reviews.decisions
    assert (kept.score, kept.opinion) == (None, "说明")


def test_an_opinion_alone_is_kept(run: Run, table: Path) -> None:
    fill(table, {(ROADS, "H21"): None}, "待补资料")
    applied = run.apply(read_reviews(table))
    row = next(row for row in run.results(applied.scored)[0]["indicators"] if row["cell"] == "H21")
    assert (row["status"], row["score"]) == ("judged", "1.5")
    assert row["basis"].startswith("（意见：待补资料）；")


def decided(table: Path, **changes: Any) -> Reviews:
    fill(table, {(ROADS, "H21"): 2})
    reviews = read_reviews(table)
    return replace(reviews, decisions=tuple(replace(decision, **changes) for decision in reviews.decisions))


def codes(applied: Applied) -> list[tuple[str, str]]:
    return [(form_id, finding.code) for form_id, found in applied.findings.items() for finding in found]


def test_a_moved_row_is_found_by_its_content(run: Run, table: Path) -> None:
    for cell in ("H19", "H99", None):
        applied = run.apply(decided(table, cell=cell))
        assert not applied.findings
        row = next(row for row in run.results(applied.scored)[0]["indicators"] if row["cell"] == "H21")
        assert (row["status"], row["score"]) == ("reviewed", "2")


def test_a_row_that_is_gone_is_a_finding(run: Run, table: Path) -> None:
    applied = run.apply(decided(table, indicator="没有这个指标"))
    assert codes(applied) == [(f"{ROADS}#1", "V04")]
    assert applied.scored is run.scored


def test_a_decision_on_other_facts_is_not_used(run: Run, table: Path) -> None:
    applied = run.apply(decided(table, actual="另一种说法"))
    assert codes(applied) == [(f"{ROADS}#1", "V05")]


def test_a_band_that_changed_since_is_a_finding(run: Run, table: Path) -> None:
    applied = run.apply(decided(table, score=5.0))
    assert codes(applied) == [(f"{ROADS}#1", "V07")]
    (finding,) = applied.findings[f"{ROADS}#1"]
    assert finding.cell == "H21"


def test_two_decisions_on_one_row(run: Run, table: Path) -> None:
    reviews = decided(table)
    applied = run.apply(replace(reviews, decisions=(*reviews.decisions, replace(reviews.decisions[0], score=1.0))))
    assert codes(applied) == [(f"{ROADS}#1", "V06")]


def test_decisions_of_other_files_are_passed_over_and_found_astray(run: Run, table: Path) -> None:
    reviews = decided(table, path="别的.xlsx")
    applied = run.apply(reviews)
    assert (applied.scored, dict(applied.findings)) == (run.scored, {})
    paths = [form.path for form in run.forms]
    assert [finding.code for finding in reviews.astray(paths)] == ["V04"]
    assert reviews.of(paths).decisions == ()
    assert len(reviews.of([".\\别的.xlsx"]).decisions) == 1


def test_the_execution_score_can_be_decided(run: Run, tmp_path: Path) -> None:
    frame = run.scored.funds.copy()
    frame.loc[0, ["status", "score", "low", "high"]] = ["unscorable", float("nan"), 0.0, 10.0]
    scored = ScoredTables(run.scored.forms, frame, run.scored.indicators)
    path = tmp_path / "复核表.xlsx"
    write_review(path, run.results(scored))
    cell = frame.loc[0, "cells"]["score"]
    fill(path, {(ROADS, cell): 4})
    applied = apply_reviews(scored, read_reviews(path), run.rulebooks)
    assert not applied.findings
    execution = run.results(applied.scored)[0]["execution"]
    assert (execution["status"], execution["score"]) == ("reviewed", "4")


@settings(deadline=None, max_examples=15)
@given(shares=st.lists(st.floats(0, 1), min_size=2, max_size=2))
def test_a_decision_inside_its_band_keeps_the_total_inside_its_bounds(shares: list[float], run: Run) -> None:
    before = run.results()[0]
    open_rows = [row for row in before["indicators"] if row["status"] == "judged"]
    decisions = []
    for row, share in zip(open_rows, shares, strict=True):
        low, high = float(row["low"]), float(row["high"])
        decision = round(low + share * (high - low), 2)
        decisions.append(a_decision(row, decision))
    after = run.results(run.apply(Reviews(tuple(decisions))).scored)[0]
    assert float(before["low"]) <= float(after["total"]) <= float(before["high"])
    assert after["total"] == after["low"] == after["high"]


def a_decision(row: Any, points: float) -> Any:
    from perfeval_xlsx.scoring.reviews import Decision

    facts = (row["level3"], row["target"], row["actual"])
    return Decision("O4", ROADS, "自评表", 1, row["cell"], *facts, float(row["low"]), float(row["high"]), points, None)


def test_decisions_stand_again_in_the_next_table(run: Run, table: Path, tmp_path: Path) -> None:
    fill(table, {(ROADS, "H16"): 9.9}, "已核实")
    fill(table, {(ROADS, "H21"): None}, "待补资料")
    reviews = read_reviews(table)
    write_review(table, run.results(run.apply(reviews).scored), reviews=reviews)
    found = {(row["文件"], row["单元格"]): row for row in rows(table)}
    row = found[ROADS, "H16"]
    assert (row["性质"], row["允许下限"], row["允许上限"], row["复核得分"]) == ("已复核", 0, 9.9, 9.9)
    assert found[ROADS, "H21"]["复核意见"] == "待补资料"
    kept = {(d.cell, d.score, d.opinion, d.low, d.high) for d in read_reviews(table).decisions}
    assert kept == {(d.cell, d.score, d.opinion, d.low, d.high) for d in reviews.decisions}
    assert [row["性质"] for row in found.values()][-1] == "已复核"
    assert [path.name for path in tmp_path.iterdir()] == ["复核表.xlsx"]


def test_a_table_half_filled_is_not_lost_when_it_is_written_again(run: Run, table: Path, tmp_path: Path) -> None:
    fill(table, {(ROADS, "H16"): 9.9}, "已核实")
    write_review(table, run.results())
    (decision,) = read_reviews(table).decisions
    assert (decision.score, decision.opinion) == (9.9, "已核实")
    assert [path.name for path in tmp_path.iterdir()] == ["复核表.xlsx"]


def test_a_table_with_decisions_that_have_no_row_is_kept(run: Run, table: Path, tmp_path: Path) -> None:
    for number in (1, 2):
        fill(table, {(ROADS, "H16"): 9.9, (ROADS, "H21"): 99})
        content = table.read_bytes()
        write_review(table, run.results())
        assert (tmp_path / f"复核表（已填{number}）.xlsx").read_bytes() == content
    write_review(table, run.results()[1:])
    assert (tmp_path / "复核表（已填3）.xlsx").exists()
    assert not read_reviews(table).decisions


def test_what_is_no_review_table_is_refused_and_never_overwritten(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "复核表.xlsx"
    openpyxl.Workbook().save(path)
    with pytest.raises(PerfevalError) as caught:
        read_reviews(path)
    assert caught.value.finding.code == "V01"
    assert "复核得分" in str(caught.value)
    write_review(path, [])
    assert (tmp_path / "复核表（已填1）.xlsx").exists()


def test_disputed_scores_are_to_be_confirmed(tmp_path: Path) -> None:
    path = tmp_path / "r.xlsx"
    form = a_form(
        indicators=[
            a_row(12, "相符"),
            a_row(13, "多报", self_score="10", score="8.6", low="8.6", high="8.6"),
            a_row(14, "尾数", self_score="8.6", score="8.605", low="8.605", high="8.605"),
            a_row(15, "无分值", status="unweighted", weight=None, score=None, low=None, high=None),
        ],
        execution=an_execution(self_score="10", score="8", low="8", high="8"),
    )
    assert write_review(path, [form]) == 2
    found = rows(path)
    assert [(row["指标"], row["性质"], row["允许下限"], row["允许上限"]) for row in found] == [
        ("多报", "有争议", 8.6, 8.6),
        ("预算执行", "有争议", 8, 8),
    ]


def test_rounding_to_the_decimals_a_form_prints_is_no_dispute(tmp_path: Path) -> None:
    row = a_row(13, "取整", self_score="9", score="8.6", low="8.6", high="8.6")
    assert write_review(tmp_path / "1.xlsx", [a_form(indicators=[row])]) == 0
    other = a_row(14, "两位", self_score="8.65", score="8.65", low="8.65", high="8.65")
    assert write_review(tmp_path / "2.xlsx", [a_form(indicators=[row, other])]) == 1


def test_effect_on_the_grade(tmp_path: Path) -> None:
    path = tmp_path / "r.xlsx"
    facts = {"total": "90.5", "low": "88", "high": "91.5", "low_grade": "良", "high_grade": "优"}
    judged = [a_row(12, "甲", **JUDGED), a_row(13, "乙", **JUDGED | {"low": "8.7", "high": "9.3"})]
    unknown = a_form("b.xlsx", indicators=judged, **facts | {"rulebook": "unheard-of"})
    write_review(path, [a_form("a.xlsx", indicators=judged, **facts), unknown, a_form("c.xlsx", indicators=judged)])
    assert [(row["文件"], row["指标"], row["对等级的影响"]) for row in rows(path)] == [
        ("a.xlsx", "甲", "此项即可改变等级"),
        ("a.xlsx", "乙", "与其他项一起可能改变等级"),
        ("b.xlsx", "甲", "与其他项一起可能改变等级"),
        ("b.xlsx", "乙", "与其他项一起可能改变等级"),
        ("c.xlsx", "甲", "只影响总分"),
        ("c.xlsx", "乙", "只影响总分"),
    ]


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    path = tmp_path / "r.xlsx"
    hostile = '=HYPERLINK("http://x")'
    row = a_row(12, hostile, **JUDGED | {"target": "=1+1", "actual": "http://x", "deviation": "@A1", "basis": "-1+2"})
    write_review(path, [a_form("=x.xlsx", hostile, indicators=[row])])
    sheet = openpyxl.load_workbook(path)["复核"]
    assert {cell.data_type for line in sheet.iter_rows() for cell in line} <= {"s", "n", "inlineStr"}
    links = [cell.hyperlink.location for line in sheet.iter_rows() for cell in line if cell.hyperlink]
    assert links == ["'自评表'!H12"]


def test_english_tables_are_read_as_well(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "r.xlsx"
    write_review(path, run.results(), lang="en")
    book = openpyxl.load_workbook(path)
    sheet = book["Review"]
    sheet.cell(HEADER + 1, columns(sheet)["Decision"]).value = rows(path, "en")[0]["To"]
    book.save(path)
    assert not run.apply(read_reviews(path)).findings


def test_an_empty_table_says_so(tmp_path: Path) -> None:
    path = tmp_path / "r.xlsx"
    assert write_review(path, [a_form()]) == 0
    assert rows(path)[0]["文件"] == "没有需要人工复核的得分"
    assert not read_reviews(path).decisions
