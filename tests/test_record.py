"""What a run keeps of a form is the same text whichever library wrote it, and comes back as it was."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perfeval_xlsx.batch import record as chosen
from perfeval_xlsx.deflate import unsqueeze
from perfeval_xlsx.output.outcome import file_result
from perfeval_xlsx.scoring.result import RowResult


def without_orjson() -> ModuleType:
    """The module as it is where orjson cannot be imported."""
    spec = importlib.util.spec_from_file_location("record_by_json", chosen.__file__)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "orjson", None)
        patch.setitem(sys.modules, spec.name, module)
        spec.loader.exec_module(module)
    return module


PLAIN = without_orjson()
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
    assert unsqueeze(packed.head) == unsqueeze(plainly.head)
    assert unsqueeze(packed.rows) == unsqueeze(plainly.rows)
    for module in (chosen, PLAIN):
        assert module.unpack(packed.head, packed.rows) == result
        assert module.unpack(packed.head)["person_rows"] == 1
