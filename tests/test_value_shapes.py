"""A figure with few words around it is read by its shape: the same as word by word."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from perfeval_xlsx.data import load
from perfeval_xlsx.form.value_columns import CellTexts, Context, Quantities
from perfeval_xlsx.form.value_text import normalise
from perfeval_xlsx.form.values import _read, _read_words, parse_value

_DATA = load("values.toml")
_HEADS = ["", "≥", "≤", ">", "±", *_DATA["comparator"]["before"], *_DATA["head"]["plain"], *_DATA["head"]["rounded"]]
_HEADS += [*_DATA["head"]["up"], *_DATA["head"]["down"], *_DATA["head"]["base"], "第", "约", "A", "/", "每"]
_COUNTERS = _DATA["counters"]["words"].split()
_UNITS = [word for kind in _DATA["unit"].values() for words in kind.values() for word in words]
_RESTS = ["", "%", "元", "万", "万元", "元/亩", "号", "日", "时", "天前", *_COUNTERS, *_UNITS, *_DATA["tail"]["plain"]]
_RESTS += [*_DATA["comparator"]["after"], *_DATA["tail"]["inner"], *_DATA["verdict"]["partial"]]

heads = st.sampled_from(_HEADS) | st.text("≥≤约第每公里人个元万/%一三无未", max_size=3)
rests = st.sampled_from(_RESTS) | st.text("个人元万亿%余多以上下内日时分级/每亩件未无", max_size=4)
figures = (
    st.integers(0, 10**9 - 1).map(str) | st.decimals(0, 10**8, places=2).map(str) | st.integers(1990, 2030).map(str)
)


@settings(max_examples=400, deadline=None)
@given(heads, figures, rests)
@example("", "2023.12", "")
@example("", "20.5", "")
@example("", "2020.5", "%")
@example("", "0", "")
@example("≥", "1.10", "万元")
@example("", "31", "日")
def test_shape_says_what_words_say(head: str, figure: str, rest: str) -> None:
    text = normalise(f"{head}{figure}{rest}")
    assert _read(text) == _read_words(text)


@settings(max_examples=200, deadline=None)
@given(st.text("≥≤0123456789.,%个万元一二龥", max_size=8))
def test_what_is_written_one_way_stays(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@pytest.mark.parametrize("text", ["≥12个", "95%", "1.5万元", "≤300元", "7人次"])
def test_plain_figures_need_no_unifying(text: str) -> None:
    assert normalise(text) == text


texts = st.none() | st.text("5\n ,≥", max_size=5) | st.builds("{}{}{}".format, heads, figures, rests)
NOTHING: Context = (None, None, None)
signs, units = (
    st.sampled_from([None, None, "≥", "＜", "定性"]),
    st.sampled_from([None, None, "%", "万元", "小时", "年", "/"]),
)
names = st.sampled_from([None, None, "完成时间", "成本(≤**万元)", "合格率(%)", ""])


def read_all(cells: list[tuple[str | None, Context]]) -> Quantities:
    return CellTexts([text for text, _ in cells]).read([context for _, context in cells], np.arange(len(cells)))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(texts, st.tuples(signs, units, names)), max_size=8))
@example([("123456789.123456万元", NOTHING), ("1234567890", NOTHING), ("0.1234567", NOTHING), ("007", NOTHING)])
@example([("4503599.627371", NOTHING), ("0.3‰", NOTHING), ("9" * 400, NOTHING), ("\ud8005", NOTHING)])
@example([("2023.12", (None, None, "完成时间")), ("20.5", (None, "万元", None)), ("1.1万元", (None, None, None))])
@example([("5\n个", NOTHING), ("5个", NOTHING), (None, NOTHING), ("", NOTHING)])
def test_many_cells_are_read_as_each_is(cells: list[tuple[str | None, Context]]) -> None:
    read = read_all(cells)
    for (cell, context), code, value, text in zip(cells, *read[1:], strict=True):
        found = read.distinct[code]._replace(value=None if value != value else value, text=text)
        assert found == parse_value(cell, *context)


def test_cells_that_differ_in_their_figures_are_one_quantity() -> None:
    read = CellTexts([f"≥{figure}万元" for figure in ("3", "12", "4.5")]).read([NOTHING], np.zeros(3, dtype=np.int64))
    assert read.codes.tolist() == [0, 0, 1]  # places are told apart: 7.5个 may be read otherwise than 7个
    assert read.values.tolist() == [30_000, 120_000, 45_000]


@pytest.mark.parametrize(("text", "month"), [("2023.12", True), ("2023.\n12", True), ("2023", False), ("120.5", False)])
def test_only_what_begins_like_a_year_and_has_a_point_may_be_a_month(text: str, month: bool) -> None:
    assert CellTexts([None, text, ""]).perhaps_months().tolist() == [False, month, False]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.decimals(0, 10**9 - 1, places=6) | st.integers(0, 10**9 - 1), max_size=20))
def test_figures_are_the_floats_that_python_reads(figures: list[Decimal | int]) -> None:
    texts = [f"{figure}{unit}" for figure in figures for unit in ("", "万元", "%")]
    read = CellTexts(texts).read([NOTHING], np.zeros(len(texts), dtype=np.int64))
    assert read.values.tolist() == [parse_value(text).value for text in texts]
