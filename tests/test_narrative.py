from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import docx
import pytest
from factory import a_form, an_execution
from hypothesis import given, settings
from hypothesis import strategies as st

from perfeval_xlsx.findings import PerfevalError
from perfeval_xlsx.scoring.narrative import Report, contradictions, read_report, reports_in, reports_of, split_sentences


def the_form(**facts: Any) -> Any:
    """98.6 points, 优; 3824.26 of 4753.66 万元 spent, 80.45 %."""
    execution = an_execution(budget="4,753.66", executed="3824.26", rate="80.45%", self_rate="80.45%")
    return a_form(**{"self_total": "98.6", "self_grade": "优", "year": 2023, "execution": execution} | facts)


def found(text: str, *forms: Any) -> list[tuple[str, str | None, str | None]]:
    report = Report("报告.docx", tuple(split_sentences(text)))
    return [(f.code, f.found, f.expected) for f in contradictions(report, list(forms) or [the_form()])]


CONTRADICTIONS = [
    ("我单位2023年度部门整体支出绩效自评得分为96分。", ("N01", "96分", "98.6")),
    ("经自评，本单位绩效自评总分：９６．５ 分，等级为“优”。", ("N01", "96.5分", "98.6")),
    ("综合得分97.5分，评价等级为优秀。", ("N01", "97.5分", "98.6")),
    ("根据评分标准（满分100分），自评得分90分。", ("N01", "90分", "98.6")),
    ("自评结果为“良”。", ("N02", "良", "优")),
    ("自评得分98.6分，自评等级为良好。", ("N02", "良好", "优")),
    ("2023年全年预算数4,800.00万元，全年执行数3,824.26万元。", ("N03", "4,800.00万元", "4,753.66")),
    ("年度资金总额为475.366万元。", ("N03", "475.366万元", "4,753.66")),
    ("2023年实际支出4753.66万元。", ("N04", "4753.66万元", "3824.26")),
    ("预算执行率为100%。", ("N05", "100%", "80.45%")),
    ("部门预算执行率达到85.0％。", ("N05", "85.0%", "80.45%")),
    ("人员经费占总支出的60%，公用经费占总支出的50.5%。", ("N06", "110.5%", "100%")),
]

LEFT_ALONE = [
    # the form's own figures, in any hand
    "自评得分98.6分，评价等级为“优”。", "绩效自评综合得分为 98.60 分，等级为优秀。", "综合得分98.6分。", "自评得分99分，已按整数填列。",
    "全年预算数4753.66万元，全年执行数3,824.26万元，预算执行率80.45%。", "全年预算数47,536,600元。", "年度预算总额0.48亿元。",
    "全年预算数为4,753.7万元。", "预算执行率为80.4%。", "预算执行率80%。",
    # another year
    "2022年度绩效自评得分95分，等级为良。", "2022年全年预算数5000万元。", "上年预算执行率为92%。", "较去年自评得分90分有所提高。",
    # a part, one indicator, another thing
    "产出指标自评得分48分。", "其中，综合得分20分以上的有3个。", "预算执行率指标自评得分8分。", "满意度指标得分10分。", "各科室自评得分95分。",
    "农村公路养护项目绩效自评得分92分。", "其中：项目支出预算执行率60%。", "一般公共预算执行率为100%。", "“三公”经费全年预算数30万元。",
    "其中，全年预算数100万元用于培训。", "年初预算数4000万元，追加预算753.66万元。", "基本支出全年执行数2000万元。",
    # no statement of a result
    "评价等级分为优、良、中、差四级。", "自评得分90分以上为优。", "本项目自评得分应不低于90分。", "目标：预算执行率达到95%以上。",
    "预算执行率约90%。", "全年预算数近5000万元。", "若预算执行率为100%，则得满分。", "计划全年执行数4000万元。", "6月底预算执行率为50%。",
    "等级为良好的项目有3个。", "投入100人次，发放资金3000万元。", "综合得分98.6分，在全市排名第3。", "第1部分，共5页，2023年12月31日。",
    # shares that may well add up to less, or are of different wholes
    "人员经费占60%，公用经费占30%。", "占预算的60%，占支出的80%。", "人员经费占33.3%，公用经费占33.4%，项目经费占33.4%。", "女性占比51%，党员占比70%",
]  # fmt: skip


@pytest.mark.parametrize(("text", "finding"), CONTRADICTIONS)
def test_what_contradicts_the_form_is_found(text: str, finding: tuple[str, str, str]) -> None:
    assert found(text) == [finding]


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("全年预算数4753.66千元。", []),
        ("全年预算数475.366万元，全年执行数382.426万元。", []),
        ("全年预算数4.754百万元，全年执行数3.824百万元。", []),
        ("全年预算数4800千元。", ["N03"]),
        ("全年预算数475.366万元。", ["N03"]),
        ("全年预算数475.366万元，全年执行数3824.26万元。", ["N03"]),
    ],
)
def test_a_forms_amounts_may_be_in_thousands(text: str, codes: list[str]) -> None:
    assert [code for code, _, _ in found(text)] == codes


@pytest.mark.parametrize("text", [*LEFT_ALONE])
def test_what_has_no_counterpart_is_left_alone(text: str) -> None:
    assert found(text) == []


