"""The reader on forms drawn in hundreds of random hands: every field of every one comes out, with its cell."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from perfeval_xlsx.form.model import Form
from perfeval_xlsx.form.read import find_forms
from perfeval_xlsx.workbook import open_workbook

from .hands import Facts, Row, draw, facts

DRAWINGS = 300
ROW_FIELDS = ("level2", "level3", "target", "actual", "sign", "unit", "weight", "score", "deviation")


def differences(form: Facts, found: Form) -> Iterator[str]:
    for name in ("title", "year", "org", "project", "unit"):
        if getattr(form, name) != getattr(found, name):
            yield f"{name}: {getattr(form, name)!r} read as {getattr(found, name)!r}"
    goals = dict(zip(("expected", "actual"), form.goals or (None, None), strict=True))
    if goals != found.goals or form.goal_cells != found.goal_cells:
        yield f"goals: {goals} {form.goal_cells} read as {found.goals} {found.goal_cells}"
    yield from _funds(form, found)
    if len(form.used) != len(found.indicators):
        yield f"{len(form.used)} rows read as {len(found.indicators)}, left out {[r.row for r in found.left_out]}"
    for row, other in zip(form.used, found.indicators, strict=False):
        yield from _row(row, other.values, other.cells)
        if other.values["level1"] != row.level1:
            yield f"level1: {row.level1} read as {other.values['level1']}"
    yield from _total(form, found)


def _funds(form: Facts, found: Form) -> Iterator[str]:
    if [f["label"].replace("：", "") for f in form.funds] != [(f.label or "").replace("：", "") for f in found.funds]:
        yield f"fund rows: {[f['label'] for f in form.funds]} read as {[f.label for f in found.funds]}"
    for fund, other in zip(form.funds, found.funds, strict=False):
        values = {name: fund["values"].get(name) for name in fund["cells"]}
        if values != other.values or fund["cells"] != other.cells or fund["role"] != other.role:
            yield f"fund {fund['label']}: {values} {fund['cells']} read as {other.role} {other.values} {other.cells}"


def _row(row: Row, values: dict[str, str | None], cells: dict[str, str]) -> Iterator[str]:
    for name in ROW_FIELDS:
        if getattr(row, name) != values.get(name):
            yield f"{row.cells.get(name)} {name}: {getattr(row, name)!r} read as {values.get(name)!r}"
        if name in row.cells and row.cells[name] != cells.get(name):
            yield f"{row.cells[name]} {name} read from {cells.get(name)}"


def _total(form: Facts, found: Form) -> Iterator[str]:
    wanted = dict(zip(("weight", "score"), form.total or (None, None), strict=True)) | {"grade": form.grade}
    for name, text in wanted.items():
        if found.total.get(name) != text:
            yield f"total {name}: {text!r} read as {found.total.get(name)!r}"
    for name, cell in form.total_cells.items():
        if found.total_cells.get(name) != cell:
            yield f"total {name} in {cell} read from {found.total_cells.get(name)}"


@pytest.mark.parametrize("seed", range(DRAWINGS))
def test_a_form_in_a_random_hand_is_read_whole(seed: int) -> None:
    chance = random.Random(seed)
    forms = [facts(chance, scored=chance.random() < 0.85) for _ in range(chance.choice([1, 1, 1, 2, 3]))]
    book = open_workbook(Path("drawn.xlsx"), data=draw(forms, chance))
    found = find_forms(book)
    assert [form.sheet for form in found] == [form.sheet for form in forms]
    assert [list(differences(*pair)) for pair in zip(forms, found, strict=True)] == [[] for _ in forms]
