"""Rows read many at once and by column say what they say when each is read by itself."""

from __future__ import annotations

import copy
import pickle
from itertools import product
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perfeval_xlsx.form import usual_rows
from perfeval_xlsx.form.frames import to_frames
from perfeval_xlsx.form.model import Form, IndicatorRow
from perfeval_xlsx.form.rows import IndicatorRows, Run, column_of
from perfeval_xlsx.workbook import Cell, Merge, Sheet

from .sketch import read

_HEADER = ["一级指标", "二级指标", "三级指标", "年度指标值", "实际完成值", "分值", "得分"]
_LEVEL1 = ["产出指标", "产出指标（50分）", "效益指标", "效益指标（30分）", "（10分）", "小计", "注：", "产", None]
_LEVEL2 = ["数量指标", "质量指标（20分）", "社会效益指标", "合计", "填表人：", "指标2", None]
_NAMES = ["巡查次数", "受益人数", "质量达标率", "水库个数", "指标2：", "合计", "小计", "……", "例：培训人次", None]
_TARGETS = ["12次", "≥80人", "明显改善", "100%", "/", "填写目标值", "例如：90%", None]
_ACTUALS = ["12次", "80", "/", "≥90%", None]
_POINTS = ["10", "20", "5.5", "0", "无", None]
_REMARKS = ["按比例得分", "合计", "年初预算数", "注：见附表", None]

usual_row = st.tuples(
    st.sampled_from(_NAMES[:4]), st.sampled_from(_TARGETS[:4]), st.sampled_from(_ACTUALS[:2]), *[st.just("10")] * 2
)
any_row = st.tuples(*map(st.sampled_from, (_NAMES, _TARGETS, _ACTUALS, _POINTS, _POINTS)))
block = st.tuples(
    st.sampled_from(_LEVEL1),
    st.sampled_from(_LEVEL2),
    st.sampled_from(["merged", "repeated", "once"]),
    st.lists(usual_row | any_row, min_size=1, max_size=4),
)
blot = st.tuples(st.integers(2, 16), st.integers(1, 9), st.integers(0, 3), st.integers(0, 2))


@st.composite
def grids(draw: st.DrawFn) -> Sheet:
    """A sheet with one grid: blocks of rows under merged levels, rows of any kind between, a total, odd merged cells."""
    sheet = Sheet("表", 0, "visible")
    lines: list[list[str | None]] = [list(_HEADER)]
    remarks = draw(st.sampled_from([(), (3,), (7,), (0,), (4, 8)]))  # columns beyond ours
    for level1, level2, way, rows in draw(st.lists(block, min_size=1, max_size=5)):
        if way == "merged":
            sheet.merges += [Merge(len(lines) + 1, column, len(lines) + len(rows), column) for column in (1, 2)]
        spelled = [[level1, level2] if not at or way == "repeated" else [None, None] for at in range(len(rows))]
        lines += [[*levels, *row] for levels, row in zip(spelled, rows, strict=True)]
    if draw(st.booleans()):
        lines.append(["合计", None, None, None, None, "100", "98"])
    for at, row in product(remarks, range(len(lines))):
        lines[row].insert(at, draw(st.sampled_from(_REMARKS)) if row else "评分标准" if at < 8 else "其他说明")
    for row, line in enumerate(lines, 1):
        sheet.cells.update({(row, at): Cell(text) for at, text in enumerate(line, 1) if text is not None})
    for top, left, down, right in draw(st.lists(blot, max_size=1)):
        sheet.merges.append(Merge(top, left, top + down, min(left + right, 9)))
    return draw(widened(sheet)) if draw(st.booleans()) else sheet


@st.composite
def widened(draw: st.DrawFn, sheet: Sheet) -> Sheet:
    """A sheet with one column over two sheet columns, merged in the header and in some of its rows."""
    at = draw(st.integers(1, 8))
    cells = {(row, column + (column > at)): cell for (row, column), cell in sheet.cells.items()}
    wide = Sheet(sheet.name, sheet.index, sheet.state, cells)
    wide.merges = [Merge(m.top, m.left + (m.left > at), m.bottom, m.right + (m.right >= at)) for m in sheet.merges]
    wide.merges.append(Merge(1, at, 1, at + 1))
    usual = draw(st.booleans())
    for row in range(2, 1 + max(row for row, _ in cells)):
        way = "merged" if usual else draw(st.sampled_from(["merged", "merged", "left", "right", "high"]))
        if way == "right":
            cells[row, at + 1] = Cell(draw(st.sampled_from(["12", "次", "数量指标", "≥"])))
        elif way in {"merged", "high"} and not any(
            m.top <= row <= m.bottom and m.left <= at <= m.right for m in wide.merges
        ):
            wide.merges.append(Merge(row, at, row + (way == "high"), at + 1))
    wide.cells = dict(sorted(cells.items()))
    return wide


def one_by_one(sheet: Sheet) -> list[Form]:
    with patch.object(usual_rows.UsualRows, "run", lambda *_: None):
        return read(copy.deepcopy(sheet))


@settings(deadline=None, max_examples=200)
@given(grids())
def test_rows_read_at_once_are_those_read_one_by_one(sheet: Sheet) -> None:
    at_once, single = read(sheet), one_by_one(sheet)
    assert to_frames(at_once).indicators.equals(to_frames(single).indicators)
    assert repr(at_once) == repr(single)