def test_the_sentence_is_quoted_as_it_is_written() -> None:
    report = Report("报告.docx", tuple(split_sentences("前言。我单位 自评得分为96分（优）。")))
    (finding,) = contradictions(report, [the_form()])
    assert finding.text() == "报告“报告.docx”的自评总分96分与自评表（98.6）不一致：“我单位 自评得分为96分（优）。”"
    long = Report("报告.docx", ("自评得分为96分，" + "长" * 500,))
    assert len(contradictions(long, [the_form()])[0].args["sentence"]) == 120


def test_a_figure_of_any_of_the_forms_is_right() -> None:
    other = the_form(self_total="96", self_grade="优")
    assert found("自评得分为96分。", the_form(), other) == []
    assert found("自评得分为95分。", the_form(), other) == [("N01", "95分", "98.6")]
    assert contradictions(Report("x", ("自评得分为95分。",)), []) == []


def test_money_that_is_stated_rightly_once_may_have_other_figures_beside_it() -> None:
    right = "全年预算数4753.66万元。"
    assert found(right + "全年预算数200万元。") == []
    assert [code for code, _, _ in found("全年预算数300万元。全年预算数200万元。")] == ["N03", "N03"]
    assert found("自评得分98.6分。自评得分95分。") == [("N01", "95分", "98.6")]


def test_a_form_without_the_figure_contradicts_nothing() -> None:
    bare = the_form(self_total=None, self_grade=None, execution=None)
    text = "自评得分96分，等级为良。全年预算数1万元，预算执行率为3%。"
    assert found(text, bare) == []
    assert found(text, the_form(self_total="待定", self_grade="未评", execution=None)) == []


def test_years_are_not_compared_where_the_form_names_none() -> None:
    assert found("2023年自评得分96分。", the_form(year=None)) == []
    assert found("自评得分96分。", the_form(year=None)) == [("N01", "96分", "98.6")]


def test_rates_typed_as_shares_and_rulebooks_unknown() -> None:
    form = the_form(rulebook="一个没有的规则", execution=an_execution(self_rate="0.8045", rate=None))
    assert found("预算执行率为80.45%，等级为优秀。", form) == []


@settings(deadline=None, max_examples=150)
@given(st.text(alphabet="自评得分为预算执行率等级优良中差占比年度全数万元%.,，。：0123456789 （）“”", max_size=60))
def test_any_text_is_read_without_complaint(text: str) -> None:
    for code, figure, known in found(text):
        assert code.startswith("N")
        assert figure
        assert known


def a_report(path: Path) -> Path:
    document = docx.Document()
    document.add_heading("部门整体支出绩效自评报告", 0)
    document.add_paragraph("一、基本情况。2023年全年预算数4753.66万元。")
    table = document.add_table(1, 2)
    table.rows[0].cells[0].text = "结论"
    table.rows[0].cells[1].text = "自评得分96分"
    document.add_paragraph("预算执行率为80.45%")
    document.save(str(path))
    return path


def test_reads_paragraphs_and_tables_in_their_order(tmp_path: Path) -> None:
    report = read_report(a_report(tmp_path / "报告.docx"))
    assert report.name == "报告.docx"
    assert report.sentences == (
        "部门整体支出绩效自评报告", "一、基本情况。", "2023年全年预算数4753.66万元。", "结论", "自评得分96分", "预算执行率为80.45%",
    )  # fmt: skip
    assert [f.code for f in contradictions(report, [the_form()])] == ["N01"]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"text", "zip"])
def test_what_is_no_report_is_a_finding(content: Any, tmp_path: Path) -> None:
    path = tmp_path / "报告.docx"
    if content == "zip":
        with zipfile.ZipFile(path, "w") as package:
            package.writestr("a.txt", "x")
    else:
        path.write_bytes(content)
    with pytest.raises(PerfevalError) as caught:
        read_report(path)
    assert caught.value.finding.code == "N10"
    assert "报告.docx" in str(caught.value)


def test_a_missing_report_and_a_missing_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PerfevalError) as caught:
        read_report(tmp_path / "没有.docx")
    assert caught.value.finding.code == "N10"
    monkeypatch.setitem(__import__("sys").modules, "docx", None)
    with pytest.raises(PerfevalError) as caught:
        read_report(tmp_path / "没有.docx")
    assert caught.value.finding.code == "N11"
    assert "perfeval-xlsx[reports]" in caught.value.finding.text("suggestion")


def test_a_bomb_is_refused_before_the_library_sees_it(tmp_path: Path) -> None:
    path = a_report(tmp_path / "报告.docx")
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as package:
        package.writestr("word/bomb.xml", b"0" * (70 << 20))
    with pytest.raises(PerfevalError) as caught:
        read_report(path)
    assert caught.value.finding.code == "N10"


def test_reports_are_found_by_department_or_workbook(tmp_path: Path) -> None:
    names = ["市教育局绩效自评报告.docx", "市水利局报告.DOCX", "上报表.docx", "~$市教育局.docx", "市教育局.doc"]
    for name in names:
        (tmp_path / name).write_bytes(b"")
    assert [path.name for path in reports_of(a_form("in/1.xlsx", "市 教育局"), reports_in(tmp_path))] == [names[0]]
    assert [path.name for path in reports_of(a_form("in/上报表.xlsx", None), reports_in(tmp_path))] == [names[2]]
    assert [path.name for path in reports_of(a_form("in\\a.xlsx", "市水利局"), reports_in(tmp_path))] == [names[1]]
    assert reports_of(a_form("in/1.xlsx", "局"), reports_in(tmp_path)) == []
    assert reports_of(a_form("in/1.xlsx", None), reports_in(tmp_path / "没有")) == []
