"""Labels: what a cell's words mean in a form. All words live in ``data/labels.toml``."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache, lru_cache
from typing import Any, NamedTuple

from perfeval_xlsx.data import load

LONGEST = 40
"""Longer texts are sentences, not labels."""

_SPACE = re.compile(r"\s+")
_BRACKETS = re.compile(r"[(\[{【〔][^()\[\]{}【】〔〕]*[)\]}】〕]")
_OPENING = "【〖〔[「"
_FRAME = re.compile(r"^[【〖〔\[「]([^【】〖〗〔〕\[\]「」]+)[】〗〕\]」]$")
_TAIL = re.compile(r"[:;,.。、*★▲#]+$|^[*★▲#、.]+|^\d{1,2}[.、](?!\d)|^[一二三四五六七八九十]{1,2}、")
_MARKS, _NUMERALS = frozenset(":;,.。、*★▲#"), frozenset("*★▲#、.一二三四五六七八九十")
"""Last and first characters of all that ``_TAIL`` takes off, digits aside."""
_CLOSING = frozenset(")]}】〕")
_ENCLOSED = re.compile(r"[()\[\]{}【】〔〕〖〗「」=]")
_BEFORE_LABELS = _NUMERALS | {"年"}
"""First characters of texts that may be a label with something before it."""
_YEAR = re.compile(r"^20\d\d(?=年)")
_OF_YEAR = re.compile(r"^年度?")
_LEVEL = re.compile("[(]([一二三])级[)]")
_SURPLUS = 6
_SURE = 4
"""A note's word of so many characters begins no label of a level."""
_FIGURE = re.compile(r"[-+≥≤=<>]?[\d.,]+(?![\d.,年、级])")
"""A value, no label: most cells of a grid are told by their first characters."""


class Match(NamedTuple):
    """What a label was recognised as.

    ``exact`` is False where only a word inside it was. ``rank`` is 2 for a name that means nothing else, 1 for one that
    may, 0 for a word inside.
    """

    field: str
    exact: bool
    rank: int = 0


@lru_cache(maxsize=4_096)
def plain(text: str) -> str:
    """Return a label after NFKC without white space, closing punctuation and frame (``【分值】``), brackets kept."""
    label = _without_tail(plain_row(text))
    return _FRAME.sub(r"\1", label) if label[:1] in _OPENING else label


def _without_tail(label: str) -> str:
    """A label without white space, without the marks and numbers around it."""
    first = label[:1]
    return _TAIL.sub("", label) if label[-1:] in _MARKS or first in _NUMERALS or first.isdecimal() else label


@lru_cache(maxsize=4_096)
def bare(text: str) -> str:
    """Return ``plain`` without brackets and what they hold, and without a leading year's digits."""
    stripped = plain(text)
    while not _CLOSING.isdisjoint(stripped):
        shorter = _BRACKETS.sub("", stripped)
        if shorter == stripped:
            break
        stripped = shorter
    return _without_tail(_YEAR.sub("", stripped) if stripped[:1] == "2" else stripped)


def _is_bare(folded: str) -> bool:
    """Whether a text without white space is all label: ``plain`` and ``bare`` return it as it is."""
    first = folded[:1]
    around = folded[-1:] in _MARKS or first in _BEFORE_LABELS or first.isdecimal()
    return not around and _ENCLOSED.search(folded) is None


def is_figure(text: str) -> bool:
    """Whether a text begins as a value does, with a digit in it: no label."""
    match = _FIGURE.match(text)
    return match is not None and any(map(str.isdigit, match[0]))


def squeeze(text: str | None) -> str | None:
    """Return a text without white space, None for a blank one."""
    return ("".join(text.split()) if text else "") or None


class _Vocabulary(NamedTuple):
    """The labels of one block.

    Whole labels, those of them that mean nothing else, words to look for, the longest first, and all of these at once.
    """

    exact: dict[str, str]
    own: frozenset[str]
    words: list[tuple[str, str]]
    any_word: re.Pattern[str]


