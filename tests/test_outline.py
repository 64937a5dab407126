"""What ``perfeval read`` shows a person: block, header, columns, rows, what was left out and why."""

from __future__ import annotations

from pathlib import Path

import pytest
from reader.sketch import read

from perfeval_xlsx.form.read import find_forms
from perfeval_xlsx.output.outline import form_lines
from perfeval_xlsx.output.style import text_width
from perfeval_xlsx.workbook import open_workbook

SAMPLES = Path(__file__).parent.parent / "sample_workbooks"

DRAWN = """
    A1:H1=项目支出绩效自评表（2023年度）
    A2=项目名称 | B2:D2=校舍维修 | E2=实施单位 | F2:H2=明溪中学
    A3:A5=项目资金\\n(万元) | C3=年初预算数 | D3=调整后\\n预算数 | E3=全年执行数 | F3=分值 | G3=执行率 | H3=得分
    B4=年度资金总额 | C4=100 | D4=110 | E4=99 | F4=10 | G4=90% | H4=9
    B5=其中：财政拨款 | C5=100 | D5=110 | E5=99
    A6=一级指标 | B6=二级指标 | C6=三级指标 | D6=指标值 | E6=得分系数 | F6=完成值 | G6=分值 | H6=得分
    A7:A10=产出指标（50分） | B7:B8=数量指标 | C7=维修校舍 | D7=≥3栋 | F7=3栋 | G7=30 | H7=30
    C8=指标2： | D8= | F8=
    B9=质量指标 | C9=验收合格率 | D9=100% | F9=100% | G9=20 | H9=20
    B10= | C10=……
    A11:F11=总分 | G11=100 | H11=59
    A12:H12=注：得分不超过分值。
    """

SHOWN = """\
draw.xlsx　表　第 1 张表　第 1–12 行
  项目支出　标题：项目支出绩效自评表（2023年度）　单位：明溪中学　年度：2023　金额单位：万元
  项目：校舍维修
  资金 2 行　表头 第 3 行：C 年初预算数　D 全年预算数（调整后预算数）　E 全年执行数　F 分值　G 执行率　H 得分
    行  资金            年初预算数  全年预算数  全年执行数  分值  执行率  得分
    4   年度资金总额    100         110         99          10    90%     9
    5   其中：财政拨款  100         110         99
  指标 2 行　表头 第 6 行：A 一级指标　B 二级指标　C 三级指标　D 年度指标值（指标值）　F 实际完成值（完成值）　G 分值　H 得分
  其他栏（照录，不作指标栏）：E 得分系数
    行  一级指标          二级指标  三级指标    年度指标值  实际完成值  分值  得分
    7   产出指标（50分）  数量指标  维修校舍    ≥3栋        3栋         30    30
    9                     质量指标  验收合格率  100%        100%        20    20
  未计入 2 行
    第 8 行（未使用的模板行）指标2：
    第 10 行（未使用的模板行）……
  总分：59（H11）　等级：（空）　分值合计：100（G11）
  附注 A12：注：得分不超过分值。
"""


def test_a_form_is_shown_block_by_block() -> None:
    (form,) = read(DRAWN)
    form.path, form.sheet = "draw.xlsx", "表"
    assert "\n".join(form_lines(form)) == SHOWN


@pytest.mark.parametrize("path", sorted(SAMPLES.rglob("*.xlsx")), ids=lambda path: path.stem)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_row_of_a_sample_is_shown_once(path: Path, lang: str) -> None:
    for form in find_forms(open_workbook(path)):
        lines = list(form_lines(form, lang))  # type: ignore[arg-type]
        assert not any("\n" in line for line in lines)
        numbers = [line.split()[0] for line in lines if line.startswith("    ")]
        assert [number for number in numbers if number.isdigit()] == [
            str(row.row) for row in (*form.funds, *form.indicators)
        ]
        table = [line for line in lines if line.startswith("    ") and line.split()[0].isdigit()]
        assert max(map(text_width, table)) < 200
