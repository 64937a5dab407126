"""Forms in random hands: one set of facts, drawn with other labels, columns, merges, offsets and company each time.

``facts(chance)`` invents a form, ``draw(facts, chance)`` writes it as a workbook and returns, for every value, the cell it
stands in. Labels come from ``data/labels.toml`` and are decorated as forms do it: brackets, white space, line breaks.
"""

from __future__ import annotations

import io
import random
from dataclasses import dataclass, field
from typing import Any

import xlsxwriter

from perfeval_xlsx.data import load
from perfeval_xlsx.workbook import a1

LEVELS = {
    "产出指标": ("数量指标", "质量指标", "时效指标", "成本指标"),
    "效益指标": ("经济效益指标", "社会效益指标", "生态效益指标", "可持续影响指标"),
    "满意度指标": ("服务对象满意度指标",),
}
NAMES = (
    "新建改建道路里程", "培训基层干部人次", "设备验收合格率", "资金拨付及时率", "项目完工时间", "单位建设成本", "带动就业人数", "服务对象满意度",
    "惠及群众户数", "污水处理达标率", "制度建设完善程度", "信息系统故障次数", "新增绿化面积", "投诉办结率", "受益企业数量", "课程开设门数", "隐患整改率", "补助发放人数",
)  # fmt: skip
VALUES = (
    ("≥120公里", "126公里"), ("100%", "97.30%"), ("≤35万元", "34.2万元"), ("9月30日前", "10月12日"), ("持续提升", "持续提升"), ("0起", "0起"),
    ("≥1.5万人次", "1.62万人次"), ("=12期", "12期"), ("不少于6次", "7次"), ("达标", "基本达标"), ("2天以内", "1天"), ("85", "91"), ("≥90%", None), ("300元/亩", "300元/亩"),
)  # fmt: skip
REASONS = (None, None, None, "受天气影响，进度推迟。", "采购流程较长，下年提前启动。")
ORGS = ("临江市交通运输局", "安陵县水利局", "云岭县明溪中学", "东城区发展和改革局", "柳河镇人民政府")
PARTS = ("其中：当年财政拨款", "上年结转资金", "其他资金", "财政专户管理资金")
UNUSED = ("……", "指标2：", "指标3:", "…", "/")
NOTES = ("注：1.得分最高不超过该指标分值上限。", "说明：本表由项目单位填写，主管部门审核。", "其他需要说明的问题：无")


@dataclass
class Row:
    """One indicator; ``level1`` with its points where the hand writes them."""

    level1: str
    level2: str
    level3: str | None
    target: str | None = None
    actual: str | None = None
    sign: str | None = None
    unit: str | None = None
    weight: str | None = None
    score: str | None = None
    deviation: str | None = None
    unused: bool = False
    cells: dict[str, str] = field(default_factory=dict)

    shared: bool = False


@dataclass
class Facts:
    """A form, and after drawing the cell of every value."""

    title: str
    year: int
    org: str
    project: str
    unit: str
    points: dict[str, float]
    rows: list[Row]
    funds: list[dict[str, Any]]
    goals: tuple[str, str] | None
    total: tuple[str, str] | None
    grade: str | None
    sheet: str = ""
    total_cells: dict[str, str] = field(default_factory=dict)
    goal_cells: dict[str, str] = field(default_factory=dict)

    @property
    def used(self) -> list[Row]:
        """The rows that count."""
        return [row for row in self.rows if not row.unused]