@cache
def _vocabulary(block: str) -> _Vocabulary:
    data = load("labels.toml")
    extra = "fund_extra" if block == "fund" else "extra"
    exact: dict[str, str] = {}
    words: dict[str, str] = {}
    groups: list[tuple[str, Any]] = list(data[block].items())
    if block in {"indicator", "fund"}:
        groups.append(("extra", data[extra]))
    for field, entry in groups:
        for word in entry.get("words", ()):
            words.setdefault(plain(word), field)
            exact.setdefault(plain(word), field)
        for word in entry.get("exact", ()):
            exact.setdefault(plain(word), field)
    longest = sorted(words.items(), key=lambda item: -len(item[0]))
    return _Vocabulary(exact, frozenset(words), longest, _any_of(words))


def _any_of(words: Iterable[str]) -> re.Pattern[str]:
    """An expression of words, those that begin with one character together: found in an eighth of the time."""
    by_first: dict[str, list[str]] = {}
    for word in words:
        by_first.setdefault(word[0], []).append(re.escape(word[1:]))
    return re.compile("|".join(f"{re.escape(first)}(?:{'|'.join(rests)})" for first, rests in by_first.items()))


@lru_cache(maxsize=2_048)
def find(block: str, text: str) -> Match | None:
    """Return the field a label names in a block (``indicator``, ``fund``, ``goals``), None where it names none.

    A label the block knows as none of ours is the field ``extra``.
    """
    spelled = _spelled(text)
    return None if spelled is None else _found(_vocabulary(block), spelled)


def _found(vocabulary: _Vocabulary, spelled: tuple[str, str, str]) -> Match | None:
    """The field of a label by a vocabulary, as a whole or by a word in it."""
    for label in spelled:
        if len(label) > LONGEST:
            return None
        if label in vocabulary.exact:
            return Match(vocabulary.exact[label], exact=True, rank=2 if label in vocabulary.own else 1)
    label = spelled[1]
    if vocabulary.any_word.search(label) is None or is_hint(label):
        return None
    for word, field in vocabulary.words:
        if word in label and len(label) - len(word) <= _SURPLUS:
            return Match(field, exact=False)
    return None


@lru_cache(maxsize=2_048)
def _spelled(text: str) -> tuple[str, str, str] | None:
    """A label as a vocabulary may have it: plain, bare, without the word for the year; None for what is no label."""
    if len(text) > 2 * LONGEST or (_FIGURE.match(text) and _FIGURE.match(plain(text))):
        return None
    if _is_bare(folded := plain_row(text)):
        return folded, folded, folded
    text = plain(text).partition("=")[0] or text  # 得分=分值×执行率 is how 得分 is reckoned
    level = _LEVEL.search(plain(text))
    text = f"{level[1]}级指标" if level else text
    label = bare(text)
    return plain(text), label, _OF_YEAR.sub("", label) if label[:1] == "年" else label


@lru_cache(maxsize=1024)
def find_damaged(block: str, text: str) -> tuple[Match, str] | None:
    """Return the field of a label that only look-alike characters keep from being known, and the label meant.

    ``得份`` → (the score, ``得分``); None for any other label.
    """
    meant = plain(text).translate(_look_alikes())
    match = find(block, meant) if meant != plain(text) else None
    return (match._replace(exact=False, rank=-1), meant) if match is not None and match.exact else None


@cache
def _look_alikes() -> dict[int, str]:
    meant: dict[str, str] = load("labels.toml")["look_alikes"]
    return {ord(char): label for label, chars in meant.items() for char in chars}


@lru_cache(maxsize=2_048)
def field_names(text: str) -> tuple[str | None, str | None] | None:
    """The indicator field and the fund field a text names as a label; None where it names neither."""
    spelled, (labels, any_word) = _spelled(text), _both()
    if spelled is None or (labels.isdisjoint(spelled) and any_word.search(spelled[1]) is None):
        return None
    grid, fund = _found(_vocabulary("indicator"), spelled), _found(_vocabulary("fund"), spelled)
    names = _ours(grid), _ours(fund)
    return names if any(names) else None


