"""Texts before they are figures: one way to write each sign, words that say a target was missed, words in names."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from perfeval_xlsx.data import load

_DATA = load("values.toml")
_REPLACE = str.maketrans({**_DATA["text"]["replace"], **dict.fromkeys(_DATA["text"]["remove"], None)})
_MARKS = re.compile(_DATA["text"]["list_marks"])
# White space goes, but one blank stays between two digits (two numbers) and after the point of a one-digit number at
# which a list may be numbered (1. 95%).
_SPACE = re.compile(r"(?:(?<=[0-9])|(?<=[0-9]\.)(?<![0-9]{2}\.))\s+(?=[0-9])")
_PAIRS = "|".join(map(re.escape, sorted(_DATA["text"]["joined"], key=len, reverse=True)))
_WRITTEN_ONE_WAY = re.compile("[≥≤]?[0-9]+(?:\\.[0-9]+)?[%\u4e00-\u9fa5]{0,6}")
"""Nothing to unify: most figures are told at once."""
_JOINED = re.compile(f"(?<![><=≥≤±])(?:{_PAIRS})(?![><=≥≤±])")


def normalise(text: str) -> str:
    """Write a text one way: NFKC, look-alike signs unified (``＞＝`` → ``≥``), white space out.

    A blank stays, as one blank, only where it is all that separates two numbers.
    """
    if (text.isascii() and text.isalnum()) or _WRITTEN_ONE_WAY.fullmatch(text):
        return text
    return _unified(text)


@lru_cache(maxsize=16_384)
def _unified(text: str) -> str:
    plain = unicodedata.normalize("NFKC", _MARKS.sub("、", text.translate(_REPLACE))).translate(_REPLACE)
    if not plain.isprintable() or " " in plain:
        plain = " ".join("".join(part.split()) for part in _SPACE.split(plain.strip()))
        plain = unicodedata.normalize("NFKC", plain)
    return _JOINED.sub(_join, plain)


def _join(match: re.Match[str]) -> str:
    joined: str = _DATA["text"]["joined"][match[0]]
    return joined


def words_pattern(words: list[str]) -> str:
    """Return an alternation of literal words, the longest first."""
    return "|".join(map(re.escape, sorted(words, key=len, reverse=True)))


_NEGATIVE = re.compile(f"(?:{_DATA['negative']['except']})|(?P<word>{words_pattern(_DATA['negative']['words'])})")


@lru_cache(maxsize=16_384)
def has_negative(text: str) -> str | None:
    """Return the first word by which a text admits a shortfall (``未``, ``滞后``, ``部分`` …), or None.

    ``未发生``, ``无延期``, ``组成部分`` and the like (``data/values.toml [negative]``) admit nothing.
    """
    return next((match["word"] for match in _NEGATIVE.finditer(normalise(text)) if match["word"]), None)


_NAME = 200
"""What a name says, its first characters say."""

_LOWER = re.compile(_DATA["lower"]["words"])
_NOT_LOWER = re.compile(_DATA["lower"]["except"])


@lru_cache(maxsize=16_384)
def lower_is_better(name: str) -> bool:
    """Whether an indicator's name alone says that less is better (投诉率, 事故数, 等候时间, 单位成本).

    Names of how well such things are dealt with (投诉办结率) or by how much they fell (事故下降率) do not.
    """
    plain = normalise(name)[:_NAME]
    return bool(_LOWER.search(plain)) and not _NOT_LOWER.search(plain)


_UP, _DOWN = re.compile(_DATA["name"]["up"]), re.compile(_DATA["name"]["down"])


@lru_cache(maxsize=16_384)
def change_of(name: str) -> str:
    """Return ``"up"`` or ``"down"`` where a name says that its figure is an increase or a decrease, else ``""``."""
    up, down = _UP.search(name), _DOWN.search(name)
    return "" if bool(up) == bool(down) else ("up" if up else "down")
