"""Numbers shown by floats alone: the same as by decimals."""

from __future__ import annotations

from unittest.mock import patch

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from perfeval_xlsx.workbook import numbers
from perfeval_xlsx.workbook.display import Format

_CODES = ("0", "0.0", "0.00", "0.000", "0%", "0.00%", "#,##0", "#,##0.00")


@settings(max_examples=400, deadline=None)
@given(st.floats(-1e9, 1e9) | st.integers(-(10**8), 10**8).map(lambda n: n / 1000), st.sampled_from(_CODES))
@example(0.125, "0.00")
@example(2.675, "0.00")
@example(0.97305, "0.00%")
@example(999.995, "0.00")
@example(-0.001, "0.00")
@example(-0.0, "0.00")
def test_fixed_places(value: float, code: str) -> None:
    with patch.object(numbers.Fixed, "show", lambda *_: None):
        slowly = Format(code).number(value)
    assert Format(code).number(value) == slowly


@settings(max_examples=400, deadline=None)
@given(st.floats(-1e12, 1e12) | st.integers(-(10**8), 10**8).map(lambda n: n / 10**6))
@example(0.001)
@example(0.1 + 0.2)
@example(1e308)
@example(12345678.9)
def test_general(value: float) -> None:
    with patch.object(numbers, "_SMALL", float("inf")):
        slowly = numbers.general(value)
    assert numbers.general(value) == slowly


@pytest.mark.parametrize(("value", "code", "shown"), [(0.973, "0.00%", "97.30%"), (1234.5, "#,##0.00", "1,234.50")])
def test_shown(value: float, code: str, shown: str) -> None:
    assert Format(code).number(value) == shown
