"""Every scoring method against tables that a clerk can read and dispute (``*.toml`` beside this file)."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from perfeval_xlsx.data import load
from perfeval_xlsx.scoring.rulebook_file import load_rulebook

from .build import a_form, figure, own_rulebook, scored

HERE = Path(__file__).parent
GIVEN = ("level3", "target", "actual", "sign", "unit", "weight", "score")
WANTED = ("score", "low", "high", "status", "method")
TABLES = [
    (file.stem, number, table)
    for file in sorted(HERE.glob("*.toml"))
    for number, table in enumerate(tomllib.loads(file.read_text(encoding="utf-8"))["table"], 1)
]


@pytest.mark.parametrize(("name", "number", "table"), TABLES, ids=[f"{name}-{number}" for name, number, _ in TABLES])
def test_a_table(name: str, number: int, table: dict[str, Any], tmp_path: Path) -> None:
    base = table.get("rulebook", "national-2020")
    book = own_rulebook(tmp_path, table["own"], base) if "own" in table else load_rulebook(base)
    levels = {"level1": table.get("level1", "产出指标"), "level2": table.get("level2", "数量指标")}
    rows = [levels | dict(zip(GIVEN, row, strict=False)) for row in table["rows"]]
    frame = scored(a_form(rows, year=table.get("year")), book).indicators
    for row, record in zip(table["rows"], frame.to_dict("records"), strict=True):
        found = [figure(record[key]) for key in WANTED[:3]] + [record["status"], record["method"]]
        assert (row[:7], found) == (row[:7], row[7:12])


def test_every_method_of_a_row_has_a_table() -> None:
    used = {row[11] for _, _, table in TABLES for row in table["rows"]}
    methods = {method for method in load("methods.toml")["method"] if not method.startswith("execution")}
    elsewhere = {"shared", "shared_missed", "shared_split", "deduction_unreadable", "no_cost", "reviewed"}
    elsewhere |= {"direct_met", "direct_missed"}
    assert methods - used == elsewhere
