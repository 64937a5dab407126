"""What is looked up or passed over quickly says what the careful way says: labels, headers met before, ends of tables."""

from __future__ import annotations

import re
import sys
import unicodedata
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perfeval_xlsx.data import load
from perfeval_xlsx.form import evidence, funds, labels, locate, total
from perfeval_xlsx.form.grid import Grid
from perfeval_xlsx.form.header import Header
from perfeval_xlsx.form.heading import _year_of_title as year_of_title
from perfeval_xlsx.form.heading import names_of, year_in
from perfeval_xlsx.workbook import Cell, Merge, Sheet

DATA = load("labels.toml")
QUICK = settings(deadline=None, max_examples=300)


def _all_words(block: str) -> list[str]:
    return [word for entry in DATA[block].values() for key in ("words", "exact") for word in entry.get(key, ())]


WORDS = [*_all_words("indicator"), *_all_words("fund"), *_all_words("goals"), *DATA["extra"]["words"]]
WORDS += [*DATA["rows"]["total"], *DATA["rows"]["subtotal"], *DATA["rows"]["note_words"], *DATA["title"]["words"]]
DRESS = [
    "", " ", "\n", "：", ":", "（万元）", "（50分）", "(", "）", "【", "】", "[", "一、", "2.", "３．", "1级", "（二级）", "=", "★", "*", "。", "2023年", "２０２３年度",
    "年", "年度", "其中：", "第12号", "ⅳ", "㎡", "①", "100", "9.5分", "≥", "填写", "例如：", "道路", "的数量", "率", "x" * 41,
]  # fmt: skip
TEXT = st.lists(st.sampled_from([*WORDS, *DRESS]) | st.text(max_size=3), min_size=1, max_size=5).map("".join)


def _plain(text: str) -> str:
    label = labels._TAIL.sub("", re.sub(r"\s+", "", unicodedata.normalize("NFKC", text)))
    return labels._FRAME.sub(r"\1", label) if label[:1] in labels._OPENING else label


def _bare(text: str) -> str:
    stripped = _plain(text)
    while (shorter := labels._BRACKETS.sub("", stripped)) != stripped:
        stripped = shorter
    return labels._TAIL.sub("", labels._YEAR.sub("", stripped))


def _find(block: str, text: str) -> labels.Match | None:
    """``find`` as it reads: one look after another, every word in turn."""
    if len(text) > 2 * labels.LONGEST or (labels._FIGURE.match(text) and labels._FIGURE.match(_plain(text))):
        return None
    vocabulary = labels._vocabulary(block)
    text = _plain(text).partition("=")[0] or text
    level = labels._LEVEL.search(_plain(text))
    text = f"{level[1]}级指标" if level else text
    for label in (_plain(text), _bare(text), labels._OF_YEAR.sub("", _bare(text))):
        if len(label) > labels.LONGEST:
            return None
        if label in vocabulary.exact:
            return labels.Match(vocabulary.exact[label], exact=True, rank=2 if label in vocabulary.own else 1)
    label = _bare(text)
    if labels.is_hint(label):
        return None
    fitting = [field for word, field in vocabulary.words if word in label and len(label) - len(word) <= labels._SURPLUS]
    return labels.Match(fitting[0], exact=False) if fitting else None


def _total(text: str) -> tuple[bool, str | None, str | None]:
    folded, formula, _ = labels.plain_row(text).partition("=")
    if formula:
        return labels.is_one_of(folded, "rows", "total"), None, None
    match = labels.pattern("rows", "inline_total").match(folded)
    if match is not None and labels.is_one_of(match["label"], "rows", "total"):
        return True, match["figure"], match["grade"]
    return labels.is_one_of(text, "rows", "total"), None, None


@QUICK
@given(TEXT)
def test_a_label_is_spelled_and_found_as_by_all_expressions_in_turn(text: str) -> None:
    assert (labels.plain(text), labels.bare(text)) == (_plain(text), _bare(text))
    found = {block: _find(block, text) for block in ("indicator", "fund", "goals")}
    assert {block: labels.find(block, text) for block in found} == found
    ours = [match.field if match and match.field != "extra" else None for match in list(found.values())[:2]]
    assert labels.field_names(text) == (tuple(ours) if any(ours) else None)


