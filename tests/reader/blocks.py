"""Blocks of a sketched form that tests put around what they are about."""

from __future__ import annotations

from perfeval_xlsx.form.model import Form

_HEADER = "A{0}=一级指标 | B{0}=二级指标 | C{0}=三级指标 | D{0}=年度指标值 | E{0}=实际完成值 | F{0}=分值 | G{0}=得分 | H{0}=偏差原因分析"
_ROWS = (
    "A{0}=产出指标 | B{0}=数量指标 | C{0}=巡查次数 | D{0}=12次 | E{0}=12次 | F{0}=50 | G{0}=50",
    "A{0}=效益指标 | B{0}=社会效益指标 | C{0}=受益人数 | D{0}=80人 | E{0}=80人 | F{0}=40 | G{0}=38",
)
_FUNDS = (
    "A{0}=项目资金（万元） | B{0}=资金来源 | C{0}=年初预算数 | D{0}=全年预算数 | E{0}=全年执行数 | F{0}=分值 | G{0}=执行率 | H{0}=得分",
    "B{0}=年度资金总额 | C{0}=100 | D{0}=120 | E{0}=108 | F{0}=10 | G{0}=90% | H{0}=9",
    "B{0}=其中：财政拨款 | C{0}=100 | D{0}=120 | E{0}=108 | F{0}=— | G{0}=— | H{0}=—",
)


def grid(top: int) -> str:
    """A grid of two indicators in three rows, 90 points."""
    return "\n".join(line.format(top + at) for at, line in enumerate((_HEADER, *_ROWS)))


def funds(top: int) -> str:
    """A fund table of a total and one part in three rows."""
    return "\n".join(line.format(top + at) for at, line in enumerate(_FUNDS))


def codes(form: Form) -> list[str]:
    """The codes of a form's findings."""
    return [finding.code for finding in form.findings]
