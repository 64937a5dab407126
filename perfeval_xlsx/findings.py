"""Findings: what is wrong, where, and what a person can do; values, never exceptions.

Every message, basis and suggestion lives in ``data/messages.toml`` under the finding's code (the audit checks' in
``data/messages_audit.toml``), in Chinese and English, as a ``str.format`` template over the finding's ``args``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from perfeval_xlsx.data import load

Severity = Literal["error", "warning", "hint"]
Lang = Literal["zh", "en"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a person should know.

    Attributes:
        code: Stable code, the key of its texts in ``data/messages.toml`` (``"F01"``, ``"B03"`` …).
        cell: A1 address of the cell to look at; None only where a whole form or file is meant.
        field: Name of the field (``"score"``, ``"rate"`` …) or None.
        found: What is written, as displayed, or None.
        expected: What it should be, or None.
        args: Further values for the message template.
    """

    code: str
    cell: str | None = None
    field: str | None = None
    found: str | None = None
    expected: str | None = None
    args: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def severity(self) -> Severity:
        """``error``, ``warning`` or ``hint``, from the data file."""
        severity: Severity = texts(self.code)["severity"]
        return severity

    def text(self, part: Literal["message", "basis", "suggestion"] = "message", lang: Lang = "zh") -> str:
        """Return the finding's message, basis or suggestion in ``lang``; an empty string where the data has none."""
        template = texts(self.code).get(part, {}).get(lang, "")
        return str(template).format_map(_Values(self))


class _Values(dict[str, str]):
    """The values of a finding's template; a missing one shows as an en dash instead of failing."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.args)
        for name in ("cell", "field", "found", "expected"):
            value = getattr(finding, name)
            self[name] = "" if value is None else value

    def __missing__(self, key: str) -> str:
        return "–"


def texts(code: str) -> dict[str, Any]:
    """Return the entry of ``code`` in the data files of messages; KeyError names an unknown code."""
    own = load("messages.toml")["finding"]
    entry: dict[str, Any] = own[code] if code in own else load("messages_audit.toml")["finding"][code]
    return entry


class PerfevalError(Exception):
    """Carries one finding up to the boundary (a file, a command), where it becomes a value again.

    As a text it says what is wrong and what can be done: in a program of somebody else's that is all they see.
    """

    def __init__(self, finding: Finding) -> None:
        super().__init__("。".join(filter(None, (finding.text(), finding.text("suggestion")))))
        self.finding = finding

    def __reduce__(self) -> tuple[type[PerfevalError], tuple[Finding]]:
        return type(self), (self.finding,)