@QUICK
@given(TEXT)
def test_a_name_told_at_once_is_nothing_else(text: str) -> None:
    plain = labels.is_plain_name(text)
    with patch.object(labels, "_says_nothing_else", return_value=False):
        assert labels.is_plain_name(text) == plain


def test_a_name_without_any_other_word_is_told_at_once() -> None:
    assert labels._says_nothing_else("水库除险加固座数")
    assert not labels._says_nothing_else("培训完成率")


@QUICK
@given(TEXT)
def test_totals_notes_and_words_are_told_as_by_all_words_in_turn(text: str) -> None:
    assert labels.total_label(text) == _total(text)
    label, words = _plain(text), [_plain(word) for word in DATA["rows"]["note_words"]]
    opening = [word for word in words if label.startswith(word)]
    ended = [len(label) == len(w) or not label[len(w)].isalnum() or len(label) > labels.LONGEST for w in opening]
    assert labels.opens_note(text) == any(ended)
    assert labels.begins_note(text) == any(len(word) >= labels._SURE for word in opening)
    assert labels.contains(text, "title", "words") == any(_plain(word) in label for word in DATA["title"]["words"])


LABELS = [
    "一级指标",
    "三级指标",
    "年度指标值",
    "实际完成值",
    "分值",
    "得分",
    "得分",
    "（A）",
    "备注",
    "预算数",
    "执行数",
    "执行率",
    "合计",
    "得份",
    "1",
    "数量",
    "90",
]
SPOT = st.tuples(st.integers(1, 4), st.integers(1, 7))
MERGE = st.tuples(st.integers(1, 4), st.integers(1, 7), st.integers(0, 3), st.integers(0, 2))


@st.composite
def _sheets(draw: st.DrawFn) -> list[Sheet]:
    """Small sheets of few labels, so that many are alike in part: the same texts under other merged ranges."""
    texts = draw(st.dictionaries(SPOT, st.sampled_from(LABELS), min_size=4, max_size=20))
    made = []
    for _ in range(draw(st.integers(2, 4))):
        sheet = Sheet("表", cells={place: Cell(text) for place, text in texts.items()})
        for top, left, down, across in draw(st.lists(MERGE, max_size=3)):
            sheet.merges.append(Merge(top, left, top + down, left + across))
        if draw(st.booleans()):
            sheet.cells[draw(SPOT)] = Cell(draw(st.sampled_from(LABELS)))
        made.append(sheet)
    return made


def _headers(sheet: Sheet) -> list[Header]:
    grid = Grid(sheet)
    funds_of = [locate.fund_header(grid, first, 5) for first in (1, 2)]
    return [*locate.indicator_headers(grid), *(header for header in funds_of if header is not None)]


@QUICK
@given(_sheets())
def test_a_header_met_before_is_built_as_one_never_met(sheets: list[Sheet]) -> None:
    fresh = []
    for sheet in sheets:
        locate._built.clear()
        fresh.append(_headers(sheet))
    locate._built.clear()
    assert [_headers(sheet) for sheet in sheets] == fresh
    assert [_headers(sheet) for sheet in sheets] == fresh


def test_headers_of_one_template_are_changed_apart() -> None:
    texts = ["一级指标", "三级指标", "年度指标值", "实际完成值", "分值", "得分"]
    sheet = Sheet("表", cells={(1, at): Cell(text) for at, text in enumerate(texts, 1)})
    first, second = _headers(sheet)[0], _headers(sheet)[0]
    assert first == second
    first.widen(first.columns["target"], 9)
    first.extra.append(first.columns.pop("score"))
    assert first != second == _headers(sheet)[0]


LINE = st.dictionaries(
    st.integers(1, 6), TEXT.map(str.strip).filter(bool) | st.sampled_from(["1", "97.5%", "１２", "9目标8"]), max_size=5
)


