"""The list of checks: what ``data/checks.toml`` says of each, and the function that does it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Lang
from perfeval_xlsx.scoring.audit.context import Context, Hit

Function = Callable[[Context], Iterable[Hit]]

FUNCTIONS: dict[str, Function] = {}
"""The function of every check of single forms, by code; filled where the functions are defined."""


def check(code: str) -> Callable[[Function], Function]:
    """Register the decorated function as the check ``code`` of ``data/checks.toml``."""

    def register(function: Function) -> Function:
        FUNCTIONS[code] = function
        return function

    return register


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter a rulebook may change under ``[checks.CODE]``."""

    name: str
    default: Any
    meaning: str


@dataclass(frozen=True, slots=True)
class Check:
    """One check as ``perfeval rules checks`` and the documentation list it.

    Attributes:
        code: Its code; ``family`` and ``title`` in words.
        severity: error, warning or hint of its main case.
        needs: Columns without which it stays silent; ``uses`` columns it looks at where a form has them.
        parameters: What a rulebook may change besides ``enabled``.
        message, basis, suggestion: Its texts; a message's values stand in braces.
        variants: Further cases of the same code: (severity, message).
        across: It compares forms and needs a whole run.
    """

    code: str
    family: str
    title: str
    severity: str
    needs: tuple[str, ...]
    uses: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    message: str
    basis: str
    suggestion: str
    variants: tuple[tuple[str, str], ...]
    across: bool


def checks_list(lang: Lang = "zh") -> list[Check]:
    """Return every check with its texts in ``lang``, in the order of the data file."""
    data, texts = load("checks.toml"), load("messages_audit.toml")["finding"]
    return [_described(code, entry, data["family"], texts, lang) for code, entry in data["check"].items()]


def _described(code: str, entry: Any, families: Any, texts: Any, lang: Lang) -> Check:
    main = texts[code]
    variants = [texts[key] for key in texts if key.startswith(f"{code}.")]
    return Check(
        code=code,
        family=families[entry["family"]]["title"][lang],
        title=entry["title"][lang],
        severity=entry["severity"],
        needs=tuple(entry["needs"]),
        uses=tuple(entry.get("uses", ())),
        parameters=tuple(
            Parameter(name, spec["default"], spec["meaning"][lang]) for name, spec in entry.get("param", {}).items()
        ),
        message=main["message"][lang],
        basis=main["basis"][lang],
        suggestion=main["suggestion"][lang],
        variants=tuple((variant["severity"], variant["message"][lang]) for variant in variants),
        across=bool(entry.get("across", False)),
    )