def facts(chance: random.Random, scored: bool = True) -> Facts:
    """Invent a form."""
    points = dict(zip(LEVELS, chance.choice([(50.0, 30.0, 10.0), (40.0, 40.0, 10.0), (60.0, 20.0, 10.0)]), strict=True))
    rows: list[Row] = []
    for level1, level2s in LEVELS.items():
        chosen = [name for name in level2s if chance.random() < 0.7] or [level2s[0]]
        for level2 in chosen:
            rows += [_row(chance, level1, level2, scored) for _ in range(chance.randint(1, 3))]
            if chance.random() < 0.25:
                rows.append(Row(level1, level2, chance.choice(UNUSED), unused=True))
    return Facts(
        title=chance.choice(["项目支出绩效自评表", "部门预算项目支出绩效自评表", "部门整体支出绩效自评表", "财政专项资金绩效目标自评表"]),
        year=chance.randint(2018, 2025),
        org=chance.choice(ORGS),
        project=chance.choice(["农村公路养护项目", "营养改善计划", "河道治理工程"]),
        unit=chance.choice(["万元", "元"]),
        points=points,
        rows=rows,
        funds=_funds(chance, scored),
        goals=None if chance.random() < 0.15 else ("完成全年各项任务，群众满意度不低于90%。", "各项任务已完成。"),
        total=("100", f"{chance.uniform(60, 100):.2f}") if scored else None,
        grade=chance.choice([None, "优", "良", "中"]) if scored else None,
    )  # fmt: skip


def _row(chance: random.Random, level1: str, level2: str, scored: bool) -> Row:
    target, actual = chance.choice(VALUES)
    weight = chance.choice(["5", "10", "7.5", "3.71", "12"]) if scored else None
    score = None if weight is None or chance.random() < 0.1 else weight
    name = chance.choice(["", "", "指标1：", "★", "1."]) + chance.choice(NAMES)
    return Row(level1, level2, name, target, actual, None, None, weight, score, chance.choice(REASONS))


def _funds(chance: random.Random, scored: bool) -> list[dict[str, Any]]:
    initial, annual = chance.uniform(10, 900), chance.uniform(10, 900)
    spent = annual * chance.uniform(0.5, 1)
    total = {"initial_budget": f"{initial:.2f}", "annual_budget": f"{annual:.2f}", "executed": f"{spent:.2f}"}
    total["rate"] = f"{spent / annual:.2%}"
    if scored:
        total |= {"weight": "10", "score": f"{10 * spent / annual:.2f}"}
    label = chance.choice(["年度资金总额", "总额", "合计", "年度资金总额：", "项目资金总额", "年度财政资金总额"])
    funds = [{"label": label, "role": "total", "values": total, "cells": {}}]
    for part in PARTS[: chance.randint(0, len(PARTS))]:
        values = {"annual_budget": f"{annual:.2f}", "executed": f"{spent:.2f}"} if chance.random() < 0.5 else {}
        if scored and chance.random() < 0.5:
            values["weight"] = chance.choice(["—", "-", "/"])
        funds.append({"label": part, "role": "part", "values": values, "cells": {}})
    return funds


def label(chance: random.Random, block: str, name: str, plain: bool = False) -> str:
    """A label for a field: one of its synonyms, decorated."""
    entry = load("labels.toml")[block][name]
    text = chance.choice(entry["words"])
    if plain or "(" in text:
        return str(text)
    dress = chance.random()
    if dress < 0.06:
        text += chance.choice(["（必填）", "*", "：", " (注明单位)"])
    elif dress < 0.1 and name in {"target", "actual", "annual_budget", "executed"}:
        text = "2023年" + text.removeprefix("年度").removeprefix("全年")
    elif dress < 0.15 and name in {"annual_budget", "target"}:
        text += "（A）"
    elif dress < 0.15 and name in {"executed", "actual"}:
        text += "（B）"
    elif dress < 0.3 and len(text) > 3:
        cut = chance.randint(1, len(text) - 1)
        text = text[:cut] + chance.choice(["\n", " ", "\r\n", "　"]) + text[cut:]
    elif dress < 0.4 and len(text) == 2:
        text = text[0] + "  " + text[1]
    return str(text)


