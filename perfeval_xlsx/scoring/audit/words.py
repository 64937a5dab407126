"""What a text says, as far as a check asks: cached predicates; their words are in ``data/audit_words.toml``."""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache

from perfeval_xlsx.data import load

_AROUND = 20
"""So many characters before and after a word decide whether it is denied."""


@cache
def pattern(section: str, key: str) -> re.Pattern[str]:
    """Return a compiled pattern of the data file."""
    return re.compile(load("audit_words.toml")[section][key])


@lru_cache(maxsize=8192)
def plain(text: str) -> str:
    """Return a text after NFKC with all white space out."""
    return "".join(unicodedata.normalize("NFKC", text).split())


def has(section: str, key: str, text: str | None) -> bool:
    """Whether the pattern occurs in a text."""
    return bool(text) and pattern(section, key).search(plain(str(text))) is not None


@lru_cache(maxsize=8192)
def gives_reason(text: str) -> bool:
    """Whether a reason cell holds a reason, not ``无``, ``0`` or ``/``."""
    return not pattern("reason", "none").match(plain(text))


@lru_cache(maxsize=8192)
def admits_shortfall(text: str) -> str:
    """Return the words with which a text admits that something was not done, "" where it does not."""
    folded = plain(text)
    for match in pattern("reason", "shortfall").finditer(folded):
        before = folded[max(0, match.start() - _AROUND) : match.start()]
        after = folded[match.end() : match.end() + _AROUND]
        if not pattern("reason", "denied").search(before) and not pattern("reason", "gone").match(after):
            return match[0]
    return ""


@lru_cache(maxsize=4096)
def notes_give_reason(notes: tuple[str, ...]) -> bool:
    """Whether a row below the grid holds a reason or a remedy behind its label."""
    shortest = int(load("audit_words.toml")["reason"]["note_length"])
    for note in notes:
        match = pattern("reason", "note").search(plain(note))
        if match and len(match[1]) >= shortest and gives_reason(match[1]):
            return True
    return False


@lru_cache(maxsize=8192)
def template_text(text: str) -> str:
    """Return what a text kept of its template (``XXX``, ``**``, ``（100字以内）``), "" where nothing."""
    match = pattern("template", "anywhere").search(plain(text))
    return match[0] if match else ""


@lru_cache(maxsize=8192)
def dimension_of(label: str) -> str:
    """Return the dimension a level label belongs to, as rulebooks name it, "" where it names none."""
    dimensions = load("audit_words.toml")["dimension"]
    return next((name for name in dimensions if has("dimension", name, label)), "")


def name_of(dimension: str) -> str:
    """Return the name of a dimension, as rulebooks have it (``output``, ``benefit``, ``cost`` …)."""
    return str(load("audit_words.toml")["name"][dimension])


def level2_dimension(label: str) -> str:
    """Return the dimension a level-2 label belongs to where level 1 names none; cost is part of the output there."""
    below = load("audit_words.toml")["below"]
    name = dimension_of(label)
    return str(below.get(name, name))


@lru_cache(maxsize=8192)
def bare_name(text: str) -> str:
    """Return an indicator's name without glued numbering (``指标1：``) and white space."""
    return pattern("numbering", "glued").sub("", plain(text))


@lru_cache(maxsize=8192)
def is_vague(text: str) -> bool:
    """Whether a target says nothing that could be measured: short, a vague word, no figure, nothing concrete."""
    folded = plain(text).rstrip("。;,")
    longest = int(load("audit_words.toml")["target"]["longest"])
    return (
        len(folded) <= longest
        and has("target", "vague_words", folded)
        and has("target", "vague", folded)
        and not has("target", "concrete", folded)
    )


@lru_cache(maxsize=8192)
def amounts_in(text: str) -> tuple[float, ...]:
    """Return the amounts of money a sentence states, in 元, without mere standards."""
    found, scales = pattern("goal", "amount").finditer(plain(text)), load("audit_words.toml")["unit"]
    amounts = (float(match[1].replace(",", "")) * scales[match[2]] for match in found)
    return tuple(amount for amount in amounts if amount >= smallest_amount())


def smallest_amount() -> float:
    """Return the amount in 元 below which money is a standard (so much a head), not what a project costs."""
    return float(load("audit_words.toml")["goal"]["least"])


@lru_cache(maxsize=4096)
def years_in(text: str) -> frozenset[int]:
    """Return the years a title or a file name states (``2021年度``)."""
    return frozenset(int(year) for year in pattern("title", "year").findall(plain(text)))