def test_all_rows_of_a_plain_grid_are_read_at_once() -> None:
    with patch.object(IndicatorRows, "append", side_effect=AssertionError("a row read by itself")):
        (form,) = read("""
            A1=一级指标 | B1=二级指标 | C1=三级指标 | D1=年度指标值 | E1=实际完成值 | F1=分值 | G1=得分
            A2:A4=产出指标（50分） | B2:B3=数量指标 | C2=巡查次数 | D2=12次 | E2=12次 | F2=20 | G2=20
            C3=水库个数 | D3=3个 | E3=3个 | F3=10 | G3=10
            B4=质量指标 | C4=合格率 | D4=≥90% | E4=95% | F4=20 | G4=20
            A5=效益指标（40分） | B5=社会效益指标 | C5=受益人数 | D5=80人 | E5=80人 | F5=40 | G5=40
            A6=总分 | F6=90 | G6=90
            """)
    assert column_of(form.indicators, "level1") == ["产出指标"] * 3 + ["效益指标"]
    assert column_of(form.indicators, "level1_points") == [50, 50, 50, 40]
    assert [cells["level2"] for cells in column_of(form.indicators, "cells")] == ["B2", "B2", "B4", "B5"]
    assert (form.total["score"], form.findings) == ("90", [])


def test_wide_columns_are_read_at_once_too() -> None:
    with patch.object(IndicatorRows, "append", side_effect=AssertionError("a row read by itself")):
        (form,) = read("""
            A1=一级指标 | B1=二级指标 | C1:D1=三级指标 | E1:F1=年度指标值 | G1=实际完成值 | H1=分值 | I1:J1=得分
            A2:A3=产出指标 | B2:B3=数量指标 | C2:D2=巡查次数 | E2:F2=12次 | G2=12次 | H2=50 | I2:J2=50
            C3:D3=水库个数 | E3:F3=3个 | G3=3个 | H3=40 | I3=40
            A4=总分 | H4=90 | I4:J4=90
            """)
    assert [row.values["score"] for row in form.indicators] == ["50", "40"]
    assert [row.cells["score"] for row in form.indicators] == ["I2", "I3"]


def test_columns_beyond_ours_are_read_at_once_too() -> None:
    with patch.object(IndicatorRows, "append", side_effect=AssertionError("a row read by itself")):
        (form,) = read("""
            A1=一级指标 | B1=二级指标 | C1=三级指标 | D1=指标说明 | E1=年度指标值 | F1=实际完成值 | G1=分值 | H1=得分 | I1=佐证材料
            A2:A3=产出指标 | B2:B3=数量指标 | C2=巡查次数 | D2=合计数 | E2=12次 | F2=12次 | G2=50 | H2=50 | I2=台账
            C3=水库个数 | E3=3个 | F3=3个 | G3=40 | H3=40
            A4=总分 | G4=90 | H4=90
            """)
    assert [label for _, label in form.others] == ["指标说明", "佐证材料"]
    told = [{"指标说明": "合计数", "佐证材料": "台账"}, {"指标说明": None, "佐证材料": None}]
    assert column_of(form.indicators, "extra") == told == [row.extra for row in form.indicators]


@pytest.mark.parametrize("target", ["填写目标值", "例如：90%"])
def test_a_target_that_tells_how_it_is_filled_in_is_a_hint_in_every_row(target: str) -> None:
    (form,) = read(f"""
        A1=一级指标 | B1=二级指标 | C1=三级指标 | D1=年度指标值 | E1=实际完成值 | F1=分值 | G1=得分
        A2:A4=产出指标 | B2:B4=数量指标 | C2=巡查次数 | D2=12次 | E2=12次 | F2=20 | G2=20
        C3=水库个数 | D3={target}
        C4=受益人数 | D4=80人 | E4=80人 | F4=40 | G4=40
        """)
    assert ([row.row for row in form.indicators], [row.reason for row in form.left_out]) == ([2, 4], ["hint"])


def some_rows() -> IndicatorRows:
    rows = IndicatorRows([IndicatorRow(2, {"level3": "一", "unit": "次"}, {"level3": "C2"}, 5.0, {"说明": "x"})])
    fields = {"level1": ["甲", "甲"], "level3": ["二", "三"]}
    rows.add(Run(fields, {"row": [3, 4], "cells": [{"level3": "C3"}, {"level3": "C4"}], "level1_points": [None, None]}))
    return rows


def test_rows_kept_by_column_are_a_list_of_rows() -> None:
    rows = some_rows()
    names = ("row", "level1", "level3", "unit", "cells", "level1_points", "extra", "reason")
    columns = {name: column_of(rows, name) for name in names}
    assert len(rows) == 3
    made = list(rows)
    assert {name: column_of(made, name) for name in names} == columns == {name: column_of(rows, name) for name in names}
    assert rows == made
    assert made == rows
    assert repr(rows) == repr(made)
    assert (rows[1].values, rows[-1].cells) == ({"level1": "甲", "level3": "二"}, {"level3": "C4"})
    assert (rows[1:], rows + made[:1], made[:1] + rows) == (made[1:], [*made, made[0]], [made[0], *made])
    assert pickle.loads(pickle.dumps(some_rows())) == copy.deepcopy(rows) == rows


def test_a_changed_row_is_seen_by_all() -> None:
    rows = some_rows()
    rows[1].values["level3"] = "changed"
    rows.append(IndicatorRow(9, {"level3": "last"}, {}))
    del rows[0]
    assert (column_of(rows, "level3"), column_of(rows, "row"), len(rows)) == (["changed", "三", "last"], [3, 4, 9], 3)
    rows.insert(0, rows.pop())
    rows[1] = rows[2]
    assert column_of(rows, "row") == [9, 4, 4]
