"""Findings and rulebooks as plain lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Lang
from perfeval_xlsx.scoring.result import FindingResult
from perfeval_xlsx.scoring.rulebook import Rulebook


def rulebook_line(book: Rulebook, lang: Lang = "zh") -> str:
    """A rulebook on one line: id, title, document, scope, how well it is supported."""
    kinds = [_say("kind", kind, lang) for kind in book.kinds]
    scope = " ".join([*book.provinces, *kinds, *([_say("rules", "advisory", lang)] if book.advisory else [])])
    words = load("methods.toml")["support"]
    support = words[book.document_support][lang]
    if book.support != book.document_support:
        support = _say("rules", "weakest", lang, support=support, weakest=words[book.support][lang])
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