class Pen:
    """Writes cells and merges on one sheet and remembers nothing else."""

    def __init__(self, book: Any, sheet: Any, chance: random.Random) -> None:
        self.sheet, self.chance = sheet, chance
        self.formats = {
            code: book.add_format({"num_format": code, "text_wrap": True}) for code in ("General", "0.00%", "0.00", "@")
        }

    def put(
        self, row: int, column: int, text: str | None, to: tuple[int, int] | None = None, native: bool = True
    ) -> None:
        """Write a text at a 1-based address, merged to ``to`` (row, column) where it is another cell."""
        bottom, right = to or (row, column)
        if (bottom, right) != (row, column):
            self.sheet.merge_range(row - 1, column - 1, bottom - 1, right - 1, "")
        if text is None:
            return
        number = _native(text) if native and self.chance.random() < 0.5 else None
        if number is None:
            self.sheet.write_string(row - 1, column - 1, text, self.formats["General"])
        else:
            self.sheet.write_number(row - 1, column - 1, number[0], self.formats[number[1]])


def _native(text: str) -> tuple[float, str] | None:
    """A number and the format under which it shows as ``text``."""
    try:
        if text.endswith("%"):
            return (round(float(text[:-1]) / 100, 6), "0.00%") if len(text.partition(".")[2]) == 3 else None
        value = float(text)
    except ValueError:
        return None
    if f"{value:.10g}" == text:
        return value, "General"
    return (value, "0.00") if f"{value:.2f}" == text else None


def draw(forms: list[Facts], chance: random.Random) -> bytes:
    """Draw forms into one workbook: on one sheet below each other or on sheets of their own, in mixed company."""
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    if chance.random() < 0.4:
        _instructions(book)
    together = len(forms) > 1 and chance.random() < 0.5
    sheet, row = None, 0
    for number, form in enumerate(forms, 1):
        if sheet is None or not together:
            name = f"{chance.choice(['自评表', '附件', 'Sheet'])}{number}"
            sheet, row = book.add_worksheet(name), chance.choice([0, 0, 1, 3])
            if chance.random() < 0.2:
                row = _list(Pen(book, sheet, chance), row)
        form.sheet = sheet.get_name()
        row = _Drawing(form, Pen(book, sheet, chance), chance).draw(row) + chance.choice([1, 2, 4])
    if chance.random() < 0.3:
        book.add_worksheet("代码表").write_column(0, 0, ["一级指标", "二级指标", "三级指标"])
    book.close()
    return buffer.getvalue()


def _instructions(book: Any) -> None:
    sheet = book.add_worksheet("填表说明")
    sheet.write_column(
        0, 0, ["填表说明", "1.三级指标、年度指标值、实际完成值、分值、得分各栏均须填写。", "2.绩效自评表一式两份。"]
    )


def _list(pen: Pen, row: int) -> int:
    """A list of projects above the form."""
    for column, text in enumerate(["序号", "项目名称", "预算数", "执行数", "备注"], 1):
        pen.put(row + 1, column, text)
    for number in (1, 2):
        for column, text in enumerate([str(number), f"第{number}个项目", "120", "96", None], 1):
            pen.put(row + 1 + number, column, text)
    return row + 5


