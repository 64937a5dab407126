"""Forms and rulebooks as plain lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Lang
from perfeval_xlsx.form.model import Form, IndicatorRow
from perfeval_xlsx.scoring.result import FindingResult
from perfeval_xlsx.scoring.rulebook import Rulebook

_ROW_FIELDS = ("level3", "target", "actual", "weight", "score")
_FUND_FIELDS = ("initial_budget", "annual_budget", "executed", "rate", "score")


def form_lines(form: Form, lang: Lang = "zh") -> Iterator[str]:
    """A form as it was understood: head, columns, funds, rows, rows that were left out and why, total, findings."""

    def say(key: str, **values: object) -> str:
        return _say("read", key, lang, **values)

    nothing = say("nothing")
    yield say("head", path=form.path, sheet=form.sheet, form=form.number)
    facts = {name: getattr(form, name) or nothing for name in ("title", "org", "year", "unit")}
    for page in form.pages:
        yield say("page", sheet=page.sheet, first=page.first, last=page.last)
    yield say("facts", kind=_say("kind", form.kind, lang), **facts)
    yield say("columns")
    for field, (column, label) in form.columns.items():
        yield say("column", column=column, field=_field(field, lang), label=label)
    yield say("funds")
    for fund in form.funds:
        yield f"    {fund.label or nothing}  {_pairs(fund.values, _FUND_FIELDS, lang)}"
    yield say("indicators", rows=len(form.indicators))
    for row in form.indicators:
        yield f"    {_row_of(form, row)}  {_cells(row)}"
    if form.left_out:
        yield say("left_out", rows=len(form.left_out))
    for row in form.left_out:
        reason = _say("left_out", row.reason, lang) if row.reason in load("console.toml")["left_out"] else row.reason
        yield say("left_out_row", row=_row_of(form, row), reason=reason, text=_cells(row))
    yield say("total", **{name: form.total.get(name) or nothing for name in ("score", "grade", "weight")})
    if form.findings:
        yield say("findings")
    for finding in form.findings:
        yield say("finding", cell=finding.cell or "", message=finding.text("message", lang))
    yield ""


def _row_of(form: Form, row: IndicatorRow) -> str:
    """A row's number, with its sheet where the form goes on over several."""
    index, number = form.row_place(row.row)
    return f"{number}" if index == form.sheet_index else form.address(index, f"{number}")


def rulebook_line(book: Rulebook, lang: Lang = "zh") -> str:
    """A rulebook on one line: id, title, document, scope, how well it is supported."""
    kinds = [_say("kind", kind, lang) for kind in book.kinds]
    scope = " ".join([*book.provinces, *kinds, *([_say("rules", "advisory", lang)] if book.advisory else [])])
    support = load("methods.toml")["support"][book.support][lang]
    facts = {"id": book.id, "title": book.title, "document": book.document}
    return _say("rules", "line", lang, **facts, scope=scope, support=support)


def finding_lines(finding: FindingResult, book: Rulebook, lang: Lang = "zh") -> Iterator[str]:
    """A finding explained: the check, what it found, what should be, by which rule, what to do."""
    yield _say(
        "finding", "head", lang, code=finding["code"], cell=finding["cell"] or _say("finding", "whole", lang),
        severity=_say("severity", finding["severity"], lang), message=finding["message"],
    )  # fmt: skip
    if finding["code"] in load("checks.toml")["check"]:
        yield from _check_facts(finding["code"], book, lang)
    for name in ("found", "expected", "basis", "suggestion"):
        if finding[name]:
            yield _say("finding", name, lang, text=finding[name])


def check_lines(code: str, book: Rulebook, lang: Lang = "zh") -> list[str]:
    """A check that found nothing: what it looks for, with which parameters."""
    return [_say("finding", "none", lang, code=code), *_check_facts(code, book, lang)]


def _check_facts(code: str, book: Rulebook, lang: Lang) -> Iterator[str]:
    """What a check looks for, and its parameters as the rulebook has them."""
    check = load("checks.toml")["check"][code]
    yield _say("finding", "check", lang, title=check["title"][lang])
    for name, param in check.get("param", {}).items():
        value = book.checks.get(code, {}).get(name, param["default"])
        yield _say("finding", "param", lang, meaning=param["meaning"][lang], value=_value(value, lang))


def _value(value: object, lang: Lang) -> str:
    """A parameter's value in words: yes or no, a list's entries one after the other."""
    if isinstance(value, bool):
        return _say("finding", "yes" if value else "no", lang)
    if isinstance(value, list):
        return _say("finding", "separator", lang).join(_value(entry, lang) for entry in value)
    return str(value)


def _say(section: str, key: str | None, lang: Lang, **values: object) -> str:
    return str(load("console.toml")[section][key][lang]).format(**values)


def _field(field: str, lang: Lang) -> str:
    """The word for a field; columns beyond ours keep their own name."""
    words = load("console.toml")["field"].get(field.rpartition(".")[2])
    return field if words is None else str(words[lang])


def _pairs(values: Mapping[str, str | None], fields: tuple[str, ...], lang: Lang) -> str:
    return "  ".join(f"{_field(name, lang)} {values[name]}" for name in fields if values.get(name))


def _cells(row: IndicatorRow) -> str:
    return " | ".join("".join((row.values.get(name) or "").split()) for name in _ROW_FIELDS)
