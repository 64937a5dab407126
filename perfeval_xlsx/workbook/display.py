"""What a person sees in a cell: a value under its number format."""

from __future__ import annotations

import math
import re
from functools import lru_cache

from perfeval_xlsx.workbook.dates import show_date
from perfeval_xlsx.workbook.formats import Section, sections
from perfeval_xlsx.workbook.numbers import Fixed, Plan, general, plan, show_number
from perfeval_xlsx.workbook.numerals import digitwise, spoken

_FIXED = re.compile(r"(#,##)?0(?:\.(0{1,6}))?(%)?")


class Format:
    """A compiled number format.

    Attributes:
        code: The format code.
        plain: True for General and for ``@``: a number shows as under General.
        date: True when numbers show as dates or times.
        shapes_text: True when text is not shown as it stands.
    """

    __slots__ = ("_fixed", "_plans", "_sections", "_text", "code", "date", "plain", "shapes_text")

    def __init__(self, code: str) -> None:
        self.code = code
        found = sections(code.strip() or "General")
        self._text = _text_section(found)
        numeric = [section for section in found[:3] if section is not self._text]
        self._sections = numeric
        self._plans: list[Plan] = [plan(section) for section in numeric]
        found_fixed = _FIXED.fullmatch(code.strip())
        self._fixed = found_fixed and Fixed.of(len(found_fixed[2] or ""), bool(found_fixed[3]), bool(found_fixed[1]))
        self.date = any(section.kind == "date" for section in numeric)
        self.plain = not numeric or (len(numeric) == 1 and _is_general(numeric[0]))
        self.shapes_text = self._text is not None and [t.kind for t in self._text.tokens if t.kind != "pad"] != ["text"]

    def text(self, text: str) -> str:
        """Return text as the cell shows it."""
        if not self.shapes_text or self._text is None:
            return text
        shown = "".join(text if token.kind in {"text", "general"} else token.text for token in self._text.tokens)
        return shown.strip()

    def number(self, value: float, date1904: bool = False) -> str:
        """Return a number as the cell shows it, surrounding blanks (paddings) off."""
        if self.plain:
            return general(value)
        shown = self._fixed.show(value) if self._fixed else None
        if shown is not None:
            return shown
        index, drops_sign = self._choose(value)
        if index < 0:
            return general(value)
        section = self._sections[index]
        shown = self._show(section, index, value, date1904)
        if shown is None:
            return general(value)
        shown = shown.strip()
        return "-" + shown if value < 0 and not drops_sign and section.kind != "date" else shown

    def _show(self, section: Section, index: int, value: float, date1904: bool) -> str | None:
        """Return the magnitude under one section; None where it cannot be shown so."""
        if section.kind == "date":
            return show_date(section, value, date1904)
        if section.kind == "number":
            shown = show_number(section, self._plans[index], value)
            return digitwise(shown, section.numerals) if section.numerals else shown
        if section.kind == "general":
            scaled = abs(value) * 100 ** sum(token.kind == "percent" for token in section.tokens)
            if math.isinf(scaled):
                return None
            shown = general(scaled)
            shown = spoken(shown, section.numerals) if section.numerals else shown
            return "".join(shown if token.kind == "general" else token.text for token in section.tokens)
        shown = "".join(token.text for token in section.tokens)
        if not shown and section.numerals:
            return spoken(general(abs(value)), section.numerals)
        return shown

    def _choose(self, value: float) -> tuple[int, bool]:
        """Return which section shows ``value`` and whether it shows it without its sign; -1 where none does."""
        parts = self._sections
        if any(section.condition for section in parts):
            return self._choose_conditional(value)
        if len(parts) == 1 or value > 0:
            return 0, False
        if value < 0:
            return 1, parts[1].kind != "general"
        return (2, True) if len(parts) > 2 else (0, False)

    def _choose_conditional(self, value: float) -> tuple[int, bool]:
        for index, section in enumerate(self._sections):
            condition = section.condition
            if condition is None:
                rest = index == len(self._sections) - 1
                if rest or (value < 0 if index else value > 0):
                    return index, index > 0 and self._only_negative(index)
            elif condition.holds(value):
                below = condition.sign in {"<", "<="} and condition.bound == 0
                return index, below and len(self._sections) > 1
        return -1, False

    def _only_negative(self, index: int) -> bool:
        """Whether nothing but negative numbers is left for the section at ``index``."""
        before = [section.condition for section in self._sections[:index]]
        return any(c is not None and c.sign in {">", ">="} and c.bound == 0 for c in before)


def _is_general(section: Section) -> bool:
    return section.kind == "general" and len(section.tokens) == 1 and not section.numerals


def _text_section(found: list[Section]) -> Section | None:
    """Return the section that shows text: the fourth, or one with ``@`` in last place."""
    if len(found) == 4:
        return found[3]
    return found[-1] if found[-1].kind == "text" else None


@lru_cache(maxsize=4096)
def compiled(code: str) -> Format:
    """Return the compiled format of a code; bounded cache."""
    return Format(code)


@lru_cache(maxsize=8_192)
def show(value: float, code: str, date1904: bool = False) -> str:
    """Return ``value`` as shown under ``code``: ``show(0.973, "0.00%") == "97.30%"``."""
    return compiled(code).number(float(value), date1904)
