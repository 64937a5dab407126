"""What a blank form is to hold, and which layout it gets (``data/templates.toml``)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from perfeval_xlsx.data import load
from perfeval_xlsx.form.model import Kind
from perfeval_xlsx.form.values import sign_comparator
from perfeval_xlsx.scoring.rulebook import Rulebook

Layout = Mapping[str, Any]
"""One ``[[layout]]`` of the data file."""


@dataclass(frozen=True, slots=True)
class Indicator:
    """One row of the grid as it is printed before it is filled in; ``weight`` in points, None where it is open."""

    level1: str
    level2: str = ""
    level3: str = ""
    target: str = ""
    sign: str = ""
    unit: str = ""
    weight: float | None = None


@dataclass(frozen=True, slots=True)
class Blank:
    """One form to be drawn; without indicators it gets the empty rows of the layout's skeleton."""

    kind: Kind
    org: str = ""
    project: str = ""
    department: str = ""
    year: int | None = None
    province: str | None = None
    indicators: tuple[Indicator, ...] = ()


def points_of(text: str) -> float | None:
    """Return the points a cell states (``"8"``, ``"8分"``), None where it holds no number above 0 and up to 100."""
    try:
        points = float(text.strip().removesuffix("分"))
    except ValueError:
        return None
    return points if 0 < points <= 100 else None


def layout_for(kind: Kind, rulebook: Rulebook) -> Layout:
    """Return the layout of a form: the first whose kinds and rulebooks admit it, by the rulebook or what it extends."""
    layouts: list[Layout] = load("templates.toml")["layout"]
    ids = {rulebook.id, rulebook.extends}
    return next(
        layout
        for layout in layouts
        if kind in layout["kinds"] and (not layout["rulebooks"] or ids.intersection(layout["rulebooks"]))
    )


def grid_rows(blank: Blank, layout: Layout, rulebook: Rulebook) -> list[Indicator]:
    """Return the rows of the grid, with points in the level-1 labels where the layout prints them."""
    rows = list(blank.indicators) or _skeleton(layout, rulebook)
    if not layout["level_points"]:
        return rows
    labels = {row.level1: _level_label(row.level1, rows, rulebook) for row in rows}
    return [
        Indicator(labels[row.level1], row.level2, row.level3, row.target, row.sign, row.unit, row.weight)
        for row in rows
    ]


def _skeleton(layout: Layout, rulebook: Rulebook) -> list[Indicator]:
    skeletons = load("templates.toml")["skeleton"]
    name = layout.get("skeleton")
    if name is None:
        name = next((key for key, each in skeletons.items() if each.get("needs") in rulebook.weights), "plain")
    return [
        Indicator(level1, level2)
        for level1, _, groups in skeletons[name]["rows"]
        for level2, count in groups
        for _ in range(count)
    ]


def _level_label(level1: str, rows: list[Indicator], rulebook: Rulebook) -> str:
    """The label with the points of its rows, or of the rulebook while the rows have none; without where unknown."""
    weights = [row.weight for row in rows if row.level1 == level1]
    known = [weight for weight in weights if weight is not None]
    points: float | None = None
    if len(known) == len(weights):
        points = sum(known)
    elif not known:
        points = next((value for name, value in rulebook.weights.items() if level1.startswith(name)), None)
    return level1 if points is None else f"{level1}\n（{round(points, 6):g}分）"


def texts(blank: Blank, rulebook: Rulebook) -> dict[str, str]:
    """Return what the layout's text templates may name."""
    words = load("templates.toml")["text"]
    points = rulebook.execution.points
    facts = {
        "org": blank.org,
        "project": blank.project,
        "department": blank.department,
        "points": f"{points:g}",
        "rest": f"{100 - points:g}",
        "reason_below": f"{100 * (rulebook.execution.reason_below or 0):g}",
        "over": f"{100 * rulebook.quantitative.over_reason:g}",
        "tiers": _tiers(rulebook),
    }
    facts["year"] = words["year"].format(year=blank.year) if blank.year else words["no_year"]
    return facts


def _tiers(rulebook: Rulebook) -> str:
    words = load("templates.toml")["text"]
    tiers = rulebook.qualitative.tiers
    return "、".join(
        words["note_tier" if tier.low else "note_tier_last"].format(
            name=tier.name, high=f"{100 * tier.high:g}", low=f"{100 * tier.low:g}"
        )
        for tier in tiers
    )


def in_columns(row: Indicator, signed: bool, united: bool) -> Indicator:
    """Return a row for a layout with or without columns of its own for sign and unit.

    ``≥12.5公里`` is split where it reads as sign, number, unit and nothing else; ``≥``, ``2000``, ``吨`` are joined.
    What stands in last year's sign column and is no sign (``定量指标``) is left behind.
    """
    row = replace(row, sign=_choice(row.sign))
    if signed and not row.sign and row.target:
        match = _split().match(row.target)
        if match is None:
            return row
        sign = load("templates.toml")["signs"]["written"].get(match[1], match[1] or "")
        return _with(row, match[2], sign, match[3] or row.unit)
    if signed or united or not (row.sign or row.unit):
        return row
    sign = "" if row.sign == load("templates.toml")["signs"]["qualitative"] else row.sign
    written = row.target if not sign or row.target.startswith(sign) else sign + row.target
    return _with(row, written if not row.unit or written.endswith(row.unit) else written + row.unit, "", "")


def _choice(sign: str) -> str:
    """Return a sign as the forms offer it, however it was written; empty where it is none."""
    signs = load("templates.toml")["signs"]
    qualitative: str = signs["qualitative"]
    if qualitative in sign:
        return qualitative
    return str(signs["written"].get(sign_comparator(sign), ""))


def _with(row: Indicator, target: str, sign: str, unit: str) -> Indicator:
    return Indicator(row.level1, row.level2, row.level3, target, sign, unit, row.weight)


@cache
def _split() -> re.Pattern[str]:
    return re.compile(load("templates.toml")["signs"]["split"])
