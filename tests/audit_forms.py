"""Builds the small forms of ``tests/audit/*.toml``: the sound form, with cells written over."""

from __future__ import annotations

import dataclasses
import re
import tomllib
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from perfeval_xlsx.findings import Lang
from perfeval_xlsx.form.frames import to_frames
from perfeval_xlsx.form.model import Form, FormulaCell, FundRow, IndicatorRow
from perfeval_xlsx.scoring.audit import audit
from perfeval_xlsx.scoring.footnote import read_footnote, with_footnote
from perfeval_xlsx.scoring.rulebook import Rulebook
from perfeval_xlsx.scoring.rulebook_file import builtin_rulebooks
from perfeval_xlsx.scoring.score import score

FOLDER = Path(__file__).parent / "audit"


@cache
def read(name: str) -> dict[str, Any]:
    """A file of the folder."""
    return tomllib.loads((FOLDER / name).read_text(encoding="utf-8"))


def cases(name: str) -> list[dict[str, Any]]:
    """The cases of one file."""
    return list(read(name)["case"])


def build(case: dict[str, Any]) -> Form:
    """The sound form with the case's changes."""
    facts = deepcopy(read("sound.toml"))
    changes = {cell: text or None for cell, text in case.get("set", {}).items()}
    for row, cells in case.get("rows", {}).items():
        facts["grid"][row] = cells
    for block, fields in (("funds", case.get("without", ())), ("grid", case.get("without", ()))):
        facts[block]["columns"] = {k: v for k, v in facts[block]["columns"].items() if f"{block}.{k}" not in fields}
    for row, label in case.get("label", {}).items():
        facts["funds"][row]["label"] = label
    unused = set(changes) - _addresses(facts)
    assert not unused, f"cells the form does not have: {unused}"
    form = Form(case.get("path", facts["path"]), "Sheet1", 0, 1, case.get("kind", facts["kind"]))
    form.unit, form.year = case.get("unit", facts["unit"]), case.get("year", facts["year"]) or None
    form.execution_points = case.get("execution_points")
    for name, place in facts["head"].items():
        setattr(form, name, changes.get(place["cell"], place["text"]))
        form.head_cells[name] = place["cell"]
    for name, place in facts["goals"].items():
        form.goals[name] = changes.get(place["cell"], place["text"])
        form.goal_cells[name] = place["cell"]
    for name, place in facts["total"].items():
        if f"total.{name}" not in case.get("without", ()):
            form.total[name] = changes.get(place["cell"], place["text"])
            form.total_cells[name] = place["cell"]
    form.funds = [_fund(facts["funds"], row, changes) for row in _rows(facts["funds"])]
    form.indicators = [_indicator(facts["grid"], row, changes, case) for row in _rows(facts["grid"])]
    for indicator in form.indicators:
        for name, cell in indicator.cells.items():
            if cell in case.get("merged", {}):
                indicator.cells[name], indicator.values[name] = case["merged"][cell], None
    form.left_out = [_left_out(facts["grid"], *item) for item in case.get("left_out", {}).items()]
    form.notes = list(case.get("notes", ()))
    form.formulas = [FormulaCell(**cell) for cell in case.get("formulas", ())]
    return form


def _rows(block: dict[str, Any]) -> list[str]:
    return sorted((key for key in block if key.isdigit()), key=int)


def _addresses(facts: dict[str, Any]) -> set[str]:
    cells = {place["cell"] for block in ("head", "goals", "total") for place in facts[block].values()}
    for block in ("funds", "grid"):
        columns = facts[block]["columns"].values()
        cells |= {f"{column}{row}" for column in columns for row in _rows(facts[block])}
    return cells


def _values(
    block: dict[str, Any], row: str, changes: dict[str, str | None]
) -> tuple[dict[str, str | None], dict[str, str]]:
    cells = {name: f"{column}{row}" for name, column in block["columns"].items()}
    values = {name: changes.get(cell, block[row].get(cell[0])) for name, cell in cells.items()}
    return values, cells


