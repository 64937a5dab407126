"""Make any number of forms quickly: one drawn template, then new figures in its sheet and its texts.

    python benchmarks/generate.py FOLDER --forms 2000 --rows 60 --seed 1

Every form has the national layout of 2020 with numeric targets, its own figures and its own unit's name. The same seed
gives the same bytes.
"""

from __future__ import annotations

import argparse
import io
import random
import re
import struct
import sys
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xlsxwriter

FIRST_ROW = 12
"""1-based sheet row of the first indicator."""

POINTS = (("产出指标\n（50分）", 0.6, 50.0), ("效益指标\n（30分）", 0.3, 30.0), ("满意度指标\n（10分）", 0.1, 10.0))
LEVEL2 = {
    "产": ("数量指标", "质量指标", "成本指标"),
    "效": ("经济效益指标", "社会效益指标"),
    "满": ("服务对象满意度指标",),
}
TEXT_MARK, NUMBER_MARK = "@{:06d}@", "77{:06d}"
TEXT_PATTERN, NUMBER_PATTERN = re.compile(r"@(\d{6})@"), re.compile(r"(?<=<v>)77(\d{6})(?=</v>)")
SHORT_SHARE = 0.2
"""Share of indicators that miss their target."""


@dataclass(frozen=True)
class Row:
    """One indicator of the template: ``kind`` decides how its target and actual are written."""

    level1: str
    level2: str
    name: str
    kind: str
    weight: float


