"""Chinese numerals in a text, as figures: 三次 → 3次, 百分之九十 → 90%, 二〇二一年十二月 → 2021年12月."""

from __future__ import annotations

import re

_FORMS = ("零〇", "一壹", "二两贰", "三叁", "四肆", "五伍", "六陆", "七柒", "八捌", "九玖")
_DIGITS = {char: value for value, chars in enumerate(_FORMS) for char in chars}
_PLACES = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1000, "仟": 1000}
_CLASS = "".join((*_DIGITS, *_PLACES))
_RUN = re.compile(f"[{_CLASS}]+(?:点[{''.join(_DIGITS)}]+)?")
_SHARE = re.compile(f"(百|千)分之(百|[0-9.]+|[{_CLASS}]+(?:点[{''.join(_DIGITS)}]+)?)")
_SIGN = {"百": "%", "千": "‰"}


def arabic(text: str) -> str:
    """Return ``text`` with every Chinese numeral as a figure; unchanged where a run is no well-formed numeral."""
    shared = _SHARE.sub(lambda match: f"{_numeral(match[2])}{_SIGN[match[1]]}", text)
    return _RUN.sub(lambda match: _numeral(match[0]), shared)


def _numeral(text: str) -> str:
    whole, point, rest = text.partition("点")
    figure = "100" if whole == "百" else _whole(whole)
    return text if figure is None else figure + ("." if point else "") + "".join(str(_DIGITS[char]) for char in rest)


def _whole(text: str) -> str | None:
    if text.replace(".", "").isascii():
        return text
    if not any(char in _PLACES for char in text):
        return "".join(str(_DIGITS[char]) for char in text) if len(text) != 2 and len(text) != 3 else None
    total, digit, last = 0, None, 10_000
    for char in text:
        if char in _DIGITS:
            if digit not in (None, 0):
                return None
            digit = _DIGITS[char]
            continue
        place = _PLACES[char]
        if place >= last or (digit is None and (place != 10 or total)) or digit == 0:
            return None
        total, digit, last = total + (digit or 1) * place, None, place
    return str(total + (digit or 0))