def _fund(block: dict[str, Any], row: str, changes: dict[str, str | None]) -> FundRow:
    values, cells = _values(block, row, changes)
    return FundRow(int(row), block[row]["label"], block[row]["role"], values, cells)


def _indicator(block: dict[str, Any], row: str, changes: dict[str, str | None], case: dict[str, Any]) -> IndicatorRow:
    values, cells = _values(block, row, changes)
    return IndicatorRow(int(row), values, cells, case.get("level1_points", {}).get(row))


def _left_out(block: dict[str, Any], row: str, name: str) -> IndicatorRow:
    cells = {field: f"{column}{row}" for field, column in block["columns"].items()}
    return IndicatorRow(int(row), {"level3": name}, cells, reason="unused")


def rules(case: dict[str, Any], form: Form) -> Rulebook:
    """The case's rulebook with its parameters and the form's footnote."""
    name = case.get("rules", "national-2020")
    book = next(book for book in builtin_rulebooks() if book.id == name)
    book = dataclasses.replace(book, checks={**book.checks, **case.get("checks", {})})
    book = dataclasses.replace(book, **case.get("book", {}))
    return with_footnote(book, read_footnote(tuple(form.notes)))[0]


def findings(forms: list[Form], books: dict[str, Rulebook], lang: Lang = "zh") -> pd.DataFrame:
    """What the audit says of some forms."""
    tables = to_frames(forms)
    return audit(tables, score(tables, books, lang), books, lang)


def audited(case: dict[str, Any], lang: Lang = "zh") -> pd.DataFrame:
    """What the audit says of one case."""
    form = build(case)
    return findings([form], {form.id: rules(case, form)}, lang)


def by_position(cells: list[str]) -> list[str]:
    """Addresses in the order of the sheet, ``form`` last."""

    def key(cell: str) -> tuple[int, str]:
        match = re.fullmatch(r"([A-Z]+)(\d+)", cell)
        return (int(match[2]), match[1]) if match else (1 << 30, cell)

    return sorted(cells, key=key)


_FUND_FIELDS = ("initial_budget", "annual_budget", "executed", "weight", "rate", "score")
_GRID_FIELDS = ("level1", "level2", "level3", "target", "actual", "weight", "score", "deviation")


def slip(facts: dict[str, Any]) -> Form:
    """A form of ``slips.toml``."""
    form = Form("表.xlsx", "Sheet1", 0, 1, "project", unit=facts.get("unit", "万元"))
    form.execution_points, form.notes = facts.get("execution_points"), list(facts.get("notes", ()))
    form.title, form.year, form.org = "2022年度项目支出绩效自评表", 2022, "河东区就业服务中心"
    for row, (label, *texts) in enumerate(facts["funds"], 5):
        values, cells = _row(_FUND_FIELDS, "DEFGHI", row, texts, facts)
        form.funds.append(FundRow(row, label, "part" if form.funds else "total", values, cells))
    for row, texts in enumerate(facts["grid"], 12):
        values, cells = _row(_GRID_FIELDS, "BCDEFGHI", row, texts, facts)
        form.indicators.append(IndicatorRow(row, values, cells))
    last = 12 + len(facts["grid"])
    form.total = {name: facts.get("total", {}).get(name) for name in ("weight", "score", "grade")}
    form.total_cells = {"weight": f"G{last}", "score": f"H{last}", "grade": f"I{last}"}
    return form


def _row(
    fields: tuple[str, ...], columns: str, row: int, texts: list[str], facts: dict[str, Any]
) -> tuple[dict[str, str | None], dict[str, str]]:
    without = facts.get("without", ())
    kept = [
        (name, column, text or None)
        for name, column, text in zip(fields, columns, texts, strict=True)
        if name not in without
    ]
    return {name: text for name, _, text in kept}, {name: f"{column}{row}" for name, column, _ in kept}