@cache
def _both() -> tuple[frozenset[str], re.Pattern[str]]:
    """Whole labels and words of the grid and of the fund table: most texts hold none."""
    grid, fund = _vocabulary("indicator"), _vocabulary("fund")
    return frozenset({*grid.exact, *fund.exact}), _any_of({**dict(grid.words), **dict(fund.words)})


def _ours(match: Match | None) -> str | None:
    return None if match is None or match.field == "extra" else match.field


@lru_cache(maxsize=2_048)
def is_one_of(text: str, section: str, key: str) -> bool:
    """Whether a label is, as a whole, one of ``labels.toml [section] key``."""
    words = _words(section, key)
    return len(text) <= 2 * LONGEST and (plain(text) in words or bare(text) in words)


@cache
def _words(section: str, key: str) -> frozenset[str]:
    return frozenset(plain(word) for word in load("labels.toml")[section][key])


@lru_cache(maxsize=2_048)
def total_label(text: str) -> tuple[bool, str | None, str | None]:
    """Whether a text is a total's label, with the figure and the grade that stand in it.

    ``总分`` → (True, None, None); ``总分：100分`` → (True, "100", None); ``自评总分：96.5分 等级：优`` → (True, "96.5",
    "优").
    """
    folded, formula, _ = plain_row(text).partition("=")
    first = folded[:1]
    if first not in _total_begins() and not first.isdecimal():
        return False, None, None
    if formula:
        return is_one_of(folded, "rows", "total"), None, None
    match = pattern("rows", "inline_total").match(folded)
    if match is not None and is_one_of(match["label"], "rows", "total"):
        return True, match["figure"], match["grade"]
    return is_one_of(text, "rows", "total"), None, None


@cache
def _total_begins() -> frozenset[str]:
    """First characters of totals' labels, and of all that may stand before one (a year or a number aside)."""
    return _NUMERALS.union(_OPENING, "([{【〔", (word[0] for word in _words("rows", "total")))


def is_plain_name(text: str) -> bool:
    """Whether a text can be nothing but an indicator's name: no label, total, note, title or unfilled row."""
    return _says_nothing_else(text) or not (
        field_names(text)
        or total_label(text)[0]
        or opens_note(text)
        or is_unused(text)
        or is_placeholder(text)
        or is_hint(text)
        or is_one_of(text, "rows", "subtotal")
        or contains(text, "title", "words")
    )


def _says_nothing_else(text: str) -> bool:
    """Whether a text that is all label holds no word of anything but a name: so do most names."""
    folded, (labels, any_word) = plain_row(text), _other_words()
    if not _is_bare(folded) or folded in labels or any_word.search(folded):
        return False
    return not (pattern("rows", "unused").match(folded) or pattern("rows", "hint").match(folded))


@cache
def _other_words() -> tuple[frozenset[str], re.Pattern[str]]:
    """Whole labels, and all words of which a text that is more than a name holds one."""
    labels, (grid, fund) = _both()[0], map(_vocabulary, ("indicator", "fund"))
    rows = [_words("rows", key) for key in ("total", "subtotal", "note_words")]
    return labels, _any_of(dict(grid.words).keys() | dict(fund.words).keys() | _words("title", "words").union(*rows))


@lru_cache(maxsize=2_048)
def contains(text: str, section: str, key: str) -> bool:
    """Whether a text contains one of the words of ``labels.toml [section] key``."""
    return _any_word(section, key).search(plain(text)) is not None


@cache
def _any_word(section: str, key: str) -> re.Pattern[str]:
    return _any_of(_words(section, key))


@lru_cache(maxsize=2_048)
def opens_note(text: str) -> bool:
    """Whether a text opens a row below the grid (``注：``, ``填表人``): a note's word, then its end or a mark.

    Behind a note's word a sentence may follow at once, an indicator's name may not.
    """
    label = plain(text)
    if not label.startswith(_note_words()[0]):
        return False
    words = [word for word in _words("rows", "note_words") if label.startswith(word)]
    return any(len(label) == len(word) or not label[len(word)].isalnum() or len(label) > LONGEST for word in words)