def plan(rows: int) -> list[Row]:
    """Spread ``rows`` indicators over the three dimensions; their weights sum to 90.

    Raises:
        ValueError: Fewer than ten rows leave a dimension without an indicator.
    """
    if rows < 10:
        raise ValueError("a form needs at least 10 rows")
    counts = [round(rows * share) for _, share, _ in POINTS[:2]]
    counts.append(rows - sum(counts))
    planned: list[Row] = []
    for (level1, _, points), count in zip(POINTS, counts, strict=True):
        names = LEVEL2[level1[0]]
        each = round(points / count, 2)
        for i in range(count):
            level2 = names[i * len(names) // count]
            weight = each if i < count - 1 else round(points - each * (count - 1), 2)
            planned.append(Row(level1, level2, f"{level2[:2]}第{i + 1}项任务完成情况", _kind(level2, i), weight))
    return planned


def _kind(level2: str, number: int) -> str:
    if level2 == "成本指标":
        return "cost"
    if level2 in {"质量指标", "服务对象满意度指标"}:
        return "percent"
    return ("count", "number", "amount")[number % 3]


class Marks:
    """Hands out marks: each is a place in the template that every form fills with its own value."""

    def __init__(self) -> None:
        self.count = 0

    def text(self) -> str:
        """Return the next mark for a text."""
        self.count += 1
        return TEXT_MARK.format(self.count - 1)

    def number(self) -> int:
        """Return the next mark for a number."""
        self.count += 1
        return int(NUMBER_MARK.format(self.count - 1))


def draw_template(rows: Sequence[Row]) -> bytes:
    """Draw the form once, with a mark wherever a form has its own value, in the order ``values`` gives them."""
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    sheet = book.add_worksheet("项目支出绩效自评表")
    for column, width in enumerate((9, 11, 14, 28, 13, 13, 8, 10, 22)):
        sheet.set_column(column, column, width)
    styles = _styles(book)
    marks = Marks()
    _draw_head(sheet, styles, marks)
    _draw_rows(sheet, styles, marks, rows)
    _draw_total(sheet, styles, marks, FIRST_ROW - 1 + len(rows))
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(FIRST_ROW - 2)
    book.close()
    return buffer.getvalue()


def _styles(book: Any) -> dict[str, Any]:
    base = {
        "font_name": "宋体",
        "font_size": 10.5,
        "border": 1,
        "align": "center",
        "valign": "vcenter",
        "text_wrap": True,
    }
    looks = {
        "title": {**base, "font_name": "方正小标宋_GBK", "font_size": 18, "border": 0},
        "label": {**base, "bold": True},
        "left": {**base, "align": "left"},
        "money": {**base, "num_format": "0.00"},
        "percent": {**base, "num_format": "0.00%"},
        "body": base,
    }
    return {name: book.add_format(look) for name, look in looks.items()}


def _draw_head(sheet: Any, styles: dict[str, Any], marks: Marks) -> None:
    sheet.merge_range("A1:I1", "2023年度项目支出绩效自评表", styles["title"])
    sheet.merge_range("A2:B2", "项目名称", styles["label"])
    sheet.merge_range("C2:E2", marks.text(), styles["body"])
    sheet.merge_range("F2:G2", "实施单位", styles["label"])
    sheet.merge_range("H2:I2", marks.text(), styles["body"])
    sheet.merge_range("A3:A7", "项目资金\n（万元）", styles["label"])
    sheet.merge_range("B3:C3", "", styles["label"])
    sheet.write_row("D3", ["年初预算数", "全年预算数", "全年执行数", "分值", "执行率", "得分"], styles["label"])
    for row, label in enumerate(("年度资金总额", "其中：当年财政拨款", "上年结转资金", "其他资金"), 4):
        sheet.merge_range(f"B{row}:C{row}", label, styles["left"])
    for row in (4, 5):
        sheet.write_row(f"D{row}", [marks.number() for _ in range(3)], styles["money"])
    sheet.write("G4", 10, styles["body"])
    sheet.write("H4", marks.number(), styles["percent"])
    sheet.write("I4", marks.number(), styles["body"])
    for cell in ("G5", "I5", "G6", "I6", "G7", "I7"):
        sheet.write(cell, "—", styles["body"])
    _draw_goals(sheet, styles)


def _draw_goals(sheet: Any, styles: dict[str, Any]) -> None:
    sheet.merge_range("A8:A9", "年度总体\n目标", styles["label"])
    sheet.merge_range("B8:E8", "预期目标", styles["label"])
    sheet.merge_range("F8:I8", "实际完成情况", styles["label"])
    sheet.merge_range("B9:E9", "完成年度各项任务，提高资金使用效益和服务对象满意度。", styles["left"])
    sheet.merge_range("F9:I9", "各项任务按计划推进，个别指标未达到年度目标。", styles["left"])
    sheet.merge_range("A10:I10", "指标完成情况（产出50分、效益30分、满意度10分）", styles["left"])


def _draw_rows(sheet: Any, styles: dict[str, Any], marks: Marks, rows: Sequence[Row]) -> None:
    header = ["一级指标", "二级指标", "三级指标", "年度指标值", "实际完成值", "分值", "得分", "偏差原因分析及改进措施"]
    sheet.write_row(FIRST_ROW - 2, 1, header, styles["label"])
    sheet.merge_range(FIRST_ROW - 2, 0, FIRST_ROW + len(rows) - 2, 0, "绩\n效\n指\n标", styles["label"])
    for at, row in enumerate(rows, FIRST_ROW - 1):
        sheet.set_row(at, 24)
        sheet.write(at, 3, row.name, styles["left"])
        sheet.write(at, 4, marks.number() if row.kind == "number" else marks.text(), styles["body"])
        native = {"number": "body", "percent": "percent"}.get(row.kind)
        sheet.write(at, 5, marks.number() if native else marks.text(), styles[native or "body"])
        sheet.write(at, 6, row.weight, styles["body"])
        sheet.write(at, 7, marks.number(), styles["body"])
        sheet.write(at, 8, marks.text(), styles["left"])
    _merge_levels(sheet, styles, rows)


def _merge_levels(sheet: Any, styles: dict[str, Any], rows: Sequence[Row]) -> None:
    for column, labels in ((1, [row.level1 for row in rows]), (2, [row.level2 for row in rows])):
        start = 0
        for end in range(1, len(labels) + 1):
            if end == len(labels) or labels[end] != labels[start]:
                top, bottom = FIRST_ROW - 1 + start, FIRST_ROW - 2 + end
                if bottom > top:
                    sheet.merge_range(top, column, bottom, column, labels[start], styles["body"])
                else:
                    sheet.write(top, column, labels[start], styles["body"])
                start = end


def _draw_total(sheet: Any, styles: dict[str, Any], marks: Marks, row: int) -> None:
    sheet.merge_range(row, 0, row, 5, "总分", styles["label"])
    sheet.write(row, 6, 100, styles["body"])
    sheet.write(row, 7, marks.number(), styles["body"])
    sheet.write(row, 8, "等级：", styles["body"])


def values(rows: Sequence[Row], number: int, chance: random.Random) -> list[str]:
    """The values of form ``number`` in the order of the template's marks, as they stand in the XML."""
    annual = chance.randint(5_000, 500_000) / 100
    spent = round(annual * chance.uniform(0.7, 1.0), 2)
    rate = spent / annual
    filled = [f"第{number:06d}号项目", f"临江市第{number:06d}预算单位"]
    filled += [f"{figure:.2f}" for figure in (annual, annual, spent) * 2]
    filled += [f"{rate:.6f}", f"{10 * rate:.2f}"]
    total = 10 * rate
    for row in rows:
        reached = chance.uniform(0.6, 0.99) if chance.random() < SHORT_SHARE else chance.uniform(1.0, 1.15)
        score = row.weight if chance.random() < 0.5 else row.weight * min(1.0, reached)
        total += score
        filled += [*_target_and_actual(row.kind, reached, chance), f"{score:.2f}"]
        filled.append("受工期影响，下年继续推进。" if reached < 1 else "")
    return [*filled, f"{total:.2f}"]


def _target_and_actual(kind: str, reached: float, chance: random.Random) -> tuple[str, str]:
    if kind == "percent":
        target = chance.randint(80, 95)
        return f"≥{target}%", f"{min(1.0, target * reached / 100):.4f}"
    target = chance.randint(20, 2_000)
    if kind == "cost":
        return f"≤{target}万元", f"{target / reached:.2f}万元"
    actual = round(target * reached)
    if kind == "number":
        return str(target), str(actual)
    unit = "个" if kind == "count" else "万元"
    return f"≥{target}{unit}", f"{actual}{unit}"


@dataclass(frozen=True)
class Member:
    """A member of the package as it lies in the file: deflated, with its checksum."""

    name: bytes
    checksum: int
    size: int
    packed: bytes


def pack_member(name: str, content: bytes) -> Member:
    """Deflate ``content``."""
    deflate = zlib.compressobj(6, zlib.DEFLATED, -15)
    return Member(name.encode(), zlib.crc32(content), len(content), deflate.compress(content) + deflate.flush())


def join_members(members: Sequence[Member]) -> bytes:
    """Write a zip of already deflated members; zipfile would deflate the unchanged ones again for every form."""
    body, directory, offset = [], [], 0
    for member in members:
        sizes = (20, 0, 8, 0, 0x21, member.checksum, len(member.packed), member.size, len(member.name), 0)
        local = struct.pack("<4s5H3L2H", b"PK\3\4", *sizes) + member.name + member.packed
        central = struct.pack("<4s6H3L5H2L", b"PK\1\2", 20, *sizes, 0, 0, 0, 0, offset) + member.name
        body.append(local)
        directory.append(central)
        offset += len(local)
    size = sum(map(len, directory))
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, len(members), len(members), size, offset, 0)
    return b"".join([*body, *directory, end])


