"""Results made by hand for tests of the reports: every status, every kind of row, figures that can be recomputed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from perfeval_xlsx.scoring.result import FormResult

ORGS = ("财政局", "教育局", "水利局", "农业农村局", "卫生健康委员会", "交通运输局", "文化和旅游局", "人力资源局")
NAMES = {
    "产出指标": ("农村公路养护里程", "培训教师人数", "项目验收合格率", "专项资金拨付时间", "设备购置成本控制率"),
    "效益指标": ("带动就业人数", "生态环境改善程度", "“双减”工作成效", "服务可持续影响年限"),
    "满意度指标": ("受益群众满意度", "参训教师满意度"),
    "成本指标": ("单位养护成本",),
    "管理指标": ("制度健全性",),
}
BASIS = (
    "目标 ≥{t}人，实际 {a}人；完成目标的{r}%，按比例计分：{w}×{r}%；依据：财预〔2020〕10号：定量指标达到指标值得满分，"
    "未达到按完成值与指标值的比例计分，不超过分值上限（已见于实际表格）"
)


def finding(code: str = "S12", severity: str = "warning", message: str = "自评分超出允许范围") -> dict[str, Any]:
    return {
        "code": code, "severity": severity, "cell": "H12", "field": "score", "found": "2", "expected": "1",
        "message": message, "basis": "", "suggestion": "请核对",
    }  # fmt: skip


def row(number: int, level1: str, chance: random.Random, **given: Any) -> dict[str, Any]:
    weight, target = chance.choice((1, 1.5, 2, 3)), chance.randint(10, 9_000)
    actual = chance.choice((target, target, target, chance.randint(target // 2, target)))
    score = round(weight * min(1.0, actual / target), 2)
    status = chance.choice(("ruled", "ruled", "ruled", "judged"))
    made = {
        "row": number, "level1": level1, "level2": "数量指标", "level3": chance.choice(NAMES[level1]),
        "target": f"≥{target}人", "actual": f"{actual}人", "weight": f"{weight:g}", "self_score": f"{weight:g}",
        "score": f"{score:g}", "low": f"{score:g}" if status == "ruled" else "0", "high": f"{weight:g}",
        "status": status, "method": "short",
        "basis": BASIS.format(t=target, a=actual, r=round(100 * actual / target, 2), w=f"{weight:g}"),
        "cell": f"H{number}", "deviation": "受天气影响，部分工程延期，下年加强管理" if actual < target else None,
    }  # fmt: skip
    return made | given


def form(number: int, rows: int = 12, **given: Any) -> FormResult:
    """A scored form; ``given`` replaces any of its values."""
    chance = random.Random(number)
    levels = list(NAMES)[: chance.choice((3, 3, 4, 5))]
    indicators = [row(12 + i, levels[i * len(levels) // rows], chance) for i in range(rows)]
    total = round(100 - abs(chance.gauss(0, 9)), 2)
    typed = round(min(100, total + chance.choice((0, 0, 0, 1.5, -0.5, 6, 12))), 2)
    grade, self_grade = ("优" if t >= 90 else "良" if t >= 80 else "中" if t >= 60 else "差" for t in (total, typed))
    rate = min(100, round(100 - abs(chance.gauss(0, 15)), 2))
    org = f"某某市{chance.choice(ORGS)}"
    made: dict[str, Any] = {
        "schema": 1, "path": f"2023/{org}/{number:05d}_绩效自评表.xlsx", "sheet": "自评表", "form": 1,
        "status": "scored", "copy": f"scored/2023/{org}/{number:05d}_绩效自评表.xlsx",
        "kind": ("project", "department")[number % 3 == 0],
        "title": f"2023年度{org}项目支出绩效自评表", "org": org, "year": 2023, "rulebook": "national-2020",
        "support": "filed", "total": f"{total:g}", "grade": grade, "grade_final": number % 4 != 0,
        "low": f"{total - 2:g}", "high": f"{total:g}", "low_grade": "良", "high_grade": grade,
        "self_total": f"{typed:g}", "self_grade": self_grade,
        "execution": {
            "budget": "4,753.66", "executed": "3824.26万元", "rate": f"{rate:.2f}%", "weight": "10",
            "score": f"{rate / 10:.2f}", "low": f"{rate / 10:.2f}", "high": f"{rate / 10:.2f}", "self_rate": "100%",
            "self_score": "10", "status": "ruled", "method": "execution",
            "basis": f"执行率 3824.26/4753.66 = {rate:.2f}%，10×{rate:.2f}%，不超过10分；依据：财预〔2020〕10号",
            "cell": "I6",
        },
        "levels": [{"name": n, "weight": "30", "self_score": "30", "score": f"{30 - i}"} for i, n in enumerate(levels)],
        "indicators": indicators,
        "replaced": [{"cell": "H13", "field": "score", "old": "2", "new": "1.35"}] if number % 2 else [],
        "findings": [finding()] * (number % 3) + [finding("S07", "error", "分值合计不是100分")] * (number % 5 == 0),
    }  # fmt: skip
    return made | given  # type: ignore[return-value]


def pending(number: int) -> FormResult:
    made = form(number, total=None, grade=None, grade_final=False, low="60", high="95", low_grade="中", high_grade="优")
    made["indicators"][0] |= {"status": "unscorable", "score": None, "actual": None, "self_score": None}
    made["levels"][0]["score"] = None
    return made | {"status": "pending"}  # type: ignore[return-value]


def reported(number: int) -> FormResult:
    made = form(
        number, kind="transfer", total=None, grade=None, grade_final=False, low=None, high=None, low_grade=None,
        high_grade=None, self_total=None, self_grade=None, levels=[], replaced=[], copy=None,
    )  # fmt: skip
    for each in made["indicators"]:
        each |= {"status": "unweighted", "weight": None, "self_score": None, "score": None, "low": None, "high": None}  # type: ignore[typeddict-item]
    return made | {"status": "reported"}  # type: ignore[return-value]


def no_form(status: str, path: str, message: str) -> FormResult:
    empty = dict.fromkeys(form(1))
    return empty | {  # type: ignore[return-value]
        "schema": 1, "path": path, "status": status, "grade_final": False, "levels": [], "indicators": [],
        "replaced": [], "findings": [finding("B16", "error", message)],
    }  # fmt: skip


def a_run(scored: int = 24) -> list[FormResult]:
    """A run in path order with every status."""
    return [
        *(form(number) for number in range(1, scored + 1)),
        pending(101), pending(102), reported(103),
        no_form("skipped", "2023/填表说明.xlsx", "工作簿中没有找到绩效自评表"),
        no_form("failed", "2023/损坏.xlsx", "工作簿不完整或已损坏（压缩包目录读不出）"),
        no_form("duplicate", "2023/副本.xlsx", "与“2023/某某市财政局/00001_绩效自评表.xlsx”内容完全相同"),
    ]  # fmt: skip


def ranked(results: list[FormResult]) -> Iterator[FormResult]:
    order = ("scored", "pending", "reported", "skipped", "duplicate", "failed")
    yield from sorted(results, key=lambda r: (order.index(r["status"]), -float(r["total"] or 0), r["path"]))
