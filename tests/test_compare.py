from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from factory import a_finding, a_form, a_row
from hypothesis import given, settings
from hypothesis import strategies as st

from perfeval_xlsx.findings import PerfevalError
from perfeval_xlsx.scoring.compare import compare, form_key, indicator_of, read_run


def states(now: list, before: list) -> list[list[str]]:
    comparison = compare(now, before)
    return [comparison.states[form_key(form)] for form in now]


def test_a_finding_stays_the_same_when_rows_are_inserted_above_it() -> None:
    before = a_form(indicators=[a_row(12)], findings=[a_finding("S04", "G12", field="actual", found="一百")])
    now = a_form(indicators=[a_row(15)], findings=[a_finding("S04", "G15", field="actual", found="壹佰")])
    assert states([now], [before]) == [["open"]]
    assert compare([now], [before]).fixed == {}


def test_new_and_fixed() -> None:
    rows = [a_row(12), a_row(13, "培训场次")]
    before = a_form(indicators=rows, findings=[a_finding("S01", "G12"), a_finding("S07", None)])
    now = a_form(indicators=rows, findings=[a_finding("S01", "G13"), a_finding("S07", None)])
    comparison = compare([now], [before])
    assert comparison.states[form_key(now)] == ["new", "open"]
    (gone,) = comparison.fixed[form_key(now)]
    assert (gone.finding["code"], gone.finding["cell"], gone.form["org"]) == ("S01", "G12", "市教育局")


def test_one_of_two_equal_findings_was_put_right() -> None:
    two = [a_finding("S07", None), a_finding("S07", None)]
    comparison = compare([a_form(findings=two[:1])], [a_form(findings=two)])
    assert comparison.states[("市教育局.xlsx", 1)] == ["open"]
    assert len(comparison.fixed[("市教育局.xlsx", 1)]) == 1


def test_two_projects_with_one_title_are_not_mixed_up() -> None:
    finding = [a_finding("S01", "G12")]
    before = [a_form("甲.xlsx", findings=finding), a_form("乙.xlsx", findings=[])]
    now = [a_form("甲.xlsx", findings=[]), a_form("乙.xlsx", findings=finding)]
    comparison = compare(now, before)
    assert comparison.states[("乙.xlsx", 1)] == ["new"]
    assert list(comparison.fixed) == [("甲.xlsx", 1)]


def test_a_renamed_file_is_found_by_department_and_title() -> None:
    finding = [a_finding("S01", "G12")]
    assert states([a_form("上报/自评表（改）.xlsx", findings=finding)], [a_form(findings=finding)]) == [["open"]]


def test_a_corrected_head_is_found_by_its_file() -> None:
    before = a_form(org=None, title=None, findings=[a_finding("S07", None), a_finding("S06", "F6")])
    now = a_form(findings=[a_finding("S07", None)])
    comparison = compare([now], [before])
    assert comparison.states[form_key(now)] == ["open"]
    assert [gone.finding["code"] for gone in comparison.fixed[form_key(now)]] == ["S06"]


def test_nothing_is_claimed_about_a_form_that_was_not_handed_in_again() -> None:
    nothing = a_form("清单.xlsx", None, sheet=None, form=None, status="skipped", indicators=[])
    comparison = compare([], [a_form(org="市 教育局", findings=[a_finding()]), nothing])
    assert comparison.fixed == {}
    assert comparison.absent == Counter({"市教育局": 1})
    assert comparison.names == {"市教育局": "市 教育局"}


def test_nothing_is_claimed_about_a_file_that_cannot_be_read_any_more() -> None:
    now = a_form(status="failed", sheet=None, form=None, indicators=[], findings=[a_finding("B19", None)])
    comparison = compare([now], [a_form(findings=[a_finding()])])
    assert comparison.states[form_key(now)] == ["new"]
    assert (comparison.fixed, comparison.absent) == ({}, Counter({"市教育局": 1}))


def test_counts_by_department() -> None:
    before = [a_form(findings=[a_finding("S01", "G12"), a_finding("S07", None)])]
    now = [a_form(findings=[a_finding("S07", None), a_finding("S08", None)]), a_form("丙.xlsx", "市水利局")]
    counts = compare(now, before).counts(now)
    assert counts["市教育局"] == Counter({"open": 1, "new": 1, "fixed": 1})
    assert counts["市水利局"] == Counter()