@dataclass(frozen=True)
class Varied:
    """A text part cut at its marks: ``pieces`` around the values numbered ``marks``."""

    name: str
    pieces: list[str]
    marks: list[int]

    @classmethod
    def cut(cls, name: str, content: str, pattern: re.Pattern[str]) -> Varied:
        """Cut ``content`` at the marks ``pattern`` finds."""
        parts = pattern.split(content)
        return cls(name, parts[::2], [int(mark) for mark in parts[1::2]])

    def fill(self, filled: Sequence[str]) -> Member:
        """Return the part with a form's values."""
        text = [self.pieces[0]]
        for mark, piece in zip(self.marks, self.pieces[1:], strict=True):
            text += (filled[mark], piece)
        return pack_member(self.name, "".join(text).encode())


def workbooks(rows: int, forms: int, seed: int) -> Iterator[bytes]:
    """Yield ``forms`` workbooks of one form with ``rows`` indicators each."""
    planned = plan(rows)
    with zipfile.ZipFile(io.BytesIO(draw_template(planned))) as package:
        contents = {name: package.read(name) for name in package.namelist()}
    varied = {"xl/worksheets/sheet1.xml": NUMBER_PATTERN, "xl/sharedStrings.xml": TEXT_PATTERN}
    parts = [
        Varied.cut(name, content.decode(), varied[name]) if name in varied else pack_member(name, content)
        for name, content in contents.items()
    ]
    for number in range(1, forms + 1):
        filled = values(planned, number, random.Random(f"{seed}/{number}"))
        yield join_members([part.fill(filled) if isinstance(part, Varied) else part for part in parts])


def generate(folder: Path, forms: int, rows: int = 60, seed: int = 1) -> None:
    """Write ``forms`` workbooks into ``folder``, which is made when missing."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, content in enumerate(workbooks(rows, forms, seed), 1):
        (folder / f"单位{number:06d}_项目支出绩效自评表.xlsx").write_bytes(content)


def main(arguments: Sequence[str] | None = None) -> int:
    """Generate as the command line says; return the exit code."""
    parser = argparse.ArgumentParser(description="Make any number of forms quickly.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--forms", type=int, default=500)
    parser.add_argument("--rows", type=int, default=60, help="indicators a form, at least 10")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    generate(options.folder, options.forms, options.rows, options.seed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