@lru_cache(maxsize=2_048)
def begins_note(text: str) -> bool:
    """Whether a text begins with a note's word, whatever follows it (``偏差原因及说明``): where no name may stand."""
    return plain(text).startswith(_note_words()[1])


@cache
def _note_words() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Words that open a note, and those of them that no label of a level begins with."""
    words = tuple(_words("rows", "note_words"))
    return words, tuple(word for word in words if len(word) >= _SURE)


@lru_cache(maxsize=2_048)
def says_on(text: str) -> bool:
    """Whether a line or a title says that the form goes on from the page before (``续表``, ``…自评表（续）``)."""
    folded = plain_row(text)
    return bool(pattern("continued", "line").match(folded) or pattern("continued", "title").search(folded))


@cache
def pattern(section: str, key: str) -> re.Pattern[str]:
    """Return a compiled pattern of ``labels.toml``."""
    return re.compile(load("labels.toml")[section][key])


@lru_cache(maxsize=2_048)
def split_points(text: str) -> tuple[str, float | None]:
    """Return a level label without its points, and the points: ``产出指标（50分）`` → (``产出指标``, 50).

    A lost bracket (``效益指标30分)``) is forgiven; the label keeps its own white space inside.
    """
    folded = unicodedata.normalize("NFKC", text)
    found = [match for match in _points().finditer(_SPACE.sub("", folded)) if _is_points(match[0])]
    if len(found) != 1:
        return text.strip(), None
    figure = float(next(group for group in found[0].groups() if group))
    loose = r"\s*".join(re.escape(char) for char in found[0][0])
    label = re.sub(loose, "", folded, count=1)
    return label.strip(), figure


@cache
def _points() -> re.Pattern[str]:
    return pattern("points", "level")


def _is_points(text: str) -> bool:
    """A figure counts as points when 分 or both brackets stand with it."""
    return "分" in text or (text[0] in "([【〔{" and text[-1] in ")]】〕}")


@lru_cache(maxsize=2_048)
def is_hint(text: str) -> bool:
    """Whether a text tells how a cell is to be filled in (``填写具体指标``, ``例：培训人次``)."""
    return pattern("rows", "hint").match(plain_row(text)) is not None


@lru_cache(maxsize=2_048)
def is_unused(text: str) -> bool:
    """Whether a text is a template's unfilled row (``指标2：``, ``……``, ``/``)."""
    return pattern("rows", "unused").match(plain_row(text)) is not None


def is_placeholder(text: str) -> bool:
    """Whether a value cell holds nothing but dashes, dots or slashes."""
    return not text[-1:].isalnum() and not text[:1].isalnum() and _holds_nothing(text)


@lru_cache(maxsize=2_048)
def _holds_nothing(text: str) -> bool:
    return pattern("rows", "placeholder").match(plain_row(text)) is not None


def plain_row(text: str) -> str:
    """Return a text after NFKC without white space; punctuation stays."""
    return "".join((text if text.isascii() else unicodedata.normalize("NFKC", text)).split())


@lru_cache(maxsize=2048)
def points_stated(*labels: str) -> float | None:
    """The points that labels state (``得分（20分*执行率）`` → 20), None where they state none, or several."""
    figures = {match[1] for text in labels for match in pattern("points", "execution").finditer(plain_row(text))}
    return float(figures.pop()) if len(figures) == 1 else None


def unit_stated(texts: Iterable[str]) -> str | None:
    """Return the money unit that labels state (``项目资金（万元）``, ``单位：元``), the first one met."""
    word = load("labels.toml")["units"]["word"]
    return next((unit for text in texts if word in text and (unit := _unit_in(text)) is not None), None)


@lru_cache(maxsize=1024)
def _unit_in(text: str) -> str | None:
    folded = plain_row(text)
    match = pattern("units", "alone").match(folded) or pattern("units", "stated").search(folded)
    return next(group for group in match.groups() if group) if match else None
