"""Whole columns: a function once per distinct value, templates filled for many rows at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perfeval_xlsx.scoring.audit.part import Part
from perfeval_xlsx.scoring.columns import (
    Coded,
    alike,
    by_book,
    each,
    fill,
    one_of,
    places,
    with_columns,
)
from perfeval_xlsx.scoring.rulebook_file import load_rulebook


def counting() -> tuple[list[object], Callable[[object], object]]:
    seen: list[object] = []

    def function(value: object) -> object:
        seen.append(value)
        return f"<{value}>"

    return seen, function


def test_a_function_is_called_once_per_distinct_value() -> None:
    seen, function = counting()
    assert each(np.array(["a", "b", "a", "a"], dtype=object), function).tolist() == ["<a>", "<b>", "<a>", "<a>"]
    assert seen == ["a", "b"]


def test_missing_values_are_values() -> None:
    texts = each(pd.Series(["a", None], dtype=object), lambda value: "gone" if value is None or value != value else "x")
    assert texts.tolist() == ["x", "gone"]
    assert each(np.array([1.0, np.nan]), lambda value: value != value, np.bool_).tolist() == [False, True]
    assert each(np.array([]), str).tolist() == []


@settings(deadline=None, max_examples=50)
@given(st.lists(st.one_of(st.none(), st.text(max_size=3))))
def test_each_is_a_map(values: list[str | None]) -> None:
    column = np.empty(len(values), dtype=object)
    column[:] = values
    assert each(column, lambda value: isinstance(value, str), np.bool_).tolist() == [v is not None for v in values]


def test_words_in_texts() -> None:
    column = np.array(["服务满意度", None, "成本", "满意度"], dtype=object)
    rows = Coded(pd.DataFrame({"name": pd.Series(column, dtype=object)}))
    assert rows.contains("name", ["满意度"]).tolist() == [True, False, False, True]
    assert one_of(column, ["成本", "满意度"]).tolist() == [False, False, True, True]


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.none() | st.text("ab", max_size=1), st.integers(1, 12)), max_size=5))
def test_values_that_follow_each_other_are_told_apart_once(stretches: list[tuple[str | None, int]]) -> None:
    values = [value for value, times in stretches for _ in range(times)]
    distinct, codes = Coded(pd.DataFrame({"text": pd.Series(values, dtype=object)})).codes("text")
    assert [distinct[code] for code in codes] == values
    assert distinct == list(dict.fromkeys(values))


def test_what_the_first_rows_are_like_changes_nothing() -> None:
    mixed, alike_ones = [f"{n % 7}" for n in range(200)], ["a"] * 200
    for values in (mixed + alike_ones, alike_ones + mixed):
        distinct, codes = Coded(pd.DataFrame({"text": pd.Series(values, dtype=object)})).codes("text")
        assert [distinct[code] for code in codes] == values
        assert distinct == list(dict.fromkeys(values))


def test_what_is_not_there_is_one_value_however_it_is_written() -> None:
    values = ["a", float("nan"), "b", float("nan"), None, "a"]
    coded = Coded(pd.DataFrame({"text": pd.Series(values, dtype=object)}))
    distinct, codes = coded.codes("text")
    assert [distinct[code] for code in codes] == ["a", None, "b", None, None, "a"]
    assert coded.texts("text") == ["a", None, "b", None, None, "a"]
    codes, texts = Part(coded, np.zeros(len(values), dtype=int)).codes("text")
    assert (codes.tolist(), list(texts)) == ([0, -1, 1, -1, -1, 0], ["a", "b"])
    assert coded.each("text", lambda text: text is None, np.bool_).tolist() == [False, True, False, True, True, False]


def test_columns_of_a_form() -> None:
    rows = pd.DataFrame({"cells": [{"score": "A1"}, {}]})
    assert Coded(rows).has("score").tolist() == [True, False]


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.none() | st.text("ab", max_size=1), st.integers(0, 2)), min_size=1))
def test_a_frame_knows_its_distinct_texts(rows: list[tuple[str | None, int]]) -> None:
    coded = Coded(pd.DataFrame({"text": pd.Series([text for text, _ in rows], dtype=object)}))
    distinct, codes = coded.codes("text")
    assert [distinct[code] for code in codes] == [text for text, _ in rows]
    assert len(set(distinct)) == len(distinct)
    assert coded.contains("text", ["a"]).tolist() == ["a" in (text or "") for text, _ in rows]
    first, kinds = alike([codes, np.array([number for _, number in rows])])
    assert [rows[first[kind]] for kind in kinds] == rows
    assert sorted(set(rows), key=rows.index) == [rows[place] for place in first]


def test_further_columns_and_others_in_their_place() -> None:
    frame = pd.DataFrame({"a": ["x", "y"], "b": [1.0, 2.0]}, index=[3, 5])
    more = with_columns(frame, {"b": np.array([5.0, np.nan])}, {"c": [None, "z"]})
    assert list(more.index) == [3, 5]
    assert more["a"].tolist() == ["x", "y"]
    assert more["b"].iloc[0] == 5
    assert more["c"].tolist() == [None, "z"]
    assert frame["b"].tolist() == [1, 2]


def test_a_wider_frame_keeps_what_is_known_of_its_columns() -> None:
    frame = pd.DataFrame({"a": pd.Series(["x", None, "x"], dtype=object), "cells": [{"a": "A1"}, {}, {}]})
    coded = Coded(frame)
    known = coded.codes("a"), coded.texts("a"), coded.cells
    wider = coded.within(with_columns(frame, {"b": np.array([1.0, 2.0, 3.0])}, {"c": ["p", None, "q"]}))
    assert all(
        one is other for one, other in zip(known, (wider.codes("a"), wider.texts("a"), wider.cells), strict=True)
    )
    assert (wider.texts("c"), wider.column("b").tolist()) == (["p", None, "q"], [1, 2, 3])


def test_figures_of_several_types_keep_them() -> None:
    more = with_columns(
        pd.DataFrame({"a": [1, 2]}), {"b": np.array([0.5, 1]), "n": np.array([3, 4])}, {"c": ["x", None]}
    )
    assert [str(kind) for kind in more.dtypes] == ["int64", "float64", "int64", "object"]


def test_parameters_by_row() -> None:
    books = [load_rulebook("national-2020"), load_rulebook("hubei-2020")]
    code = np.array([1, 0, 1])
    assert by_book(books, code, lambda book: book.execution.points).tolist() == [20, 10, 20]
    assert places(books, code).tolist() == [2, 2, 2]


def test_a_merged_cell_is_the_first_row_s_own() -> None:
    cells = [{"target": "E5"}, {"target": "E5"}, {}, {"target": "E5"}, {"target": "E5"}]
    part = Part(Coded(pd.DataFrame({"cells": pd.Series(cells, dtype=object)})), np.array([0, 0, 0, 0, 1]))
    assert part.own_cell("target").tolist() == [True, False, True, True, True]


@pytest.mark.parametrize("template", ["", "{a}", "x", "{a}-{b}", "{{{a}}}"])
def test_a_template_filled_for_many_rows_is_format_for_each(template: str) -> None:
    texts = {"a": np.array(["1", "2", "3"], dtype=object), "b": np.array(["x", "{y}", ""], dtype=object)}
    rows = np.array([2, 0])
    expected = [template.format(a=texts["a"][row], b=texts["b"][row]) for row in rows]
    columns = {name: column.__getitem__ for name, column in texts.items()}
    assert fill(template, columns, rows).tolist() == expected
