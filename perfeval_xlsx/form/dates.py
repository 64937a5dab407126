"""Deadlines: the day by which something is or was done, as written in forms (9月30日前, 2021年12月底, 第三季度).

A deadline's value is the **last** day its words allow, ``first`` the earliest. 9月30日前 and 9月30日 are 30 September.
A month stands for its last day, with or without 前: in these forms 12月前 means by the end of December, so an actual
of 12月20日 is on time and a second 12月前 is no day late. The strict reading, before 1 December, is kept in ``first``:
where an actual's span reaches over the target's last day the two cannot be compared, and no verdict is given.
"""

from __future__ import annotations

import calendar
import datetime
import re
from typing import NamedTuple

from perfeval_xlsx.data import load
from perfeval_xlsx.form.value_text import words_pattern

_DATA = load("values.toml")["date"]
_MONTHS: dict[str, list[int]] = _DATA["month"]
_YEARS: dict[str, list[int]] = _DATA["year"]
PLAIN_YEAR = 2001
"""A year without 29 February: dates without year are days of it."""

_BEFORE = f"(?:{words_pattern(_DATA['before'])}){{0,3}}"
_AFTER = f"(?P<rest>(?:{words_pattern(_DATA['after'])})*+)"
_YEAR = r"(?:(?P<year>(?:19|20)[0-9]{2})年度?|(?P<short>[12][0-9])年(?=[0-9]))"
_MONTH = r"(?:1[0-2]|0?[1-9])"
_DAY = r"(?:3[01]|[12][0-9]|0?[1-9])"
_MIDNIGHT = "(?: ?0?0:00(?::00)?)?"
_PART = f"(?P<part>{words_pattern(list(_MONTHS))})"
_YEAR_PART = f"(?P<yearpart>{words_pattern(list(_YEARS))})"

_PATTERNS = tuple(
    re.compile(_BEFORE + body + _AFTER)
    for body in (
        rf"{_YEAR}?(?P<month>{_MONTH})月份?(?:(?P<day>{_DAY})[日号]|{_PART})?",
        rf"{_YEAR}?(?P<first>{_MONTH})月?份?[-—~至到](?P<month>{_MONTH})月份?{_PART}?",
        rf"(?:{_YEAR}|本年|当年|年)?第?(?P<quarter>[1-4])季度(?P<part>末|底|内)?",
        rf"{_YEAR}年?{_YEAR_PART}?",
        rf"(?:本|当|今)?年度?{_YEAR_PART}",
        r"(?:本年度?|当年|今年)?(?P<half>[上下]半年)末?底?",
        rf"(?P<year>20[0-9]{{2}})(?P<separator>[-/.])(?P<month>{_MONTH})(?:(?P=separator)(?P<day>{_DAY})|{_PART})?日?{_MIDNIGHT}",
    )
)
_DOTTED = re.compile(rf"20[0-4][0-9]\.{_MONTH}|[0-9]{{1,2}}\.[0-9]{{1,2}}|20[0-9]{{6}}|20[0-4][0-9]")
_WRITTEN = re.compile(r"(?:[0-9]{2,4}年)?[0-9]{1,2}月[0-9]{1,2}[日号]前?")
_SPAN = re.compile(r"([^-—~至到]*[0-9年月日号])[-—~至到]{1,2}([0-9][^-—~至到]*)")
_SIGNAL = re.compile(r"[月季年]|20[0-9]{2}[-/.][0-9]")


class Day(NamedTuple):
    """A deadline: last and first day, as ordinals (unit ``date``) or days of a plain year (unit ``day of year``)."""

    last: float
    first: float
    unit: str


def written(text: str) -> bool:
    """Whether a text is written as one day, whether or not the calendar has it (2月30日)."""
    return bool(_WRITTEN.fullmatch(text))


def dotted(text: str) -> bool:
    """Whether a bare number may be a date written with a point or without any sign (2023.12, 12.31, 20231231, 2023)."""
    return bool(_DOTTED.fullmatch(text))


def read_day(text: str) -> Day | None:
    """Read a normalised text that is one deadline and nothing else; None for any other."""
    if not _SIGNAL.search(text):
        return None
    for pattern in _PATTERNS:
        match = pattern.fullmatch(text)
        if match:
            parts = {name: value for name, value in match.groupdict().items() if value}
            return None if _bare_point(parts) else _day(parts)
    return _span(text)


def _span(text: str) -> Day | None:
    """Read 2021年1月1日至12月31日: the second day is in the first one's year where it has none."""
    match = _SPAN.fullmatch(text)
    begin = match and read_day(match[1])
    if not match or not begin:
        return None
    dated = begin.unit == "date" and "月" in match[2] and "年" not in match[2] and text[:4].isdecimal()
    end = read_day(f"{text[:4]}年{match[2]}" if dated else match[2])
    if end is None or end.unit != begin.unit or end.last < begin.first:
        return None
    return Day(end.last, begin.first, begin.unit)


def _bare_point(parts: dict[str, str]) -> bool:
    """Whether this is 2023.12, which is a number until something says it is a date."""
    return parts.get("separator") == "." and not parts.keys() & {"day", "part", "rest"}


def dotted_day(text: str) -> Day | None:
    """Read a bare number as a month of a year (2023.12), a day (20231231) or a year, where the name speaks of time."""
    if re.fullmatch(rf"20[0-4][0-9]\.{_MONTH}", text):
        year, month = text.split(".")
        return _day({"year": year, "month": month})
    if re.fullmatch(r"20[0-9]{6}", text):
        return _day({"year": text[:4], "month": text[4:6], "day": text[6:]})
    return _day({"year": text}) if re.fullmatch(r"20[0-4][0-9]", text) else None


def _day(parts: dict[str, str]) -> Day | None:
    year = int(parts["year"]) if "year" in parts else 2000 + int(parts["short"]) if "short" in parts else None
    first, last = _months(parts)
    low, high = _days(parts)
    of = year or PLAIN_YEAR
    end_day = min(high, calendar.monthrange(of, last)[1])
    if "day" in parts and end_day != high:
        return None
    end, begin = datetime.date(of, last, end_day), datetime.date(of, first, min(low, end_day))
    if _strictly_before(parts):
        begin -= datetime.timedelta(days=1)
    if year:
        return Day(float(end.toordinal()), float(begin.toordinal()), "date")
    zero = datetime.date(PLAIN_YEAR, 1, 1).toordinal() - 1
    return Day(float(end.toordinal() - zero), float(max(begin.toordinal() - zero, 1)), "day of year")


def _months(parts: dict[str, str]) -> tuple[int, int]:
    if "month" in parts:
        month = int(parts["month"])
        return int(parts.get("first", month)), month
    if "quarter" in parts:
        last = 3 * int(parts["quarter"])
        return (last if "part" in parts and parts["part"] != "内" else last - 2), last
    first, last = _YEARS[parts.get("half") or parts.get("yearpart") or "内"]
    return first, last


def _days(parts: dict[str, str]) -> tuple[int, int]:
    if "day" in parts:
        return int(parts["day"]), int(parts["day"])
    low, high = _MONTHS.get(parts.get("part", ""), [1, 31])
    return (low, high) if "first" not in parts else (1, high)


def _strictly_before(parts: dict[str, str]) -> bool:
    """Whether 前 follows a whole month, quarter or year: read strictly, the day before it begins."""
    whole = not parts.keys() & {"day", "part", "yearpart", "half"}
    return whole and parts.get("rest", "").startswith(tuple(_DATA["strict"]))
