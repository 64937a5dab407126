"""Simple formulas computed again: what is understood is right, what is not is left alone."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perfeval_xlsx.workbook.cells import Cell
from perfeval_xlsx.workbook.recompute import recompute, recompute_after

CELLS = {
    (5, 5): Cell("650", 650.0, type="n"),
    (5, 6): Cell("94", 94.0, type="n"),
    (5, 8): Cell("10", 10.0, type="n"),
    (12, 8): Cell("8", 8.0, type="n"),
    (13, 8): Cell("7.5", 7.5, type="n"),
    (14, 8): Cell("—"),
    (15, 8): Cell("", formula="H12", cached=False),
    (16, 8): Cell("#REF!", formula="#REF!", type="e"),
}


@pytest.mark.parametrize(
    ("formula", "value"),
    [
        ("F5/E5", 94 / 650),
        ("ROUND(F5/E5*H5,2)", 1.45),
        ("$F$5/$E$5*10", 940 / 650),
        ("SUM(H12:H14)+H5", 25.5),
        ("sum(H12,H13,2)", 17.5),
        ("-(H12-10)*50%", 1.0),
        ("MIN(10, 10*F5/E5)", 940 / 650),
        ("MAX(H12:H13)-ABS(-3)", 5.0),
        ("AVERAGE(H12:H13)", 7.75),
        ("PRODUCT(H12,2)", 16.0),
        ("ROUND(2.675,2)", 2.68),
        ("ROUND(-2.5,0)", -3.0),
        ("A1+1", 1.0),
        ("1e2", 100.0),
        ("IF(F5>=E5,H5,ROUND(F5/E5*H5,2))", 1.45),
        ("IF(A1=0,0,1/A1)", 0.0),
        ("IF(H12<>8,1/0,IF(H13<H12,2,3))*SUM(H12,1)", 18.0),
        ("IF(MIN(H12,H13)<=7.5,1,0)", 1.0),
    ],
)
def test_what_is_understood(formula: str, value: float) -> None:
    assert recompute(CELLS, formula) == pytest.approx(value)


@pytest.mark.parametrize(
    "formula",
    [
        "", "IF(H14>=90,1,2)", "IF(H12,1,2)", "IF(H12>1,1)", "IF(H12>1,1,2,3)", "IF(1>0>0,1,2)",
        "IF(0.1+0.2=0.3,1,2)", "IF(H12>1,H14,1)", "IF(H12>1,,1)", 'IF(H14="—",1,2)', "IF(1>0,1,2", "1>0", "IF(" * 40, "Sheet2!A1", "'表 2'!A1+1", "H14+1", "H15+1", "SUM(H12:H15)", "H16*2", "SUM(H12:H16)", "1/0",
        "SUM(A1:XFD1048576)", "SUM(H13:H12)", "TODAY()", "H12H13", "(1", "1)", "1+", "SUM(", "SUM()", "H12:H13", '"优"',
        "#REF!+1", "2^3", "1" * 2000, "(" * 100 + "1" + ")" * 100, "ROUND(1,99999)", "SUM(H12:H13", "A1:B2:C3", "H12&H13",
        "MIN(H30:H40)", "AVERAGE(H30:H40)", "1E400",
    ],
)  # fmt: skip
def test_what_is_not_understood_is_left_alone(formula: str) -> None:
    assert recompute(CELLS, formula) is None


@settings(deadline=None, max_examples=200)
@given(st.text("0123456789.+-*/(),%$:EHSUMROND ", max_size=30))
def test_no_formula_breaks_it(formula: str) -> None:
    assert recompute(CELLS, formula) is None or isinstance(recompute(CELLS, formula), float)


@settings(deadline=None, max_examples=100)
@given(
    st.lists(st.integers(-99, 99), min_size=1, max_size=6), st.lists(st.sampled_from("+-*/"), min_size=5, max_size=5)
)
def test_arithmetic_is_that_of_fractions(figures: list[int], marks: list[str]) -> None:
    formula = str(figures[0])
    exact = f"Fraction({figures[0]})"
    for figure, mark in zip(figures[1:], marks, strict=False):
        formula += f"{mark}({figure})"
        exact += f"{mark}Fraction({figure})"
    try:
        wanted = float(eval(exact, {"Fraction": Fraction}))
    except ZeroDivisionError:
        assert recompute({}, formula) is None
    else:
        assert recompute({}, formula) == pytest.approx(wanted, rel=1e-9, abs=1e-9)


CHAIN = {
    (1, 1): Cell("1", 1.0, type="n"),
    (2, 1): Cell("2", 2.0, formula="A1*2", type="n"),
    (3, 1): Cell("3", 3.0, formula="A1+A2", type="n"),
    (4, 1): Cell("7", 7.0, formula="TODAY()", type="n"),
    (5, 1): Cell("5", 5.0, formula="A6", type="n"),
    (6, 1): Cell("6", 6.0, formula="A5", type="n"),
    (7, 1): Cell("8", 8.0, formula="", type="n", cached=False),
}


@pytest.mark.parametrize(
    ("formula", "typed", "value"),
    [
        ("A3", True, 30.0),
        ("SUM(A1:A3)", True, 60.0),
        ("A4", True, None),
        ("A4+A1", False, 17.0),
        ("A5", True, None),
        ("SUM(A1:A7)", True, None),
        ("A7+1", False, 9.0),
        ("A9+A1", True, 10.0),
    ],
)
def test_a_change_is_followed_through_other_formulas(formula: str, typed: bool, value: float | None) -> None:
    assert recompute_after(CHAIN, {(1, 1): Cell("10", 10.0)}, formula, typed=typed) == value


def test_what_follows_from_a_change_is_bounded() -> None:
    rows = range(2, 2000)
    chain = {(row, 1): Cell("1", 1.0, formula=f"A{row - 1}+1") for row in rows} | {(1, 1): Cell("1", 1.0)}
    assert recompute_after(chain, {(1, 1): Cell("5", 5.0)}, "A20", typed=True) == 24
    assert recompute_after(chain, {(1, 1): Cell("5", 5.0)}, "A1999", typed=True) is None
