"""Hits to the findings frame: texts in the run's language, in the order a person reads the sheet."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd

from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Lang
from perfeval_xlsx.scoring.audit.context import Context, Hit
from perfeval_xlsx.workbook.cells import split_sheet

COLUMNS = (
    "form_id", "code", "severity", "cell", "field", "found", "expected", "message", "basis", "suggestion",
)  # fmt: skip
_CELL = re.compile(r"([A-Z]{1,3})(\d{1,7})")
_LAST = (chr(0x10FFFF), 1 << 30, 1 << 30)
_NOTHING = "–"


def findings_frame(context: Context, hits: Iterable[tuple[str, Hit]], lang: Lang) -> pd.DataFrame:
    """Return the findings frame of ``(code, hit)`` pairs, sorted by form, sheet position and code.

    Args:
        context: The chunk the hits come from.
        hits: Code of the check and where it hit.
        lang: Language of message, basis and suggestion.
    """
    ordered = sorted(hits, key=lambda item: (item[1].form, position(item[1].cell), item[0], item[1].variant))
    ids = context.forms.list("form_id")
    rows = ((ids[hit.form], *_row(code, hit, lang)) for code, hit in ordered)
    cells = np.fromiter(chain.from_iterable(rows), dtype=object, count=len(ordered) * len(COLUMNS))
    return pd.DataFrame(cells.reshape(-1, len(COLUMNS)), columns=COLUMNS, dtype=object)


@lru_cache(maxsize=8192)
def position(cell: str | None) -> tuple[str, int, int]:
    """Sheet ("" for the form's own), row and column of an A1 address, after every other where there is none."""
    sheet, address = split_sheet(cell or "")
    match = _CELL.fullmatch(address)
    if match is None:
        return _LAST
    column = 0
    for letter in match[1]:
        column = column * 26 + ord(letter) - 64
    return sheet or "", int(match[2]), column


class _Values(dict[str, str]):
    """A template's values; a missing one shows as an en dash."""

    def __missing__(self, key: str) -> str:
        return _NOTHING


def words(code: str, variant: str, values: Mapping[str, str], lang: Lang) -> tuple[str, str, str, str]:
    """Return severity, message, basis and suggestion of a check's case with ``values`` filled in."""
    severity, *texts = _templates(code, variant, lang)
    filled = values if isinstance(values, _Values) else _Values(values)
    message, basis, suggestion = [text.format_map(filled) if "{" in text else text for text in texts]
    return severity, message, basis, suggestion


@lru_cache(maxsize=512)
def _templates(code: str, variant: str, lang: Lang) -> tuple[str, str, str, str]:
    """A variant's severity and texts, completed from the main case where it says nothing of its own."""
    texts: dict[str, dict[str, Any]] = load("messages_audit.toml")["finding"]
    entry = {**texts[code], **texts[f"{code}.{variant}"]} if variant else texts[code]
    message, basis, suggestion = (str(entry[part][lang]) for part in ("message", "basis", "suggestion"))
    return str(entry["severity"]), message, basis, suggestion


def _row(code: str, hit: Hit, lang: Lang) -> tuple[str | None, ...]:
    blank, values = _blank(lang), _Values(hit.args)
    if _NOTHING in values.values():
        values.update({name: blank for name, value in values.items() if value == _NOTHING})
    values["found"], values["expected"] = hit.found or blank, hit.expected or ""
    values["cell"], values["field"] = hit.cell or "", _field(hit.field, lang)
    severity, message, basis, suggestion = words(code, hit.variant, values, lang)
    return code, severity, hit.cell, hit.field, hit.found, hit.expected, message, basis, suggestion


@lru_cache(maxsize=512)
def _field(name: str | None, lang: Lang) -> str:
    return str(load("messages_audit.toml")["field"][name][lang]) if name else ""


@lru_cache(maxsize=8)
def _blank(lang: Lang) -> str:
    return str(load("methods.toml")["words"]["blank"][lang])