FORMS = st.lists(
    st.builds(
        lambda org, path, codes: a_form(path, org, findings=[a_finding(code, None) for code in codes]),
        st.sampled_from(["甲局", "乙局", None]),
        st.sampled_from(["1.xlsx", "2.xlsx", "3.xlsx"]),
        st.lists(st.sampled_from(["S06", "S07", "S08"]), max_size=4),
    ),
    max_size=3,
    unique_by=form_key,
)


@settings(deadline=None, max_examples=60)
@given(now=FORMS, before=FORMS)
def test_every_finding_is_accounted_for_once(now: list, before: list) -> None:
    comparison = compare(now, before)
    for form in now:
        assert len(comparison.states[form_key(form)]) == len(form["findings"])
    kept = sum(states.count("open") for states in comparison.states.values())
    gone = sum(map(len, comparison.fixed.values()))
    handed_in = len(before) - sum(comparison.absent.values())
    assert handed_in <= len(now)
    assert kept + gone <= sum(len(form["findings"]) for form in before)
    again = compare(now, now)
    assert {state for states in again.states.values() for state in states} <= {"open"}
    assert not again.fixed
    assert not again.absent


@pytest.mark.parametrize("shape", ["object", "list", "lines"])
def test_reads_records_of_any_shape(shape: str, tmp_path: Path) -> None:
    form = dict(a_form(findings=[a_finding("S01", "G12")]))
    texts = {
        "object": json.dumps({"schema": 9, "forms": [form], "unheard": 1}),
        "list": json.dumps([form, {"path": "x"}, 5]),
        "lines": f"{json.dumps(form)}\n\n{json.dumps(form | {'form': 2})}\n",
    }
    path = tmp_path / "run.json"
    path.write_text(texts[shape], encoding="utf-8")
    forms = read_run(path)
    assert len(forms) == (2 if shape == "lines" else 1)
    assert states([a_form(indicators=[a_row(40)], findings=[a_finding("S01", "G40")])], forms) == [["open"]]


def test_reads_what_other_versions_left_out(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    form = {"path": "C:\\上报\\甲.xlsx", "findings": [{"code": "S07"}, 3], "indicators": None}
    path.write_text(json.dumps([form]), encoding="utf-8")
    forms = read_run(path)
    assert states([a_form("甲.xlsx", findings=[a_finding("S07", None), a_finding()])], forms) == [["open", "new"]]


def test_reads_a_record_that_lists_its_findings_apart(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    place = {"path": "市教育局.xlsx", "sheet": "自评表", "form": 1}
    found = [place | {"code": code, "field": None, "cell": cell} for code, cell in (("S01", "G12"), ("S06", "F6"))]
    path.write_text(json.dumps({"schema": 1, "findings": found}), encoding="utf-8")
    now = a_form(indicators=[a_row(40)], findings=[a_finding("S01", "G40"), a_finding("S01", "G41")])
    comparison = compare([now], read_run(path))
    assert comparison.states[form_key(now)] == ["open", "new"]
    assert [gone.finding["code"] for gone in comparison.fixed[form_key(now)]] == ["S06"]


@pytest.mark.parametrize(("text", "code"), [("{", "V11"), ("[]", "V11"), ('{"forms": 3}', "V11"), (None, "V10")])
def test_refuses_what_is_no_record(text: str | None, code: str, tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(PerfevalError) as caught:
        read_run(path)
    assert caught.value.finding.code == code
    assert "run.json" in str(caught.value)


def test_an_indicator_is_named_by_the_row_of_the_cell() -> None:
    form = a_form(indicators=[a_row(12), a_row(13, None)])
    assert indicator_of(form, a_finding(cell="AB12")) == "培训人次"
    assert indicator_of(form, a_finding(cell="G13")) == "数量指标"
    assert indicator_of(form, a_finding(cell="G14")) is None
    assert indicator_of(form, a_finding(cell=None)) is None
    assert indicator_of({"path": "x"}, {"cell": "G12", "indicator": "别处"}) == "别处"
