"""Every audit check: a form that triggers it in the right cell, and a near miss that does not (tests/audit/*.toml)."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from audit_forms import FOLDER, audited, build, by_position, cases, findings, read, rules, slip

import perfeval_xlsx as pe
from perfeval_xlsx.data import load
from perfeval_xlsx.form.read import find_forms
from perfeval_xlsx.scoring.audit import FUNCTIONS, checks_list
from perfeval_xlsx.scoring.rulebook_file import builtin_rulebooks
from perfeval_xlsx.workbook import open_workbook

SAMPLES = Path(__file__).parents[1] / "sample_workbooks"

FILES = sorted(path.name for path in FOLDER.glob("*.toml") if "case" in read(path.name))
CASES = [(name, case) for name in FILES for case in cases(name)]


def test_nothing_is_wrong_with_the_sound_form() -> None:
    found = audited({})
    assert found.empty, found[["code", "cell", "message"]].to_string()


@cache
def _together() -> pd.DataFrame:
    """What the audit says of all cases, audited as one chunk; a form's number is its case's place."""
    forms = [build(case) for _, case in CASES]
    for number, form in enumerate(forms):
        form.number = number
    books = {form.id: rules(case, form) for form, (_, case) in zip(forms, CASES, strict=True)}
    found = findings(forms, books)
    return found.assign(case=found["form_id"].str.rpartition("#")[2].astype(int))


@pytest.mark.parametrize("at", range(len(CASES)), ids=[f"{case['code']}: {case['why']}" for _, case in CASES])
def test_case(at: int) -> None:
    case, found = CASES[at][1], _together()
    found = found[found["case"] == at]
    own = found[found["code"] == case["code"]]
    named = ["form" if cell is None else cell for cell in own["cell"]]
    assert named == by_position(case["finds"]), found[["code", "cell", "message"]].to_string()
    for part, wanted in case.get("says", {}).items():
        assert own.iloc[0][part] == wanted


@pytest.mark.parametrize("lacking", [("funds",), ("indicators",), ("left_out", "notes"), ("funds", "indicators")])
def test_a_chunk_in_which_no_form_has_a_part(lacking: tuple[str, ...]) -> None:
    form = build({})
    for part in lacking:
        setattr(form, part, [])
    found = findings([form], {form.id: rules({}, form)})
    assert set(found["form_id"]) <= {form.id}


def test_every_check_has_a_trigger_and_a_near_miss() -> None:
    single = {entry.code for entry in checks_list() if not entry.across}
    assert single == set(FUNCTIONS)
    assert {case["code"] for _, case in CASES if case["finds"]} == single
    assert {case["code"] for _, case in CASES if not case["finds"]} == single


@pytest.mark.parametrize("name", FILES)
def test_file_holds_its_own_family(name: str) -> None:
    families = {load("checks.toml")["check"][case["code"]]["family"] for case in cases(name)}
    assert families == {name.removesuffix(".toml")}


@pytest.mark.parametrize("facts", read("slips.toml")["slip"], ids=lambda facts: facts["name"])
def test_slips_of_filed_forms_are_found(facts: dict[str, Any]) -> None:
    form = slip(facts)
    found = findings([form], {form.id: rules({}, form)})
    shown = found[["code", "cell", "message"]].to_string()
    for code, cells in facts["finds"].items():
        assert found.loc[found["code"] == code, "cell"].tolist() == cells, shown
    assert not set(facts["silent"]) & set(found["code"]), shown


def test_seed_form_has_only_what_an_auditor_notes() -> None:
    facts = read("seed.toml")
    (form,) = find_forms(open_workbook(SAMPLES / facts["file"]))
    hunan = next(book for book in builtin_rulebooks() if book.id == "hunan")
    found = findings([form], {form.id: hunan})
    wanted = {(entry["code"], entry["cell"]) for entry in facts["finding"]}
    assert set(zip(found["code"], found["cell"], strict=True)) == wanted
    assert len(found) == len(wanted)
    assert not {entry["code"] for entry in facts["silent"]} & set(found["code"])


def test_a_result_says_the_same_thing_once() -> None:
    road = next(SAMPLES.glob("市交通运输局_*.xlsx"))
    found = pe.audit(road)[0]["findings"]
    assert [finding["code"] for finding in found if finding["cell"] == "H17"] == ["C10"]