class _Drawing:
    """One form being drawn."""

    def __init__(self, form: Facts, pen: Pen, chance: random.Random) -> None:
        self.form, self.pen, self.chance = form, pen, chance
        self.left = chance.choice([1, 1, 1, 2, 3])
        self.side = chance.random() < 0.8
        self.columns = self._plan()
        self.right = max(right for _, right in self.columns.values())

    def _plan(self) -> dict[str, tuple[int, int]]:
        """Sheet columns of every field of the grid, levels first, the rest in a random order; some span two columns."""
        scored = self.form.total is not None
        rest = ["target", "actual"] + (["weight", "score"] if scored else [])
        if self.chance.random() < 0.3:
            rest.append("extra")
        order = self.chance.random()
        if order < 0.6:
            self.chance.shuffle(rest)
        signed = self.chance.random() < 0.3
        if signed:
            at = rest.index("target")
            rest[at : at + 1] = self.chance.choice([["sign", "target", "unit"], ["unit", "sign", "target"]])
            for row in self.form.used:
                row.sign, row.unit = self.chance.choice(["≥", "＝", "≤", "定性"]), self.chance.choice(["个", "%", "次"])
        if self.chance.random() < 0.85:
            rest.append("deviation")
        names = ["level1", "level2", "level3", *rest]
        self.grouped = signed and self.chance.random() < 0.6
        at, plan = self.left + self.side, {}
        for name in names:
            width = 2 if self.chance.random() < 0.1 and name not in {"sign", "unit", "level1", "level2"} else 1
            plan[name] = (at, at + width - 1)
            at += width
        return plan

    def draw(self, row: int) -> int:
        """Draw from below ``row``; return the last row."""
        for each in self.form.rows:
            for name in {"weight", "score", "deviation"} - self.columns.keys():
                setattr(each, name, None)
        row = self._head(row + 1)
        row = self._funds(row)
        row = self._goals(row)
        row = self._grid(row)
        if self.form.total is not None and self.chance.random() < 0.9:
            row = self._total(row)
        else:
            self.form.total, self.form.grade = None, None
        for note in NOTES[: self.chance.randint(0, 2)]:
            self.pen.put(row, self.left, note, (row, self.right))
            row += 1
        return row - 1

    def _head(self, row: int) -> int:
        form, year = self.form, f"{self.form.year}年度"
        if self.chance.random() < 0.3:
            self.pen.put(row, self.left, "附件1")
            row += 1
        style = self.chance.choice(["before", "brackets", "below"])
        title = {"before": year + form.title, "brackets": f"{form.title}（{year}）", "below": form.title}[style]
        self.pen.put(row, self.left, title, (row, self.right))
        form.title = title
        row += 1
        if style == "below":
            self.pen.put(row, self.left, f"（{year}）", (row, self.right))
            row += 1
        self.stated = self.chance.choice(["side", "line", "title"])
        if self.stated == "line":
            self.pen.put(row, self.right, f"单位：{form.unit}")
            row += 1
        middle = self.left + 3
        for name, value in (
            ("项目名称", form.project),
            (self.chance.choice(["实施单位", "填报单位：", "部门名称", "项目单位"]), form.org),
        ):
            if self.chance.random() < 0.5:
                self.pen.put(row, self.left, name, (row, self.left + 1))
                self.pen.put(row, self.left + 2, value, (row, middle + 1))
                row += 1
            else:
                self.pen.put(row, self.left, name)
                self.pen.put(row, self.left + 1, value)
                row += 1
        return row

    def _funds(self, row: int) -> int:
        """The fund table, its columns dealt from the right."""
        names = [
            n
            for n in ("initial_budget", "annual_budget", "executed", "rate", "weight", "score")
            if n in self.form.funds[0]["values"]
        ]
        if "initial_budget" in names and self.chance.random() < 0.3:
            names.remove("initial_budget")
            for fund in self.form.funds:
                fund["values"].pop("initial_budget", None)
        room = self.right - (self.left + 1) - len(names) + 1
        first = self.right - len(names) + 1 if room > 0 else self.left + 2
        at = {name: first + i for i, name in enumerate(names)}
        side = "项目资金" + (f"（{self.form.unit}）" if self.stated == "side" else "")
        if self.stated == "title":
            side = f"资金情况\n（{self.form.unit}）"
        bottom = row + len(self.form.funds)
        self.pen.put(row, self.left, side, (bottom, self.left))
        for name, column in at.items():
            self.pen.put(row, column, label(self.chance, "fund", name))
        for number, fund in enumerate(self.form.funds, row + 1):
            self.pen.put(number, self.left + 1, fund["label"], (number, first - 1))
            for name, column in at.items():
                self.pen.put(number, column, fund["values"].get(name))
                fund["cells"][name] = a1(number, column)
        return bottom + 1

    def _goals(self, row: int) -> int:
        if self.form.goals is None:
            return row
        middle = (self.left + self.right) // 2
        self.pen.put(row, self.left, "年度\n总体\n目标", (row + 1, self.left))
        places = ((self.left + 1, middle), (middle + 1, self.right))
        heads = (label(self.chance, "goals", "expected"), label(self.chance, "goals", "actual"))
        for (left, right), head, text, name in zip(places, heads, self.form.goals, ("expected", "actual"), strict=True):
            self.pen.put(row, left, head, (row, right))
            self.pen.put(row + 1, left, text, (row + 1, right))
            self.form.goal_cells[name] = a1(row + 1, left)
        return row + 2

    def _grid(self, row: int) -> int:
        top, deep = row, 2 if self.grouped or self.chance.random() < 0.15 else 1
        inner = {"sign", "target", "unit"} if self.grouped else set()
        for name, (left, right) in self.columns.items():
            text = (
                self.chance.choice(["得分计算方法", "评分标准", "复核得分"])
                if name == "extra"
                else label(self.chance, "indicator", name)
            )
            if name in inner:
                self.pen.put(row + 1, left, text, (row + 1, right))
            else:
                self.pen.put(row, left, text, (row + deep - 1, right))
        if inner:
            over = [self.columns[name] for name in inner]
            self.pen.put(row, min(a for a, _ in over), "年度指标值", (row, max(b for _, b in over)))
        first = row + deep
        self._levels(first)
        for number, each in enumerate(self.form.rows, first):
            for name in ("level3", "target", "actual", "sign", "unit", "weight", "score", "deviation"):
                if name in self.columns:
                    left, right = self.columns[name]
                    self.pen.put(number, left, getattr(each, name), (number, right))
                    each.cells[name] = a1(number, left)
            if "extra" in self.columns:
                left, right = self.columns["extra"]
                self.pen.put(number, left, None if each.unused else "按比例计分", (number, right))
        last = first + len(self.form.rows) - 1
        if self.side:
            self.pen.put(top, self.left, "绩\n效\n指\n标", (last, self.left))
        return last + 1

    def _levels(self, first: int) -> None:
        """Levels merged down, written on every row, or only on the first."""
        way = self.chance.choice(["merged", "repeated", "first"])
        pointed = self.chance.choice(["（{:g}分）", "\n({:g})", "({:g}分)", None])
        for depth, name in ((1, "level1"), (2, "level2")):
            keys = [(row.level1, row.level2)[:depth] for row in self.form.rows]
            start = 0
            for end in range(1, len(keys) + 1):
                if end < len(keys) and keys[end] == keys[start]:
                    continue
                text = keys[start][-1]
                if depth == 1 and pointed:
                    text += pointed.format(self.form.points[keys[start][0]])
                left = self.columns[name][0]
                if way == "merged":
                    self.pen.put(first + start, left, text, (first + end - 1, left))
                else:
                    for at in range(start, end if way == "repeated" else start + 1):
                        self.pen.put(first + at, left, text)
                start = end
        self.pointed = pointed is not None

    def _total(self, row: int) -> int:
        values = [self.columns[name][0] for name in ("target", "actual", "weight", "score")]
        self.pen.put(row, self.left, self.chance.choice(["总分", "合计", "总  分", "总分："]), (row, min(values) - 1))
        for name, text in zip(("weight", "score"), self.form.total or (), strict=True):
            left, right = self.columns[name]
            self.pen.put(row, left, text, (row, right))
            self.form.total_cells[name] = a1(row, left)
        if self.form.grade is not None and "deviation" in self.columns:
            left, right = self.columns["deviation"]
            self.pen.put(row, left, self.chance.choice(["等级：", "", "等级: "]) + self.form.grade, (row, right))
            self.form.total_cells["grade"] = a1(row, left)
        elif self.form.grade is not None:
            self.pen.put(row + 1, self.left, "自评等级", (row + 1, self.left + 1))
            self.pen.put(row + 1, self.left + 2, self.form.grade)
            self.form.total_cells["grade"] = a1(row + 1, self.left + 2)
            row += 1
        return row + 1
