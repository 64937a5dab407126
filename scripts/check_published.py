"""Measure the reader on a folder of workbooks with a JSON of the same name beside each.

    python scripts/check_published.py FOLDER [--all]

The JSON says what a reader must find: sheet, org, unit, year, grade, ``funds``, ``goals``, ``indicators`` and ``total``
with the cell of every value. Texts are equal when they are after white space is out, numbers when they are as numbers.
Prints every field that differs, then the share that came out equal by kind of field; exit code 1 below 99 %.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from perfeval_xlsx.form.labels import split_points
from perfeval_xlsx.form.model import Form, FundRow, IndicatorRow
from perfeval_xlsx.form.read import find_forms
from perfeval_xlsx.workbook import open_workbook

FUND_FIELDS = ("initial_budget", "annual_budget", "executed", "weight", "rate", "score", "reason")
ROW_FIELDS = ("level1", "level2", "level3", "target", "actual", "weight", "score", "deviation")
EXTRA_FIELDS = {"指标性质": "sign", "度量单位": "unit", "计量单位": "unit"}
ENOUGH = 0.99


class Comparison(NamedTuple):
    """One field: where, what was wanted, what was found."""

    place: str
    wanted: object
    found: object


def same(wanted: object, found: object) -> bool:
    """Whether two values are equal after white space is out, or as numbers."""
    first, second = plain(wanted), plain(found)
    if first == second:
        return True
    try:
        return float(first.replace(",", "")) == float(second.replace(",", ""))
    except ValueError:
        return False


def plain(value: object) -> str:
    """A value as text without white space, full-width forms folded; blank for None."""
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", "" if value is None else str(value)))


def compare(facts: dict[str, Any], form: Form) -> Iterator[Comparison]:
    """Every field of a JSON against the form."""
    orgs = str(facts["org"] or "").split(" / ")
    yield Comparison("head.org", form.org if form.org in orgs else orgs[0], form.org)
    for name in ("sheet", "unit", "year"):
        yield Comparison(f"head.{name}", facts[name], getattr(form, name))
    for name, text in (facts.get("goals") or {}).items():
        yield Comparison(f"goals.{name}", text, form.goals.get(name))
    yield from _funds(facts["funds"], form.funds)
    yield from _rows(facts["indicators"], form)
    total = {**facts["total"], "grade": facts["grade"]}
    for name in ("weight", "score", "grade"):
        yield Comparison(f"total.{name}", total.get(name), form.total.get(name))
    for name, cell in facts["total"].get("cells", {}).items():
        yield Comparison(f"total.cell.{name}", cell, form.total_cells.get(name))


def _funds(wanted: list[dict[str, Any]], found: list[FundRow]) -> Iterator[Comparison]:
    for at, fund in enumerate(wanted):
        other = found[at] if at < len(found) else FundRow(0, None, "part", {}, {})
        yield Comparison(f"fund.{at}.label", fund["label"], other.label)
        for name in FUND_FIELDS:
            if name in fund:
                yield Comparison(f"fund.{at}.{name}", fund[name], other.values.get(name))
        for name, cell in fund["cells"].items():
            yield Comparison(f"fund.{at}.cell.{name}", cell, other.cells.get(name))
    if len(found) > len(wanted):
        yield Comparison("fund.rows", len(wanted), len(found))


def _rows(wanted: list[dict[str, Any]], form: Form) -> Iterator[Comparison]:
    rows = {row.row: row for row in [*form.left_out, *form.indicators]}
    counted = {row.row for row in form.indicators}
    for row in wanted:
        other = rows.pop(row["row"], None) or IndicatorRow(row["row"], {}, {})
        for name in ROW_FIELDS:
            value = row[name]
            if name == "level1" and value:
                value = split_points(value)[0]
            yield Comparison(f"row.{row['row']}.{name}", value, other.values.get(name))
        for label, name in EXTRA_FIELDS.items():
            if label in row["extra"]:
                yield Comparison(f"row.{row['row']}.{name}", row["extra"][label], other.values.get(name))
        for name, cell in row["cells"].items():
            yield Comparison(f"row.{row['row']}.cell.{name}", cell, other.cells.get(name))
        if any(row[name] for name in ("target", "actual", "score")):
            yield Comparison(f"row.{row['row']}.counts", wanted=True, found=row["row"] in counted)
    for row_number in rows.keys() & counted:
        yield Comparison(f"row.{row_number}", None, rows[row_number].values.get("level3") or "a row")


def main(arguments: list[str] | None = None) -> int:
    """Compare as the command line says; return the exit code."""
    parser = argparse.ArgumentParser(description="Measure the reader on published forms.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--all", action="store_true", help="print the equal fields too")
    options = parser.parse_args(arguments)
    right: Counter[str] = Counter()
    every: Counter[str] = Counter()
    for path in sorted(options.folder.glob("*.json")):
        facts = json.loads(path.read_text(encoding="utf-8"))
        forms = find_forms(open_workbook(path.with_suffix(".xlsx")))
        form = next((form for form in forms if form.sheet == facts["sheet"]), Form("", "", 0, 0, "project"))
        if len(forms) != 1:
            print(f"{path.stem}: {len(forms)} forms")
        for place, wanted, found in compare(facts, form):
            kind = re.sub(r"\d+\.", "", place)
            every[kind] += 1
            right[kind] += same(wanted, found)
            if options.all or not same(wanted, found):
                print(f"{path.stem} {place}: wanted {wanted!r}, found {found!r}")
    for kind in sorted(every):
        print(f"{kind:24} {right[kind]:5} of {every[kind]:5}")
    share = sum(right.values()) / max(1, sum(every.values()))
    print(f"{'all fields':24} {sum(right.values()):5} of {sum(every.values()):5} = {share:.2%}")
    return 0 if share >= ENOUGH else 1


if __name__ == "__main__":
    sys.exit(main())
