"""Results to rows of the summary: texts by column, words in the run's language, a style where a cell needs a mark."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from functools import cache, lru_cache
from typing import Any

from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Lang
from perfeval_xlsx.output.form_rows import Cleaned, FormRows, Row, RowColumns, cleaned
from perfeval_xlsx.scoring.result import ExecutionResult, FormResult, LevelResult, RowResult, RowResults

_FOR_A_PERSON = ("judged", "unscorable")
_SEVERITIES = ("error", "warning", "hint")
_DETAIL_KEYS = (
    "level1", "level2", "level3", "target", "actual", "weight", "self_score", "score", "low", "high", "basis",
    "deviation", "cell", "status",
)  # fmt: skip
_COMMON_KEYS = ("org", "sheet", "path")
_RANK_KEYS = ("total", "low", "high", "self_total", "self_grade", "rulebook")
_FUND_KEYS = ("budget", "executed", "rate", "self_rate", "weight", "self_score", "score", "basis", "cell")


def person_rows(result: FormResult) -> int:
    """Rows a person must look at: judged, or without a score."""
    known = result.get("person_rows")
    if isinstance(known, int):
        return known
    statuses = _column_of(result["indicators"], "status")
    return sum(map(statuses.count, _FOR_A_PERSON))


def _column_of(rows: Sequence[RowResult], key: str) -> Sequence[Any]:
    """The values of one key that all rows have."""
    if isinstance(rows, RowResults):
        return rows.columns[key]
    return [row[key] for row in rows]  # type: ignore[literal-required]


def detail_xml(
    result: FormResult, lang: Lang, columns: RowColumns | None = None, texts: Mapping[str, Cleaned] | None = None,
    raw: bytes | None = None,
) -> bytes:  # fmt: skip
    """The indicator rows of one form, at least one, as XML.

    Args:
        result: The form.
        lang: Language of the words.
        columns: The rows' values by key, where they are known already.
        texts: What all rows of the form have (``whose``) cleaned, where that is known already.
        raw: The columns' values as JSON, where they are known.
    """
    if columns is None:
        columns = {key: _column_of(result["indicators"], key) for key in _DETAIL_KEYS}
    common = cleaned(whose(result), lang) if texts is None else texts
    return _detail_rows(lang).xml(columns, common, raw)


@cache
def _detail_rows(lang: Lang) -> FormRows:
    def look(row: Row) -> Row:
        marks: Row = {}
        if "status" in row:
            marks |= _status("row_status", str(row["status"]), lang)
        if "score" in row:
            marks["score:style"] = _score_style(row["self_score"], row["score"])
        return row | marks

    return FormRows("detail", lang, _COMMON_KEYS, {"score": "self_score"}, look)


def rank_columns(results: Sequence[FormResult], lang: Lang, *, linked: bool) -> RowColumns:
    """The rows of some forms on the ranking, by column, but for their places."""
    executions = [result["execution"] for result in results]
    severities = [[finding["severity"] for finding in result["findings"]] for result in results]
    dimensions = [dimension_scores(result["levels"]) for result in results]
    totals = ((result["total"], result["self_total"]) for result in results)
    differences = [_difference(total, typed) for total, typed in totals]
    return {
        **_columns_of(results, (*_RANK_KEYS, "grade")),
        **{e["key"]: [scores.get(e["key"]) for scores in dimensions] for e in load("outputs.toml")["dimension"]},
        **{severity: [str(each.count(severity)) for each in severities] for severity in _SEVERITIES},
        **_statuses("form_status", results, lang),
        "kind": [word("kind", result["kind"], lang) for result in results],
        "year": [_text(result["year"]) for result in results],
        "rate": [execution["rate"] if execution else None for execution in executions],
        "execution": [execution["score"] if execution else None for execution in executions],
        "grade:style": ["worst" if result["grade"] == grades()[-1] else "strong_word" for result in results],
        "span": [_span(result, lang) for result in results],
        "difference": [_text(difference) for difference in differences],
        "difference:style": ["changed" if difference else "figure" for difference in differences],
        "person": [str(person_rows(result)) for result in results],
        "support": [_support(result["support"], lang) for result in results],
        "path:style": ["link" if linked and result["copy"] else "text" for result in results],
    }


def fund_columns(results: Sequence[FormResult], executions: Sequence[ExecutionResult], lang: Lang) -> RowColumns:
    """The rows of some forms' executions, by column."""
    scores = ((execution["self_score"], execution["score"]) for execution in executions)
    return {
        **_columns_of(executions, _FUND_KEYS),
        **_statuses("row_status", executions, lang),
        "year": [_text(result["year"]) for result in results],
        "score:style": [_score_style(typed, score) for typed, score in scores],
    }


