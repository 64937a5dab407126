"""Every way to write a value, against ``tests/values``: cases put down by hand, for a clerk to read and dispute."""

from __future__ import annotations

import datetime
import tomllib
from pathlib import Path
from typing import Any

import pytest

from perfeval_xlsx.form.values import Quantity, parse_value

HERE = Path(__file__).parent / "values"
CONTEXT = ("sign", "column", "name")


def rows(*files: str) -> list[Any]:
    cases = []
    for file in files:
        data = tomllib.loads((HERE / f"{file}.toml").read_text(encoding="utf-8"))
        for group in data["group"]:
            kind = group.get("kind", data.get("kind"))
            cases += [pytest.param(kind, row, id=f"{file}-{group['about']}-{row[0]}") for row in group["rows"]]
    return cases


def parsed(text: str, extra: dict[str, Any]) -> Quantity:
    sign, column, name = (extra.get(key) for key in CONTEXT)
    return parse_value(text, sign, column, name)


@pytest.mark.parametrize(("kind", "row"), rows("numbers", "percent", "money", "durations"))
def test_figures(kind: str, row: list[Any]) -> None:
    text, comparator, value, unit = row[:4]
    extra: dict[str, Any] = row[4] if len(row) > 4 else {}
    found = parsed(text, extra)
    if comparator.isalpha():
        assert (found.kind, found.value) == (comparator, None)
        return
    wanted = (kind, comparator, pytest.approx(extra.get("value", value), rel=1e-12), extra.get("unit", unit))
    assert (found.kind, found.comparator, found.value, found.unit) == wanted
    wanted_rest = (extra.get("high"), extra.get("change", ""), extra.get("approximate", False), "")
    assert (found.high, found.change, found.approximate, found.verdict) == wanted_rest


def days(text: str) -> tuple[float, str]:
    if len(text) > 5:
        return float(datetime.date.fromisoformat(text).toordinal()), "date"
    plain = datetime.date.fromisoformat(f"2001-{text}")
    return float(plain.timetuple().tm_yday), "day of year"


@pytest.mark.parametrize(("kind", "row"), rows("dates"))
def test_deadlines(kind: str, row: list[Any]) -> None:
    extra = row.pop() if isinstance(row[-1], dict) else {}
    text, last, *first = row
    found = parsed(text, extra)
    if last.isalpha():
        assert (found.kind, found.value) == (last, None)
        return
    assert (found.kind, (found.value, found.unit)) == (kind, days(last))
    assert found.first == (days(first[0])[0] if first and first[0] else None)


@pytest.mark.parametrize(("kind", "row"), rows("words"))
def test_words(kind: None, row: list[Any]) -> None:
    text, wanted, verdict, *parts = row
    found = parse_value(text)
    assert (found.kind, found.verdict, found.value) == (wanted, verdict, None)
    if parts:
        assert [part.kind for part in found.parts] == parts[0]
