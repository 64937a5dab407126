"""The sample workbooks against ``tests/golden``: what the rules give, worked out by hand, cell by cell."""

from __future__ import annotations

import tomllib
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import openpyxl
import pytest

import perfeval_xlsx as pe

HERE = Path(__file__).parent
SAMPLES = HERE.parent / "sample_workbooks"
COLUMNS = ("cell", "level3", "target", "actual", "weight", "self_score", "score", "status")
FORM_FIELDS = ("sheet", "kind", "org", "year", "status", "self_total", "self_grade", "total", "grade")
EXECUTION_FIELDS = ("cell", "rate", "self_score", "score", "status")


@cache
def golden(name: str) -> dict[str, Any]:
    return tomllib.loads((HERE / "golden" / f"{name}.toml").read_text(encoding="utf-8"))


NAMES = sorted(path.stem for path in (HERE / "golden").glob("*.toml"))
SCORED = [name for name in NAMES if golden(name)["form"][0]["status"] != "skipped"]


def expected_rows(form: dict[str, Any]) -> list[dict[str, str | None]]:
    return [dict(zip(COLUMNS, (text or None for text in row), strict=False)) for row in form["indicators"]["rows"]]


def squeezed(value: object) -> object:
    return "".join(value.split()) if isinstance(value, str) else value


def taken(result: dict[str, Any], fields: tuple[str, ...]) -> dict[str, object]:
    return {name: squeezed(result[name]) for name in fields}


def wanted(facts: dict[str, Any], fields: tuple[str, ...]) -> dict[str, object]:
    return {name: squeezed(facts[name]) if facts[name] != "" else None for name in fields}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, list[Any]]]:
    """By golden file: the output folder and the results of its workbook, each scored on its own."""
    scored = {}
    for name in NAMES:
        out = tmp_path_factory.mktemp(name)
        scored[name] = (out, list(pe.score(SAMPLES / golden(name)["file"], out=out)))
    return scored


def test_every_sample_has_its_golden_file() -> None:
    files = {path.relative_to(SAMPLES).as_posix() for path in SAMPLES.rglob("*.xlsx")}
    assert {golden(name)["file"] for name in NAMES} == files


@pytest.mark.parametrize("name", NAMES)
def test_forms(name: str, results: dict[str, tuple[Path, list[Any]]]) -> None:
    forms = golden(name)["form"]
    fields = ("status",) if name not in SCORED else FORM_FIELDS
    assert [taken(result, fields) for result in results[name][1]] == [wanted(form, fields) for form in forms]


@pytest.mark.parametrize("name", SCORED)
def test_execution(name: str, results: dict[str, tuple[Path, list[Any]]]) -> None:
    expected = [wanted(form["execution"], EXECUTION_FIELDS) for form in golden(name)["form"]]
    assert [taken(result["execution"], EXECUTION_FIELDS) for result in results[name][1]] == expected


@pytest.mark.parametrize("name", SCORED)
def test_rows(name: str, results: dict[str, tuple[Path, list[Any]]]) -> None:
    for form, result in zip(golden(name)["form"], results[name][1], strict=True):
        expected = [{key: squeezed(value) for key, value in row.items()} for row in expected_rows(form)]
        assert [taken(row, COLUMNS) for row in result["indicators"]] == expected


@pytest.mark.parametrize("name", SCORED)
def test_the_copy_shows_what_the_rules_give(name: str, results: dict[str, tuple[Path, list[Any]]]) -> None:
    out, forms = results[name]
    for form, result in zip(golden(name)["form"], forms, strict=True):
        sheet = openpyxl.load_workbook(out / result["copy"], data_only=True)[form["sheet"]]
        shown = {cell: number_at(sheet, cell) for cell in scores_by_cell(form)}
        assert shown == scores_by_cell(form)
        if form["grade"] and form["grade_cell"]:
            assert str(sheet[form["grade_cell"]].value).endswith(form["grade"])


@pytest.mark.parametrize("name", SCORED)
def test_the_golden_figures_are_those_of_the_workbook(name: str) -> None:
    book = openpyxl.load_workbook(SAMPLES / golden(name)["file"], data_only=True)
    for form in golden(name)["form"]:
        sheet = book[form["sheet"]]
        typed = {row["cell"]: row["self_score"] for row in expected_rows(form) if row["cell"]}
        typed |= {form["execution"]["cell"]: form["execution"]["self_score"], form["total_cell"]: form["self_total"]}
        expected = {cell: Decimal(text) if text else None for cell, text in typed.items() if cell}
        assert {cell: number_at(sheet, cell) for cell in expected} == expected


@pytest.mark.parametrize("name", SCORED)
def test_the_golden_figures_add_up(name: str) -> None:
    for form in golden(name)["form"]:
        if form["total"]:
            points = [Decimal(row["score"]) for row in expected_rows(form) if row["score"] and row["weight"]]
            assert sum(points, Decimal(form["execution"]["score"])) == Decimal(form["total"])


def scores_by_cell(form: dict[str, Any]) -> dict[str, Decimal | None]:
    """Cell → figure a scored copy must show, where the rules give one."""
    scores = {row["cell"]: row["score"] for row in expected_rows(form)}
    scores[form["execution"]["cell"]] = form["execution"]["score"]
    scores[form["total_cell"]] = form["total"]
    return {cell: Decimal(score) for cell, score in scores.items() if cell and score}


def number_at(sheet: Any, cell: str) -> Decimal | None:
    value = sheet[cell].value
    return None if value is None else Decimal(str(value))