@QUICK
@given(LINE, LINE)
def test_a_fund_table_ends_where_a_close_look_ends_it(above: dict[int, str], line: dict[int, str]) -> None:
    cells = {(row, at): Cell(text) for row, texts in ((1, above), (2, line)) for at, text in sorted(texts.items())}
    sheet = Sheet("表", cells=cells)
    quick = [funds.ends(Grid(sheet), row) for row in (1, 2, 3)]
    with pytest.MonkeyPatch.context() as patch:
        never: Any = lambda text: False  # noqa: E731
        patch.setattr(funds, "_is_quiet", never)
        assert [funds.ends(Grid(sheet), row) for row in (1, 2, 3)] == quick


YEARS = ["2023年度", "2022年", "2021—2025年", "二〇二三年", "项目支出绩效自评表", "2024", "年度", "部门"]


@QUICK
@given(st.lists(st.sampled_from(YEARS), max_size=3).map("".join), st.lists(st.sampled_from(YEARS), max_size=3))
def test_a_title_that_names_its_year_surely_needs_no_other_text(title: str, others: list[str]) -> None:
    year = year_of_title(title)
    assert year is None or year == year_in([title, *others])


def test_no_label_of_a_total_or_grade_ends_with_a_digit() -> None:
    assert not [name for key in ("total", "grade") for name in names_of(key) if name[-1].isdecimal()]


@QUICK
@given(st.lists(MERGE, max_size=6), st.integers(0, 8))
def test_merged_columns_are_told_by_row_as_cell_by_cell(ranges: list[tuple[int, int, int, int]], last: int) -> None:
    merges = [Merge(top, left, top + down, left + across) for top, left, down, across in ranges]
    grid = Grid(Sheet("表", cells={(last, 1): Cell("一")} if last else {}, merges=merges))
    for row in range(1, last + 1):
        columns = {c for m in merges if m.top <= row <= m.bottom for c in range(m.left, m.right + 1)}
        assert grid.merged_columns(row) == columns == {at for line, at in grid.merged if line == row}
    assert max((row for row, _ in grid.merged), default=0) <= last


@QUICK
@given(
    st.lists(
        st.tuples(
            st.sampled_from([None, "", "0", "10", "10.004", "9.99", "20分", "３０", "100", "—"]),
            st.sampled_from([None, "产出指标", "效益指标", "满意度指标"]),
            st.sampled_from([None, 0.0, 10.0, 20.0, 30.0]),
        ),
        max_size=6,
    ),
    st.booleans(),
)
def test_points_add_up_as_they_do_level_by_level(rows: list[tuple[str | None, Any, Any]], all_stated: bool) -> None:
    rows = [(text, level, points or 10.0) for text, level, points in rows] if all_stated else rows
    texts, levels, stated = ([row[at] for row in rows] for at in range(3))
    figures = [evidence._points_in(text or "") for text in texts]
    sums: dict[Any, float] | None = {}
    if None in stated or None in figures:
        sums = None
    else:
        for level, figure in zip(zip(levels, stated, strict=True), figures, strict=True):
            sums[level] = sums.get(level, 0.0) + figure
    wanted = all(abs(sums[level] - level[1]) < evidence._CLOSE for level in sums) if sums else None
    assert evidence._adds_up(texts, levels, stated) is wanted


@QUICK
@given(st.text(max_size=4), st.characters(categories=["Nd"]))
def test_no_grade_stands_behind_a_figure_that_ends_with_a_digit(text: str, digit: str) -> None:
    assert total._GRADED.fullmatch(labels.plain_row("98.5" + text + digit)) is None


@QUICK
@given(
    st.lists(
        st.sampled_from([*DRESS, "元", "万元", "亿", "百万", "单位", "资金", "预算", "人民币", "、"]), max_size=5
    ).map("".join)
)
def test_a_unit_is_stated_where_an_expression_finds_one(text: str) -> None:
    folded = labels.plain_row(text)
    match = labels.pattern("units", "alone").match(folded) or labels.pattern("units", "stated").search(folded)
    assert labels.unit_stated([text]) == (next(filter(None, match.groups())) if match else None)


def test_no_character_stands_for_the_word_of_a_unit() -> None:
    word = DATA["units"]["word"]
    others = (chr(code) for code in range(sys.maxunicode + 1) if chr(code) != word)
    assert not any(word in unicodedata.normalize("NFKC", char) for char in others)
