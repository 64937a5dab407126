"""Forms made by hand from a few facts, and scored: what the tests of scoring stand on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from perfeval_xlsx.form.frames import to_frames
from perfeval_xlsx.form.model import FUND_FIELDS, INDICATOR_FIELDS, Form, FundRow, IndicatorRow
from perfeval_xlsx.scoring.figures import show
from perfeval_xlsx.scoring.rulebook import Rulebook
from perfeval_xlsx.scoring.rulebook_file import load_rulebook
from perfeval_xlsx.scoring.score import ScoredTables, score

NATIONAL = "national-2020"
FIRST_ROW = 9


def an_indicator(row: int, facts: Mapping[str, Any]) -> IndicatorRow:
    """A row whose cells are C9, D9 …; ``cells`` replaces some of them, ``extra`` adds columns."""
    values: dict[str, str | None] = {field: facts.get(field) or None for field in INDICATOR_FIELDS}
    cells = {field: f"{'ABCDEFGHIJ'[i]}{row}" for i, field in enumerate(INDICATOR_FIELDS)}
    cells = {field: cell for field, cell in (cells | facts.get("cells", {})).items() if cell}
    return IndicatorRow(row, values, cells, extra=dict(facts.get("extra", {})))


def a_form(rows: Sequence[Mapping[str, Any]], fund: Mapping[str, Any] | None = None, **facts: Any) -> Form:
    """A form of the given rows; ``fund`` is its total fund row, if it has one."""
    facts = {"path": "表.xlsx", "number": 1, "year": 2021, "unit": "万元"} | facts
    form = Form(sheet="自评表", sheet_index=0, kind="project", **facts)
    form.indicators = [an_indicator(FIRST_ROW + i, row) for i, row in enumerate(rows)]
    if fund is not None:
        values = {field: fund.get(field) or None for field in FUND_FIELDS}
        cells = {field: f"{'ABCDEFG'[i]}5" for i, field in enumerate(FUND_FIELDS) if field not in fund.get("no", ())}
        form.funds = [FundRow(5, "年度资金总额", "total", values, cells)]
    return form


def scored(form: Form | Sequence[Form], book: Rulebook | str = NATIONAL, lang: str = "zh") -> ScoredTables:
    """One form or several, all scored by one rulebook."""
    forms = [form] if isinstance(form, Form) else list(form)
    rulebook = load_rulebook(book) if isinstance(book, str) else book
    return score(to_frames(forms), {each.id: rulebook for each in forms}, lang)  # type: ignore[arg-type]


def own_rulebook(folder: Path, text: str, base: str = NATIONAL) -> Rulebook:
    """A bureau's own rulebook: ``text`` laid over ``base``."""
    head = f'[rulebook]\nid = "own"\ntitle = "自定"\ndocument = "文"\nsource = "源"\nsupport = "filed"\nextends = "{base}"\n'
    path = folder / "own.toml"
    path.write_text(head + text, encoding="utf-8")
    return load_rulebook(path)


def figure(value: float) -> str:
    """A figure as a table of these tests writes it; blank where there is none."""
    return "" if value != value else show(value)
