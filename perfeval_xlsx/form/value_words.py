"""The words around a figure: comparators, changes, rounding, and what may be passed over."""

from __future__ import annotations

import re
from typing import NamedTuple

from perfeval_xlsx.data import load
from perfeval_xlsx.form.value_text import words_pattern
from perfeval_xlsx.form.value_units import Unit, per_word, prefix

_DATA = load("values.toml")
_WEAK = frozenset(_DATA["comparator"]["weak"])


class Around(NamedTuple):
    """What the words before or after a figure say.

    Attributes:
        comparator: As in ``Quantity``; ``weak``: it yields to what else is said (控制在).
        change: ``up``, ``down`` or "".
        rounded: The figure is approximate.
        per: What the figure is per, read from words before it (每亩 → ``/亩``).
    """

    comparator: str = ""
    weak: bool = False
    change: str = ""
    rounded: bool = False
    per: str = ""


NOTHING = Around()


def _classes(table: dict[str, list[str]], comparators: dict[str, str]) -> dict[str, tuple[str, str]]:
    words = {word: (group, word) for group, group_words in table.items() for word in group_words}
    return words | {word: ("comparator", sign) for word, sign in comparators.items()}


_HEAD_DATA = _DATA["head"]
_HEAD = _classes(_HEAD_DATA, _DATA["comparator"]["before"])
_TAIL_DATA = {group: _DATA["tail"][group] for group in ("plain", "rounded")}
_TAIL = _classes(_TAIL_DATA, _DATA["comparator"]["after"])
_HEAD_WORD, _TAIL_WORD = re.compile(words_pattern(list(_HEAD))), re.compile(words_pattern(list(_TAIL)))
_TAILS = f"(?P<tail>(?:{_TAIL_WORD.pattern})*+)"
_NOUN = re.compile(f"(?P<word>{_DATA['tail']['noun']}?){_TAILS}")
_UNKNOWN = re.compile(f"(?P<word>{_DATA['tail']['unknown']}?){_TAILS}")
_NOUN_STOP, _UNKNOWN_STOP = re.compile(_DATA["tail"]["noun_stop"]), re.compile(_DATA["tail"]["unknown_stop"])


def read_head(text: str) -> Around | None:
    """Read the words before a figure; None where one of them is not understood."""
    if not text:
        return NOTHING
    per, position = _per(text)
    found = _scan(text, position, _HEAD, _HEAD_WORD)
    return found and found._replace(per="" if found.change else per)


def read_tail(text: str) -> Around | None:
    """Read the words after a unit; None where one of them is not understood."""
    return _scan(text, 0, _TAIL, _TAIL_WORD) if text else NOTHING


def counted_noun(text: str) -> Around | None:
    """Read what follows a counter as the thing counted (20家**企业以上**); None where it says more than that."""
    match = _NOUN.fullmatch(text)
    return read_tail(match["tail"]) if match and not _NOUN_STOP.search(match["word"]) else None


def unknown_counter(text: str) -> tuple[str, Around] | None:
    """Read a counter that is in no list (50蔸); None where the word looks like anything else."""
    match = _UNKNOWN.fullmatch(text)
    if not match or _NOUN_STOP.search(match["word"]) or _UNKNOWN_STOP.search(match["word"]):
        return None
    tail = read_tail(match["tail"])
    return tail and (match["word"], tail)


def _per(text: str) -> tuple[str, int]:
    per, position = "", 0
    while text.startswith("每", position):
        found = per_word(text[position + 1 :]) if prefix(text, position + 1) else None
        if found is None:
            return "", 0
        per += f"/{found[0]}"
        position += 1 + found[1]
    return per, position


def _scan(text: str, position: int, words: dict[str, tuple[str, str]], pattern: re.Pattern[str]) -> Around | None:
    comparator, weak, change, rounded, base = "", False, "", False, False
    while position < len(text):
        match = pattern.match(text, position)
        if not match:
            return None
        group, meaning = words[match[0]]
        position = match.end()
        if group == "comparator":
            joined = join(comparator, weak, meaning)
            if joined is None:
                return None
            comparator, weak = joined, match[0] in _WEAK
        elif group in {"up", "down"}:
            if change and change != group:
                return None
            change = group
        rounded, base = rounded or group == "rounded", base or group == "base"
    return None if base and not change else Around(comparator, weak, change, rounded)


def join(first: str, weak: bool, second: str) -> str | None:
    """Join two comparators of one figure: the stricter word of one direction; None where they contradict."""
    if not first or not second or first == second:
        return first or second
    if weak or first == "=":
        return second
    if first == "±":
        return first if second[0] == "<" else None
    return first if first[0] == second[0] else None


def rate_unit(unit: Unit, per: str) -> Unit:
    """Join a unit with what the figure is per."""
    return unit if not per else unit._replace(name=unit.name + per, kind="rate")
