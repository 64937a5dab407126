"""Findings: what is wrong, where, and what a person can do; values, never exceptions.

Every message, basis and suggestion lives in ``data/messages.toml`` under the finding's code (the audit checks' in
``data/messages_audit.toml``), in Chinese and English, as a ``str.format`` template over the finding's ``args``.
"""

from __future__ import annotations

import dataclasses
import errno
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from perfeval_xlsx.data import load

_TERMS = ("detail", "limit")
"""Args that may hold a name of ``data/terms.toml``."""
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
        return str(template).format_map(_Values(self, lang))


class _Values(dict[str, str]):
    """The values of a finding's template; a missing one shows as an en dash instead of failing.

    A value that has words of its own in ``data/terms.toml`` shows as these.
    """

    def __init__(self, finding: Finding, lang: Lang) -> None:
        super().__init__(finding.args)
        terms = load("terms.toml")
        for name in _TERMS:
            if name in self and self[name] in terms[name]:
                self[name] = terms[name][self[name]][lang]
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


def cause_of(error: BaseException) -> str:
    """Why the system refused something, for the ``detail`` of a finding.

    Returns:
        A name of ``data/terms.toml [detail]``, whose words a message shows; what the error says where there is none.
    """
    terms = load("terms.toml")
    library = getattr(error, "sqlite_errorname", "").removeprefix("SQLITE_").partition("_")[0]
    number = getattr(error, "errno", None)
    names = (
        terms["windows"].get(str(getattr(error, "winerror", None))),
        terms["sqlite"].get(library),
        errno.errorcode.get(number) if isinstance(number, int) else None,
    )
    known = next((name for name in names if name in terms["detail"]), None)
    return str(known or getattr(error, "strerror", None) or error)


def cause_text(error: BaseException, lang: Lang) -> str:
    """The words for why the system refused something."""
    cause = cause_of(error)
    words = load("terms.toml")["detail"].get(cause)
    return cause if words is None else str(words[lang])