def _columns_of(rows: Sequence[Mapping[str, Any]], keys: Iterable[str]) -> dict[str, list[Any]]:
    return {key: [row[key] for row in rows] for key in keys}


def _statuses(table: str, rows: Sequence[FormResult] | Sequence[ExecutionResult], lang: Lang) -> dict[str, list[str]]:
    words = [_words(table, lang)[row["status"]] for row in rows]
    return {"status": [text for text, _ in words], "status:style": [style for _, style in words]}


def replaced_columns(result: FormResult, lang: Lang) -> RowColumns:
    """By column, the typed values that the copy shows differently."""
    entries = result["replaced"]
    columns: dict[str, list[str]] = {key: [entry[key] for entry in entries] for key in ("field", "old", "new", "cell")}
    words = _words("field", lang)
    return {**columns, "field": [words[field][0] for field in columns["field"]]}


def unscored_row(result: FormResult, lang: Lang) -> Row:
    """The row of a file that has no scored form, with the reason in words."""
    separator = str(load("outputs.toml")["words"]["separator"][lang])
    return {
        **_status("form_status", result["status"], lang),
        "path": result["path"],
        "reason": separator.join(finding["message"] for finding in result["findings"]),
        "advice": separator.join(finding["suggestion"] for finding in result["findings"] if finding["suggestion"]),
    }


def dimension_scores(levels: Iterable[LevelResult]) -> Row:
    """Score by dimension (output, benefit …) that has a level; None where a row of it is open."""
    sums: dict[str, Decimal | None] = {}
    for level in levels:
        key, score = dimension_of(level["name"]), figure(level["score"])
        before = sums.get(key, Decimal(0))
        sums[key] = None if before is None or score is None else before + score
    return {key: _text(total) for key, total in sums.items()}


@cache
def dimension_of(name: str) -> str:
    """Dimension of a level-1 name, written across or down its cell."""
    entries, across = load("outputs.toml")["dimension"], "".join(name.split())
    return str(next(entry["key"] for entry in entries if any(word in across for word in entry["contains"])))


def grades() -> list[str]:
    """The grades, best first."""
    return list(load("outputs.toml")["statistics"]["grades"])


@lru_cache(maxsize=4096)
def figure(text: str | None) -> Decimal | None:
    """A figure of a result as a number; None where it is none."""
    try:
        value = Decimal(text) if text else None
    except InvalidOperation:
        return None
    return value if value is not None and value.is_finite() else None


def word(table: str, key: str | None, lang: Lang) -> str | None:
    """The word of a key in the run's language."""
    return None if key is None else _words(table, lang)[key][0]


@cache
def _words(table: str, lang: Lang) -> dict[str, tuple[str, str]]:
    """By key, the word in the run's language and its style."""
    return {key: (entry[lang], entry.get("style", "word")) for key, entry in load("outputs.toml")[table].items()}


def _status(table: str, key: str, lang: Lang) -> Row:
    text, style = _words(table, lang)[key]
    return {"status": text, "status:style": style}


def whose(result: FormResult) -> Row:
    """What every row of a form begins and ends with."""
    return {key: result[key] for key in ("org", "title", "sheet", "path")}


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _score_style(typed: str | None, score: str | None) -> str:
    return "changed" if typed != score and _difference(score, typed) else "figure"


def _difference(left: str | None, right: str | None) -> Decimal | None:
    first, second = figure(left), figure(right)
    return None if first is None or second is None else first - second


def _span(result: FormResult, lang: Lang) -> str | None:
    words = load("outputs.toml")["words"]
    if result["grade_final"]:
        return str(words["decided"][lang])
    if result["low_grade"] is None or result["high_grade"] is None:
        return None
    return str(words["may_be"][lang].format(low=result["low_grade"], high=result["high_grade"]))


def _support(support: str | None, lang: Lang) -> str | None:
    return None if support is None else str(load("methods.toml")["support"][support][lang])
