"""Number formats taken apart: sections, conditions, placeholders, literals (ECMA-376 part 1, 18.8.31)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, NamedTuple

Kind = Literal["general", "number", "date", "text", "literal"]

_TOKEN = re.compile(
    r"""
      "(?P<quoted>[^"]*)"?
    | [\\!](?P<escaped>.)?
    | _(?P<pad>.)?
    | \*(?P<fill>.)?
    | \[(?P<bracket>[^\]]*)\]?
    | (?P<general>General|G/通用格式|通用格式)
    | (?P<noon>AM/PM|A/P|上午/下午)
    | (?P<exponent>E[+-])
    | (?P<date>y+|m+|d+|h+|s+|e+|g+|a{3,})
    | (?P<digit>[0#?])
    | (?P<point>\.)
    | (?P<comma>,)
    | (?P<percent>%)
    | (?P<slash>/)
    | (?P<text>@)
    | (?P<section>;)
    | (?P<other>.)
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_CONDITION = re.compile(r"(<=|>=|<>|<|>|=)\s*(-?\d+(?:\.\d*)?(?:E[+-]?\d+)?)", re.IGNORECASE)
_ELAPSED = re.compile(r"h+|m+|s+", re.IGNORECASE)
_SYSTEM_DATE, _SYSTEM_TIME = "F800", "F400"


class Token(NamedTuple):
    """One piece of a section: its kind (a group of the token pattern, or ``literal``, ``elapsed``) and its text."""

    kind: str
    text: str


class Condition(NamedTuple):
    """``[>=100]``: comparison and bound."""

    sign: str
    bound: float

    def holds(self, value: float) -> bool:
        """Whether ``value`` meets the condition."""
        return {
            "<": value < self.bound,
            "<=": value <= self.bound,
            ">": value > self.bound,
            ">=": value >= self.bound,
            "=": value == self.bound,
            "<>": value != self.bound,
        }[self.sign]


@dataclass(frozen=True, slots=True)
class Section:
    """One of a format's sections.

    Attributes:
        kind: How a value is rendered under it.
        tokens: Its pieces, colours and paddings left out.
        condition: Its own condition, or None.
        numerals: 1, 2 or 3 for ``[DBNum1]`` … ``[DBNum3]``, else 0.
        locale: Hexadecimal locale of ``[$-804]``, upper case without leading zeros, or an empty string.
    """

    kind: Kind
    tokens: tuple[Token, ...]
    condition: Condition | None = None
    numerals: int = 0
    locale: str = ""


def sections(code: str) -> list[Section]:
    """Take a format code apart; never fails: what is no known piece is a literal."""
    parts: list[list[Token]] = [[]]
    for match in _TOKEN.finditer(code):
        if match.lastgroup == "section":
            parts.append([])
        elif match.lastgroup is not None:
            parts[-1].append(Token(match.lastgroup, match[match.lastgroup]))
    return [_section(part) for part in parts[:4]]


def _section(tokens: list[Token]) -> Section:
    """Sort brackets from pieces and decide what kind of section it is."""
    kept: list[Token] = []
    condition, numerals, locale = None, 0, ""
    for token in tokens:
        if token.kind != "bracket":
            kept.extend(_plain(token))
            continue
        text = token.text
        if found := _CONDITION.fullmatch(text.strip()):
            condition = Condition(found[1], float(found[2]))
        elif text[:5].upper() == "DBNUM" and text[5:6] in {"1", "2", "3"}:
            numerals = int(text[5])
        elif _ELAPSED.fullmatch(text):
            kept.append(Token("elapsed", text.lower()))
        elif text.startswith("$"):
            symbol, _, tag = text[1:].partition("-")
            locale = tag.upper().lstrip("0") or locale
            kept.extend([Token("literal", symbol)] if symbol else [])
    kept = _system(locale) or kept
    kind = _kind(kept)
    return Section(kind, tuple(_settled(kept, kind)), condition, numerals, locale)


def _plain(token: Token) -> list[Token]:
    """Turn quoted and escaped text into literals, paddings into blanks."""
    if token.kind in {"quoted", "escaped", "other"}:
        return [Token("literal", token.text)] if token.text else []
    if token.kind == "pad":
        return [Token("pad", " ")]
    if token.kind == "fill":
        return []
    return [token]


def _system(locale: str) -> list[Token]:
    """Return the pieces of the system's long date and time, as Windows shows them in Chinese."""
    if locale == _SYSTEM_DATE:
        texts = ["yyyy", "年", "m", "月", "d", "日"]
    elif locale == _SYSTEM_TIME:
        texts = ["h", ":", "mm", ":", "ss"]
    else:
        return []
    return [Token("date" if text.isascii() and text.isalpha() else "literal", text) for text in texts]


def _kind(tokens: list[Token]) -> Kind:
    kinds = {token.kind for token in tokens}
    hashes = any(token.kind == "digit" and token.text != "0" for token in tokens)
    if "general" in kinds:
        return "general"
    if kinds & {"date", "elapsed", "noon"} and not hashes and not _leading_zero(tokens):
        return "date"
    if "digit" in kinds:
        return "number"
    return "text" if "text" in kinds else "literal"


def _leading_zero(tokens: list[Token]) -> bool:
    """Whether a digit placeholder stands elsewhere than behind seconds (``0.0"h"`` against ``ss.00``)."""
    seconds = False
    for token in tokens:
        if token.kind == "digit" and not seconds:
            return True
        if token.kind in {"date", "elapsed"}:
            seconds = token.text[0] in "sS"
        elif token.kind not in {"point", "digit"}:
            seconds = False
    return False


def _settled(tokens: list[Token], kind: Kind) -> list[Token]:
    """Turn pieces that mean nothing in this kind of section into literals."""
    meant = {
        "general": {"general", "percent"},
        "number": {"digit", "point", "comma", "percent", "exponent", "slash"},
        "date": {"date", "elapsed", "noon", "point", "digit"},
        "text": {"text", "pad"},
        "literal": set[str](),
    }[kind]
    return [token if token.kind in meant else Token("literal", token.text) for token in tokens]
