"""Hits to the findings frame: texts in the run's language, in the order a person reads the sheet."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

import pandas as pd

from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Lang
from perfeval_xlsx.scoring.audit.context import Context, Hit

COLUMNS = (
    "form_id", "code", "severity", "cell", "field", "found", "expected", "message", "basis", "suggestion",
)  # fmt: skip
_CELL = re.compile(r"([A-Z]{1,3})(\d{1,7})")
_LAST = (1 << 30, 1 << 30)


def findings_frame(context: Context, hits: Iterable[tuple[str, Hit]], lang: Lang) -> pd.DataFrame:
    """Return the findings frame of ``(code, hit)`` pairs, sorted by form, sheet position and code.

    Args:
        context: The chunk the hits come from.
        hits: Code of the check and where it hit.
        lang: Language of message, basis and suggestion.
    """
    ordered = sorted(hits, key=lambda item: (item[1].form, position(item[1].cell), item[0], item[1].variant))
    ids = context.forms.list("form_id")
    rows = [(ids[hit.form], *_row(code, hit, lang)) for code, hit in ordered]
    frame = pd.DataFrame(rows, columns=list(COLUMNS), dtype=object)
    return frame.astype(object).where(frame.notna(), None)


@lru_cache(maxsize=8192)
def position(cell: str | None) -> tuple[int, int]:
    """Row and column of an A1 address, after every other where there is none."""
    match = _CELL.fullmatch(cell or "")
    if match is None:
        return _LAST
    column = 0
    for letter in match[1]:
        column = column * 26 + ord(letter) - 64
    return int(match[2]), column


class _Values(dict[str, str]):
    """A template's values; a missing one shows as an en dash."""

    def __missing__(self, key: str) -> str:
        return "–"


def words(code: str, variant: str, values: Mapping[str, str], lang: Lang) -> tuple[str, str, str, str]:
    """Return severity, message, basis and suggestion of a check's case with ``values`` filled in."""
    entry = _entry(code, variant)
    filled = _Values(values)
    texts = (str(entry[part][lang]).format_map(filled) for part in ("message", "basis", "suggestion"))
    message, basis, suggestion = texts
    return str(entry["severity"]), message, basis, suggestion


@lru_cache(maxsize=256)
def _entry(code: str, variant: str) -> dict[str, Any]:
    """A variant's texts, completed from the main case where it says nothing of its own."""
    texts: dict[str, dict[str, Any]] = load("messages_audit.toml")["finding"]
    main = texts[code]
    return {**main, **texts[f"{code}.{variant}"]} if variant else main


def _row(code: str, hit: Hit, lang: Lang) -> tuple[str | None, ...]:
    values = {
        **hit.args,
        "found": hit.found or _blank(lang),
        "expected": hit.expected or "",
        "cell": hit.cell or "",
        "field": _field(hit.field, lang),
    }
    severity, message, basis, suggestion = words(code, hit.variant, values, lang)
    return code, severity, hit.cell, hit.field, hit.found, hit.expected, message, basis, suggestion


def _field(name: str | None, lang: Lang) -> str:
    return str(load("messages_audit.toml")["field"][name][lang]) if name else ""


def _blank(lang: Lang) -> str:
    return str(load("methods.toml")["words"]["blank"][lang])
