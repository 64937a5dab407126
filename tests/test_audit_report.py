"""The findings frame as a whole: texts, order, independence of chunks, rulebooks, the documentation."""

from __future__ import annotations

import dataclasses
import importlib.util
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from audit_forms import FOLDER, audited, build, cases, findings, read, rules, slip
from factory import a_finding
from hypothesis import given, settings
from hypothesis import strategies as st

from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Lang, texts
from perfeval_xlsx.form.model import Form
from perfeval_xlsx.scoring.audit import COLUMNS, checks_list, report, without_repeats

ROOT = Path(__file__).parents[1]
CASES = [case for path in sorted(FOLDER.glob("*.toml")) for case in read(path.name).get("case", ())]
SLIPS = read("slips.toml")["slip"]
_TEXTS = st.sampled_from(
    [
        "",
        "0",
        "-1",
        "100%",
        "1e9",
        "#REF!",
        "≥",
        "≥5",
        "≤0",
        "无",
        "/",
        "2023年",
        "95%-98%",
        "1:3",
        "完成",
        "10分",
        "１２",
        "万元",
        "..",
        "0.0",
    ]
)
_CELLS = st.sampled_from(
    [f"{column}{row}" for column in "DEFGHI" for row in (5, 6, 12, 13, 15, 16, 18)]
    + ["A1", "C2", "B9", "F9", "G19", "H19", "I19"]
)


class _Strict(dict[str, str]):
    """Values of a template that must all be given."""


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_no_message_lacks_a_value(lang: Lang, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "_Values", _Strict)
    wanted = [case for case in CASES if case["finds"]]
    forms = numbered([build(case) for case in wanted])
    found = findings(forms, {form.id: rules(case, form) for form, case in zip(forms, wanted, strict=True)}, lang)
    assert set(found["code"]) >= {case["code"] for case in wanted}
    assert not found["message"].str.contains("nan|None", regex=True).any()
    assert (found[["message", "basis", "suggestion"]].map(len) > 0).all().all()
    assert found["message"].str.contains("[a-z]{3}", regex=True).all() == (lang == "en")


def numbered(forms: list[Form]) -> list[Form]:
    """Give every form an identity of its own."""
    for number, form in enumerate(forms, 1):
        form.number = number
    return forms


def test_severity_of_the_main_case_is_the_one_listed() -> None:
    for check in checks_list():
        assert texts(check.code)["severity"] == check.severity


def test_every_text_of_the_data_belongs_to_a_check_and_is_in_both_languages() -> None:
    codes = set(load("checks.toml")["check"])
    for key, entry in load("messages_audit.toml")["finding"].items():
        assert key.partition(".")[0] in codes
        for part in {"message", "basis", "suggestion"} & set(entry):
            holes = [sorted(re.findall(r"\{(\w+)\}", entry[part][lang])) for lang in ("zh", "en")]
            assert holes[0] == holes[1], key


def test_a_chunk_says_what_its_forms_say_one_by_one() -> None:
    forms = numbered([build(CASES[at]) for at in (0, 5, 11, 20)] + [slip(facts) for facts in SLIPS])
    books = {form.id: rules({}, form) for form in forms}
    together = findings(forms, books)
    alone = pd.concat([findings([form], {form.id: books[form.id]}) for form in forms], ignore_index=True)
    pd.testing.assert_frame_equal(together, alone)
    assert tuple(together.columns) == COLUMNS


def test_findings_follow_the_sheet() -> None:
    found = findings([form := slip(SLIPS[2])], {form.id: rules({}, form)})
    places = [report.position(cell) for cell in found["cell"]]
    assert places == sorted(places)
    assert report.position("AA3") > report.position("Z3") > report.position("B3")
    assert report.position(None) > report.position("A1048576")


@pytest.mark.parametrize("code", sorted({case["code"] for case in CASES}))
def test_a_rulebook_switches_a_check_off(code: str) -> None:
    case = next(case for case in CASES if case["code"] == code and case["finds"])
    assert code in set(audited(case)["code"])
    off = {**case, "checks": {**case.get("checks", {}), code: {"enabled": False}}}
    assert code not in set(audited(off)["code"])


def test_a_rulebook_changes_a_parameter() -> None:
    case: dict[str, Any] = {"set": {"F12": "26场"}}
    form = build(case)
    book = rules(case, form)
    strict = dataclasses.replace(book, quantitative=dataclasses.replace(book.quantitative, over_reason=1.5))
    assert "C07" in set(findings([form], {form.id: book})["code"])
    assert "C07" not in set(findings([form], {form.id: strict})["code"])
    assert "T03" in set(audited({"checks": {"T03": {"limit": 90}}})["code"])


@settings(deadline=None, max_examples=40)
@given(st.dictionaries(_CELLS, _TEXTS, max_size=12))
def test_nothing_written_in_cells_breaks_the_audit(changes: dict[str, str]) -> None:
    form = build({"set": changes})
    found = findings([form], {form.id: rules({}, form)})
    assert set(found["severity"]) <= {"error", "warning", "hint"}
    assert found["message"].map(len).min() > 0 or found.empty


def test_the_documentation_is_what_the_data_say() -> None:
    spec = importlib.util.spec_from_file_location("make_check_docs", ROOT / "scripts" / "make_check_docs.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert (ROOT / "docs" / "checks.md").read_text(encoding="utf-8") == module.page()


def test_what_the_scoring_said_already_is_said_once() -> None:
    scoring = [a_finding("S01", "F12"), a_finding("S01", "F13"), a_finding("S07", None), a_finding("S09", None)]
    said = [a_finding("I02", "H12", name="x"), a_finding("W01", "G19", grid="95", execution="10", printed="100")]
    assert [(each["code"], each["cell"]) for each in without_repeats(scoring, said)] == [("S01", "F13"), ("S09", None)]
    assert without_repeats(scoring, []) == scoring
    assert without_repeats(scoring, [a_finding("I03", "F12")]) == scoring


def test_cases_are_told_apart() -> None:
    names = [(case["code"], case["why"]) for case in CASES]
    assert len(names) == len(set(names))
    assert cases("funds.toml")
