"""What a run keeps of a form is the same text whichever library wrote it, and comes back as it was."""

from __future__ import annotations

import importlib.util
import sys
from hashlib import sha256
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perfeval_xlsx import jsons
from perfeval_xlsx.batch import record as chosen
from perfeval_xlsx.batch.manifest import _FORMAT
from perfeval_xlsx.batch.presets import USUAL_BRIEF, USUAL_HEAD
from perfeval_xlsx.deflate import unsqueeze
from perfeval_xlsx.findings import Finding
from perfeval_xlsx.jsons import dumps
from perfeval_xlsx.output.outcome import file_result
from perfeval_xlsx.output.summary_rows import detail_xml, person_rows
from perfeval_xlsx.scoring.result import ROW_KEYS, ExecutionResult, RowResult, RowResults


def without_orjson(module: ModuleType, **replaced: ModuleType) -> ModuleType:
    """A module as it is where orjson cannot be imported, and others in the place of what it imports."""
    spec = importlib.util.spec_from_file_location(f"{module.__name__}_by_json", str(module.__file__))
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "orjson", None)
        patch.setitem(sys.modules, spec.name, made)
        for name, other in replaced.items():
            patch.setitem(sys.modules, f"perfeval_xlsx.{name}", other)
        spec.loader.exec_module(made)
    return made


PLAIN = without_orjson(chosen, jsons=without_orjson(jsons))
texts = st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


def result_of(path: str, values: list[str | None]) -> Any:
    result: Any = file_result(path, "scored", [])
    row = dict.fromkeys(RowResult.__annotations__, None)
    del row["sheet"]
    row |= {"row": 7, "status": "judged", "method": "met", "basis": values[0] or "", "score": "1.5"}
    result["indicators"] = [row | dict(zip(("level1", "target", "deviation"), values, strict=True))]
    return result | {"form": 1, "total": "98.62", "title": values[1]}


@settings(max_examples=80, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), st.lists(texts, min_size=3, max_size=3))
def test_either_library_writes_the_same_and_reads_it_back(path: str, values: list[str | None]) -> None:
    result = result_of(path, values)
    packed, plainly = chosen.pack(result), PLAIN.pack(result)
    assert unsqueeze(packed.head, USUAL_HEAD) == unsqueeze(plainly.head, USUAL_HEAD)
    assert unsqueeze(packed.rows) == unsqueeze(plainly.rows)
    for module in (chosen, PLAIN):
        assert module.unpack(packed.head, packed.rows) == result
        assert module.unpack(packed.head)["person_rows"] == 1


def test_rows_of_further_sheets_come_back_with_their_sheet() -> None:
    result = result_of("a.xlsx", ["一", "≥1", None])
    (row,) = result["indicators"]
    result["indicators"] = [row, row | {"row": 8, "sheet": "续表"}, row | {"row": 9}]
    packed = chosen.pack(result)
    assert chosen.unpack(packed.head, packed.rows) == result


def test_texts_that_records_are_packed_against_change_with_the_format_alone() -> None:
    digest = sha256(USUAL_HEAD + USUAL_BRIEF).hexdigest()[:16]
    assert (_FORMAT, digest) == (5, "eeb6f67a7780940f")


odd = st.sampled_from(
    ["", "&", "<b>", '"', "\\", "_x0041_", "\ufffe", "一\n二", "\t", "字" * 200, "a" * 1_000, "👍" * 90, "👍" * 900]
)
cells = st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=40) | odd


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(*[cells] * 7), min_size=1, max_size=5), st.sampled_from(["zh", "en"]))
def test_rows_whose_texts_stand_are_written_as_with_a_look_at_each(
    rows: list[tuple[str | None, ...]], lang: Any
) -> None:
    result = result_of("a.xlsx", ["一", "≥1", None])
    (row,) = result["indicators"]
    names = ("level1", "level3", "target", "actual", "basis", "deviation", "self_score")
    result["indicators"] = [row | dict(zip(names, texts, strict=True)) for texts in rows]
    columns = chosen._columns(result["indicators"])
    assert detail_xml(result, lang, columns, raw=dumps(list(columns.values()))) == detail_xml(result, lang)


def test_rows_with_gaps_keep_their_numbers() -> None:
    result = result_of("a.xlsx", ["一", "≥1", None])
    (row,) = result["indicators"]
    for numbers in ([7, 8, 9], [7, 9, 10], [9, 8]):
        result["indicators"] = [row | {"row": number} for number in numbers]
        packed = chosen.pack(result)
        assert chosen.unpack(packed.head, packed.rows) == result


def test_results_packed_together_are_packed_as_one_by_one() -> None:
    paid: Any = dict.fromkeys(ExecutionResult.__annotations__) | {"status": "ruled", "basis": "a < b", "score": "7.34"}
    some = [
        result_of("a.xlsx", ["一", "≥1", None]),
        file_result("b.xlsx", "failed", [Finding("B16")]),
        result_of("c&d.xlsx", [None, "&", "_x0041_"]) | {"execution": paid, "copy": "scored/c.xlsx"},
        result_of("e.xlsx", ["一", None, "长" * 90]) | {"status": "deleted", "total": None},
    ]
    assert chosen.pack_all(some) == [chosen.pack(result) for result in some]
    assert [chosen.in_summary(packed.brief).facts.status for packed in chosen.pack_all(some)] == [
        "scored", "failed", "scored", "deleted",
    ]  # fmt: skip
    assert chosen.pack_all([]) == []


def test_rows_by_column_are_the_rows_once_one_is_asked_for() -> None:
    result = result_of("a.xlsx", ["一", "≥1", None])
    (row,) = result["indicators"]
    made = [row, row | {"row": 8, "status": "ruled"}, row | {"row": 9, "score": None}]
    columns = {key: [one[key] for one in made] for key in ROW_KEYS}
    rows = RowResults(columns, ["1.5", "1.5", None])
    result["indicators"] = rows
    assert (len(rows), person_rows(result)) == (3, 2)
    packed = chosen.pack(result)
    assert rows == made
    assert [rows[1], *rows[2:]] == made[1:] == list(rows)[1:]
    rows[0]["basis"] = "另计"
    assert rows[0]["basis"] == "另计"
    assert rows != made
    assert chosen.unpack(packed.head, packed.rows)["indicators"] == made
    assert packed == chosen.pack(result | {"indicators": made})
